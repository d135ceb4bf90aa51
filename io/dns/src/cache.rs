//! `Cache`: what the DNS said, for as long as it said (RFC 1035 §7.4, RFC 2308), and longer when it falls silent (RFC 8767).

use std::collections::BTreeMap;
use std::time::Duration;

use machine::Time;
use protocol::locate::{Found, Lookup};

use crate::limits;

/// Answers by question. Bounded by the number of records; the one that nobody has used for longest goes first.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    entries: BTreeMap<Lookup, Entry>,
    used: BTreeMap<u64, Lookup>,
    clock: u64,
    records: usize,
}

#[derive(Debug)]
struct Entry {
    found: Found,
    until: Time,
    stale_until: Time,
    used: u64,
}

/// How good an answer from the cache is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cached {
    /// It is valid.
    Fresh(Found),
    /// It was valid until a while ago.
    Stale(Found),
    /// There is none.
    Unknown,
}

impl Cache {
    pub(crate) fn get(&mut self, now: Time, lookup: &Lookup) -> Cached {
        let Some(entry) = self.entries.get_mut(lookup) else { return Cached::Unknown };
        if now >= entry.stale_until {
            self.remove(lookup);
            return Cached::Unknown;
        }
        self.clock = self.clock.wrapping_add(1);
        self.used.remove(&entry.used);
        entry.used = self.clock;
        self.used.insert(self.clock, lookup.clone());
        let found = entry.found.clone();
        if now < entry.until { Cached::Fresh(found) } else { Cached::Stale(found) }
    }

    /// Keeps an answer. Real ones serve for a while after their time; failures do not, and never replace something better.
    pub(crate) fn put(&mut self, now: Time, lookup: &Lookup, found: Found, ttl: Duration) {
        let until = now + ttl;
        if found == Found::Failed {
            if let Some(entry) = self.entries.get_mut(lookup)
                && entry.found != Found::Failed
                && now < entry.stale_until
            {
                entry.until = (now + limits::STALE_TTL).min(entry.stale_until);
                return;
            }
            return self.insert(lookup, found, until, until);
        }
        let stale_until = if ttl.is_zero() { until } else { until + limits::STALE };
        self.insert(lookup, found, until, stale_until);
    }

    fn insert(&mut self, lookup: &Lookup, found: Found, until: Time, stale_until: Time) {
        self.remove(lookup);
        let weight = weight(&found);
        while self.records.saturating_add(weight) > limits::CACHE_RECORDS {
            let Some((_, oldest)) = self.used.pop_first() else { break };
            self.remove(&oldest);
        }
        self.clock = self.clock.wrapping_add(1);
        self.used.insert(self.clock, lookup.clone());
        self.records = self.records.saturating_add(weight);
        let entry = Entry { found, until, stale_until, used: self.clock };
        self.entries.insert(lookup.clone(), entry);
    }

    fn remove(&mut self, lookup: &Lookup) {
        if let Some(entry) = self.entries.remove(lookup) {
            self.used.remove(&entry.used);
            self.records = self.records.saturating_sub(weight(&entry.found));
        }
    }
}

/// A "nothing" takes as much room as a record.
fn weight(found: &Found) -> usize {
    match found {
        Found::Records(records) => records.len().max(1),
        Found::Nothing | Found::Failed => 1,
    }
}

#[cfg(test)]
mod tests {
    use protocol::locate::{Data, Domain, Kind, Record};

    use super::*;

    fn lookup(number: usize) -> Lookup {
        Lookup { name: Domain::of(&format!("n{number}.example")).unwrap(), kind: Kind::A }
    }

    fn records(count: usize) -> Found {
        let record = Record { owner: lookup(0).name, data: Data::A([192, 0, 2, 1].into()) };
        Found::Records(vec![record; count])
    }

    fn at(secs: u64) -> Time {
        Time(secs * 1_000_000_000)
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn an_answer_is_valid_for_its_time_and_then_better_than_nothing() {
        let mut cache = Cache::default();
        assert_eq!(cache.get(at(0), &lookup(1)), Cached::Unknown);
        cache.put(at(0), &lookup(1), records(1), MINUTE);
        assert_eq!(cache.get(at(59), &lookup(1)), Cached::Fresh(records(1)));
        assert_eq!(cache.get(at(60), &lookup(1)), Cached::Stale(records(1)));
        // The DNS fails: the old answer is good for a little while.
        cache.put(at(60), &lookup(1), Found::Failed, limits::FAILURE_TTL);
        assert_eq!(cache.get(at(89), &lookup(1)), Cached::Fresh(records(1)));
        assert_eq!(cache.get(at(90), &lookup(1)), Cached::Stale(records(1)));
        assert_eq!(cache.get(at(60) + limits::STALE, &lookup(1)), Cached::Unknown);
        assert_eq!((cache.records, cache.used.len()), (0, 0));
    }

    #[test]
    fn nothing_is_an_answer_too_and_a_failure_is_soon_forgotten() {
        let mut cache = Cache::default();
        cache.put(at(0), &lookup(1), Found::Nothing, MINUTE);
        assert_eq!(cache.get(at(1), &lookup(1)), Cached::Fresh(Found::Nothing));
        cache.put(at(0), &lookup(2), Found::Failed, limits::FAILURE_TTL);
        assert_eq!(cache.get(at(4), &lookup(2)), Cached::Fresh(Found::Failed));
        assert_eq!(cache.get(at(5), &lookup(2)), Cached::Unknown);
        // What may not be kept is not kept.
        cache.put(at(0), &lookup(3), records(1), Duration::ZERO);
        assert_eq!(cache.get(at(0), &lookup(3)), Cached::Unknown);
    }

    #[test]
    fn it_is_bounded_by_records_and_what_is_used_stays() {
        let mut cache = Cache::default();
        let many = 1_000;
        for number in 0..=limits::CACHE_RECORDS / many {
            cache.put(at(0), &lookup(number), records(many), MINUTE);
            cache.get(at(0), &lookup(0));
        }
        assert_eq!(cache.records, limits::CACHE_RECORDS);
        assert_eq!(cache.used.len(), cache.entries.len());
        assert_eq!(cache.get(at(1), &lookup(0)), Cached::Fresh(records(many)));
        assert_eq!(cache.get(at(1), &lookup(1)), Cached::Unknown);
    }
}
