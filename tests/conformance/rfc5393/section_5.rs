//! §5: Max-Breadth.

use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, Request, Sent, answers, reply, requests, rows, status, trusting,
};
use sip::Name;

fn fork(breadth: &str) -> (Office, Phone, Vec<Sent>) {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register_at(&bob, "<sip:a@198.51.100.21>, <sip:b@198.51.100.22>, <sip:c@198.51.100.23>");
    let invite: Request = alice.invite("sip:102@example.test").row(breadth);
    let sent = office.receive(alice.flow, invite.wire());
    (office, alice, sent)
}

fn breadths(sent: &[Sent]) -> Vec<u32> {
    let copies = requests(sent, "INVITE");
    let row = |copy: &Sent| {
        let rows = rows(std::slice::from_ref(copy), Name::MaxBreadth);
        assert_eq!(rows.len(), 1, "a single value");
        rows[0].parse().unwrap()
    };
    copies.iter().map(row).collect()
}

/// "If a SIP proxy receives a request with no Max-Breadth header field value, it MUST add one, with a value that is RECOMMENDED to be 60.
/// Proxies MUST have a maximum allowable Incoming Max-Breadth value, which is RECOMMENDED to be 60. If this maximum is exceeded in a received
/// request, the proxy MUST overwrite it …. All proxied requests MUST contain a single Max-Breadth header field value. SIP proxies MUST NOT allow
/// the Outgoing Max-Breadth to exceed the Incoming Max-Breadth"
/// Proves: rfc5393-5.3.3-1, rfc5393-5.3.3-2, rfc5393-5.3.3-3, rfc5393-5.3.3-4, rfc5393-5.3.3-5, rfc5393-A-3.
#[test]
fn trap_8_the_breadth_is_shared_among_the_branches() {
    for (row, expected) in [
        // Four are kept for phones that register while these ring.
        ("X: y", [18, 18, 18]),
        ("Max-Breadth: 60", [20, 20, 20]),
        ("Max-Breadth: 4000000000", [20, 20, 20]),
        ("Max-Breadth: 3", [1, 1, 1]),
        ("Max-Breadth: 7", [2, 2, 2]),
    ] {
        assert_eq!(breadths(&fork(row).2), expected, "{row}");
    }
}

/// One target: nothing is taken away.
/// Proves: rfc5393-A-1, rfc5393-A-2.
#[test]
fn trap_8_a_hop_costs_no_breadth() {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let invite = alice.invite("sip:102@example.test").row("Max-Breadth: 5");
    assert_eq!(breadths(&office.receive(alice.flow, invite.wire())), [5]);
}

/// "Proxies SHOULD be prepared to reuse this Max-Breadth in cases where there may be elements left in the target-set."
/// Proves: rfc5393-5.3.3.1-1.
#[test]
fn trap_8_who_finds_no_room_rings_after_the_others() {
    let (mut office, alice, sent) = fork("Max-Breadth: 2");
    assert_eq!(breadths(&sent), [1, 1]);
    let copies = requests(&sent, "INVITE");
    assert!(
        office
            .receive(copies[0].flow, reply(&copies[0].message, 486, ""))
            .iter()
            .all(|sent| sent.flow != alice.flow)
    );
    let sent = office.receive(copies[1].flow, reply(&copies[1].message, 486, ""));
    assert_eq!((breadths(&sent), answers(&sent, alice.flow).len()), (vec![2], 0));
}

/// "If a SIP proxy determines a response context has insufficient Incoming Max-Breadth …, that proxy MUST return a 440"
/// Proves: rfc5393-5.3.3-6.
#[test]
fn trap_8_without_any_breadth_nobody_is_called() {
    let (_, _, sent) = fork("Max-Breadth: 0");
    assert_eq!((status(&sent), sent.len()), (440, 1));
}

/// "SIP proxies MUST NOT allow the Outgoing Max-Breadth to exceed the Incoming Max-Breadth": "the sum … in all forwarded requests in the response context that have not
/// received a final response". Who gives way to the next has not, until it has answered that it was cancelled.
/// Proves: rfc5393-5.3.3-5.
#[test]
fn who_is_cancelled_has_its_breadth_until_it_says_so() {
    for (row, at_once) in [("Max-Breadth: 1", false), ("Max-Breadth: 2", true), ("X: y", true)] {
        let mut office = Office::new(trusting());
        let (alice, bob) = (Phone::udp(101), Phone::udp(102));
        let phones = ["<sip:a@198.51.100.21>;q=1", "<sip:b@198.51.100.22>;q=0.5"];
        office.register_at(&bob, &phones.join(", "));
        let invite = alice.invite("sip:102@example.test").row(row);
        let first = requests(&office.receive(alice.flow, invite.wire()), "INVITE").remove(0);
        office.receive(first.flow, reply(&first.message, 180, ""));
        let sent = office.wait(Duration::from_millis(20_100));
        assert_eq!(requests(&sent, "CANCEL").len(), 1, "{row}");
        let second = requests(&sent, "INVITE");
        assert_eq!(!second.is_empty(), at_once, "{row}");
        let all = breadths(std::slice::from_ref(&first)).into_iter().chain(breadths(&second));
        let most = row.strip_prefix("Max-Breadth: ").map_or(60, |most| most.parse().unwrap());
        assert!(all.sum::<u32>() <= most, "{row}");
        let sent = office.receive(first.flow, reply(&first.message, 487, ""));
        let then = requests(&sent, "INVITE").len();
        assert_eq!(then + usize::from(at_once), 1, "{row}");
    }
}
