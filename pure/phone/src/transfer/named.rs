//! `NamedCall`: somebody else's call, to be taken over or joined (RFC 3891, RFC 3911): call pickup, a third party that comes in.

use machine::Time;
use media::Audio;
use protocol::dialog::for_request_uri;
use protocol::doors::{Call, Output};
use sip::header::{CallWord, Join, ReferTo, Replaces};
use sip::{Header as _, Name};

use crate::call::refer_to;
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
    /// Reads an address that leads into a call, as [`Phone::link_to`] writes it: whom to call, which call it is, and that we take the place of who
    /// wrote it.
    pub fn in_uri(uri: &str) -> Option<(String, Self, Entry)> {
        let link = [b"<", uri.trim().as_bytes(), b">"].concat();
        let link = ReferTo::parse(&link).ok()?;
        let row = link.replaces()?;
        let Replaces { call_id, to_tag, from_tag, early_only } = Replaces::parse(&row).ok()?;
        let target = String::from_utf8(for_request_uri(link.uri).to_vec()).ok()?;
        let call_id = String::from_utf8(call_id.0.to_vec()).ok()?;
        let named = Self { call_id, theirs: to_tag.into(), other: from_tag.into() };
        Some((target, named, if early_only { Entry::PickUp } else { Entry::TakeOver }))
    }

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
    /// An address by which somebody else takes our place in a call: to be sent in a message, or shown as a link (RFC 5359 §2.6).
    pub fn link_to(&self, call: Call) -> Result<String, Unable> {
        let up = self.calls.get(&call).ok_or(Unable::NoSuchCall)?.confirmed();
        let link = refer_to(up.ok_or(Unable::NotNow("stands"))?);
        let link = String::from_utf8_lossy(&link);
        Ok(link.trim_start_matches('<').trim_end_matches('>').to_owned())
    }

    /// Calls somebody to come into a call that they have. They decide whether we may: [`Account::shows_calls`](crate::Account::shows_calls).
    pub fn enter(
        &mut self,
        now: Time,
        target: &str,
        (named, entry): (&NamedCall, Entry),
        audio: Box<dyn Audio>,
        out: &mut Vec<Output>,
    ) -> Result<Call, Unable> {
        self.call_with(now, (target, named.rows(entry)), audio, out)
    }
}
