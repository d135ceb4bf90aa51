//! `Pass`: what our Record-Route carries in its user part (RFC 3261 §16.6 step 4; flow tokens as in RFC 5626 §5.2).
//!
//! A request within a dialog is relayed unchallenged when it shows a pass that we wrote for this dialog: its signature covers the
//! Call-ID and the caller's tag. A To tag alone proves nothing. The pass also remembers how to reach both ends where their
//! Contacts lead nowhere: by their connections, and through their NATs.
//!
//! It stands in every message of its call, and two of them must not make an INVITE too long for a datagram (§18.1.1). So it is written in
//! base64, whose digits of RFC 4648 §5 may all stand in a user part.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::Flow;
use protocol::doors::Neighbour;
use sip::{Message, Method};

use crate::octets::{put_neighbour, put_short_flow, take_neighbour, take_short_flow};
use crate::seal::{SIGNATURE, Seal};

/// The ends of a dialog that need more than their Contacts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pass {
    /// The way to the caller.
    pub(crate) near: Option<End>,
    /// The way to the callee.
    pub(crate) far: Option<End>,
}

/// The flow of an end, and the node of a cluster that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) flow: Flow,
    pub(crate) node: Option<Neighbour>,
}

/// A pass that was shown and is good: the way onward, by the direction of this request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// How to reach the other end, when that needs more than its Contact.
    pub(crate) onward: Option<End>,
}

impl Seal {
    /// Writes a pass for the dialog that a request begins.
    pub(crate) fn write(&self, request: &Message, pass: &Pass) -> String {
        let mut octets = Vec::with_capacity(48);
        let bits = |end: Option<End>| match end {
            None => 0,
            Some(End { node: None, .. }) => HAS_FLOW,
            Some(End { node: Some(_), .. }) => HAS_FLOW | HAS_NODE,
        };
        octets.push(bits(pass.near) | bits(pass.far) << 1);
        for End { flow, node } in [pass.near, pass.far].into_iter().flatten() {
            put_short_flow(&mut octets, flow);
            if let Some(node) = node {
                put_neighbour(&mut octets, node);
            }
        }
        let tag = request.from_tag().unwrap_or_default();
        let signature = self.sign([request.call_id(), tag, &octets]);
        octets.extend_from_slice(signature.get(..SIGNATURE).unwrap_or_default());
        URL_SAFE_NO_PAD.encode(&octets)
    }

    /// Reads the pass that a request shows; `None` for what is none, for one of another dialog, and for a request without a To tag that is no
    /// ACK or BYE: it begins something, whatever it shows. (Who answers as RFC 2543 says gives no tag.)
    pub(crate) fn read(&self, shown: &[u8], request: &Message) -> Option<Shown> {
        let ends = matches!(request.method(), Some(Method::Ack | Method::Bye));
        if shown.len() > LONGEST || request.to_tag().is_none() && !ends {
            return None;
        }
        let octets = URL_SAFE_NO_PAD.decode(shown).ok()?;
        let (octets, signature) = octets.split_at_checked(octets.len().checked_sub(SIGNATURE)?)?;
        let right = |tag: &[u8]| {
            let expected = self.sign([request.call_id(), tag, octets]);
            expected.get(..SIGNATURE) == Some(signature)
        };
        let pass = take_pass(octets)?;
        if right(request.from_tag().unwrap_or_default()) {
            return Some(Shown { onward: pass.far });
        }
        right(request.to_tag()?).then_some(Shown { onward: pass.near })
    }
}

fn take_pass(octets: &[u8]) -> Option<Pass> {
    let (flags, mut rest) = octets.split_first()?;
    let near = take_end(*flags, &mut rest)?;
    let far = take_end(flags >> 1, &mut rest)?;
    rest.is_empty().then_some(Pass { near, far })
}

/// An end, when there is one; nothing for what is none.
fn take_end(flags: u8, rest: &mut &[u8]) -> Option<Option<End>> {
    if flags & HAS_FLOW == 0 {
        return Some(None);
    }
    let flow = take_short_flow(rest)?;
    let node = if flags & HAS_NODE == 0 { None } else { Some(take_neighbour(rest)?) };
    Some(Some(End { flow, node }))
}

/// The near end has a flow; one bit further, the far end.
const HAS_FLOW: u8 = 1;
/// The node that has it is named; one bit further, for the far end.
const HAS_NODE: u8 = 4;

/// Digits of our longest pass: two connections over IPv6 of peers that have proven who they are, at two nodes.
const LONGEST: usize = 192;

#[cfg(test)]
mod tests {
    use protocol::Transport;

    use super::*;

    fn request(call_id: &str, from: &str, to: &str) -> Message {
        Message::parse(format!(
            "BYE sip:h SIP/2.0\r\nFrom: <sip:a@h>{from}\r\nTo: <sip:b@h>{to}\r\nCall-ID: {call_id}\r\n\r\n"
        ))
        .unwrap()
    }

    fn flow(peer: &str, connection: u32) -> Option<End> {
        let transport = if connection == 0 { Transport::Udp } else { Transport::Wss };
        let node = Neighbour { at: peer.parse().unwrap(), life: 9 };
        let node = Some(node).filter(|_| connection != 0);
        let flow = Flow {
            transport,
            listener: 3,
            connection,
            peer: peer.parse().unwrap(),
            identity: protocol::Identity::NONE,
        };
        Some(End { flow, node })
    }

    #[test]
    fn a_pass_is_good_for_its_dialog_alone_and_leads_both_ways() {
        let seal = Seal::new(5);
        let pass = Pass { near: flow("192.0.2.1:5060", 0), far: flow("[2001:db8::1]:9", 77) };
        let text = seal.write(&request("x", ";tag=1", ""), &pass);
        let read = |seal: Seal, text: &str, request| seal.read(text.as_bytes(), &request);
        let onward = |flow| Some(Shown { onward: flow });
        assert_eq!(read(seal, &text, request("x", ";tag=1", ";tag=2")), onward(pass.far));
        assert_eq!(read(seal, &text, request("x", ";tag=2", ";tag=1")), onward(pass.near));
        assert_eq!(read(seal, &text, request("y", ";tag=1", ";tag=2")), None);
        assert_eq!(read(seal, &text, request("x", ";tag=3", ";tag=2")), None);
        assert_eq!(read(seal, &text, request("x", ";tag=3", "")), None);
        assert_eq!(read(Seal::new(6), &text, request("x", ";tag=1", ";tag=2")), None);
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(seal.read(&other, &request("x", ";tag=1", ";tag=2")), None, "{at}");
        }
        for bad in ["", "0", "=", &"A".repeat(500), &text.to_lowercase()] {
            assert_eq!(read(seal, bad, request("x", ";tag=1", ";tag=2")), None);
        }
    }

    #[test]
    fn two_plain_ends_need_no_more_than_a_signature() {
        let seal = Seal::new(5);
        let text = seal.write(&request("x", ";tag=1", ""), &Pass::default());
        assert_eq!(text.len(), 15);
        let shown = seal.read(text.as_bytes(), &request("x", ";tag=1", ";tag=2"));
        assert_eq!(shown, Some(Shown { onward: None }));
    }
}
