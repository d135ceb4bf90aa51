//! §16.7: responses on their way back.

use std::time::Duration;

use offhook_tests::office::{
    Office, Phone, Sent, always_at, answers, found, reply, requests, rows, status, trusting,
};
use protocol::{Input, Transport};
use sip::{Message, Name};

/// 101 calls 102, who has so many phones; the copies that they got.
fn fork(contacts: &[&str]) -> (Office, Phone, Vec<Sent>) {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register_at(&bob, &contacts.join(", "));
    let sent = office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
    (office, alice, requests(&sent, "INVITE"))
}

const TWO: [&str; 2] = ["<sip:a@198.51.100.21>", "<sip:b@198.51.100.22>"];

fn answer(office: &mut Office, to: &Sent, code: u16, rows: &str) -> Vec<Sent> {
    office.receive(to.flow, reply(&to.message, code, rows))
}

fn lines(message: &Message) -> Vec<String> {
    String::from_utf8_lossy(message.wire()).lines().map(str::to_owned).collect()
}

/// "As client transactions pass responses to the proxy layer, the following processing MUST take place" "The proxy MUST NOT add to, modify,
/// or remove the message body. Unless otherwise specified, the proxy MUST NOT remove any header field values other than the Via header field
/// value …. the proxy MUST NOT remove any "received" parameter" "A proxy MUST NOT insert a tag into the To …, MUST NOT modify the tag" "The
/// proxy MUST pass the response to the server transaction"
/// Proves: rfc3261-16.7-2, rfc3261-16.7-3, rfc3261-16.7-18, rfc3261-16.7-28, rfc3261-16.7-30, rfc3261-16.7-32, rfc3261-16.7-39, rfc3261-16.7-40, rfc3261-16.7-41, rfc3261-16.7-42.
#[test]
fn only_our_via_comes_off_a_response() {
    let mut office = Office::new(trusting());
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let invite = alice.invite("sip:102@example.test").wire().replace(";branch=", ";rport;branch=");
    let sent = requests(&office.receive(alice.flow, invite), "INVITE");
    for code in [183, 200] {
        let text = reply(&sent[0].message, code, "X-Odd: caf\u{e9}, 1\r\nWarning: 1 a \"b\"\r\n");
        let text = text.replace("Content-Length: 0\r\n\r\n", "Content-Length: 3\r\n\r\na\r\n");
        let before = lines(&Message::parse(text.clone()).unwrap());
        let back = office.receive(bob.flow, text);
        let after = lines(&back[0].message);
        let without: Vec<_> =
            before.iter().filter(|line| !line.contains("192.0.2.10:5060;branch")).collect();
        assert_eq!(after.iter().collect::<Vec<_>>(), without);
        assert!(rows(&back, Name::Via)[0].contains(";rport=5060;received=198.51.100.1"));
        assert_eq!(back[0].flow, alice.flow);
    }
}

/// "A proxy MUST NOT insert a tag into the To header field of a 1xx or 2xx response if the request did not contain one." "An element SHOULD
/// preserve the To tag when simply forwarding a 3-6xx response"
/// Proves: rfc3261-16.7-29, rfc3261-16.7-31.
#[test]
fn the_to_tag_is_the_callees_or_none() {
    for (code, to) in [(180, ""), (200, ""), (486, ";tag=its-own")] {
        let (mut office, _, copies) = fork(&TWO[..1]);
        let text = reply(&copies[0].message, code, "").replace(";tag=to-tag", to);
        let back = office.receive(copies[0].flow, text);
        let back: Vec<_> = back.into_iter().filter(|sent| !sent.message.is_request()).collect();
        assert_eq!(rows(&back, Name::To), [format!("<sip:102@example.test>{to}")]);
    }
}

