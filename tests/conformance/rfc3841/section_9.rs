//! §9.1: what a caller asks proxies to do.

use offhook_tests::office::{Office, Phone, Sent, reply, requests, trusting};

const THREE: &str =
    "<sip:a@198.51.100.2>;q=0.9, <sip:b@198.51.100.2>;q=0.9, <sip:c@198.51.100.2>;q=0.1";

fn called(disposition: &str) -> (Office, Vec<Sent>) {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register_at(&bob, THREE);
    let row = format!("Request-Disposition: {disposition}");
    let invite = alice.invite("sip:102@example.test").row(&row);
    let sent = office.receive(alice.flow, invite.wire());
    (office, requests(&sent, "INVITE"))
}

/// Refuses what rings; how many ring then.
fn refuse(office: &mut Office, ringing: &[Sent]) -> usize {
    let mut sent = Vec::new();
    for copy in ringing {
        sent.extend(office.receive(copy.flow, reply(&copy.message, 486, "")));
    }
    requests(&sent, "INVITE").len()
}

/// "When the caller specifies a directive, the server SHOULD honor that directive." "If the server is requested not to fork, the server SHOULD
/// proxy the request to the 'best' address"
/// Proves: rfc3841-7.1-1, rfc3841-9.1-1, rfc3841-9.1-3.
#[test]
fn a_caller_says_how_many_ring_and_in_which_order() {
    for (disposition, first, then) in [
        ("fork", 2, 1),
        ("parallel", 3, 0),
        ("sequential", 1, 1),
        ("proxy, no-fork", 1, 0),
        ("FORK, Sequential", 1, 1),
        ("queue", 2, 1),
    ] {
        let (mut office, sent) = called(disposition);
        assert_eq!(sent.len(), first, "{disposition}");
        assert_eq!(refuse(&mut office, &sent), then, "{disposition}");
    }
}

/// "it SHOULD NOT CANCEL any outstanding branches upon receipt of a 2xx. However, it would still send CANCEL on any outstanding branches upon
/// receipt of a 6xx."
/// Proves: rfc3841-9.1-2.
#[test]
fn a_caller_may_want_several_answers() {
    for (disposition, code, cancels) in
        [("no-cancel", 200, 0), ("no-cancel", 603, 1), ("cancel", 200, 1)]
    {
        let (mut office, sent) = called(disposition);
        office.receive(sent[1].flow, reply(&sent[1].message, 180, ""));
        let after = office.receive(sent[0].flow, reply(&sent[0].message, code, ""));
        assert_eq!(requests(&after, "CANCEL").len(), cancels, "{disposition} {code}");
    }
}
