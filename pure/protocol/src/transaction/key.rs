//! How a message finds its transaction (RFC 3261 §17.1.3, §17.2.3).

use std::net::IpAddr;

use machine::HashKey;
use sip::header::{CSeq, Via, is_magic};
use sip::uri::{Host, HostPort};
use sip::{Header as _, Message, Method, Name};

use super::Written;

/// What the messages of one transaction share, as a number: strangers cannot find two that are alike, for it is keyed.
pub(super) type Key = u128;

/// Whose side of the transaction we are: both may live in one process, with one branch.
const CLIENT: &[u8] = b"c";
const SERVER: &[u8] = b"s";

/// Makes keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys(HashKey);

impl Keys {
    pub(super) const fn new(key: HashKey) -> Self {
        Self(key)
    }

    /// The transaction of ours that a response answers: its top branch and the CSeq method. The sent-by must be the one that we
    /// wrote (RFC 3261 §18.1.2): with another it answers nothing of ours.
    pub(super) fn of_response(self, response: &Message) -> Option<Key> {
        let (via, branch) = (response.get::<Via>()?, response.branch()?);
        Some(self.of_branch(CLIENT, branch, (via.sent_by(), response.get::<CSeq>()?.method)))
    }

    /// The server transaction of the request whose copy a response answers: what stands below our Via names it.
    pub(super) fn of_next(self, response: &Message) -> Option<Key> {
        let via = Via::parse(response.elements(Name::Via).nth(1)?).ok()?;
        let method = response.get::<CSeq>()?.method;
        Some(self.of_branch(SERVER, via.branch()?, (via.sent_by(), method)))
    }

    /// The client transaction that a request of ours begins.
    pub(super) fn of_own_request(self, request: &Message) -> Option<Key> {
        let via = request.get::<Via>()?;
        Some(self.of_branch(CLIENT, via.branch()?, (via.sent_by(), request.method()?)))
    }

    /// The same, when its writer says what stands in it.
    pub(super) fn of_written(self, request: &Written<'_>) -> Key {
        self.of_branch(CLIENT, request.branch, (request.sent_by, request.method))
    }

    /// The server transaction of a request: branch, sent-by and method; an ACK belongs to its INVITE. A request of an RFC 2543
    /// peer has no branch to rely on: then Request-URI, From tag, Call-ID, CSeq number and top Via together.
    pub(super) fn of_request(self, request: &Message) -> Option<Key> {
        self.of_server(request, request.method()?)
    }

    /// The transaction that a CANCEL cancels: the same, but an INVITE (RFC 3261 §9.2).
    pub(super) fn of_cancelled(self, cancel: &Message) -> Option<Key> {
        self.of_server(cancel, Method::Invite)
    }

    fn of_server(self, request: &Message, method: Method<'_>) -> Option<Key> {
        let via = request.get::<Via>()?;
        let method = if method == Method::Ack { Method::Invite } else { method };
        if let Some(branch) = request.branch().filter(|branch| is_magic(branch)) {
            return Some(self.of_branch(SERVER, branch, (via.sent_by(), method)));
        }
        let parts = [
            SERVER,
            request.request_uri()?,
            request.from_tag().unwrap_or_default(),
            request.call_id(),
            &request.get::<CSeq>()?.number.to_be_bytes(),
            request.elements(Name::Via).next()?,
            method.as_str().as_bytes(),
        ];
        Some(self.0.number(parts))
    }

    fn of_branch(self, side: &[u8], branch: &[u8], rest: (HostPort<'_>, Method<'_>)) -> Key {
        let (HostPort { host, port }, method) = rest;
        let [high, low] = port.unwrap_or_default().to_be_bytes();
        let number = |kind: u8, host: &[u8]| {
            let at = [kind, u8::from(port.is_some()), high, low];
            self.0.number([side, branch, method.as_str().as_bytes(), &at, host])
        };
        // What may be any octet stands last, and is as long as its kind says.
        match host {
            Host::Name(name) => number(b'n', name.to_ascii_lowercase().as_bytes()),
            Host::Ip(IpAddr::V4(ip)) => number(b'4', &ip.octets()),
            Host::Ip(IpAddr::V6(ip)) => number(b'6', &ip.octets()),
        }
    }
}

/// What makes two requests the same one that came on two paths (RFC 3261 §8.2.2.2): From tag, Call-ID, CSeq; none has a line feed.
/// Only requests without To tag count.
pub fn merged(request: &Message) -> Option<[&[u8]; 3]> {
    if request.to_tag().is_some() || !request.has(Name::To) {
        return None;
    }
    let cseq = request.rows(Name::CSeq).next()?;
    Some([request.from_tag().unwrap_or_default(), request.call_id(), cseq])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, via: &str) -> Key {
        let wire = format!(
            "{method} sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP {via}\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n\
             Call-ID: x\r\nCSeq: 1 {method}\r\n\r\n"
        );
        let keys = Keys::new(HashKey::of(1));
        keys.of_request(&Message::parse(wire).unwrap()).unwrap()
    }

    #[test]
    fn branch_sent_by_and_method_decide() {
        assert_eq!(
            request("INVITE", "h:5;branch=z9hG4bKa"),
            request("ACK", "H:5;branch=z9hG4bKa;received=::1")
        );
        assert_ne!(
            request("INVITE", "h:5;branch=z9hG4bKa"),
            request("CANCEL", "h:5;branch=z9hG4bKa")
        );
        assert_ne!(
            request("INVITE", "h:5;branch=z9hG4bKa"),
            request("INVITE", "h:6;branch=z9hG4bKa")
        );
        assert_ne!(request("INVITE", "h;branch=z9hG4bKa"), request("INVITE", "h;branch=z9hG4bKb"));
        assert_eq!(request("INVITE", "h;branch=1"), request("ACK", "h;branch=1"));
    }
}
