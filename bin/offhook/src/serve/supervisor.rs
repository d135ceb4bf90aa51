//! `Supervisor`: what started us (systemd) is told that we serve, reload, live and stop (sd_notify(3)); without one nobody is told.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;

use net::{Drivable, Handle};
use sd_notify::NotifyState;

use crate::log::Log;

/// Tells the supervisor. Clones are the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Supervisor {
    log: Log,
}

impl Supervisor {
    pub(super) const fn new(log: Log) -> Self {
        Self { log }
    }

    /// We serve, by this config.
    pub(super) fn ready(self, status: &str) {
        self.tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// The config is being read again.
    pub(super) fn reloading(self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now]),
            Err(error) => self.complain(&error),
        }
    }

    /// We are about to end.
    pub(super) fn stopping(self) {
        let status = NotifyState::Status("going out of service");
        self.tell(&[NotifyState::Stopping, status]);
    }

    fn tell(self, news: &[NotifyState<'_>]) {
        if let Err(error) = sd_notify::notify(news) {
            self.complain(&error);
        }
    }

    fn complain(self, error: &std::io::Error) {
        let what = format!("systemd cannot be told: {error}");
        self.log.warning("supervisor", &[("what", (&what).into())]);
    }

    /// Feeds its watchdog, if it has one, as long as every shard turns, until what it gives back is dropped.
    pub(super) fn feed<M: Drivable>(
        self,
        server: Handle<M>,
    ) -> std::io::Result<Option<Sender<()>>> {
        let Some(patience) = sd_notify::watchdog_enabled() else { return Ok(None) };
        let (stop, stopped) = channel::<()>();
        let pause = patience / MEALS;
        thread::Builder::new().name("watchdog".into()).spawn(move || {
            let mut pulse = Pulse::new(server);
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                match pulse.stuck() {
                    None => self.tell(&[NotifyState::Watchdog]),
                    Some(shard) => {
                        let fields = [("shard", u32::from(shard).into())];
                        self.log.error("shard_stuck", &fields);
                    }
                }
            }
        })?;
        Ok(Some(stop))
    }
}

/// How often a watchdog is fed before it would bite.
const MEALS: u32 = 4;

/// Whether every shard still turns.
struct Pulse<M> {
    server: Handle<M>,
    /// What each shard was asked last.
    beats: Vec<Receiver<()>>,
}

impl<M: Drivable> Pulse<M> {
    /// Asks every shard.
    fn new(server: Handle<M>) -> Self {
        let beats = (0..server.shards()).map(|shard| ask(&server, shard)).collect();
        Self { server, beats }
    }

    /// A shard that has not answered since it was asked. All others are asked again.
    fn stuck(&mut self) -> Option<u16> {
        let mut stuck = None;
        for (shard, beat) in (0..).zip(&mut self.beats) {
            match beat.try_recv() {
                Ok(()) => *beat = ask(&self.server, shard),
                Err(_) => stuck = stuck.or(Some(shard)),
            }
        }
        stuck
    }
}

/// Asks a shard to say something in its next turn.
fn ask<M>(server: &Handle<M>, shard: u16) -> Receiver<()> {
    let (beat, heard) = channel();
    // A shard that cannot be asked will not answer.
    let _ = server.tell(shard, move |_, _, _| {
        // Nobody may listen any more.
        let _ = beat.send(());
    });
    heard
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use machine::Dice;
    use net::{Plan, Program};
    use protocol::Transport;
    use server::{Node, Settings};

    use super::*;

    /// Waits until the pulse says so.
    fn until(pulse: &mut Pulse<Node>, stuck: Option<u16>) {
        let deadline = std::time::Instant::now() + Duration::from_secs(40);
        while pulse.stuck() != stuck {
            assert!(std::time::Instant::now() < deadline, "it never becomes {stuck:?}");
            thread::yield_now();
        }
    }

    #[test]
    fn a_shard_that_does_not_turn_is_noticed_and_so_is_its_recovery() {
        let plan = Plan::new().on(Transport::Udp, "127.0.0.1:0".parse().unwrap()).shards(2);
        let node = |_, listeners: &[_]| {
            Node::new(Settings::of("example.test", listeners.to_vec()), Dice::new(1))
        };
        let running = plan.bind().unwrap().start(Program::new(), node).unwrap();
        let server = running.handle();
        let mut pulse = Pulse::new(server.clone());
        until(&mut pulse, None);
        let (release, wait) = channel::<()>();
        let (hangs, begun) = channel();
        let hang = move |_: &mut Node, _, _: &mut Vec<_>| {
            hangs.send(()).unwrap();
            wait.recv().unwrap_or_default();
        };
        server.tell(1, hang).unwrap();
        begun.recv().unwrap();
        until(&mut pulse, Some(1));
        // However long, as long as it hangs. (The other one may not have had time to answer now and then.)
        assert!((0..1000).all(|_| pulse.stuck().is_some()));
        drop(release);
        until(&mut pulse, None);
        server.stop();
        running.join().unwrap();
    }
}
