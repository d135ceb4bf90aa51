//! Octets that are no message (RFC 3261 §21.4.1): who sent them is told what is wrong, when it can be read whom to tell.

use std::iter;

use memchr::{memchr, memmem};
use protocol::doors::Event;
use protocol::transport::stamp;
use protocol::{Fault, Flow, Output};
use sip::{Bytes, Draft, Malformed, Message, Method, Name};

use super::well_formed;
use crate::turn::Turn;

/// Octets that are no message. A request whose Vias can still be read is told what is wrong; its driver closes a stream after that.
pub(crate) fn unreadable(turn: &mut Turn<'_>, flow: Flow, malformed: &Malformed) {
    match addressed(&malformed.wire) {
        Some(mut head) => {
            stamp(&mut head, flow);
            turn.refuse(flow, &head, &Fault::Malformed(malformed.error));
        }
        None => {
            let reason = malformed.error.to_string().into();
            turn.out.push(Output::Report(Event::Unreadable { source: flow.peer, reason }));
        }
    }
}

/// A request that can be answered, as far as its answer needs it.
fn addressed(wire: &[u8]) -> Option<Message> {
    let mut head = Message::parse(readable_head(wire)?).ok()?;
    let is_answered = head.is_request() && head.method() != Some(Method::Ack);
    (is_answered && well_formed(&mut head).is_ok()).then_some(head)
}

/// The rows that an answer needs, of a message that is broken elsewhere.
fn readable_head(wire: &[u8]) -> Option<Bytes> {
    let mut rest = wire.get(..memmem::find(wire, b"\r\n\r\n")?);
    let mut lines = iter::from_fn(|| {
        let all = rest.take()?;
        let Some(end) = memchr(b'\n', all) else { return Some(all) };
        rest = all.get(end + 1..);
        all.get(..end).map(<[u8]>::trim_ascii_end)
    });
    let mut words = lines.next()?.split(|octet| *octet == b' ');
    let (method, uri) = (words.next()?, words.next()?);
    let mut draft = Draft::request(Method::of(std::str::from_utf8(method).ok()?), uri);
    for line in lines {
        let colon = memchr(b':', line)?;
        let (name, value) = line.split_at_checked(colon)?;
        let name = Name::of(name.trim_ascii());
        if matches!(name, Name::Via | Name::From | Name::To | Name::CallId | Name::CSeq) {
            draft = draft.raw(name, value.get(1..).unwrap_or_default().trim_ascii());
        }
    }
    Some(draft.wire())
}
