//! What the transport layer writes into a Via and reads from it (RFC 3261 §18.1, §18.2; RFC 3581).

use std::net::{IpAddr, SocketAddr};

use sip::header::Via;
use sip::uri::{Host, HostPort};
use sip::{Header as _, Message, Name};

use super::Flow;

/// The largest request that goes by UDP when the path MTU is not known, in octets (RFC 3261 §18.1.1).
const MTU_GUESS: usize = 1300;

/// True when a request may go by UDP (RFC 3261 §18.1.1).
pub const fn fits_udp(octets: usize) -> bool {
    octets <= MTU_GUESS
}

/// Notes in the top Via of a request where it really came from: `received` when the sent-by says otherwise (§18.2.1), and
/// `rport` when it is asked for, always with `received` (RFC 3581 §4). Over WebSocket only when it is asked for, or claimed: what we see there
/// is often a web proxy of our own, and no answer goes there by another way (RFC 7118 §5.3). Nothing happens when nothing needs to be
/// noted, or when there is no Via that can be read.
pub fn stamp(request: &mut Message, came: Flow) {
    let marks = request.via_marks();
    let ip = came.peer.ip().to_canonical();
    // As nearly everybody asks: there is one `rport` to be filled, and nothing else was said.
    if let Some(rport) = marks.blank() {
        let place = request.end_of(rport);
        request.insert_behind(place, |text| {
            text.push(b'=');
            sip::decimal(came.peer.port().into(), text);
            note_received(ip, text);
        });
        return;
    }
    let same = || request.get::<Via>().is_none_or(|via| via.host == Host::Ip(ip));
    // Who says of itself where it was received from must not be believed by whoever reads that later.
    let (claimed, web) = (marks.received(), came.transport.is_web());
    if marks.rport() || claimed || !web && !same() {
        let port = marks.rport().then_some(came.peer.port());
        rewrite(request, ip, port);
    }
}

/// Writes the top Via anew, without what its sender had no right to say.
fn rewrite(request: &mut Message, ip: IpAddr, port: Option<u16>) {
    let Some(via) = request.get::<Via>() else { return };
    let stamped = |text: &mut Vec<u8>| {
        Via { params: sip::Params::new(b""), ..via }.write(text);
        for param in via.params.iter().filter(|param| !is_noted(param.name)) {
            param.write(text);
        }
        note_received(ip, text);
        if let Some(port) = port {
            text.extend_from_slice(b";rport=");
            sip::decimal(port.into(), text);
        }
    };
    if let Ok(stamped) = request.edit().replace_written(Name::Via, stamped).finish() {
        *request = stamped;
    }
}

fn note_received(ip: IpAddr, text: &mut Vec<u8>) {
    text.extend_from_slice(b";received=");
    match ip {
        IpAddr::V4(_) => HostPort { host: Host::Ip(ip), port: None }.write(text),
        // Here it stands without brackets.
        IpAddr::V6(ip) => text.extend_from_slice(ip.to_string().as_bytes()),
    }
}

/// What we note ourselves, and nobody else for us.
fn is_noted(param: &str) -> bool {
    param.eq_ignore_ascii_case("received") || param.eq_ignore_ascii_case("rport")
}

/// Where the response to a request goes (RFC 3261 §18.2.2, RFC 3581 §4). On a stream: the connection that the request came on.
/// For datagrams: the address that it came from, at the port that it came from when the top Via asks for that (`rport`), else at
/// the port of its sent-by. Never to another address, whatever `maddr` says: a stranger could aim us at others.
pub fn response_flow(request: &Message, came: Flow) -> Flow {
    if came.transport.is_reliable() {
        return came;
    }
    if request.via_marks().rport() {
        return came;
    }
    request.get::<Via>().map_or(came, |via| at_sent_by(&via, came))
}

/// Where it goes when that connection is gone: by a new one to the address that the request came from, at the port of the sent-by.
/// Nobody can open a WebSocket to a client: there it has nowhere to go.
pub fn reconnect_flow(request: &Message, came: Flow) -> Flow {
    match request.get::<Via>() {
        Some(via) if came.transport.is_reliable() && !came.transport.is_web() => {
            at_sent_by(&via, came)
        }
        _ => came,
    }
}

