//! The usual REGISTER: a phone that is here comes again, and of its only binding nothing changes but the numbers (RFC 3261 §10.2.4).
//!
//! What it says is compared with what lies there, and the numbers are written over the old ones: no binding is taken out, and none packed
//! anew. What is decided is what [`changed`](super::Registrar::changed) would decide, in the same order; whatever is not usual is left to that.

use protocol::Fault;
use sip::Message;
use sip::header::Contact;

use super::contact::Asked;
use super::outbound::Outbound;
use super::{Common, expires, expiry, said};
use crate::location::{Lies, Only, Said};
use crate::push;
use crate::turn::Turn;

/// What a REGISTER asks for that has one Contact and no more.
pub(super) fn alone(request: &Message, outbound: Outbound) -> Option<Asked<'_>> {
    let mut contacts = request.all::<Contact>();
    let contact = contacts.next()?.ok()?;
    if contacts.next().is_some() { None } else { Asked::read(&contact, outbound) }
}

/// The binding as it would be, and where it lies; nothing when that is not all. Nothing is changed yet.
pub(super) fn refreshed<'a>(
    turn: &mut Turn<'_>,
    aor: &[u8],
    (request, common): (&Message, &'a Common<'_>),
    (known, asked): (Only<'_>, &'a Asked<'_>),
) -> Result<Option<(Lies, Said<'a>)>, Fault> {
    let is_it = known.said.uri == asked.uri
        && known.said.call_id == common.call_id
        && known.said.features == asked.features;
    if !is_it || !common.path.is_empty() || turn.house.settings.registrar.max_contacts == 0 {
        return Ok(None);
    }
    let least = push::least_expiry(turn.house, aor, asked.uri);
    let wish = asked.expires.or_else(|| expires(request));
    let Some(lasts) = expiry::granted(turn, wish, least)? else { return Ok(None) };
    if common.cseq <= known.said.cseq {
        return Err(Fault::OutOfOrder);
    }
    let (since, first_cseq) = match asked.instance() {
        Some(_) => (known.said.since, known.said.first_cseq),
        None => (turn.now, common.cseq),
    };
    let times = (turn.now + lasts, since, first_cseq);
    let said = said(turn, aor, (request, common), (asked, times))?;
    Ok(known.has_room(&said).then_some((known.at, said)))
}
