//! §7.3 to §7.5: what a server makes of proofs, as a client and as a server.

use std::net::SocketAddr;

use offhook_tests::office::{Office, Phone, answers, requests, rows, settings, status, trusting};
use protocol::doors::Event;
use protocol::transport::distrust::{Distrust, Why};
use protocol::{Flow, Identity, Input, Listener, Transport};
use server::settings::{Route, Settings};
use sip::Name;

pub(crate) fn with_tls(mut settings: Settings) -> Settings {
    let mut listener = Listener::new(2, Transport::Tls, "192.0.2.10:5061".parse().unwrap());
    listener.advertised = "example.test:5061".into();
    settings.listeners.push(listener);
    settings
}

/// Somebody who calls by TLS, and has proven to be this domain.
pub(crate) fn by_tls(identity: Identity) -> Phone {
    let mut phone = Phone::tcp(101, 7);
    phone.flow = Flow { transport: Transport::Tls, listener: 2, identity, ..phone.flow };
    phone
}

fn from(phone: &Phone, domain: &str) -> String {
    let mut invite = phone.invite("sip:102@example.test");
    invite.from = format!("<sip:carol@{domain}>;tag=1");
    invite.wire()
}

/// "A proxy MUST use the procedures defined for a User Agent Server (UAS) in Section 7.4 when authenticating a connection from a client."
/// "If the client does not present a certificate, the client MUST NOT be considered authenticated."
/// Proves: rfc5922-7.5-1, rfc5922-5-1, rfc5922-8.1-2, rfc3261-26.3.2.2-8, rfc3261-26.3.2.2-6.
#[test]
fn a_neighbour_is_whom_it_has_proven_to_be() {
    let mut settings = with_tls(settings());
    // The address from which the neighbour calls is not that of its route.
    settings.routes = vec![Route::domain("c.example", Some("sip:192.0.2.99;transport=tls"))];
    let called = |identity, domain| {
        let mut office = Office::new(settings.clone());
        office.register(&Phone::udp(102));
        let phone = by_tls(identity);
        let sent = office.receive(phone.flow, from(&phone, domain));
        (requests(&sent, "INVITE").len(), answers(&sent, phone.flow))
    };
    assert_eq!(called(Identity::of("c.example"), "c.example"), (1, vec![100]));
    assert_eq!(called(Identity::NONE, "c.example"), (0, vec![407]), "it only says so");
    assert_eq!(called(Identity::of("d.example"), "c.example"), (0, vec![407]), "it is another");
    assert_eq!(
        called(Identity::of("d.example"), "d.example"),
        (0, vec![407]),
        "nobody's neighbour"
    );
    // Whoever has proven another domain is not saved by its address either.
    settings.routes = vec![Route::domain("c.example", Some("sip:203.0.113.1;transport=tls"))];
    let mut office = Office::new(settings.clone());
    office.register(&Phone::udp(102));
    let phone = by_tls(Identity::of("d.example"));
    assert_eq!(answers(&office.receive(phone.flow, from(&phone, "c.example")), phone.flow), [407]);
}

/// "A proxy MUST use the procedures defined for a User Agent Client (UAC) in Section 7.3 when requesting an authenticated connection": the
/// client "MUST compare the original domain portion of the SIP AUS", whatever the address.
/// Proves: rfc5922-7.5-2, rfc3261-26.3.2.2-7, rfc3261-26.3.2.2-4.
#[test]
fn trap_31_the_domain_that_is_asked_for_goes_with_the_request() {
    let mut settings = with_tls(trusting());
    settings.routes = vec![Route::domain("c.example", Some("sip:203.0.113.9;transport=tls"))];
    let alice = Phone::udp(101);
    let mut office = Office::new(settings);
    let sent = office.receive(alice.flow, alice.invite("sip:bob@C.example").wire());
    let invite = &requests(&sent, "INVITE")[0];
    assert_eq!(invite.flow.peer, "203.0.113.9:5061".parse::<SocketAddr>().unwrap());
    assert_eq!(invite.flow.identity, Identity::of("c.example"), "the domain, not the number");
    assert_eq!(office.introduced, ["c.example"]);
    // Of a number that nobody has given a name, the number is what must be proven.
    let sent = office.receive(alice.flow, alice.invite("sips:bob@203.0.113.8").call("2").wire());
    assert_eq!(requests(&sent, "INVITE")[0].flow.identity, Identity::of("203.0.113.8"));
}

/// "failure to validate a certificate SHOULD result in the failure of the request"
/// Proves: rfc3261-26.2.2-2.
#[test]
fn trap_28_who_is_not_whom_we_want_is_not_talked_to_and_the_caller_is_told() {
    let alice = Phone::udp(101);
    let mut office = Office::new(with_tls(trusting()));
    let sent = office.receive(alice.flow, alice.invite("sips:bob@203.0.113.8").wire());
    let flow = requests(&sent, "INVITE")[0].flow;
    let why = Why::OtherName(["a.example".into()].into());
    let distrust = Distrust { peer: flow.peer, domain: "203.0.113.8".into(), why };
    // The driver names the connection that it had opened for this.
    let flow = Flow { connection: 7, ..flow };
    let sent = office.tell(Input::Untrusted(flow, distrust.clone()));
    assert!(requests(&sent, "INVITE").is_empty(), "not by another transport either, nor again");
    assert_eq!(status(&sent), 500);
    let line = String::from_utf8_lossy(sent[0].message.wire()).into_owned();
    assert!(line.starts_with("SIP/2.0 500 The Next Hop Has Not Proven Who It Is"), "{line}");
    assert!(office.events.contains(&Event::Untrusted { distrust: distrust.clone() }));
    // A shard that wanted nothing there has nothing to say.
    office.events.clear();
    office.tell(Input::Untrusted(flow, distrust));
    assert!(office.events.is_empty());
}

/// "If a proxy adds a Record-Route when forwarding a request with the expectation that the route is to use secure connections, the proxy
/// MUST insert into the Record-Route header a URI that corresponds to an identity for which the proxy has a certificate". What a listener
/// advertises is chosen so: `a_tls_listener_is_called_by_a_name_that_its_certificate_proves` in `bin/offhook`.
#[test]
fn the_record_route_of_tls_is_a_name() {
    let alice = by_tls(Identity::NONE);
    let mut office = Office::new(with_tls(trusting()));
    let sent = office.receive(alice.flow, alice.invite("sips:bob@203.0.113.8").wire());
    let routes = rows(&requests(&sent, "INVITE"), Name::RecordRoute);
    assert!(routes[0].contains("@example.test:5061;"), "{routes:?}");
}

/// "A SIP implementation SHOULD NOT use the Digest Authentication of one message on a TCP connection or from a UDP peer to infer any
/// authentication of any other messages on that connection or from that peer."
/// Proves: rfc5922-8.1-1.
#[test]
fn a_password_is_good_for_one_request() {
    let mut office = Office::new(settings());
    let alice = Phone::tcp(101, 5);
    office.register(&alice);
    office.register(&Phone::udp(102));
    let first = alice.invite("sip:102@example.test");
    assert_eq!(requests(&office.converse(&alice, &first), "INVITE").len(), 1);
    let again = alice.invite("sip:102@example.test").call("second");
    assert_eq!(status(&office.receive(alice.flow, again.wire())), 407);
}
