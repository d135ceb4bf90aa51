//! An INVITE that takes the place of a call: which one, and whether it may (RFC 3891 §3).

use std::net::IpAddr;

use protocol::dialog::{CallId, DialogId, Tag};
use protocol::doors::Call;
use sip::header::{ReferredBy, Replaces};
use sip::{Header as _, Message, Name, Status, Uri};

use crate::call::Standing;
use crate::phone::Phone;
use crate::refusal::Refusal;

impl Phone {
    /// The call that an INVITE from there takes the place of, if it wants to.
    pub(crate) fn replaced_by(
        &self,
        invite: &Message,
        from: IpAddr,
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
        let replaces = Replaces::parse(row).map_err(|error| bad(&error.to_string()))?;
        let id = DialogId {
            call_id: CallId::of(replaces.call_id.0),
            local: Tag::of(replaces.to_tag.as_bytes()),
            remote: Tag::of(replaces.from_tag.as_bytes()),
        };
        let unknown = || Refusal::new(Status::CALL_DOES_NOT_EXIST);
        let call = self.calls.values().find(|call| call.is(&id)).ok_or_else(unknown)?;
        match call.standing() {
            Standing::Up if replaces.early_only => return Err(Refusal::new(Status::BUSY_HERE)),
            Standing::Up | Standing::Calling => {}
            Standing::Offered => return Err(unknown()),
            Standing::Over => return Err(Refusal::new(Status::DECLINE)),
        }
        let party = call.party(&id).unwrap_or_default();
        if self.registration.comes_from(from) || is_on_behalf_of(invite, party) {
            return Ok(Some(call.id));
        }
        Err(Refusal::saying(Status::FORBIDDEN, "Who Wants To Replace This Call?"))
    }
}

/// True when the party of the call that is replaced has asked for it (RFC 3892).
fn is_on_behalf_of(invite: &Message, party: &[u8]) -> bool {
    let Some(by) = invite.get::<ReferredBy<'_>>() else { return false };
    match (by.parsed(), Uri::parse(party)) {
        (Ok(Uri::Sip(by)), Ok(Uri::Sip(party))) => {
            // RFC 3892 §4: the two schemes are one here.
            by.user == party.user
                && by.hostport().to_string().eq_ignore_ascii_case(&party.hostport().to_string())
        }
        _ => false,
    }
}
