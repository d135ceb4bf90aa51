//! How a message finds its transaction (RFC 3261 §17.1.3, §17.2.3).

use sip::header::{CSeq, From, To, Via};
use sip::{Message, Method};

/// What the messages of one transaction share, as octets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(Box<[u8]>);

/// Whose side of the transaction we are: both may live in one process, with one branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Client = b'c' as isize,
    Server = b's' as isize,
}

impl Key {
    /// The transaction of ours that a response answers: its top branch and the CSeq method. The sent-by must be the one that we
    /// wrote (RFC 3261 §18.1.2): with another it answers nothing of ours.
    pub(super) fn of_response(response: &Message) -> Option<Self> {
        Self::of_client(&response.get::<Via>()?, response.get::<CSeq>()?.method)
    }

    /// The client transaction that a request of ours begins.
    pub(super) fn of_own_request(request: &Message) -> Option<Self> {
        Self::of_client(&request.get::<Via>()?, request.method()?)
    }

    fn of_client(via: &Via<'_>, method: Method<'_>) -> Option<Self> {
        let sent_by = via.sent_by().to_string().to_ascii_lowercase();
        let parts = [via.branch()?, sent_by.as_bytes(), method_octets(method)];
        Some(Self::write(Side::Client, &parts))
    }

    /// The server transaction of a request: branch, sent-by and method; an ACK belongs to its INVITE. A request of an RFC 2543
    /// peer has no branch to rely on: then Request-URI, From tag, Call-ID, CSeq number and top Via together.
    pub(super) fn of_request(request: &Message) -> Option<Self> {
        Self::of_server(request, request.method()?)
    }

    /// The transaction that a CANCEL cancels: the same, but an INVITE (RFC 3261 §9.2).
    pub(super) fn of_cancelled(cancel: &Message) -> Option<Self> {
        Self::of_server(cancel, Method::Invite)
    }

    /// A key that nothing on the wire has.
    pub(super) fn unique(number: u64) -> Self {
        Self(number.to_be_bytes().into())
    }

    fn of_server(request: &Message, method: Method<'_>) -> Option<Self> {
        let via = request.get::<Via>()?;
        let method = method_octets(if method == Method::Ack { Method::Invite } else { method });
        if let Some(branch) = via.magic_branch() {
            let sent_by = via.sent_by().to_string().to_ascii_lowercase();
            return Some(Self::write(Side::Server, &[branch, sent_by.as_bytes(), method]));
        }
        let from = request.get::<From>()?;
        let number = request.get::<CSeq>()?.number.to_string();
        let uri = request.request_uri()?;
        let via = request.elements(sip::Name::Via).next()?;
        let parts = [
            uri,
            from.tag().unwrap_or_default(),
            request.call_id(),
            number.as_bytes(),
            via,
            method,
        ];
        Some(Self::write(Side::Server, &parts))
    }

    fn write(side: Side, parts: &[&[u8]]) -> Self {
        let mut key =
            Vec::with_capacity(parts.iter().map(|part| part.len() + 1).sum::<usize>() + 1);
        key.push(side as u8);
        for part in parts {
            key.extend_from_slice(part);
            // No token, host or URI has a line feed: the parts cannot run into each other.
            key.push(b'\n');
        }
        Self(key.into())
    }
}

fn method_octets<'a>(method: Method<'a>) -> &'a [u8] {
    method.as_str().as_bytes()
}

/// What makes two requests the same one that came on two paths (RFC 3261 §8.2.2.2): From tag, Call-ID, CSeq. Only requests
/// without To tag count.
pub fn merged_key(request: &Message) -> Option<Box<[u8]>> {
    if request.get::<To>()?.tag().is_some() {
        return None;
    }
    let from = request.get::<From>()?;
    let cseq = request.rows(sip::Name::CSeq).next()?;
    Some([from.tag().unwrap_or_default(), b"\n", request.call_id(), b"\n", cseq].concat().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, via: &str) -> Key {
        let wire = format!(
            "{method} sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP {via}\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n\
             Call-ID: x\r\nCSeq: 1 {method}\r\n\r\n"
        );
        Key::of_request(&Message::parse(wire).unwrap()).unwrap()
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
