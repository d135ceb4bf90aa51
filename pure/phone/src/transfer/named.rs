//! `NamedCall`: somebody else's call, to be taken over or joined (RFC 3891, RFC 3911): call pickup, a third party that comes in.

use machine::Time;
use media::Audio;
use protocol::doors::{Call, Output};
use sip::header::{CallWord, Join, Replaces};
use sip::{Header as _, Name};

use crate::packages::Talk;
use crate::phone::Phone;
use crate::unable::Unable;

/// A call between two others, as one of them knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCall {
    call_id: String,
    /// The tag of whom we call.
    theirs: String,
    /// The tag of the other one.
    other: String,
}

/// What is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// We take the place of the other one.
    TakeOver,
    /// The same, but only while nobody has picked up (RFC 3891 §6.1, `early-only`): call pickup.
    PickUp,
    /// We come in as the third.
    Join,
}

impl Talk {
    /// The call, for an INVITE to whom it was seen at.
    pub fn there(&self) -> Option<NamedCall> {
        let [call_id, theirs, other] = self.dialog.clone()?;
        Some(NamedCall { call_id, theirs, other })
    }

    /// The call, for an INVITE to the other one of it: for a pickup the caller is called, whose phone waits for an answer.
    pub fn beyond(&self) -> Option<NamedCall> {
        let [call_id, other, theirs] = self.dialog.clone()?;
        Some(NamedCall { call_id, theirs, other })
    }
}

impl NamedCall {
    fn rows(&self, entry: Entry) -> Vec<(Name, Vec<u8>)> {
        let call_id = CallWord(self.call_id.as_bytes());
        let (to_tag, from_tag) = (&*self.theirs, &*self.other);
        let (mut value, early_only) = (Vec::new(), entry == Entry::PickUp);
        let (name, needs) = match entry {
            Entry::TakeOver | Entry::PickUp => {
                Replaces { call_id, to_tag, from_tag, early_only }.write(&mut value);
                (Name::Replaces, "replaces")
            }
            Entry::Join => {
                Join { call_id, to_tag, from_tag }.write(&mut value);
                (Name::Join, "join")
            }
        };
        vec![(name, value), (Name::Require, needs.into())]
    }
}

impl Phone {
    /// Calls somebody to come into a call that they have. They decide whether we may: [`Account::shows_calls`](crate::Account::shows_calls).
    pub fn enter(
        &mut self,
        now: Time,
        target: &str,
        (named, entry): (&NamedCall, Entry),
        audio: Box<dyn Audio>,
        out: &mut Vec<Output>,
    ) -> Result<Call, Unable> {
        let target = self.target(target)?;
        if self.is_full() {
            return Err(Unable::TooManyCalls);
        }
        let call = self.begin(now, (target, named.rows(entry)), audio, out);
        self.settle(now, out);
        Ok(call)
    }
}
