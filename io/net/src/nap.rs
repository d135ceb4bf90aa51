//! `Rhythm`: under load a shard lets packets gather for a moment, because waking up is the dearest thing that it does.

use std::time::Duration;

use machine::Time;

use crate::plan::Naps;

/// What a turn found to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Messages, letters, connections.
    pub signalling: usize,
    /// Datagrams of media.
    pub media: usize,
    /// Something was left unread for the next turn.
    pub more: bool,
    /// The machine has more to do at once.
    pub undone: bool,
}

impl Found {
    const fn all(self) -> usize {
        self.signalling.saturating_add(self.media)
    }
}

/// How often something comes, and what follows from it: sleep until something comes when it is quiet; nap when more than one packet
/// would gather meanwhile. (One packet that wakes a sleeping thread costs 20 to 40 µs on a virtual machine, five in a full batch.)
#[derive(Clone, Debug)]
pub(crate) struct Rhythm {
    pub(crate) naps: Naps,
    /// The moving average of the time from one turn to the next.
    time: Duration,
    /// The moving average of what a turn finds, in 256ths. How often something comes is this by that: the mean of each turn's own
    /// quotient would be ruled by the longest pause, and things that come in bursts look rare.
    count: u32,
    /// The moving share of signalling, in 256ths.
    signalling: u32,
    last: Time,
}

/// Packets that must be expected to gather in a nap to make it worth while, in 256ths: one and a half. With one it would be a wake-up for
/// another, and a delay for nothing.
const WORTH: u32 = 384;

/// Packets that are enough for one nap, in 256ths: what waking up costs each of eight is little beside its own work, so where more comes
/// naps are shorter.
const ENOUGH: u32 = 8 * 256;

/// More than this in one turn is as good as any number.
const MOST: u32 = 4096;

/// One turn changes the averages by an eighth.
const INERTIA: u32 = 8;

impl Rhythm {
    pub(crate) const fn new(naps: Naps) -> Self {
        Self { naps, time: Duration::MAX, count: 0, signalling: 256, last: Time(0) }
    }

    /// Notes what a turn found, and says how long to nap before the next; `None`: sleep until something comes.
    pub(crate) fn next(&mut self, now: Time, found: Found) -> Option<Duration> {
        let count = u32::try_from(found.all()).unwrap_or(u32::MAX);
        if count == 0 {
            return None;
        }
        let nap = self.longest(found);
        // A quiet hour counts as four naps: after it the first busy moment is soon believed.
        let pause = nap.saturating_mul(4);
        let time = (now - self.last).min(pause);
        self.last = now;
        self.time = (self.time.min(pause) / INERTIA).saturating_mul(INERTIA - 1) + time / INERTIA;
        self.count = (self.count * (INERTIA - 1) + count.min(MOST) * 256) / INERTIA;
        let gathered = nap.saturating_mul(self.count);
        let enough = self.time.saturating_mul(ENOUGH).checked_div(self.count).unwrap_or(nap);
        let worth = !nap.is_zero() && gathered >= self.time.saturating_mul(WORTH);
        worth.then(|| if self.signalling == 0 { nap } else { nap.min(enough) })
    }

    /// A nap may be longer while there is nothing but media: nobody waits for a call to be set up.
    fn longest(&mut self, found: Found) -> Duration {
        let share = found.signalling.saturating_mul(256).checked_div(found.all()).unwrap_or(0);
        let share = u32::try_from(share).unwrap_or(256);
        self.signalling = (self.signalling * (INERTIA - 1) + share) / INERTIA;
        if self.signalling == 0 { self.naps.media } else { self.naps.signalling }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Naps taken in `turns` turns, each of which finds `count` packets `gap` µs after the last.
    fn naps(
        rhythm: &mut Rhythm,
        now: &mut Time,
        turns: usize,
        found: Found,
        gap: u64,
    ) -> Vec<Option<Duration>> {
        (0..turns)
            .map(|_| {
                *now = *now + Duration::from_micros(gap);
                rhythm.next(*now, found)
            })
            .collect()
    }

    const ONE: Found = Found { signalling: 1, media: 0, more: false, undone: false };

    #[test]
    fn a_quiet_shard_sleeps_and_a_busy_one_naps() {
        let (mut rhythm, mut now) = (Rhythm::new(Naps::default()), Time(1_000_000_000_000));
        assert!(naps(&mut rhythm, &mut now, 100, ONE, 1000).iter().all(Option::is_none));
        let busy = naps(&mut rhythm, &mut now, 60, ONE, 33);
        assert_eq!(busy[0], None);
        assert_eq!(busy[59], Some(Naps::default().signalling));
        // Full naps find six; it goes on. Nothing found: it sleeps.
        let six = Found { signalling: 6, ..ONE };
        assert!(naps(&mut rhythm, &mut now, 10, six, 200).iter().all(Option::is_some));
        assert_eq!(rhythm.next(now, Found::default()), None);
        // 3,000 a second is not worth a nap.
        assert_eq!(naps(&mut rhythm, &mut now, 40, ONE, 333)[39], None);
    }

    #[test]
    fn where_much_comes_nobody_waits_for_more_than_eight() {
        let (mut rhythm, mut now) = (Rhythm::new(Naps::default()), Time(1_000_000_000_000));
        let four = Found { signalling: 4, ..ONE };
        let taken = naps(&mut rhythm, &mut now, 100, four, 20);
        let last = taken.last().copied().flatten();
        assert!(last.is_some_and(|nap| (38..42).contains(&nap.as_micros())), "{last:?}");
        let media = Found { signalling: 0, media: 4, more: false, undone: false };
        let taken = naps(&mut rhythm, &mut now, 100, media, 20);
        assert_eq!(taken.last().copied().flatten(), Some(Naps::default().media));
    }

    /// A call is a burst of six messages: there are as many in a second as if they came one by one.
    #[test]
    fn bursts_are_as_busy_as_what_comes_evenly() {
        let (mut rhythm, mut now) = (Rhythm::new(Naps::default()), Time(1_000_000_000_000));
        let pair = Found { signalling: 2, ..ONE };
        let mut napped = 0;
        for _ in 0..100 {
            for (found, gap) in [(ONE, 380), (pair, 40), (pair, 40), (ONE, 40)] {
                napped += naps(&mut rhythm, &mut now, 1, found, gap).iter().flatten().count();
            }
        }
        assert!(napped > 350, "{napped} of 400");
    }

    #[test]
    fn only_media_naps_longer() {
        let (mut rhythm, mut now) = (Rhythm::new(Naps::default()), Time(1_000_000_000_000));
        let media = Found { media: 2, ..Found::default() };
        let taken = naps(&mut rhythm, &mut now, 60, media, 100);
        assert_eq!(taken[59], Some(Naps::default().media));
        let both = Found { signalling: 2, media: 2, more: false, undone: false };
        assert_eq!(naps(&mut rhythm, &mut now, 1, both, 100)[0], Some(Naps::default().signalling));
    }

    #[test]
    fn without_naps_there_are_none() {
        let none = Naps { signalling: Duration::ZERO, media: Duration::ZERO };
        let (mut rhythm, mut now) = (Rhythm::new(none), Time(1_000_000_000_000));
        assert!(naps(&mut rhythm, &mut now, 100, ONE, 5).iter().all(Option::is_none));
    }
}
