//! §26.2.2, §26.3.2.1: a phone that speaks TLS.

use media::Silence;
use phone::{Account, PhoneEvent};
use protocol::doors::{Answer, Question};
use protocol::locate::{Hop, Target};
use protocol::transport::distrust::{Distrust, Why};
use protocol::{Flow, Identity, Input, Listener, Ticket, Transport};
use sip::{Message, Method, Name, Uri};

use crate::handset::{Bench, SDP, flow, reply, rows, uri};

fn bench(account: Account) -> Bench {
    let at = "192.0.2.1:5061".parse().unwrap();
    Bench::on(account, vec![Listener::new(0, Transport::Tls, at)])
}

fn account(address: &str) -> Account {
    Account::new(address).unwrap().by(Transport::Tls).server("192.0.2.9:5061").unwrap()
}

/// "the UA SHOULD verify the certificate and inspect the site identified by the certificate": it "MUST correspond with the domain in which
/// the UA intends to register", whatever the address of its server.
/// Proves: rfc3261-26.3.1-2, rfc3261-26.3.2.1-3.
#[test]
fn the_server_of_a_phone_must_be_its_domain() {
    let mut bench = bench(account("sip:alice@Atlanta.example"));
    bench.act(|phone, now, out| phone.register(now, out));
    let (_, flow, register) = bench.sent_with_times().remove(0);
    assert_eq!((flow.transport, flow.peer), (Transport::Tls, "192.0.2.9:5061".parse().unwrap()));
    assert_eq!(flow.identity, Identity::of("atlanta.example"));
    assert_eq!(register.method(), Some(Method::Register));
    assert!(rows(&register, Name::Via)[0].starts_with("SIP/2.0/TLS "));
}

/// "If the certificate is invalid, revoked, or if it does not identify the appropriate party, the UA MUST NOT send the REGISTER message and
/// otherwise proceed with the registration." The driver has sent nothing then (`io/net/tests/driver/tls.rs`); the phone says why, and goes
/// no other way.
/// Proves: rfc3261-26.3.2.1-4, rfc3261-26.2.2-2.
#[test]
fn trap_31_a_server_that_is_another_is_told_of_in_words() {
    let mut bench = bench(account("sip:alice@atlanta.example"));
    bench.act(|phone, now, out| phone.register(now, out));
    let (_, flow, _) = bench.sent_with_times().remove(0);
    let why = Why::OtherName(["biloxi.example".into()].into());
    let distrust = Distrust { peer: flow.peer, domain: "atlanta.example".into(), why };
    bench.input(Input::Untrusted(flow, distrust));
    let words = "the certificate of 192.0.2.9 is for biloxi.example, not for atlanta.example";
    let said = PhoneEvent::NotRegistered { status: 503, reason: words.into() };
    assert_eq!(bench.events(), [said]);
    assert_eq!(bench.titles(), [""; 0]);
}

/// The proxy's Record-Route names the domain that its certificate proves (RFC 5922 §7.5): a phone that was told where the server of its domain
/// is finds it there.
#[test]
fn the_name_in_a_record_route_is_where_the_server_is() {
    let mut bench = bench(account("sip:alice@atlanta.example"));
    let (_, invite) = bench.calls("bob");
    let route = "Record-Route: <sip:token@atlanta.example:5061;transport=tls;lr>";
    let rows = format!("{route}\nContact: <sip:bob@192.0.2.77;transport=tls>");
    bench.tell(reply(&invite, 200, "bob", (&rows, SDP)));
    let (_, flow, ack) = bench.sent_with_times().remove(0);
    assert_eq!(ack.method(), Some(Method::Ack));
    assert_eq!((flow.transport, flow.peer), (Transport::Tls, "192.0.2.9:5061".parse().unwrap()));
    assert_eq!(flow.identity, Identity::of("atlanta.example"));
}

