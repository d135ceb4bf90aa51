//! `Reporter`: a sink that also tells those who read events over HTTP, while somebody does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use std::{io, iter, thread};

use console::Hub;
use machine::Time;
use net::{Heard, Notice, Passed, Sink};
use protocol::doors::Event;

use crate::log::{Format, Log};
use crate::{journal, limits};

/// Passes everything on, and events to the readers too.
pub(in crate::serve) struct Reporter<S> {
    sink: S,
    hub: Hub,
    to: SyncSender<Heard>,
    lost: Arc<AtomicU64>,
}

/// What a [`Reporter`] tells, on its way to [`report`].
pub(in crate::serve) struct Told {
    hub: Hub,
    heard: Receiver<Heard>,
    lost: Arc<AtomicU64>,
}

impl<S: Sink> Reporter<S> {
    pub(in crate::serve) fn new(sink: S, hub: Hub) -> (Self, Told) {
        let (to, heard) = sync_channel(limits::EVENTS);
        let lost = Arc::<AtomicU64>::default();
        let told = Told { hub: hub.clone(), heard, lost: Arc::clone(&lost) };
        (Self { sink, hub, to, lost }, told)
    }

    fn report(&self, heard: impl FnOnce() -> Heard) {
        if self.hub.is_read() && self.to.try_send(heard()).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<S: Sink> Sink for Reporter<S> {
    fn event(&self, now: Time, shard: u16, event: Event) {
        self.report(|| Heard::Event(now, shard, event.clone()));
        self.sink.event(now, shard, event);
    }

    fn notice(&self, now: Time, shard: u16, notice: Notice) {
        self.report(|| Heard::Notice(now, shard, notice.clone()));
        self.sink.notice(now, shard, notice);
    }

    fn wants_daily(&self) -> bool {
        self.sink.wants_daily() || self.hub.is_read()
    }

    fn wants_messages(&self) -> bool {
        self.sink.wants_messages()
    }

    fn message(&self, passed: Passed) {
        self.sink.message(passed);
    }
}

/// Writes events down for their readers, as the log would, on a thread of its own that ends with the last shard. They gather for a moment: a
/// shard that wakes somebody for each event pays for it.
pub(in crate::serve) fn report(told: Told) -> io::Result<()> {
    let Told { hub, heard, lost } = told;
    let log = Log::new(Format::Json);
    let tell = move || {
        while let Ok(first) = heard.recv() {
            thread::sleep(GATHER);
            for heard in iter::once(first).chain(heard.try_iter().take(limits::EVENTS)) {
                journal::line(log, &heard).into_iter().for_each(|line| hub.tell(&line));
            }
            match lost.swap(0, Ordering::Relaxed) {
                0 => {}
                lost => hub.tell(&format!("{{\"event\":\"lost\",\"lost\":{lost}}}")),
            }
        }
    };
    thread::Builder::new().name("events".into()).spawn(tell).map(drop)
}

/// How long events gather: nobody who watches them notices.
const GATHER: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use net::Wire;

    use super::*;
    use crate::journal::Terse;
    use crate::log::Level;

    /// A log that leaves out what happens every day keeps it from nobody who reads events; and when the last of them goes, nobody follows it.
    #[test]
    fn what_happens_every_day_is_followed_by_whoever_reads_events_or_such_a_log() {
        for (least, logged) in [(Level::Info, true), (Level::Warning, false)] {
            let hub = Hub::new();
            let log = Log::new(Format::Text).from(least);
            let (reporter, told) = Reporter::new(Terse { sink: Wire::new(1).0, log }, hub.clone());
            assert_eq!(reporter.wants_daily(), logged);
            let reader = hub.read();
            assert!(reporter.wants_daily());
            reporter.event(Time(1), 0, Event::Ended { call_id: "1".into() });
            assert!(matches!(told.heard.try_recv(), Ok(Heard::Event(..))));
            drop(reader);
            assert_eq!(reporter.wants_daily(), logged);
        }
    }
}
