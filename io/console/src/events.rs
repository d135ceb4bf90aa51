//! `Hub`: events on their way to whoever reads them. A reader that is slow loses events and is told how many; nobody waits for it.

use std::sync::Arc;

use hyper::body::Bytes;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::broadcast::{self, Receiver, Sender};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::limits;

/// Where events are told, from any thread, and read, by anybody who asks for them.
#[derive(Clone, Debug)]
pub struct Hub(Sender<Arc<str>>);

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl Hub {
    /// Nobody reads yet.
    pub fn new() -> Self {
        Self(broadcast::channel(limits::EVENTS).0)
    }

    /// True while somebody reads. Events that nobody reads need not even be written down.
    pub fn is_read(&self) -> bool {
        self.0.receiver_count() > 0
    }

    /// Tells all readers an event: a JSON object on one line. It costs a waiting reader's wake-up: not to be called by a shard.
    pub fn tell(&self, event: &str) {
        if event.len() <= limits::EVENT {
            // When nobody reads, nobody misses it.
            let _ = self.0.send(event.trim_end().into());
        }
    }

    /// Begins to read.
    pub fn read(&self) -> Receiver<Arc<str>> {
        self.0.subscribe()
    }
}

/// Passes events on as Server-Sent Events, as fast as their reader takes them, until it has gone or there will be no more.
pub(crate) async fn pass(mut events: Receiver<Arc<str>>, to: mpsc::Sender<Bytes>) {
    // Its headers are on their way at once, even when nothing happens.
    let mut text = String::from(": events follow\n\n");
    while to.send(std::mem::take(&mut text).into()).await.is_ok() {
        match timeout(limits::QUIET, events.recv()).await {
            Err(_) => text += ": all quiet\n\n",
            Ok(Ok(event)) => enter(&mut text, &event),
            Ok(Err(RecvError::Lagged(lost))) => enter_lost(&mut text, lost),
            Ok(Err(RecvError::Closed)) => return,
        }
        while text.len() < limits::CHUNK {
            match events.try_recv() {
                Ok(event) => enter(&mut text, &event),
                Err(TryRecvError::Lagged(lost)) => enter_lost(&mut text, lost),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
    }
}

fn enter(text: &mut String, event: &str) {
    text.extend(["data: ", event, "\n\n"]);
}

fn enter_lost(text: &mut String, lost: u64) {
    *text += &format!("event: lost\ndata: {{\"event\":\"lost\",\"lost\":{lost}}}\n\n");
}

#[cfg(test)]
mod tests {
    use tokio::task::LocalSet;

    use super::*;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn a_reader_that_is_slow_is_told_how_many_it_lost() {
        let hub = Hub::new();
        assert!(!hub.is_read());
        let (to, mut from) = mpsc::channel::<Bytes>(1);
        let events = hub.read();
        assert!(hub.is_read());
        let more = 5;
        for number in 0..limits::EVENTS + more {
            hub.tell(&format!("{{\"n\":{number}}}\n"));
        }
        hub.tell(&"x".repeat(limits::EVENT + 1));
        drop(hub);
        let read = async {
            let mut all = String::new();
            while let Some(octets) = from.recv().await {
                assert!(octets.len() < limits::CHUNK + limits::EVENT);
                all += std::str::from_utf8(&octets).unwrap();
            }
            all
        };
        let local = LocalSet::new();
        local.spawn_local(pass(events, to));
        let all = run(local.run_until(read));
        assert!(all.starts_with(
            ": events follow\n\nevent: lost\ndata: {\"event\":\"lost\",\"lost\":5}\n\n"
        ));
        assert!(all.contains("\n\ndata: {\"n\":5}\n\n") && !all.contains("{\"n\":4}"));
        assert_eq!(all.matches("\ndata: {\"n\"").count(), limits::EVENTS);
    }
}
