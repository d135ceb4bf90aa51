//! `Quest`: what somebody wants to know: the servers of a next hop, or the services of a name.

use machine::Dice;
use protocol::locate::{
    Domain, Found, Hop, Lookup, Means, Naptr, Offer, Search, Services, Step, Target, Unlocated,
};

/// What somebody wants to know.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Where a next hop is, for who can send by these means (RFC 3263).
    Servers(Hop, Means),
    /// The NAPTR records of a name (RFC 6116).
    Services(Domain),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Servers, in the order to try.
    Servers(Result<Vec<Target>, Unlocated>),
    /// Services; there may be none.
    Services(Result<Vec<Naptr>, Unlocated>),
}

/// A wish on its way.
#[derive(Debug)]
pub(super) enum Quest {
    Servers(Search),
    Services(Services),
}

/// What is to be done next.
pub(super) enum Next {
    Ask(Vec<Lookup>),
    Wait,
    Done(Finding),
}

impl Wish {
    /// What is said when nobody looks.
    pub(crate) fn nothing(&self) -> Finding {
        match self {
            Self::Servers(..) => Finding::Servers(Err(Unlocated::NoAnswer)),
            Self::Services(_) => Finding::Services(Err(Unlocated::NoAnswer)),
        }
    }
}

impl Finding {
    /// Was nothing found, for a reason?
    pub(super) const fn is_nothing(&self) -> bool {
        matches!(self, Self::Servers(Err(_)) | Self::Services(Err(_)))
    }
}

impl From<Wish> for Quest {
    fn from(wish: Wish) -> Self {
        match wish {
            Wish::Servers(hop, means) => Self::Servers(Search::new(hop, means)),
            Wish::Services(name) => Self::Services(Services::of(name)),
        }
    }
}

impl Quest {
    pub(super) fn step(&mut self) -> Next {
        match self {
            Self::Servers(search) => match search.step() {
                Step::Ask(lookups) => Next::Ask(lookups),
                Step::Wait => Next::Wait,
                Step::Done(found) => Next::Done(Finding::Servers(found)),
            },
            Self::Services(search) => match search.step() {
                Step::Ask(lookups) => Next::Ask(lookups),
                Step::Wait => Next::Wait,
                Step::Done(found) => Next::Done(Finding::Services(found)),
            },
        }
    }

    pub(super) fn answer(&mut self, lookup: &Lookup, found: Found, dice: &mut Dice) {
        match self {
            Self::Servers(search) => search.answer(lookup, found, dice),
            Self::Services(search) => search.answer(lookup, found),
        }
    }

    pub(super) fn so_far(&self) -> Finding {
        match self {
            Self::Servers(search) => Finding::Servers(search.so_far()),
            Self::Services(search) => Finding::Services(search.so_far()),
        }
    }

    /// True when the first of what is known stays the first.
    pub(super) fn knows_the_first(&self) -> bool {
        match self {
            Self::Servers(search) => search.knows_the_first(),
            Self::Services(_) => false,
        }
    }

    /// Whether the domain said that it can be contacted by TLS.
    pub(super) fn offer(&self) -> Option<(&Domain, Offer)> {
        match self {
            Self::Servers(search) => search.offer(),
            Self::Services(_) => None,
        }
    }
}
