//! `Guests`: who has registered from where. There it is served, whatever others do there or elsewhere.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use machine::Time;
use protocol::bans::{Guest, Source};

use crate::limits;

/// Users by the sources from which they have registered.
#[derive(Debug, Default)]
pub(super) struct Guests {
    known: BTreeMap<Key, Stay>,
    /// Where to look next for who is to be forgotten.
    cursor: Option<Key>,
    /// How many came since somebody looked.
    came: usize,
}

/// A source and a user, as octets in their order: there may be a million, and octets leave no gaps.
type Key = ([u8; 8], [u8; 4]);

/// The seconds until when it is registered, and its port.
#[derive(Clone, Copy, Debug)]
struct Stay([u8; 4], [u8; 2]);

impl Guests {
    /// Somebody has registered. Past the limit a newcomer is not remembered.
    pub(super) fn note(&mut self, now: Time, guest: Guest) {
        self.sweep(now);
        let key = key(guest.source, guest.user);
        if self.known.len() < limits::GUESTS || self.known.contains_key(&key) {
            self.known.insert(key, Stay(guest.until.to_be_bytes(), guest.port.to_be_bytes()));
        }
    }

    /// Is somebody registered from there?
    pub(super) fn is_home(&self, now: Time, source: Source) -> bool {
        self.of(source).any(|guest| u64::from(guest.until) > now.as_secs())
    }

    /// Has this user registered from there lately?
    pub(super) fn knows(&self, now: Time, source: Source, user: u64) -> bool {
        self.known.get(&key(source, brief(user))).is_some_and(|stay| !stay.is_over(now))
    }

    /// Is it the very phone that registered last as this user?
    pub(super) fn is_at(&self, now: Time, (source, port): (Source, u16), user: u64) -> bool {
        let stay = self.known.get(&key(source, brief(user)));
        stay.is_some_and(|stay| stay.port() == port && stay.until() > now.as_secs())
    }

    /// Who has registered from there.
    pub(super) fn of(&self, source: Source) -> impl Iterator<Item = Guest> {
        let there = self.known.range(key(source, 0)..=key(source, u32::MAX));
        there.map(|(key, stay)| guest(*key, *stay))
    }

    /// This user, when it has registered from there.
    pub(super) fn get(&self, source: Source, user: u64) -> Option<Guest> {
        let key = key(source, brief(user));
        self.known.get(&key).map(|stay| guest(key, *stay))
    }

    /// Looks at a few now and then, and forgets those who have not been here for long: by and by all are looked at.
    fn sweep(&mut self, now: Time) {
        self.came += 1;
        if self.came < EVERY {
            return;
        }
        self.came = 0;
        let from = self.cursor.map_or(Unbounded, Excluded);
        let some = self.known.range((from, Unbounded)).map(|(key, stay)| (*key, *stay));
        let some: Vec<_> = some.take(EVERY * SWEPT).collect();
        // Behind the last it begins again.
        self.cursor = some.get(EVERY * SWEPT - 1).map(|(key, _)| *key);
        for (key, _) in some.into_iter().filter(|(_, stay)| stay.is_over(now)) {
            self.known.remove(&key);
        }
    }
}

impl Stay {
    fn until(self) -> u64 {
        u32::from_be_bytes(self.0).into()
    }

    const fn port(self) -> u16 {
        u16::from_be_bytes(self.1)
    }

    fn is_over(self, now: Time) -> bool {
        self.until() + REMEMBERED < now.as_secs()
    }
}

/// Of the number of a user as much as is kept.
pub(super) const fn brief(user: u64) -> u32 {
    user as u32
}

const fn key(source: Source, user: u32) -> Key {
    (source.octets(), user.to_be_bytes())
}

const fn guest((source, user): Key, Stay(until, port): Stay) -> Guest {
    Guest {
        source: Source::from_octets(source),
        user: u32::from_be_bytes(user),
        port: u16::from_be_bytes(port),
        until: u32::from_be_bytes(until),
    }
}

/// How many are looked at for each that comes: more than come, so that what is over does not pile up.
const SWEPT: usize = 2;

/// How many come before some are looked at: to find the place is dearer than to look.
const EVERY: usize = 32;

/// Seconds for which a guest is known after its registration has ended: two weeks of holidays.
const REMEMBERED: u64 = 14 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Time {
        Time(secs * 1_000_000_000)
    }

    fn guest(ip: &str, user: u32, until: u32) -> Guest {
        Guest { source: ip.parse().unwrap(), user, port: 5060, until }
    }

    #[test]
    fn a_guest_is_home_for_a_while_and_known_for_longer() {
        let mut guests = Guests::default();
        guests.note(at(1000), guest("192.0.2.1", 7, 1100));
        let here = "192.0.2.1".parse().unwrap();
        assert!(guests.is_home(at(1099), here) && !guests.is_home(at(1100), here));
        assert!(guests.is_at(at(1099), (here, 5060), 7) && !guests.is_at(at(1099), (here, 1), 7));
        assert!(
            !guests.is_at(at(1099), (here, 5060), 8) && !guests.is_at(at(1101), (here, 5060), 7)
        );
        assert!(guests.knows(at(1100 + REMEMBERED), here, 7));
        assert!(!guests.knows(at(1101 + REMEMBERED), here, 7) && !guests.knows(at(1000), here, 8));
        assert!(!guests.is_home(at(1000), "192.0.2.2".parse().unwrap()));
    }

    #[test]
    fn who_is_gone_for_long_is_forgotten() {
        let mut guests = Guests::default();
        for user in 0..1000 {
            guests.note(at(1000), guest("192.0.2.1", user, 1100));
        }
        for user in 0..1000 {
            guests.note(at(2000 + REMEMBERED), guest("192.0.2.2", user, u32::MAX));
        }
        assert_eq!(guests.known.len(), 1000);
    }
}