/// "For an INVITE transaction, if the response is a provisional response with status codes 101 to 199 inclusive …, the proxy MUST reset
/// timer C for that client transaction. … this value MUST be greater than 3 minutes." "Timer C MUST be set for each client transaction when an
/// INVITE request is proxied. The timer MUST be larger than 3 minutes."
/// Proves: rfc3261-16.6-47, rfc3261-16.6-48, rfc3261-16.7-4, rfc3261-16.7-5.
#[test]
fn trap_10_a_phone_may_ring_for_three_minutes_after_each_sign_of_life() {
    let (mut office, _, copies) = fork(&TWO[..1]);
    answer(&mut office, &copies[0], 180, "");
    for _ in 0..3 {
        assert!(office.wait(Duration::from_secs(181)).is_empty(), "more than three minutes");
        assert_eq!(status(&answer(&mut office, &copies[0], 183, "")), 183);
    }
    office.wait(Duration::from_secs(100));
    answer(&mut office, &copies[0], 100, "");
    let sent = office.wait(Duration::from_secs(110));
    assert!(!requests(&sent, "CANCEL").is_empty(), "a 100 is no sign of life");
}

/// "If no Via header field values remain in the response, the response was meant for this element and MUST NOT be forwarded."
/// Proves: rfc3261-16.7-6.
#[test]
fn a_response_for_ourselves_goes_no_further() {
    let (mut office, _, copies) = fork(&TWO[..1]);
    let whole = reply(&copies[0].message, 180, "");
    let second = rows(&copies, Name::Via).remove(1);
    let ours = whole.replace(&format!("Via: {second}\r\n"), "");
    assert_ne!(ours, whole);
    assert!(office.receive(copies[0].flow, ours).is_empty());
}

/// "Until a final response has been sent on the server transaction, the following responses MUST be forwarded immediately: Any provisional
/// response other than 100 (Trying); Any 2xx response" "In particular, a stateful proxy MUST NOT forward any 100 (Trying) response."
/// Proves: rfc3261-16.7-13, rfc3261-16.7-17.
#[test]
fn trap_43_every_provisional_but_a_100_goes_on() {
    let (mut office, alice, copies) = fork(&TWO);
    for (code, expected) in [(100, vec![]), (180, vec![180]), (183, vec![183]), (199, vec![199])] {
        for copy in &copies {
            assert_eq!(answers(&answer(&mut office, copy, code, ""), alice.flow), expected);
        }
    }
    assert_eq!(answers(&answer(&mut office, &copies[0], 200, ""), alice.flow), [200]);
}

/// "If a 6xx response is received, it is not immediately forwarded, but the stateful proxy SHOULD cancel all client pending transactions …,
/// and it MUST NOT create any new branches in this context." "It MUST choose from the 6xx class responses if any exist in the context."
/// Proves: rfc3261-16.7-14, rfc3261-16.7-23, rfc3261-16.7-46.
#[test]
fn trap_12_a_6xx_ends_it_for_all() {
    let third = "<sip:c@198.51.100.23>;q=0.1";
    let (mut office, alice, copies) = fork(&[TWO[0], TWO[1], third]);
    assert_eq!(copies.len(), 2);
    answer(&mut office, &copies[1], 180, "");
    let sent = answer(&mut office, &copies[0], 603, "");
    assert!(answers(&sent, alice.flow).is_empty());
    assert_eq!(requests(&sent, "CANCEL")[0].flow, copies[1].flow);
    let sent = answer(&mut office, &copies[1], 487, "");
    assert_eq!(answers(&sent, alice.flow), [603]);
    assert!(requests(&sent, "INVITE").is_empty());
}

/// "After a final response has been sent on the server transaction, the following responses MUST be forwarded immediately: Any 2xx response
/// to an INVITE request. A stateful proxy MUST NOT immediately forward any other responses." "If the server transaction is no longer available
/// to handle the transmission, the element MUST forward the response statelessly" "The proxy MUST maintain the response context until all of
/// its associated transactions have been terminated" "If the forwarded response was a final response, the proxy MUST generate a CANCEL request
/// for all pending client transactions"
/// Proves: rfc3261-16.7-15, rfc3261-16.7-16, rfc3261-16.7-43, rfc3261-16.7-44, rfc3261-16.7-45.
#[test]
fn trap_2_every_2xx_of_a_fork_reaches_the_caller() {
    let three = [TWO[0], TWO[1], "<sip:c@198.51.100.23>"];
    let (mut office, alice, copies) = fork(&three);
    for copy in &copies {
        answer(&mut office, copy, 180, "");
    }
    let sent = answer(&mut office, &copies[0], 200, "");
    assert_eq!((answers(&sent, alice.flow), requests(&sent, "CANCEL").len()), (vec![200], 2));
    // The second answered before our CANCEL reached it; the third obeys.
    assert_eq!(answers(&answer(&mut office, &copies[1], 200, ""), alice.flow), [200]);
    assert!(answers(&answer(&mut office, &copies[2], 487, ""), alice.flow).is_empty());
    assert!(answers(&answer(&mut office, &copies[2], 180, ""), alice.flow).is_empty());
    // A 2xx that is repeated, once everything is over, still goes on.
    assert_eq!(office.node.forwarding(), 0);
    assert_eq!(answers(&answer(&mut office, &copies[0], 200, ""), alice.flow), [200]);
}