/// With a sips address everything of ours is sips (§8.1.1.8), and TLS is all that is used.
#[test]
fn a_secure_address_is_secure_in_all_that_is_written() {
    let mut bench = bench(account("sips:alice@atlanta.example").by(Transport::Udp));
    bench.act(|phone, now, out| phone.register(now, out));
    let (_, flow, register) = bench.sent_with_times().remove(0);
    assert_eq!(flow.transport, Transport::Tls);
    assert_eq!(uri(&register), "sips:atlanta.example");
    let contact = &rows(&register, Name::Contact)[0];
    assert!(contact.starts_with("<sips:alice@192.0.2.1:5061>"), "{contact}");
    let (_, invite) = bench.calls("bob");
    assert_eq!(uri(&invite), "sips:bob@atlanta.example");
    assert!(rows(&invite, Name::From)[0].starts_with("<sips:alice@"));
    // Without such an address of ours nobody can be called so.
    let mut open = self::bench(account("sip:alice@atlanta.example"));
    let target = "sips:bob@biloxi.example";
    let no = open.act(|phone, now, out| phone.call(now, target, Box::new(Silence), out));
    assert!(no.unwrap_err().to_string().contains("only from a secure account: sips:alice@"));
}

/// "Any implementation that supports TLS MUST support the SIPS URI scheme": "if the Request-URI specifies a SIPS resource, the UAC MUST follow the
/// procedures of [RFC 3263] as if the input URI were a SIPS URI", "any alternate destinations MUST be contacted with TLS", and "the Contact header field
/// MUST contain a SIPS URI as well", when the call is set up and later.
/// Proves: rfc3261-8.1.1.2-2, rfc3261-8.1.1.8-3, rfc3261-8.1.2-3, rfc3261-8.1.2-4, rfc3261-12.1.2-2, rfc3261-12.2.1.1-18.
#[test]
fn who_is_called_by_sips_is_looked_for_and_found_by_tls_alone() {
    let mut bench = bench(Account::new("sips:alice@atlanta.example").unwrap());
    let bob = "sips:bob@biloxi.example";
    bench.act(|phone, now, out| phone.call(now, bob, Box::new(Silence), out)).unwrap();
    let Ok(Uri::Sip(uri_of_bob)) = Uri::parse(bob.as_bytes()) else { panic!() };
    assert_eq!(bench.questions(), [Question::Resolve(Hop::of_uri(&uri_of_bob).unwrap())]);
    let targets = ["192.0.2.50:5061", "192.0.2.51:5061"].map(|at| Target {
        transport: Transport::Tls,
        address: at.parse().unwrap(),
        domain: "biloxi.example".into(),
    });
    bench.input(Input::Answered(Ticket(2), Answer::Targets(targets.into())));
    let (_, first, _) = bench.sent_with_times().remove(0);
    bench.input(Input::Failed(first));
    let (_, second, invite) = bench.sent_with_times().remove(0);
    assert_eq!((first.transport, second.transport), (Transport::Tls, Transport::Tls));
    assert_ne!(first.peer, second.peer);
    let contact = |message: &Message| rows(message, Name::Contact).remove(0);
    assert!(contact(&invite).starts_with("<sips:"), "{}", contact(&invite));
    let theirs = "Contact: <sips:bob@192.0.2.51>";
    bench.input(Input::Received(second, reply(&invite, 200, "bob", (theirs, SDP))));
    bench.sent();
    let call = bench.phone.calls().next().unwrap();
    bench.hold(call);
    let (_, flow, hold) = bench.sent_with_times().remove(0);
    assert_eq!(flow.transport, Transport::Tls);
    assert!(contact(&hold).starts_with("<sips:"), "{}", contact(&hold));
}

/// "If the request that initiated the dialog contained a SIPS URI in the Request-URI …, the Contact header field in the response MUST be a SIPS URI."
/// Proves: rfc3261-12.1.1-4.
#[test]
fn who_is_called_by_sips_answers_with_a_sips_contact() {
    for ours in ["sips:alice@atlanta.example", "sip:alice@atlanta.example"] {
        let mut bench = bench(account(ours));
        let invite = bench.request("INVITE", "", SDP);
        let text = String::from_utf8(invite.wire().to_vec()).unwrap();
        let text =
            text.replace("INVITE sip:alice@192.0.2.1:5060", "INVITE sips:alice@192.0.2.1:5061");
        let invite = Message::parse(text.replace("SIP/2.0/UDP", "SIP/2.0/TLS")).unwrap();
        let from = Flow { transport: Transport::Tls, listener: 0, ..flow(Transport::Tcp) };
        bench.input(Input::Received(from, invite));
        let call = bench.incoming();
        bench.answer(call);
        let ok = bench.only();
        assert!(
            rows(&ok, Name::Contact)[0].starts_with("<sips:"),
            "{ours}: {:?}",
            rows(&ok, Name::Contact)
        );
    }
}
