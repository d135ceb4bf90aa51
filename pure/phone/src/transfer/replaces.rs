//! An INVITE that takes the place of a call, or joins one: which, and whether it may (RFC 3891 §3, RFC 3911 §4).

use protocol::Flow;
use protocol::dialog::{CallId, DialogId, Tag};
use protocol::doors::Call;
use sip::header::{Join, ReferredBy, Replaces};
use sip::{Header as _, Message, Name, Status};

use crate::call::Standing;
use crate::friends::is_same;
use crate::limits;
use crate::phone::Phone;
use crate::refusal::Refusal;

impl Phone {
    /// The call that an INVITE takes the place of that came this way, if it wants to.
    pub(crate) fn replaced_by(
        &self,
        invite: &Message,
        came: Flow,
    ) -> Result<Option<Call>, Refusal> {
        let mut rows = invite.rows(Name::Replaces);
        let Some(row) = rows.next() else { return Ok(None) };
        let bad = |why: &str| Refusal::saying(Status::BAD_REQUEST, format!("Bad Request: {why}"));
        if rows.next().is_some() {
            return Err(bad("more than one Replaces"));
        }
        if invite.has(Name::Join) {
            return Err(bad("Replaces and Join contradict each other"));
        }
        let Replaces { call_id, to_tag, from_tag, early_only } =
            Replaces::parse(row).map_err(|error| bad(&error.to_string()))?;
        let id = named(call_id.0, (to_tag, from_tag));
        let call = self.calls.values().find(|call| call.is(&id)).ok_or_else(unknown)?;
        match call.standing() {
            Standing::Up if early_only => return Err(Refusal::new(Status::BUSY_HERE)),
            Standing::Up | Standing::Calling => {}
            Standing::Offered => return Err(unknown()),
            Standing::Over => return Err(Refusal::new(Status::DECLINE)),
        }
        let party = call.party(&id).unwrap_or_default();
        let sent = self.comes_from_server(came) || is_on_behalf_of(invite, party);
        if sent || self.is_of_friend(invite, came) {
            return Ok(Some(call.id));
        }
        Err(Refusal::saying(Status::FORBIDDEN, "Who Wants To Replace This Call?"))
    }

    /// The call that an INVITE joins that came this way, if it wants to.
    pub(crate) fn joined_by(&self, invite: &Message, came: Flow) -> Result<Option<Call>, Refusal> {
        let mut rows = invite.rows(Name::Join);
        let Some(row) = rows.next() else { return Ok(None) };
        let bad = |why: &str| Refusal::saying(Status::BAD_REQUEST, format!("Bad Request: {why}"));
        if rows.next().is_some() {
            return Err(bad("more than one Join"));
        }
        let Join { call_id, to_tag, from_tag } =
            Join::parse(row).map_err(|error| bad(&error.to_string()))?;
        let id = named(call_id.0, (to_tag, from_tag));
        let call = self.calls.values().find(|call| call.is(&id)).ok_or_else(unknown)?;
        match call.standing() {
            Standing::Up => {}
            Standing::Calling | Standing::Offered => return Err(unknown()),
            Standing::Over => return Err(Refusal::new(Status::DECLINE)),
        }
        let takes_part = self.takes_part(call.id);
        let full = self.conference().count().saturating_add(usize::from(!takes_part))
            >= limits::CONFERENCE;
        if full {
            return Err(Refusal::new(Status::NOT_ACCEPTABLE_HERE));
        }
        // Whoever joins hears all: that our server has let them through is not enough, nor is what they say of who has sent them.
        if self.is_of_friend(invite, came) {
            return Ok(Some(call.id));
        }
        Err(Refusal::saying(Status::FORBIDDEN, "Who Wants To Join This Call?"))
    }
}

fn unknown() -> Refusal {
    Refusal::new(Status::CALL_DOES_NOT_EXIST)
}

/// The dialog that such a header names: `to-tag` is ours.
fn named(call_id: &[u8], (to_tag, from_tag): (&str, &str)) -> DialogId {
    DialogId {
        call_id: CallId::of(call_id),
        local: Tag::of(to_tag.as_bytes()),
        remote: Tag::of(from_tag.as_bytes()),
    }
}

/// True when the party of the call that is replaced has asked for it (RFC 3892).
fn is_on_behalf_of(invite: &Message, party: &[u8]) -> bool {
    // RFC 3892 §4: the two schemes are one here.
    invite.get::<ReferredBy<'_>>().is_some_and(|by| is_same(by.uri, party))
}
