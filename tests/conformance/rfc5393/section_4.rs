//! §4: loop detection.

use offhook_tests::office::{Office, Phone, Sent, always_at, requests, rows, status, trusting};
use sip::Name;

/// The settings send 102 back to us. (A phone that registers so is refused.)
fn looping() -> (Office, Phone, Vec<Sent>) {
    let alice = Phone::udp(101);
    let circle = ["sip:102@192.0.2.10", "sip:102@192.0.2.10:5060"];
    let mut office = Office::new(always_at("102", &circle, trusting()));
    let sent = office.receive(alice.flow, alice.invite("sip:102@192.0.2.10").wire());
    (office, alice, requests(&sent, "INVITE"))
}

/// The request comes back to us, from ourselves.
fn back(office: &mut Office, sent: &Sent) -> Vec<Sent> {
    let mut flow = sent.flow;
    flow.peer = "192.0.2.10:5060".parse().unwrap();
    office.receive(flow, sent.message.wire().to_vec())
}

/// "When a SIP proxy forks a particular request to more than one location, it MUST ensure that request is not looping through this proxy."
/// "Proxies … MUST perform the following loop-detection test before forwarding a request. Each Via header field value in the request whose
/// sent-by value matches a value placed into previous requests by this proxy MUST be inspected …. If the second field is present, the proxy MUST
/// perform the second-part calculation … If these values are equal, the request has looped and the proxy MUST reject the request with a 482"
/// Proves: rfc5393-4.1-1, rfc5393-4.1-2, rfc5393-4-1, rfc5393-4-2, rfc5393-4-3, rfc5393-4-4.
#[test]
fn trap_7_a_request_that_comes_back_unchanged_is_refused() {
    let (mut office, _, copies) = looping();
    assert_eq!(copies.len(), 2);
    let same = copies.iter().find(|copy| copy.message.request_uri() == Some(b"sip:102@192.0.2.10"));
    assert_eq!(status(&back(&mut office, same.unwrap())), 482);
}

/// A spiral is no loop: the request comes back for somebody else, or by another way.
#[test]
fn trap_7_a_spiral_is_forwarded_until_it_closes() {
    let (mut office, _, copies) = looping();
    let other = copies
        .iter()
        .find(|copy| copy.message.request_uri() == Some(b"sip:102@192.0.2.10:5060"))
        .unwrap();
    let second = requests(&back(&mut office, other), "INVITE");
    assert_eq!(second.len(), 2);
    for copy in &second {
        assert_eq!(status(&back(&mut office, copy)), 482, "both ways were gone before");
    }
}

/// "The proxy MUST insert a Via header field value into the copy before the existing Via header field values. Such proxies SHOULD create a
/// branch value separable into two parts …. The first part of the branch value MUST satisfy the constraints of Section 8.1.1.7. This second part
/// MUST vary with any field used by the location service logic in determining where to retarget or forward this request. … This second part
/// MUST NOT vary with the request method." The other half of the proof is `rfc3261/section_16_6.rs`.
/// Proves: rfc5393-8-1, rfc5393-8-2, rfc5393-8-3, rfc5393-8-4, rfc5393-8-5, rfc5393-8-6, rfc5393-4.2.4-1.
#[test]
fn the_second_part_varies_with_the_way_and_not_with_the_method() {
    let part = |change: &dyn Fn(String) -> String| {
        let mut office = Office::new(trusting());
        let (alice, bob) = (Phone::udp(101), Phone::udp(102));
        office.register(&bob);
        let sent = office.receive(alice.flow, change(alice.invite("sip:102@example.test").wire()));
        let copy: Vec<_> = sent.into_iter().filter(|sent| sent.message.is_request()).collect();
        let via = rows(&copy, Name::Via).remove(0);
        via.split("branch=z9hG4bK").nth(1).unwrap()[..16].to_owned()
    };
    let first = part(&|wire| wire);
    assert_eq!(part(&|wire| wire.replace("INVITE", "SUBSCRIBE")), first);
    for (from, to) in [
        ("sip:102@example.test SIP", "sip:102@192.0.2.10 SIP"),
        ("Max-Forwards", "Route: <sip:203.0.113.1;lr>\r\nMax-Forwards"),
        ("CSeq: 1", "CSeq: 2"),
    ] {
        assert_ne!(part(&|wire| wire.replace(from, to)), first, "{to}");
    }
}
