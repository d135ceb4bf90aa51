//! `Losses`: bindings that are gone, and the store still has them, for it could not be told. It is told again until it knows.

use std::collections::BTreeMap;
use std::time::Duration;

use machine::Time;
use protocol::Flow;

use super::edition::Edition;
use crate::house::House;
use crate::limits;
use crate::location::{Binding, Which};
use crate::push;

/// How bindings went, other than by a REGISTER.
#[derive(Clone, Debug)]
pub(super) enum Gone {
    /// Their time was over: that is so at every node, and in the store.
    Expired,
    /// With their connection.
    With(Flow),
    /// Somebody took them away: the one with this Contact URI, or all. These were known.
    TakenAway(Option<Box<[u8]>>, Vec<Binding>),
    /// Their user is no user any more.
    WithTheirUser,
}

impl Gone {
    /// What is left of a binding.
    pub(super) fn leaves(&self, house: &House, aor: &[u8], binding: Binding) -> Option<Binding> {
        match self {
            Self::Expired => Some(binding),
            Self::With(flow) => binding
                .without(*flow, |binding| push::can_be_woken(house, aor, binding.uri()).is_some()),
            Self::TakenAway(None, _) => None,
            Self::TakenAway(Some(uri), _) => (!binding.is(&Which::Uri(uri))).then_some(binding),
            Self::WithTheirUser => {
                (house.knows(aor) || house.trusts_everybody()).then_some(binding)
            }
        }
    }
}

/// What the store is still to be told.
#[derive(Debug, Default)]
pub(super) struct Losses {
    owed: BTreeMap<Box<[u8]>, Vec<Loss>>,
    count: usize,
    /// When it is tried next, as long as anything is owed.
    next: Time,
    /// Whose turn was the last.
    last: Box<[u8]>,
}

/// Whether the store has what is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Debt {
    /// It knows all.
    Nothing,
    /// It is to be told.
    Losses,
}

/// What it could not be told.
#[derive(Debug)]
struct Loss {
    gone: Gone,
    /// The edition that would have told it: what has a lower number was written before.
    number: u64,
    /// Until when somebody may still have what is gone.
    until: Time,
}

impl Loss {
    /// What is left of a binding of an edition. A phone that has registered since is there; one that had done so before, which was not known here, is
    /// taken for such a one when another has written since.
    fn leaves(
        &self,
        house: &House,
        aor: &[u8],
        (number, binding): (u64, Binding),
    ) -> Option<Binding> {
        match &self.gone {
            Gone::TakenAway(_, known) if number >= self.number => {
                let is_one = known.iter().any(|known| known.is_said_as(&binding));
                (!is_one).then_some(binding)
            }
            gone => gone.leaves(house, aor, binding),
        }
    }
}

impl Losses {
    /// The store could not be told by the edition of this number.
    pub(super) fn owe(&mut self, now: Time, aor: &[u8], gone: Gone, (number, until): (u64, Time)) {
        if self.count >= limits::UNTOLD {
            return;
        }
        if self.count == 0 {
            self.next = now + AGAIN;
        }
        self.count += 1;
        self.owed.entry(aor.into()).or_default().push(Loss { gone, number, until });
    }

    /// Whether the store still has something of an address that is gone.
    pub(super) fn owes(&self, aor: &[u8]) -> bool {
        self.owed.contains_key(aor)
    }

    /// What is left of an edition.
    pub(super) fn left(&self, house: &House, aor: &[u8], edition: Edition) -> Edition {
        let Some(owed) = self.owed.get(aor) else { return edition };
        let Edition { number, bindings } = edition;
        let leaves = |binding| {
            owed.iter().try_fold(binding, |left, loss| loss.leaves(house, aor, (number, left)))
        };
        Edition { number, bindings: bindings.into_iter().filter_map(leaves).collect() }
    }

    /// This is what the store has: what it knows is not owed any more.
    pub(super) fn settle(&mut self, house: &House, aor: &[u8], edition: &Edition) -> Debt {
        let Some(owed) = self.owed.get_mut(aor) else { return Debt::Nothing };
        let before = owed.len();
        owed.retain(|loss| {
            let is_left = |binding: &Binding| {
                let left = loss.leaves(house, aor, (edition.number, binding.clone()));
                left.is_some_and(|left| left.flow == binding.flow)
            };
            !edition.bindings.iter().all(is_left)
        });
        self.count = self.count.saturating_sub(before - owed.len());
        if !owed.is_empty() {
            return Debt::Losses;
        }
        self.owed.remove(aor);
        Debt::Nothing
    }

    /// What the store has counts as nothing, or cannot be read: there is nothing to tell.
    pub(super) fn forgive(&mut self, aor: &[u8]) -> Debt {
        let forgiven = self.owed.remove(aor).map_or(0, |owed| owed.len());
        self.count = self.count.saturating_sub(forgiven);
        Debt::Nothing
    }

    /// Whose edition is to be looked at now, some at a time.
    pub(super) fn due(&mut self, now: Time) -> Vec<Box<[u8]>> {
        if self.count == 0 || self.next > now {
            return Vec::new();
        }
        self.next = now + AGAIN;
        for owed in self.owed.values_mut() {
            owed.retain(|loss| loss.until > now);
        }
        self.owed.retain(|_, owed| !owed.is_empty());
        self.count = self.owed.values().map(Vec::len).sum();
        let all = self.owed.keys();
        let behind = all.clone().filter(|aor| **aor > self.last);
        let before = all.filter(|aor| **aor <= self.last);
        let due: Vec<_> = behind.chain(before).take(limits::SWEPT).cloned().collect();
        self.last = due.last().cloned().unwrap_or_default();
        due
    }

    /// When that is.
    pub(super) fn deadline(&self) -> Option<Time> {
        (self.count > 0).then_some(self.next)
    }
}

/// A store that is gone is back within seconds.
const AGAIN: Duration = Duration::from_secs(2);
