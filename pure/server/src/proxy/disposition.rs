//! `Disposition`: what a caller asks proxies to do with its request (RFC 3841 §9.1).
//!
//! They are wishes, no commands: `recurse` does not widen what our settings let a 3xx do, `queue` asks for what we do not have, and
//! `redirect` would tell anybody where our users' phones are.

use sip::header::RequestDisposition;
use sip::{Message, Name};

/// The Request-Disposition of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disposition<'a>(pub(super) &'a Message);

/// In which order targets are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Those of equal preference together, the others after them.
    ByPreference,
    /// All at once.
    Parallel,
    /// One after another.
    Sequential,
}

impl Disposition<'_> {
    /// Should only the best target be tried?
    pub(super) fn no_fork(self) -> bool {
        self.asks("no-fork")
    }

    /// Should branches go on ringing when one has answered?
    pub(super) fn no_cancel(self) -> bool {
        self.asks("no-cancel")
    }

    /// Should a 3xx come back instead of being followed?
    pub(super) fn no_recurse(self) -> bool {
        self.asks("no-recurse")
    }

    /// The order that is asked for.
    pub(super) fn order(self) -> Order {
        if self.asks("sequential") {
            return Order::Sequential;
        }
        if self.asks("parallel") { Order::Parallel } else { Order::ByPreference }
    }

    fn asks(self, directive: &str) -> bool {
        self.0.has(Name::RequestDisposition)
            && self
                .0
                .all::<RequestDisposition>()
                .flatten()
                .any(|RequestDisposition(asked)| asked.eq_ignore_ascii_case(directive))
    }
}
