//! `Debts`: who owes how much time: each misdeed costs some, and all is paid by waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use machine::Time;

/// Debts of many, no more than so many at once. Whoever owes nothing is not remembered.
#[derive(Debug)]
pub(crate) struct Debts<K> {
    paid: BTreeMap<K, Time>,
    /// By when all is paid: the first to be forgotten stands first.
    order: BTreeSet<(Time, K)>,
    most: usize,
}

impl<K: Copy + Ord> Debts<K> {
    pub(crate) const fn new(most: usize) -> Self {
        Self { paid: BTreeMap::new(), order: BTreeSet::new(), most }
    }

    /// Adds to what somebody owes; how much it is then. When there is no room, whoever owes least is let off.
    pub(crate) fn add(&mut self, now: Time, who: K, cost: Duration) -> Duration {
        self.forget(now);
        let before = self.paid.get(&who).copied();
        if before.is_none()
            && self.paid.len() >= self.most
            && let Some((_, least)) = self.order.pop_first()
        {
            self.paid.remove(&least);
        }
        let paid = before.unwrap_or(now).max(now) + cost;
        self.order.extend([(paid, who)]);
        if let Some(before) = self.paid.insert(who, paid) {
            self.order.remove(&(before, who));
        }
        paid - now
    }

    /// Somebody owes this much, or what it owes already when that is more.
    pub(crate) fn owe(&mut self, now: Time, who: K, cost: Duration) {
        let missing = cost.saturating_sub(self.of(now, who));
        self.add(now, who, missing);
    }

    /// True when nobody owes anything.
    pub(crate) fn are_none(&self) -> bool {
        self.paid.is_empty()
    }

    /// What somebody owes.
    pub(crate) fn of(&self, now: Time, who: K) -> Duration {
        self.paid.get(&who).map_or(Duration::ZERO, |paid| *paid - now)
    }

    /// True when nobody new can be remembered without letting somebody off.
    pub(crate) fn is_full(&mut self, now: Time) -> bool {
        self.forget(now);
        self.paid.len() >= self.most
    }

    fn forget(&mut self, now: Time) {
        while let Some((paid, who)) = self.order.first().copied().filter(|(paid, _)| *paid <= now) {
            self.order.remove(&(paid, who));
            self.paid.remove(&who);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn debts_grow_are_paid_by_waiting_and_never_grow_in_number() {
        let mut debts = Debts::new(3);
        let start = Time(1_000_000_000_000);
        assert_eq!(debts.add(start, 1, secs(60)), secs(60));
        assert_eq!(debts.add(start + secs(30), 1, secs(60)), secs(90));
        assert_eq!(debts.of(start + secs(60), 1), secs(60));
        assert_eq!(debts.of(start + secs(200), 1), secs(0));
        debts.add(start, 2, secs(5));
        debts.add(start, 3, secs(50));
        assert!(debts.is_full(start));
        debts.add(start, 4, secs(60));
        assert_eq!(debts.of(start, 2), secs(0), "it owed least");
        assert_eq!((debts.paid.len(), debts.order.len()), (3, 3));
        assert!(!debts.is_full(start + secs(500)));
        assert!(debts.paid.is_empty() && debts.order.is_empty());
    }
}
