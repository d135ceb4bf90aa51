//! §8: what clients and servers make of `alias`.

use offhook_tests::office::{Office, Phone, reply, requests, status, trusting};
use protocol::{Flow, Identity, Transport};
use sip::header::Via;

use crate::rfc5922::{by_tls, with_tls};

fn office() -> Office {
    Office::new(with_tls(trusting()))
}

fn options(phone: &Phone, sent_by: &str) -> String {
    let mut request = phone.request("OPTIONS", "sip:example.test");
    request.via = format!("SIP/2.0/TLS {sent_by}");
    request.wire()
}

/// "the server MUST cache in the alias table the identity … of the client" "If the sent-by production of the Via header field contains a
/// port, the server MUST use it as a destination port."
/// Proves: rfc5923-8.2-6, rfc5923-8.2-8.
#[test]
fn whoever_has_proven_who_it_is_is_reached_where_it_listens() {
    let peer = by_tls(Identity::of("c.example"));
    for (sent_by, port) in [("c.example:5099;alias", 5099), ("c.example;alias", 5061)] {
        let mut office = office();
        assert_eq!(status(&office.receive(peer.flow, options(&peer, sent_by))), 200);
        let listens = std::net::SocketAddr::new(peer.flow.peer.ip(), port);
        assert_eq!(office.aliases, [(peer.flow, listens)]);
    }
    let mut office = office();
    office.receive(peer.flow, options(&peer, "c.example:5099"));
    assert_eq!(office.aliases, [], "it did not ask for it");
}

/// "If the server chooses not to honor an aliased connection, the server MUST allow the request to proceed as though the 'alias' header field
/// parameter was not present in the topmost Via header." "If the client does not present a certificate, the server MUST proceed as if the
/// 'alias' header field parameter was not present … the server MUST NOT update the alias table."
/// Proves: rfc5923-8.2-3, rfc5923-A-1, rfc5923-A-2.
#[test]
fn trap_32_without_a_certificate_there_is_no_alias() {
    let peer = by_tls(Identity::NONE);
    let mut office = office();
    let sent = office.receive(peer.flow, options(&peer, "c.example;alias"));
    assert_eq!(status(&sent), 200);
    assert_eq!(sent[0].flow, peer.flow);
    assert_eq!(office.aliases, []);
}

/// "Virtual servers MUST only perform connection reuse for TLS connections; virtual servers MUST NOT perform connection reuse for other
/// connection-oriented transports."
/// Proves: rfc5923-9.3-1.
#[test]
fn there_is_no_alias_over_tcp_nor_over_websocket() {
    for (transport, listener) in [(Transport::Tcp, 1), (Transport::Wss, 2)] {
        let mut peer = by_tls(Identity::of("c.example"));
        peer.flow = Flow { transport, listener, ..peer.flow };
        let mut office = office();
        let mut request = peer.request("OPTIONS", "sip:example.test");
        request.via = format!("SIP/2.0/{transport} c.example;alias");
        assert_eq!(status(&office.receive(peer.flow, request.wire())), 200);
        assert_eq!(office.aliases, []);
    }
}

/// "If the client places an 'alias' header field parameter in the topmost Via header of the request …": by TLS we do, so that the other side
/// may call us back; by nothing else.
#[test]
fn we_ask_for_an_alias_by_tls_alone() {
    let alice = Phone::udp(101);
    let mut office = office();
    for (target, asks) in [
        ("sips:bob@203.0.113.8", true),
        ("sip:bob@203.0.113.8;transport=tcp", false),
        ("sip:bob@203.0.113.8", false),
    ] {
        let sent = office.receive(alice.flow, alice.invite(target).call(target).wire());
        let via = requests(&sent, "INVITE")[0].message.get::<Via>().unwrap().params.has("alias");
        assert_eq!(via, asks, "{target}");
    }
}

/// "if between the sending of the INVITE request and subsequent sending of the CANCEL request or ACK request to a non-2xx response, the
/// connection was closed, then the client SHOULD open a new connection to the resolved address and send the CANCEL request or ACK request
/// there instead": both go by any connection to that address and identity, or by a new one.
/// Proves: rfc5923-2-3.
#[test]
fn cancel_and_ack_do_not_hang_on_one_connection() {
    let alice = Phone::udp(101);
    let mut office = office();
    let invite = alice.invite("sips:bob@203.0.113.8");
    let sent = requests(&office.receive(alice.flow, invite.wire()), "INVITE").remove(0);
    let anyone = |flow: Flow| flow.connection == 0 && flow == sent.flow;
    assert!(anyone(sent.flow) && !sent.flow.identity.is_none());
    let first = Flow { connection: 9, ..sent.flow };
    office.receive(first, reply(&sent.message, 180, ""));
    let mut cancel = alice.request("CANCEL", "sips:bob@203.0.113.8");
    cancel.branch = invite.branch.clone();
    let cancels = requests(&office.receive(alice.flow, cancel.wire()), "CANCEL");
    assert!(anyone(cancels[0].flow), "{cancels:?}");
    // The refusal comes by another connection, for the first one is gone; so does its repeat.
    for connection in [10, 11] {
        let back = Flow { connection, ..sent.flow };
        let acks = requests(&office.receive(back, reply(&sent.message, 487, "")), "ACK");
        assert!(anyone(acks[0].flow), "{acks:?}");
    }
}
