//! §4, §9: what the phone does with reliable responses to its INVITE.

use phone::PhoneEvent;
use sip::{Method, Name};

use crate::handset::{Bench, SDP, number, reply, rows, titles, uri};

const BOB: &str = "sip:bob@biloxi.example";

fn early(rseq: u32, more: &str) -> String {
    format!("Contact: <sip:bob@192.0.2.9>\r\nRequire: 100rel\r\nRSeq: {rseq}\r\n{more}")
}

/// "A Require header with the value 100rel MUST NOT be present in any requests excepting INVITE"; "a Supported header MUST be included in the
/// request with the option tag 100rel", "in all INVITE requests".
/// Proves: rfc3262-4-1, rfc3262-4-2, rfc3262-4-3.
#[test]
fn every_invite_says_that_we_can_and_nothing_demands_it() {
    let mut bench = Bench::new();
    let (call, invite, _) = bench.up();
    bench.hold(call);
    let again = bench.only();
    bench.hang_up(call);
    let mut requests = vec![invite, again];
    requests.extend(bench.sent());
    for request in &requests {
        assert!(!request.has(Name::Require));
        let can = rows(request, Name::Supported).concat().contains("100rel");
        assert!(can || request.method() != Some(Method::Invite));
    }
}

/// "the UAC MUST create a new request with method PRACK"; "The provisional response MUST establish a dialog if one is not yet created": its route
/// set and its target are what the PRACK goes by.
/// Proves: rfc3262-4-5, rfc3262-4-6.
#[test]
fn a_reliable_response_is_acknowledged_within_the_dialog_that_it_makes() {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls(BOB);
    let route = "Record-Route: <sip:192.0.2.77;lr>\r\n";
    bench.tell(reply(&invite, 183, "bob", (&early(4711, route), SDP)));
    let prack = bench.only();
    assert_eq!(
        (prack.method(), uri(&prack), number(&prack)),
        (Some(Method::Prack), "sip:bob@192.0.2.9".into(), number(&invite) + 1)
    );
    assert_eq!(rows(&prack, Name::RAck), [format!("4711 {} INVITE", number(&invite))]);
    assert_eq!(rows(&prack, Name::Route), ["<sip:192.0.2.77;lr>"]);
    assert!(rows(&prack, Name::To)[0].ends_with(";tag=bob"));
    assert!(
        bench
            .events()
            .iter()
            .any(|event| matches!(event, PhoneEvent::Progress { status: 183, .. }))
    );
}

/// "If the response is a 100 (Trying) …, this option tag MUST be ignored".
/// Proves: rfc3262-4-4.
#[test]
fn a_100_is_never_acknowledged() {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls(BOB);
    bench.tell(reply(&invite, 100, "bob", (&early(1, ""), "")));
    assert_eq!(bench.titles(), [""; 0]);
}

/// "SHOULD NOT retransmit the PRACK request when it receives a retransmission"; "retransmissions of that response MUST be discarded"; "if …
/// its RSeq value is not one higher than the value of the sequence number, that response MUST NOT be acknowledged with a PRACK, and MUST NOT be
/// processed further"; "MUST be initialized to the RSeq header field in the first".
/// Proves: rfc3262-4-7, rfc3262-4-8, rfc3262-4-9, rfc3262-4-10, rfc3262-4-11, rfc3262-4-12.
#[test]
fn only_what_comes_in_its_turn_is_heard() {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls(BOB);
    let mut hear = |rseq: u32| {
        bench.tell(reply(&invite, 180, "bob", (&early(rseq, ""), "")));
        let told = bench.events().len();
        let sent = bench.sent();
        // They are answered, so that nothing is repeated.
        for prack in &sent {
            bench.tell(reply(prack, 200, "", ("", "")));
        }
        (titles(&sent), told)
    };
    let heard = || (vec!["PRACK".to_owned()], 1);
    let nothing = || (Vec::<String>::new(), 0);
    assert_eq!(hear(77), heard());
    assert_eq!(hear(77), nothing(), "again");
    assert_eq!(hear(79), nothing(), "one is missing");
    assert_eq!(hear(76), nothing());
    assert_eq!(hear(78), heard());
    assert_eq!(hear(79), heard());
    // Another fork counts for itself.
    bench.tell(reply(&invite, 180, "carol", (&early(5, ""), "")));
    assert_eq!(bench.titles(), ["PRACK"]);
}

/// "PRACK messages SHOULD be authenticated as any other request": asked who we are, we answer.
/// Proves: rfc3262-9-1.
#[test]
fn a_prack_proves_itself_when_it_is_asked_to() {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls(BOB);
    bench.tell(reply(&invite, 180, "bob", (&early(1, ""), "")));
    let prack = bench.only();
    let challenge = "WWW-Authenticate: Digest realm=\"biloxi\", nonce=\"n\", qop=\"auth\"";
    bench.tell(reply(&prack, 401, "", (challenge, "")));
    let again = bench.only();
    assert!(again.has(Name::Authorization));
    assert_eq!((again.method(), number(&again)), (Some(Method::Prack), number(&prack) + 1));
    assert_eq!(rows(&again, Name::RAck), rows(&prack, Name::RAck));
}

/// A phone that has cancelled still acknowledges: the other side waits for it.
#[test]
fn whoever_was_cancelled_gets_its_prack() {
    let mut bench = Bench::new();
    let (call, invite) = bench.calls(BOB);
    bench.tell(reply(&invite, 100, "", ("", "")));
    bench.hang_up(call);
    assert_eq!(bench.titles(), ["CANCEL"]);
    bench.tell(reply(&invite, 180, "bob", (&early(1, ""), "")));
    assert_eq!(bench.titles(), ["PRACK"]);
}
