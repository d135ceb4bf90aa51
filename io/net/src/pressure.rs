//! `Pressure`: how long what comes has to wait, because the shard is busy with what came before.
//!
//! No clock of the kernel is asked: what a turn reads came after the last turn had read all, so it has waited no longer than since then.
//! That holds for datagrams, streams and letters alike, and also for a process that is stopped now and then because others have paid for
//! the processor. Time in which the shard slept because there was nothing to do does not count.

use std::time::Duration;

use machine::Time;
use protocol::doors::Backlog;

use crate::nap::Found;

/// How long what comes has to wait.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pressure {
    /// How long it is since everything was read, without the time that the shard slept since then.
    waited: Duration,
    /// When this turn began to read.
    read: Time,
    /// Datagrams that the kernel has thrown away since this was told last.
    lost: u64,
    /// Whether it has in this turn.
    full: bool,
}

impl Pressure {
    /// The kernel has thrown datagrams away.
    pub(crate) const fn lost(&mut self, datagrams: usize) {
        self.lost = self.lost.saturating_add(datagrams as u64);
    }

    /// A turn has read what it found: what the machine is to know of that, if it found anything or has something to do.
    pub(crate) fn now(&mut self, now: Time, found: Found) -> Option<Backlog> {
        (self.read, self.full) = (now, self.lost > 0);
        let lost = std::mem::take(&mut self.lost);
        let read = found.signalling as u64;
        let backlog = Backlog { waited: self.waited, lost, read, unread: found.more };
        (found.signalling > 0 || found.undone).then_some(backlog)
    }

    /// The turn is over; now the shard may sleep.
    pub(crate) fn done(&mut self, now: Time, found: Found) {
        let busy = now - self.read;
        // What was left has waited since before; but a buffer that runs over holds no more than two turns take out of it.
        let left = self.waited.saturating_add(busy);
        self.waited = match (found.more, self.full) {
            (true, true) => left.min(2 * busy),
            (true, false) => left,
            (false, _) => busy,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Found = Found { signalling: 1, media: 0, more: false, undone: false };

    /// What is told to the machine in turns of so many milliseconds; between them the shard sleeps for a second.
    fn told(turns: &[(u64, bool)]) -> Vec<u64> {
        let (mut pressure, mut now) = (Pressure::default(), Time(1));
        let mut told = Vec::new();
        for (millis, more) in turns {
            let found = Found { more: *more, ..ONE };
            told.extend(pressure.now(now, found).map(|it| it.waited.as_millis() as u64));
            now = now + Duration::from_millis(*millis);
            pressure.done(now, found);
            now = now + Duration::from_secs(u64::from(!*more));
        }
        told
    }

    #[test]
    fn what_comes_during_a_turn_waits_for_its_end_and_what_is_left_waits_on() {
        assert_eq!(told(&[(1, false), (5, false), (1, false)]), [0, 1, 5]);
        assert_eq!(told(&[(10, true), (10, true), (10, false), (1, false)]), [0, 10, 20, 10]);
    }

    #[test]
    fn what_was_lost_is_told_once_and_nobody_is_told_of_nothing() {
        let mut pressure = Pressure::default();
        pressure.lost(3);
        assert_eq!(pressure.now(Time(1), ONE).map(|it| (it.lost, it.read)), Some((3, 1)));
        assert_eq!(pressure.now(Time(2), ONE).map(|it| it.lost), Some(0));
        assert_eq!(pressure.now(Time(3), Found::default()), None);
    }
}