/// The same, when the caller was already told that nobody takes it: no server transaction can carry the 2xx any more.
#[test]
fn trap_2_a_2xx_after_a_refusal_still_reaches_the_caller() {
    let (mut office, alice, copies) = fork(&TWO);
    answer(&mut office, &copies[0], 180, "");
    answer(&mut office, &copies[1], 180, "");
    // Both CANCELs are lost, and the second phone is answered in the last moment.
    let mut cancel = alice.invite("sip:102@example.test");
    cancel.method = "CANCEL".into();
    office.receive(alice.flow, cancel.wire());
    assert!(answers(&answer(&mut office, &copies[0], 487, ""), alice.flow).is_empty());
    let late = answer(&mut office, &copies[1], 200, "");
    assert_eq!(answers(&late, alice.flow), [200]);
}

/// "A stateful proxy MUST send a final response to a response context's server transaction if no final responses have been immediately
/// forwarded … and all client transactions in this response context have been terminated. The stateful proxy MUST choose the "best" final
/// response among those received and stored in the response context. If there are no final responses in the context, the proxy MUST send a 408
/// … Otherwise, the proxy MUST forward a response from the responses stored" "SHOULD choose from the lowest response class" "SHOULD give
/// preference to responses that provide information affecting resubmission of this request"
/// Proves: rfc3261-16.7-19, rfc3261-16.7-20, rfc3261-16.7-21, rfc3261-16.7-22, rfc3261-16.7-24, rfc3261-16.7-25.
#[test]
fn trap_12_the_best_of_all_answers_is_the_answer() {
    for (first, second, best) in [
        (404, 302, 302),
        (500, 486, 486),
        (486, 415, 415),
        (484, 486, 484),
        (486, 480, 486),
        (503, 404, 404),
        (600, 200, 200),
    ] {
        let (mut office, alice, copies) = fork(&TWO);
        answer(&mut office, &copies[1], 180, "");
        let waits = answers(&answer(&mut office, &copies[0], first, ""), alice.flow);
        assert!(waits.is_empty(), "the other one may still take it");
        assert_eq!(answers(&answer(&mut office, &copies[1], second, ""), alice.flow), [best]);
    }
    let (mut office, alice, _) = fork(&TWO);
    let sent = office.wait(Duration::from_secs(33));
    assert_eq!(answers(&sent, alice.flow).first(), Some(&408), "nobody answered");
}

/// "A proxy which receives a 503 (Service Unavailable) response SHOULD NOT forward it upstream unless … If the only response that was received
/// is a 503, the proxy SHOULD generate a 500 response and forward that upstream."
/// Proves: rfc3261-16.7-26, rfc3261-16.7-27.
#[test]
fn trap_44_that_one_phone_is_busy_does_not_mean_that_we_are() {
    let (mut office, alice, copies) = fork(&TWO[..1]);
    assert_eq!(
        answers(&answer(&mut office, &copies[0], 503, "Retry-After: 3600\r\n"), alice.flow),
        [500]
    );
}

/// Targets of lower preference ring after those of higher; all of one preference together.
#[test]
fn who_is_preferred_rings_first() {
    let contacts = [
        "<sip:a@198.51.100.21>;q=0.5",
        "<sip:b@198.51.100.22>;q=0.9",
        "<sip:c@198.51.100.23>;q=0.5",
    ];
    let (mut office, alice, copies) = fork(&contacts);
    assert_eq!(copies.len(), 1);
    assert_eq!(copies[0].flow.peer.ip().to_string(), "198.51.100.22");
    let sent = answer(&mut office, &copies[0], 486, "");
    assert!(answers(&sent, alice.flow).is_empty());
    let next = requests(&sent, "INVITE");
    assert_eq!(next.len(), 2);
    answer(&mut office, &next[0], 404, "");
    assert_eq!(answers(&answer(&mut office, &next[1], 404, ""), alice.flow), [486]);
}

