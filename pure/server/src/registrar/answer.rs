//! The 200 to a REGISTER: every binding that there is now, with the time it has left (RFC 3261 §10.3 step 8).

use sip::header::{Date, Require, Supported, To};
use sip::{Bytes, Message, Name, Status, Uri};

use super::outbound::Outbound;
use crate::admission::lists;
use crate::gruu;
use crate::location::Said;
use crate::push;
use crate::turn::Turn;

/// Writes it.
pub(super) fn ok<'a>(
    turn: &mut Turn<'_>,
    request: &Message,
    bindings: impl Iterator<Item = Said<'a>>,
    outbound: Outbound,
) -> Bytes {
    let mut draft = turn.reply(request, Status::OK, Status::OK.phrase());
    for binding in bindings {
        let gruus = gruus(turn, request, &binding);
        draft = draft.written(Name::Contact, |text| contact(turn, (&binding, &gruus), text));
    }
    if lists::<Supported<'_>>(request, "path") && request.has(Name::Path) {
        draft = draft.copy(request, Name::Path);
    }
    let rules = &turn.house.settings.registrar;
    for route in &rules.service_route {
        draft = draft.raw(Name::ServiceRoute, format!("<{route}>").as_bytes());
    }
    for value in push::capabilities(turn.house, request).unwrap_or_default() {
        draft = draft.named("Feature-Caps", value.as_bytes());
    }
    if outbound.is_told(request) {
        draft = draft.raw(Name::Require, b"outbound").raw(Name::Supported, b"outbound");
        if let Some(seconds) = rules.flow_timer {
            draft = draft.raw(Name::FlowTimer, seconds.to_string().as_bytes());
        }
    }
    draft.header(&Date::at(turn.now.as_secs())).wire()
}

/// The GRUUs of the phone behind a binding, a new temporary one among them, for a phone that knows what they are (RFC 5627 §5.2).
fn gruus(turn: &mut Turn<'_>, request: &Message, binding: &Said<'_>) -> Vec<u8> {
    let knows = lists::<Supported<'_>>(request, "gruu") || lists::<Require<'_>>(request, "gruu");
    if !knows {
        return Vec::new();
    }
    let to = request.get::<To>();
    let (Some(Ok(Uri::Sip(to))), Some(instance)) =
        (to.as_ref().map(|to| to.parsed()), binding.instance())
    else {
        return Vec::new();
    };
    let public = gruu::public(turn.house, &to, &instance);
    let temporary = gruu::temporary(turn.house, turn.dice, &to, (&instance, binding.since));
    format!(";pub-gruu=\"{public}\";temp-gruu=\"{temporary}\"").into_bytes()
}

/// A binding as its phone wrote it, with what it has been granted.
fn contact(turn: &Turn<'_>, (binding, gruus): (&Said<'_>, &[u8]), text: &mut Vec<u8>) {
    text.push(b'<');
    text.extend_from_slice(binding.uri);
    text.push(b'>');
    if binding.q != 1000 {
        text.extend_from_slice(format!(";q=0.{:03}", binding.q).as_bytes());
    }
    text.extend_from_slice(b";expires=");
    sip::decimal(binding.until.secs_since(turn.now), text);
    text.extend_from_slice(binding.features);
    text.extend_from_slice(gruus);
}
