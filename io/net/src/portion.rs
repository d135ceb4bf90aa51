//! `Portion`: how many answers to its questions a shard takes in one turn.
//!
//! A sync of the disk makes hundreds of registrations safe at once. Were all their 200s sent at once, the buffer of a proxy or a trunk through which
//! they came might not hold them, and no other call would be looked at meanwhile. So they go in portions, as fast as anybody can read them.

use std::time::Duration;

use machine::Time;

use crate::limits;

/// How many may be taken now. It grows with time, and with what was read: nobody should have to wait for an answer because too much is asked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Portion {
    room: usize,
    /// Until when its growth was counted.
    grown: Time,
    /// Whether there may be more than was taken.
    more: bool,
}

/// In this time it grows by one: 125,000 in a second.
const EACH: Duration = Duration::from_micros(8);

/// How many may be taken for each message that was read.
const FOR_ONE: usize = 2;

impl Portion {
    /// How many may be taken in a turn that has read so many messages.
    pub(crate) fn of(&mut self, now: Time, read: usize) -> usize {
        let grown = (now - self.grown).as_micros() / EACH.as_micros();
        let grown = usize::try_from(grown).unwrap_or(usize::MAX);
        self.room = self.room.saturating_add(grown).min(limits::ANSWERS_AT_ONCE);
        let whole = u32::try_from(grown).map_or(now, |grown| self.grown + EACH * grown);
        self.grown = if self.room == limits::ANSWERS_AT_ONCE { now } else { whole };
        self.room = self.room.saturating_add(read.saturating_mul(FOR_ONE));
        self.more = true;
        self.room
    }

    /// One was taken.
    pub(crate) const fn took_one(&mut self) {
        self.room = self.room.saturating_sub(1);
    }

    /// There are no more.
    pub(crate) const fn had_all(&mut self) {
        self.more = false;
    }

    /// When there is room for a whole portion again, if anything is left.
    pub(crate) fn next(&self) -> Option<Time> {
        let missing = limits::ANSWERS_AT_ONCE.saturating_sub(self.room);
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        self.more.then(|| self.grown + EACH * missing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes as many of `waiting` as it may; how many.
    fn take(portion: &mut Portion, now: Time, read: usize, waiting: &mut usize) -> usize {
        let room = portion.of(now, read);
        let taken = room.min(*waiting);
        (0..taken).for_each(|_| portion.took_one());
        *waiting -= taken;
        if taken < room {
            portion.had_all();
        }
        taken
    }

    #[test]
    fn what_comes_at_once_goes_in_portions_and_is_not_held_up_for_long() {
        let (mut portion, began) = (Portion::default(), Time(1_000_000_000));
        let (mut now, mut waiting, mut turns) = (began, 400, 0);
        while waiting > 0 {
            let taken = take(&mut portion, now, 0, &mut waiting);
            assert!(taken <= limits::ANSWERS_AT_ONCE, "{taken}");
            turns += 1;
            now = portion.next().unwrap_or(now);
        }
        assert_eq!(turns, 400_usize.div_ceil(limits::ANSWERS_AT_ONCE));
        assert!(now - began < Duration::from_millis(4), "{:?}", now - began);
        take(&mut portion, now, 0, &mut waiting);
        assert_eq!(portion.next(), None, "nobody wakes up for nothing");
    }

    #[test]
    fn who_reads_much_answers_as_much() {
        let (mut portion, now) = (Portion::default(), Time(1_000_000_000));
        let mut waiting = 400;
        take(&mut portion, now, 0, &mut waiting);
        assert_eq!(take(&mut portion, now, 100, &mut waiting), 200, "though no time has passed");
        assert_eq!(take(&mut portion, now, 0, &mut waiting), 0);
        assert_eq!(take(&mut portion, now + EACH, 0, &mut waiting), 1);
    }
}
