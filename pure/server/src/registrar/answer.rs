//! The 200 to a REGISTER: every binding that there is now, with the time it has left (RFC 3261 §10.3 step 8).

use sip::header::{Date, Supported};
use sip::{Bytes, Message, Name, Status};

use crate::admission::lists;
use crate::location::Binding;
use crate::turn::Turn;

/// Writes it.
pub(super) fn ok(turn: &Turn<'_>, request: &Message, bindings: &[Binding]) -> Bytes {
    let mut draft = turn.reply(request, Status::OK, Status::OK.phrase());
    for binding in bindings {
        let left = binding.until.secs_since(turn.now).to_string();
        let q = if binding.q == 1000 { String::new() } else { format!(";q=0.{:03}", binding.q) };
        let value = [b"<", binding.uri(), b">", q.as_bytes(), b";expires=", left.as_bytes()];
        draft = draft.raw(Name::Contact, &value.concat());
    }
    if lists::<Supported<'_>>(request, "path") && request.has(Name::Path) {
        draft = draft.copy(request, Name::Path);
    }
    draft.header(&Date::at(turn.now.as_secs())).wire()
}