fn at_sent_by(via: &Via<'_>, came: Flow) -> Flow {
    let port = via.port.unwrap_or(came.transport.default_port());
    Flow { connection: 0, peer: SocketAddr::new(came.peer.ip(), port), ..came }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Transport;

    fn request(via: &str) -> Message {
        Message::parse(format!("OPTIONS sip:b SIP/2.0\r\nVia: {via}\r\n\r\n")).unwrap()
    }

    fn top(message: &Message) -> String {
        message.get::<Via>().map(|via| via.text()).unwrap_or_default()
    }

    fn stamped(via: &str, from: &str) -> Option<String> {
        let came = Flow { peer: from.parse().unwrap(), ..flow(Transport::Udp, 0) };
        let mut request = request(via);
        let before = request.wire().clone();
        stamp(&mut request, came);
        (*request.wire() != before).then(|| top(&request))
    }

    /// Proves: rfc3261-18.2.1-4, rfc3261-18.2.1-5, rfc3261-18.2.1-6, rfc7118-5.3-1, rfc7118-5.3-2, rfc7118-5.3-3.
    #[test]
    fn received_is_noted_when_the_sent_by_is_not_the_source() {
        assert_eq!(stamped("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1", "192.0.2.1:5061"), None);
        let named = stamped("SIP/2.0/UDP a.example;branch=z9hG4bK1", "192.0.2.1:5061");
        assert_eq!(named.unwrap(), "SIP/2.0/UDP a.example;branch=z9hG4bK1;received=192.0.2.1");
        let forged = stamped("SIP/2.0/UDP 192.0.2.9;received=192.0.2.8;branch=x", "192.0.2.1:5061");
        assert_eq!(forged.unwrap(), "SIP/2.0/UDP 192.0.2.9;branch=x;received=192.0.2.1");
        let claimed =
            stamped("SIP/2.0/UDP 192.0.2.1;received=192.0.2.8;branch=x", "192.0.2.1:5060");
        assert_eq!(claimed.unwrap(), "SIP/2.0/UDP 192.0.2.1;branch=x;received=192.0.2.1");
    }

    #[test]
    fn trap_14_rport_is_answered_even_when_the_addresses_are_equal() {
        let via = stamped("SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK1", "192.0.2.1:5060");
        assert_eq!(
            via.unwrap(),
            "SIP/2.0/UDP 192.0.2.1:5060;rport=5060;received=192.0.2.1;branch=z9hG4bK1"
        );
        let v6 = stamped("SIP/2.0/UDP [2001:db8::1];rport", "[2001:db8::2]:7");
        assert_eq!(v6.unwrap(), "SIP/2.0/UDP [2001:db8::1];rport=7;received=2001:db8::2");
    }

    /// Proves: rfc7118-1-1.
    #[test]
    fn trap_54_over_websocket_only_what_is_asked_for_is_noted() {
        for transport in [Transport::Ws, Transport::Wss] {
            let noted = |via: &str| {
                let via = format!("SIP/2.0/{transport} df7jal23ls0d.invalid;{via}");
                let mut request = request(&via);
                stamp(&mut request, flow(transport, 3));
                Some(top(&request)).filter(|top| *top != via)
            };
            assert_eq!(noted("branch=z9hG4bK1"), None);
            assert!(noted("rport").unwrap().ends_with(";rport=40000;received=192.0.2.2"));
            // What is claimed is not believed by whoever reads that later.
            assert!(noted("received=203.0.113.9").unwrap().ends_with("invalid;received=192.0.2.2"));
        }
    }

    fn flow(transport: Transport, connection: u32) -> Flow {
        let peer = "192.0.2.2:40000".parse().unwrap();
        Flow { transport, listener: 0, connection, peer, identity: crate::Identity::NONE }
    }

    /// Proves: rfc3261-18.2.2-1, rfc3261-18.2.2-7, rfc3261-18.2.2-9.
    #[test]
    fn trap_13_a_response_goes_where_its_request_came_from() {
        let to = |via: &str| response_flow(&request(via), flow(Transport::Udp, 0)).to_string();
        assert_eq!(to("SIP/2.0/UDP 192.0.2.2"), "UDP 192.0.2.2:5060");
        assert_eq!(to("SIP/2.0/UDP 192.0.2.2:7"), "UDP 192.0.2.2:7");
        assert_eq!(to("SIP/2.0/UDP a.example:7;received=192.0.2.2"), "UDP 192.0.2.2:7");
        assert_eq!(to("SIP/2.0/UDP 192.0.2.1:7;received=192.0.2.2;rport=9"), "UDP 192.0.2.2:40000");
    }

    /// Proves: rfc3261-18.2.2-2, rfc3261-18.2.2-3.
    #[test]
    fn trap_13_on_a_stream_by_its_connection_and_then_by_a_new_one() {
        let came = flow(Transport::Tcp, 3);
        for via in ["a", "192.0.2.2:7", "192.0.2.2;rport=40000"] {
            assert_eq!(response_flow(&request(&format!("SIP/2.0/TCP {via}")), came), came);
        }
        let anew = |via: &str| reconnect_flow(&request(via), came);
        assert_eq!(anew("SIP/2.0/TCP a:7;rport=40000").to_string(), "TCP 192.0.2.2:7");
        assert_eq!(anew("SIP/2.0/TCP a").to_string(), "TCP 192.0.2.2:5060");
        assert_eq!(anew("SIP/2.0/TCP a").connection, 0);
        let web = flow(Transport::Wss, 3);
        assert_eq!(reconnect_flow(&request("SIP/2.0/WSS a.invalid"), web), web);
    }

    #[test]
    fn no_via_aims_us_at_others() {
        for via in ["UDP 192.0.2.9", "UDP a;maddr=192.0.2.9", "UDP a;received=192.0.2.9;rport=9"] {
            let request = request(&format!("SIP/2.0/{via}"));
            let to = response_flow(&request, flow(Transport::Udp, 0)).peer;
            assert_eq!(to.ip().to_string(), "192.0.2.2", "{via}");
        }
        let other = response_flow(&request("SIP/2.0/TCP 192.0.2.9"), flow(Transport::Udp, 0));
        assert_eq!(other.to_string(), "UDP 192.0.2.2:5060");
    }
}
