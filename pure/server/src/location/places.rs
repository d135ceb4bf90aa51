//! `Places`: the table of all addresses with their bindings.

use machine::{Rows, Time};

use super::packed::Packed;

/// An address with its bindings, for when its one alarm is set, and how it came last.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) packed: Packed,
    /// The alarm, and in its last 16 bits, which are 65 µs, how it came: there may be a million.
    alarm: u64,
}

/// Nobody came like that.
const NEVER_CAME: u16 = 0;

impl Place {
    fn of_nobody() -> Self {
        Self { packed: Packed::default(), alarm: Time::NEVER.0 & !0xffff }
    }

    /// For when the alarm is set, or up to 65 µs sooner.
    pub(super) const fn alarm(&self) -> Time {
        Time(self.alarm & !0xffff)
    }

    /// Notes for when it is set.
    pub(super) const fn set(&mut self, alarm: Time) {
        self.alarm = (alarm.0 & !0xffff) | (self.alarm & 0xffff);
    }

    /// Notes how it came; true when it came like that the last time.
    pub(super) fn comes(&mut self, how: u16) -> bool {
        let before = self.alarm as u16;
        self.alarm = (self.alarm & !0xffff) | u64::from(how);
        before == how && how != NEVER_CAME
    }
}

/// Places by their numbers.
#[derive(Debug, Default)]
pub(super) struct Places {
    rows: Rows<Place>,
    /// Those of nobody.
    free: Vec<u32>,
}

impl Places {
    pub(super) fn get(&self, at: u32) -> Option<&Place> {
        self.rows.get(at as usize)
    }

    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut Place> {
        self.rows.get_mut(at as usize)
    }

    /// How many there are, those of nobody too.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// So many from this one on.
    pub(super) fn some(&self, from: usize, most: usize) -> impl Iterator<Item = &Place> {
        self.rows.behind(from).take(most)
    }

    /// A place of nobody; a new one when all have somebody. `None`: there are as many as can be counted.
    pub(super) fn take(&mut self) -> Option<u32> {
        if let Some(at) = self.free.pop() {
            return Some(at);
        }
        let at = u32::try_from(self.len()).ok()?;
        self.rows.push(Place::of_nobody());
        Some(at)
    }

    /// Gives a place back. Its alarm stays set: it rings for nobody, or for who has moved in.
    pub(super) fn give_back(&mut self, at: u32) {
        if let Some(place) = self.get_mut(at) {
            place.packed = Packed::default();
            place.comes(NEVER_CAME);
            self.free.push(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_is_noted_roughly_and_it_is_known_who_comes_as_before() {
        let mut place = Place::of_nobody();
        assert!(place.alarm() > Time(u64::MAX - 65_536) && !place.comes(0) && !place.comes(7));
        assert!(place.comes(7) && !place.comes(8) && place.alarm() > Time(u64::MAX - 65_536));
        place.set(Time(1_234_567));
        assert!((Time(1_169_031)..=Time(1_234_567)).contains(&place.alarm()) && place.comes(8));
    }

    #[test]
    fn what_is_given_back_is_taken_again() {
        let mut places = Places::default();
        for at in 0..2500 {
            assert_eq!((places.len(), places.take()), (at as usize, Some(at)));
        }
        assert!(places.get(2499).is_some() && places.get_mut(2500).is_none());
        assert_eq!(
            [(2000, 9), (2498, 9), (2500, 9)].map(|(from, most)| places.some(from, most).count()),
            [9, 2, 0]
        );
        places.give_back(1024);
        assert_eq!([places.take(), places.take()], [Some(1024), Some(2500)]);
    }
}
