//! §16.12.1: the examples, with us as each of their proxies in turn; §26.2.2: what is for a `sips` URI.

use offhook_tests::office::{Office, Phone, Sent, answers, reply, requests, rows, trusting, uri};
use protocol::{Listener, Transport};
use server::Settings;
use sip::Name;

/// An INVITE from u1, with these Record-Routes of others before us, to u2; the copy, and our Record-Route in it.
fn recorded(before: &str, to: &str) -> (Office, Phone, Sent, String) {
    let (mut office, u1) = (Office::new(trusting()), Phone::udp(101));
    let mut invite = u1.invite(to);
    if !before.is_empty() {
        invite = invite.row(&format!("Record-Route: {before}"));
    }
    let copy = requests(&office.receive(u1.flow, invite.wire()), "INVITE").remove(0);
    let ours = rows(std::slice::from_ref(&copy), Name::RecordRoute)[0].clone();
    (office, u1, copy, ours)
}

/// A request of u2 back to u1 (or of u1, onward) within that call.
fn bye(from: &Phone, uri: &str, routes: &str) -> String {
    let mut bye = from.request("BYE", uri);
    let (near, far) = (";tag=from-101", ";tag=to-tag");
    let [from, to] = if from.user == "101" { [near, far] } else { [far, near] };
    bye.from = format!("<sip:u@h>{from}");
    bye.to = format!("<sip:v@h>{to}");
    (bye.call_id, bye.cseq) = ("call-of-101".into(), 7);
    let bye = if routes.is_empty() { bye } else { bye.row(&format!("Route: {routes}")) };
    bye.wire()
}

fn seen(sent: &[Sent]) -> (String, Vec<String>, String) {
    let byes = requests(sent, "BYE");
    assert_eq!(byes.len(), 1, "{sent:?}");
    (uri(&byes[0]), rows(&byes, Name::Route), byes[0].flow.peer.ip().to_string())
}

const U2: &str = "sip:callee@203.0.113.2";

/// §16.12.1.1: as P1, with P2 behind us; as P2, with nobody.
#[test]
fn the_basic_trapezoid() {
    let (mut office, u1, _, ours) = recorded("", U2);
    let routes = format!("{ours}, <sip:203.0.113.7;lr>");
    let sent = office.receive(u1.flow, bye(&u1, U2, &routes));
    let p2 = vec!["<sip:203.0.113.7;lr>".to_owned()];
    assert_eq!(seen(&sent), (U2.into(), p2, "203.0.113.7".into()));

    let (mut office, u1, copy, ours) = recorded("<sip:203.0.113.6;lr>", U2);
    assert_eq!(rows(&[copy], Name::RecordRoute), [&*ours, "<sip:203.0.113.6;lr>"]);
    let sent = office.receive(u1.flow, bye(&u1, U2, &ours));
    assert_eq!(seen(&sent), (U2.into(), vec![], "203.0.113.2".into()));
}

/// §16.12.1.2: as P4, before a strict router, and as P2, behind it; however the others write their `lr` (trap 26).
#[test]
fn trap_26_traversing_a_strict_routing_proxy() {
    for lr in [";lr", ";lr=on", ";lr=true"] {
        let p1 = format!("<sip:203.0.113.11{lr}>");
        let (mut office, u1, _, p4) = recorded("<sip:203.0.113.13>", U2);
        let caller = u1.contact();
        let routes = format!(
            "{p4}\r\nRoute: <sip:203.0.113.13>\r\nRoute: <sip:203.0.113.12{lr}>\r\nRoute: {p1}"
        );
        let u2 = Phone::udp(102);
        let sent = office.receive(u2.flow, bye(&u2, &caller, &routes));
        let turned = format!("<sip:203.0.113.12{lr}>, {p1}, <{caller}>");
        let (to, routes, at) = seen(&sent);
        assert_eq!((&*to, &*at), ("sip:203.0.113.13", "203.0.113.13"));
        assert_eq!(routes.join(", "), turned);

        let (mut office, _, _, p2) = recorded(&p1, U2);
        let p2 = p2.trim_matches(['<', '>']);
        let routes = format!("{p1}\r\nRoute: <{caller}>");
        let sent = office.receive(u2.flow, bye(&u2, p2, &routes));
        assert_eq!(seen(&sent), (caller, vec![p1], "203.0.113.11".into()));
    }
}

/// §26.2.2: whoever was asked for by a `sips` URI is told over TLS alone: by the phones that are there over TLS, or not at all, in words.
#[test]
fn trap_28_a_user_asked_for_by_sips_is_told_over_tls_alone() {
    let mut settings: Settings = trusting();
    let at = "192.0.2.10:5061".parse().unwrap();
    settings.listeners.push(Listener::new(2, Transport::Tls, at));
    let mut office = Office::new(settings);
    let (alice, open) = (Phone::udp(101), Phone::udp(102));
    let mut closed = Phone::tcp(102, 9);
    (closed.flow.transport, closed.flow.listener) = (Transport::Tls, 2);
    office.register(&open);
    let sent = office.receive(alice.flow, alice.invite("sips:102@example.test").wire());
    assert!(requests(&sent, "INVITE").is_empty(), "{sent:?}");
    assert_eq!(answers(&sent, alice.flow), [100, 480]);
    let last = String::from_utf8_lossy(sent.last().unwrap().message.wire()).into_owned();
    assert!(last.contains("480 No Way There Is by TLS"), "{last}");

    office.register_at(&closed, "<sip:102@10.0.0.1:5061;transport=tls>");
    let again = alice.invite("sips:102@example.test").wire().replace("z9hG4bK", "z9hG4bK-2");
    let copies = requests(&office.receive(alice.flow, again), "INVITE");
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert_eq!(copies[0].flow.transport, Transport::Tls);
    let routes = rows(&copies, Name::RecordRoute);
    assert!(routes.iter().all(|route| route.starts_with("<sips:")), "{routes:?}");
    let sent = office.receive(copies[0].flow, reply(&copies[0].message, 200, ""));
    assert_eq!(answers(&sent, alice.flow), [200]);
    // A `sip` URI rings both.
    let both = alice.invite("sip:102@example.test").call("both").wire();
    assert_eq!(requests(&office.receive(alice.flow, both), "INVITE").len(), 2);
}

/// So many Routes are looked at, and all of them are passed on. A request with more is refused: with some of them it would go elsewhere.
#[test]
fn no_route_is_lost_on_the_way() {
    for (others, passes) in [(1, true), (31, true), (32, false), (200, false)] {
        let (mut office, u1, _, ours) = recorded("", U2);
        let others: Vec<_> =
            (0..others).map(|nth| format!("<sip:r{nth}@203.0.113.7;lr>")).collect();
        let sent = office.receive(u1.flow, bye(&u1, U2, &format!("{ours}, {}", others.join(", "))));
        if passes {
            assert_eq!(seen(&sent).1, [others.join(", ")]);
        } else {
            assert_eq!((answers(&sent, u1.flow), sent.len()), (vec![400], 1));
        }
    }
}
