//! Octets that are no message (RFC 3261 §21.4.1): who sent them is told what is wrong, when it can be read whom to tell.

use protocol::doors::Event;
use protocol::transport::stamp;
use protocol::{Fault, Flow, Output};
use sip::{Bytes, Draft, Malformed, Message, Method, Name};

use super::well_formed;
use crate::turn::Turn;

/// Octets that are no message. A request whose Vias can still be read is told what is wrong; its driver closes a stream after that.
pub(crate) fn unreadable(turn: &mut Turn<'_>, flow: Flow, malformed: &Malformed) {
    let reason = malformed.error.to_string().into();
    turn.out.push(Output::Report(Event::Unreadable { source: flow.peer, reason }));
    let Some(head) = readable_head(&malformed.wire) else { return };
    let Ok(mut head) = Message::parse(head) else { return };
    if !head.is_request() || head.method() == Some(Method::Ack) {
        return;
    }
    if well_formed(&mut head).is_err() {
        return;
    }
    stamp(&mut head, flow);
    let fault = Fault::Malformed(malformed.error);
    turn.refuse(flow, &head, &fault);
}

/// The rows that an answer needs, of a message that is broken elsewhere.
fn readable_head(wire: &[u8]) -> Option<Bytes> {
    let end = wire.windows(4).position(|end| end == b"\r\n\r\n")?;
    let head = wire.get(..end)?;
    let mut lines = head.split(|octet| *octet == b'\n').map(|line| line.trim_ascii_end());
    let start = lines.next()?;
    let uri = start.split(|octet| *octet == b' ').nth(1)?;
    let method = start.split(|octet| *octet == b' ').next()?;
    let mut draft = Draft::request(Method::of(std::str::from_utf8(method).ok()?), uri);
    for line in lines {
        let colon = line.iter().position(|octet| *octet == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        let name = Name::of(name.trim_ascii());
        if matches!(name, Name::Via | Name::From | Name::To | Name::CallId | Name::CSeq) {
            draft = draft.raw(name, value.get(1..).unwrap_or_default().trim_ascii());
        }
    }
    Some(draft.wire())
}
