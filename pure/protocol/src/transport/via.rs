//! What the transport layer writes into a Via and reads from it (RFC 3261 §18.1, §18.2; RFC 3581).

use std::net::SocketAddr;

use sip::header::Via;
use sip::uri::Host;
use sip::{Message, Name};

use super::{Flow, Transport};

/// The largest request that goes by UDP when the path MTU is not known, in octets (RFC 3261 §18.1.1).
const MTU_GUESS: usize = 1300;

/// True when a request may go by UDP (RFC 3261 §18.1.1).
pub const fn fits_udp(octets: usize) -> bool {
    octets <= MTU_GUESS
}

/// Notes in the top Via of a request where it really came from: `received` when the sent-by says otherwise (§18.2.1), and
/// `rport` when it is asked for, always with `received` (RFC 3581 §4). `None` when nothing needs to be noted, or when there is
/// no Via that can be read.
pub fn stamp(request: &Message, from: SocketAddr) -> Option<Message> {
    let via = request.get::<Via>()?;
    let ip = from.ip().to_canonical();
    let wants_port = via.rport().is_some();
    let same = via.host == Host::Ip(ip);
    if same && !wants_port {
        return None;
    }
    let mut value = format!("SIP/2.0/{} {}", via.transport.0, via.sent_by()).into_bytes();
    let noted =
        |name: &str| name.eq_ignore_ascii_case("received") || name.eq_ignore_ascii_case("rport");
    for param in via.params.iter().filter(|param| !noted(param.name)) {
        value.push(b';');
        value.extend_from_slice(param.name.as_bytes());
        if let Some(text) = param.value {
            value.push(b'=');
            value.extend_from_slice(text);
        }
    }
    value.extend_from_slice(format!(";received={ip}").as_bytes());
    if wants_port {
        value.extend_from_slice(format!(";rport={}", from.port()).as_bytes());
    }
    request.edit().replace_raw(Name::Via, &value).finish().ok()
}

/// Where a response goes, by its top Via (RFC 3261 §18.2.2, RFC 3581 §4). On a stream: the connection that the request came on
/// (`came`); when that is gone, a new one to this address. `None` when the Via has a name for a host that must be looked up, or
/// cannot be read.
pub fn response_flow(response: &Message, came: Option<Flow>, listener: u16) -> Option<Flow> {
    let via = response.get::<Via>()?;
    let transport = Transport::of(via.transport.0)?;
    if let Some(flow) = came.filter(|flow| flow.transport.is_reliable()) {
        return Some(flow);
    }
    let port = via.port.unwrap_or(transport.default_port());
    let maddr = via.params.get("maddr").and_then(|maddr| Host::parse(maddr).ok()?.ip());
    let (ip, port) = match (maddr.filter(|_| !transport.is_reliable()), via.received()) {
        (Some(maddr), _) => (maddr, port),
        (None, Some(received)) => (received, via.rport().flatten().unwrap_or(port)),
        (None, None) => (via.host.ip()?, port),
    };
    let connection = 0;
    Some(Flow { transport, listener, connection, peer: SocketAddr::new(ip, port) })
}

#[cfg(test)]
mod tests {
    use sip::Header as _;

    use super::*;

    fn request(via: &str) -> Message {
        Message::parse(format!("OPTIONS sip:b SIP/2.0\r\nVia: {via}\r\n\r\n")).unwrap()
    }

    fn top(message: &Message) -> String {
        message.get::<Via>().map(|via| via.text()).unwrap_or_default()
    }

    fn stamped(via: &str, from: &str) -> Option<String> {
        stamp(&request(via), from.parse().unwrap()).map(|message| top(&message))
    }

    /// Proves: rfc3261-18.2.1-4, rfc3261-18.2.1-5, rfc3261-18.2.1-6.
    #[test]
    fn received_is_noted_when_the_sent_by_is_not_the_source() {
        assert_eq!(stamped("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1", "192.0.2.1:5061"), None);
        let named = stamped("SIP/2.0/UDP a.example;branch=z9hG4bK1", "192.0.2.1:5061");
        assert_eq!(named.unwrap(), "SIP/2.0/UDP a.example;branch=z9hG4bK1;received=192.0.2.1");
        let forged = stamped("SIP/2.0/UDP 192.0.2.9;received=192.0.2.8;branch=x", "192.0.2.1:5061");
        assert_eq!(forged.unwrap(), "SIP/2.0/UDP 192.0.2.9;branch=x;received=192.0.2.1");
    }

    #[test]
    fn trap_14_rport_is_answered_even_when_the_addresses_are_equal() {
        let via = stamped("SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK1", "192.0.2.1:5060");
        assert_eq!(
            via.unwrap(),
            "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;received=192.0.2.1;rport=5060"
        );
        let v6 = stamped("SIP/2.0/UDP [2001:db8::1];rport", "[2001:db8::2]:7");
        assert_eq!(v6.unwrap(), "SIP/2.0/UDP [2001:db8::1];received=2001:db8::2;rport=7");
    }

    /// Proves: rfc3261-18.2.2-1, rfc3261-18.2.2-5, rfc3261-18.2.2-7.
    #[test]
    fn trap_13_a_response_goes_where_the_via_says() {
        let to = |via: &str| {
            let response = Message::parse(format!("SIP/2.0 200 OK\r\nVia: {via}\r\n\r\n")).unwrap();
            response_flow(&response, None, 0).map(|flow| flow.to_string())
        };
        assert_eq!(to("SIP/2.0/UDP 192.0.2.1").unwrap(), "UDP 192.0.2.1:5060");
        assert_eq!(to("SIP/2.0/UDP 192.0.2.1:7;received=192.0.2.2").unwrap(), "UDP 192.0.2.2:7");
        assert_eq!(
            to("SIP/2.0/UDP 192.0.2.1:7;received=192.0.2.2;rport=9").unwrap(),
            "UDP 192.0.2.2:9"
        );
        assert_eq!(
            to("SIP/2.0/UDP a:7;maddr=192.0.2.3;received=192.0.2.2").unwrap(),
            "UDP 192.0.2.3:7"
        );
        assert_eq!(to("SIP/2.0/TLS 192.0.2.1").unwrap(), "TLS 192.0.2.1:5061");
        assert_eq!(to("SIP/2.0/UDP a.example"), None);
    }
}
