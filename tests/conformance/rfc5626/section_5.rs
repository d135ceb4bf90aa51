//! §5: what an edge proxy does, between a phone and a registrar of another domain.

use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, Sent, answers, found, method, reply, requests, rows, settings, status, trusting,
};
use protocol::Transport::Tcp;
use protocol::{Flow, Input};
use server::settings::Settings;
use sip::Name;

use super::register;

/// A REGISTER of 102 at 203.0.113.50, on its way through us.
fn relayed(office: &mut Office, phone: &Phone) -> Sent {
    let wire = register(phone, (1, 1), "").replace("sip:example.test SIP", "sip:203.0.113.50 SIP");
    requests(&office.receive(phone.flow, wire), "REGISTER").remove(0)
}

/// The other domain's registrar, whose calls come by UDP.
fn registrar() -> Flow {
    Flow { peer: "203.0.113.50:5060".parse().unwrap(), ..Phone::udp(101).flow }
}

/// A call from there by the Path that we wrote.
fn called_by(path: &[String], phone: &Phone) -> String {
    let mut invite = Phone::udp(199).invite(&format!("{};ob", phone.contact()));
    invite.via = "SIP/2.0/UDP 203.0.113.50:5060".into();
    invite.from = "<sip:x@other.example>;tag=1".into();
    invite.row(&format!("Route: {}", path.join(", "))).wire()
}

/// "If the edge proxy is the first hop, as indicated by the Via header field, it MUST insert its URI in a Path header field value" "the edge
/// proxy either MUST store a "flow token" … in its Path URI or reject the request. The flow token MUST be an identifier that is unique to
/// this network flow." "In addition, the first node MUST include an "ob" URI parameter in its Path header field value."
/// Proves: rfc5626-5.1-1, rfc5626-5.1-2, rfc5626-5.1-3, rfc5626-5.1-4, rfc3327-A-1, rfc3608-6.2-2.
#[test]
fn a_phone_that_registers_through_us_gets_a_path_to_its_flow() {
    let mut tokens = Vec::new();
    for connection in [7, 8] {
        let mut office = Office::new(trusting());
        let sent = relayed(&mut office, &Phone::tcp(102, connection));
        let path = rows(&[sent], Name::Path);
        // What the registrar reaches, and below it where the phone is.
        assert_eq!((path.len(), path[0].as_str()), (2, "<sip:192.0.2.10:5060;lr>"));
        assert!(path[1].ends_with("@192.0.2.10:5060;transport=tcp;lr;ob>"), "{path:?}");
        tokens.push(path[1].clone());
    }
    assert_ne!(tokens[0], tokens[1]);
    let mut office = Office::new(trusting());
    let path = rows(&[relayed(&mut office, &Phone::udp(102))], Name::Path);
    assert!(path.len() == 1 && path[0].ends_with("@192.0.2.10:5060;lr;ob>"), "{path:?}");
}

/// "If the edge proxy is not the first SIP node after the UAC it MUST NOT place an "ob" URI parameter in a Path header field value."
/// Proves: rfc5626-5.1-5.
#[test]
fn behind_another_proxy_we_write_no_path() {
    let (mut office, phone) = (Office::new(trusting()), Phone::tcp(102, 7));
    let path = "Path: <sip:t@10.0.0.1;lr;ob>\r\n";
    let wire = register(&phone, (1, 1), path)
        .replace("sip:example.test SIP", "sip:203.0.113.50 SIP")
        .replace("Max-Forwards", "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKz\r\nMax-Forwards");
    let sent = requests(&office.receive(phone.flow, wire), "REGISTER");
    assert_eq!(rows(&sent, Name::Path), ["<sip:t@10.0.0.1;lr;ob>"]);
}

/// "the proxy removes the Route header field value and forwards the request over the 'logical flow' identified by the flow token" Requests
/// within the call go the same way, by our Record-Route.
#[test]
fn a_call_that_shows_our_token_goes_by_the_flow_and_so_does_the_rest_of_it() {
    for phone in [Phone::tcp(102, 7), Phone::udp(102)] {
        let mut office = Office::new(trusting());
        let path = rows(&[relayed(&mut office, &phone)], Name::Path);
        let sent = office.receive(registrar(), called_by(&path, &phone));
        let ring = requests(&sent, "INVITE");
        assert_eq!((ring.len(), ring[0].flow), (1, phone.flow));
        assert!(!ring[0].message.has(Name::Route));
        let contact = format!("Contact: <{};ob>\r\n", phone.contact());
        let sent = office.receive(phone.flow, reply(&ring[0].message, 200, &contact));
        let record = rows(&sent, Name::RecordRoute);
        let mut bye = Phone::udp(199).request("BYE", &format!("{};ob", phone.contact()));
        bye.from = "<sip:x@other.example>;tag=1".into();
        bye.to += ";tag=to-tag";
        let bye = bye.row(&format!(
            "Route: {}",
            record.iter().rev().cloned().collect::<Vec<_>>().join(", ")
        ));
        let sent = office.receive(registrar(), bye.wire());
        assert_eq!((method(&sent[0]), sent[0].flow), ("BYE", phone.flow));
    }
}