/// What matches no transaction of ours goes to nobody: a stateful proxy drops it (RFC 6026 §7.3).
#[test]
fn a_response_that_we_never_asked_for_goes_to_nobody() {
    let (mut office, _, copies) = fork(&TWO[..1]);
    let forged =
        reply(&copies[0].message, 200, "").replacen("branch=z9hG4bK", "branch=z9hG4bKx", 1);
    assert!(office.receive(copies[0].flow, forged).is_empty());
}

/// §16.5, §16.6: phones of lower preference ring when those before them have had their time; who picks up all the same gets the call.
#[test]
fn phones_that_do_not_answer_give_way_to_those_of_lower_preference() {
    let contacts = ["<sip:desk@198.51.100.21>", "<sip:mobile@198.51.100.22>;q=0.5"];
    for desk_picks_up in [false, true] {
        let (mut office, alice, copies) = fork(&contacts);
        assert_eq!(copies.len(), 1);
        answer(&mut office, &copies[0], 180, "");
        assert!(office.wait(Duration::from_secs(19)).is_empty());
        let sent = office.wait(Duration::from_secs(2));
        assert!(requests(&sent, "CANCEL").iter().all(|cancel| cancel.flow == copies[0].flow));
        assert!(!requests(&sent, "CANCEL").is_empty());
        let mobile = requests(&sent, "INVITE").remove(0);
        assert_eq!(mobile.flow.peer.to_string(), "198.51.100.22:5060");
        answer(&mut office, &mobile, 180, "");
        let (last, code) = if desk_picks_up { (&copies[0], 200) } else { (&mobile, 486) };
        let mut sent = answer(&mut office, last, code, "");
        if desk_picks_up {
            assert_eq!(requests(&sent, "CANCEL")[0].flow, mobile.flow);
        } else {
            sent.extend(answer(&mut office, &copies[0], 487, ""));
        }
        assert_eq!(answers(&sent, alice.flow), [code]);
    }
    // A phone that has not given a sign of life holds up nobody either.
    let (mut office, _, copies) = fork(&contacts);
    let sent = office.wait(Duration::from_secs(21));
    assert!(sent.iter().any(|sent| sent.flow.peer.to_string() == "198.51.100.22:5060"));
    assert_eq!(requests(&answer(&mut office, &copies[0], 180, ""), "CANCEL").len(), 1);
}

/// Carol, whose phones have connections, calls Bob; the INVITE that he got.
fn call_by_stream(carol: &Phone) -> (Office, Sent) {
    let (mut office, bob) = (Office::new(trusting()), Phone::udp(102));
    office.register(&bob);
    let sent = office.receive(carol.flow, carol.invite("sip:102@example.test").wire());
    (office, requests(&sent, "INVITE").remove(0))
}

const BOB: &str = "Contact: <sip:102@198.51.100.2>\r\n";

/// Bob has not got the ACK, and says his 200 again: it takes the connection that the INVITE came by, for Carol can be called at no address.
#[test]
fn a_2xx_that_is_repeated_takes_the_connection_of_its_invite() {
    let carol = Phone::tcp(103, 7);
    let (mut office, invite) = call_by_stream(&carol);
    for _ in 0..3 {
        let sent = answer(&mut office, &invite, 200, BOB);
        assert_eq!(answers(&sent, carol.flow), [200]);
        office.wait(Duration::from_secs(4));
    }
}

/// A datagram ends where it ends. On a stream the same answer must say how long it is, or all that follows it is lost (§20.14).
#[test]
fn an_answer_says_its_length_on_a_stream_though_it_said_none_in_its_datagram() {
    let (mut office, invite) = call_by_stream(&Phone::tcp(103, 7));
    for code in [180, 200, 200] {
        let short = reply(&invite.message, code, BOB).replace("Content-Length: 0\r\n", "");
        let sent = office.receive(invite.flow, format!("{short}v=0\r\n"));
        assert_eq!(rows(&sent, Name::ContentLength), ["5"]);
    }
}

