//! What has become of bindings: told from how they were and how they are (RFC 3680 §3.2).

use machine::Time;

use crate::location::Binding;

/// What has become of one.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) binding: Binding,
    pub(super) event: What,
}

/// The events of a contact's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Its phone has registered it.
    Registered,
    /// Its phone has registered it again.
    Refreshed,
    /// It has less time left than it had.
    Shortened,
    /// Its time is up.
    Expired,
    /// Its phone has taken it back.
    Unregistered,
    /// The way to its phone is gone; the phone shall register again.
    Deactivated,
}

impl What {
    /// The word of the document.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Refreshed => "refreshed",
            Self::Shortened => "shortened",
            Self::Expired => "expired",
            Self::Unregistered => "unregistered",
            Self::Deactivated => "deactivated",
        }
    }

    /// True when the contact is no more.
    pub(super) const fn is_end(self) -> bool {
        matches!(self, Self::Expired | Self::Unregistered | Self::Deactivated)
    }
}

impl Change {
    /// A contact that is there.
    pub(super) const fn found(binding: Binding) -> Self {
        Self { binding, event: What::Registered }
    }
}

/// What has changed between two moments, in the order of the bindings.
pub(super) fn between(now: Time, before: &[Binding], after: &[Binding]) -> Vec<Change> {
    let same = |a: &Binding, b: &Binding| a.is_of(b);
    let gone = before.iter().filter(|old| !after.iter().any(|new| same(new, old)));
    let ended = gone.map(|old| {
        let event = match old.flow {
            _ if old.until <= now => What::Expired,
            Some(flow) if flow.connection != 0 => What::Deactivated,
            _ => What::Unregistered,
        };
        Change { binding: old.clone(), event }
    });
    let there = after.iter().filter_map(|new| {
        let event = match before.iter().find(|old| same(new, old)) {
            None => What::Registered,
            Some(old) if old.cseq == new.cseq && old.call_id() == new.call_id() => return None,
            Some(old) if new.until < old.until => What::Shortened,
            Some(_) => What::Refreshed,
        };
        Some(Change { binding: new.clone(), event })
    });
    ended.chain(there).collect()
}