/// "If the flow token has been tampered with, the proxy SHOULD send a 403 (Forbidden) response."
/// Proves: rfc5626-5.3.1-1.
#[test]
fn a_token_that_is_not_ours_is_forbidden() {
    let (mut office, phone) = (Office::new(trusting()), Phone::tcp(102, 7));
    let path = rows(&[relayed(&mut office, &phone)], Name::Path).pop().unwrap();
    let turned = |digit: char| if digit == '0' { '1' } else { '0' };
    let at = path.find(':').unwrap() + 1;
    for place in [0, 9, 30] {
        let mut forged: Vec<char> = path.chars().collect();
        forged[at + place] = turned(forged[at + place]);
        let forged: String = forged.into_iter().collect();
        let wire = called_by(&[forged], &phone).replace("z9hG4bK", &format!("z9hG4bK{place}"));
        assert_eq!(answers(&office.receive(registrar(), wire), registrar()), [403]);
    }
}

/// "If the flow no longer exists, the proxy SHOULD send a 430 (Flow Failed) response to the request."
/// Proves: rfc5626-5.3.1-2.
#[test]
fn a_flow_that_is_gone_is_430() {
    let (mut office, phone) = (Office::new(trusting()), Phone::tcp(102, 7));
    let path = rows(&[relayed(&mut office, &phone)], Name::Path);
    let sent = office.receive(registrar(), called_by(&path, &phone));
    assert_eq!(requests(&sent, "INVITE")[0].flow, phone.flow);
    let sent = office.tell(Input::Failed(phone.flow));
    assert_eq!(answers(&sent, registrar()), [430]);
}

/// A phone that shows its own token goes out by us (§5.3.2), not back to itself.
#[test]
fn from_the_phone_itself_the_token_leads_outward() {
    let (mut office, phone) = (Office::new(trusting()), Phone::tcp(102, 7));
    let path = rows(&[relayed(&mut office, &phone)], Name::Path);
    let invite = phone.invite("sip:b@203.0.113.50").row(&format!("Route: {}", path[1]));
    let ring = requests(&office.receive(phone.flow, invite.wire()), "INVITE");
    assert_eq!((ring.len(), ring[0].flow.peer), (1, registrar().peer));
}

/// In a house that asks everybody who it is, the phones of a domain that we are the edge for pass: their registrar asks them.
#[test]
fn what_is_for_a_domain_whose_edge_we_are_passes_unasked_and_nothing_else_does() {
    let mut settings = Settings { ..settings() };
    settings.registrar.edge_for = vec!["other.example".into()];
    let mut office = Office::new(settings);
    let phone = Phone::tcp(102, 7);
    let to = |uri: &str| {
        register(&phone, (1, 1), "").replace("sip:example.test SIP", &format!("{uri} SIP"))
    };
    let asked = office.receive(phone.flow, to("sip:elsewhere.example"));
    assert_eq!(status(&asked), 407);
    office.receive(phone.flow, to("sip:other.example").replace("z9hG4bK", "z9hG4bKo"));
    let (ticket, _) = office.asked.pop().unwrap();
    let there = found(&[(Tcp, "203.0.113.50:5060")]);
    let sent = office.tell(Input::Answered(ticket, there));
    let path = rows(&requests(&sent, "REGISTER"), Name::Path);
    // The registrar's domain has no password here, and its calls come back all the same.
    let sent = office.receive(registrar(), called_by(&path, &phone));
    assert_eq!(requests(&sent, "INVITE")[0].flow, phone.flow);
    office.wait(Duration::from_secs(40));
    let stranger =
        called_by(&["<sip:192.0.2.10:5060;lr>".into()], &phone).replace("z9hG4bK", "z9hG4bKs");
    assert_eq!(answers(&office.receive(registrar(), stranger), registrar()), [407]);
}