/// The first of two addresses is given up, and accepts when the second rings already: it has the call, and the second is cancelled.
#[test]
fn who_was_given_up_and_accepts_has_the_call() {
    let mut office = Office::new(always_at("102", &["sip:102@two.example"], trusting()));
    let alice = Phone::udp(101);
    office.receive(alice.flow, alice.invite("sip:102@example.test").wire());
    let (ticket, _) = office.asked.remove(0);
    let two =
        found(&[(Transport::Udp, "203.0.113.50:5060"), (Transport::Udp, "203.0.113.51:5060")]);
    let first = requests(&office.tell(Input::Answered(ticket, two)), "INVITE").remove(0);
    let sent = requests(&office.wait(Duration::from_millis(3600)), "INVITE");
    let second = sent.iter().find(|sent| sent.flow != first.flow).unwrap();
    assert_eq!(answers(&answer(&mut office, second, 180, ""), alice.flow), [180]);
    let sent = answer(&mut office, &first, 200, BOB);
    assert_eq!(answers(&sent, alice.flow), [200]);
    let cancelled = requests(&sent, "CANCEL");
    assert_eq!(cancelled.iter().map(|sent| sent.flow).collect::<Vec<_>>(), [second.flow]);
    let sent = answer(&mut office, second, 487, "");
    assert_eq!(answers(&sent, alice.flow), [0; 0], "the caller has its answer");
    assert_eq!(office.node.forwarding(), 0);
}

/// Bob's phone writes the Via of the caller in its own order, as some do: what it repeats comes through all the same.
#[test]
fn a_2xx_that_is_repeated_may_have_the_next_via_in_other_words() {
    let (mut office, alice, bob) = (Office::new(trusting()), Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    let mut request = alice.invite("sip:102@example.test");
    request.branch += ";rport";
    let invite = requests(&office.receive(alice.flow, request.wire()), "INVITE").remove(0);
    let noted = ";branch=z9hG4bK-INVITE-101;rport=5060;received=198.51.100.1";
    let ok = reply(&invite.message, 200, BOB);
    assert!(ok.contains(noted));
    let ok = ok.replace(noted, ";rport=5060;received=198.51.100.1;branch=z9hG4bK-INVITE-101");
    for _ in 0..2 {
        assert_eq!(answers(&office.receive(bob.flow, ok.clone()), alice.flow), [200]);
    }
}

/// Bob has refused Alice, and knows the Via of her call: no copy of the 200 that he gave Carol goes by it, nor one without any other.
#[test]
fn a_2xx_that_is_repeated_goes_to_nobody_but_who_has_called() {
    let (mut office, bob) = (Office::new(trusting()), Phone::udp(102));
    let [alice, carol] = [101, 103].map(Phone::udp);
    office.register(&bob);
    let [from_alice, from_carol] = [&alice, &carol].map(|phone| {
        let sent = office.receive(phone.flow, phone.invite("sip:102@example.test").wire());
        requests(&sent, "INVITE").remove(0)
    });
    let ok = reply(&from_carol.message, 200, BOB);
    assert_eq!(answers(&office.receive(bob.flow, ok.clone()), carol.flow), [200]);
    answer(&mut office, &from_alice, 486, "");
    let vias = |invite: &Sent| {
        invite
            .message
            .rows(Name::Via)
            .map(String::from_utf8_lossy)
            .map(String::from)
            .collect::<Vec<_>>()
    };
    let (hers, other) = (vias(&from_alice), vias(&from_carol));
    let aimed = ok.replace(&other[1], &hers[1]);
    assert!(aimed.contains(&other[0]) && aimed.contains(&hers[1]) && !aimed.contains(&other[1]));
    let astray = ok.replace(&format!("Via: {}\r\n", other[1]), "");
    for ok in [aimed, astray] {
        assert!(office.receive(bob.flow, ok).is_empty());
    }
    assert_eq!(answers(&office.receive(bob.flow, ok), carol.flow), [200]);
}
