//! §10: refreshes that fail, and those that do not come.

use sip::{Message, Name};

use crate::handset::{Bench, SDP, back, reply, titles};

/// A call with a session timer of three minutes.
fn up(refresher: &str) -> (Bench, Message) {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls("sip:bob@biloxi.example");
    let rows = format!(
        "Contact: <sip:bob@192.0.2.9>\r\nAllow: UPDATE\r\nSession-Expires: 180;refresher={refresher}"
    );
    bench.tell(reply(&invite, 200, "bob", (&rows, SDP)));
    let ack = bench.only();
    (bench, ack)
}

/// "a response other than 408 or 481 is received, the UAC SHOULD follow the rules specific to that response code and retry if possible. … the UAC
/// SHOULD NOT continuously retry the request if the server indicates the same error response." A 401 is answered for, a 405 asked otherwise, a
/// 500 not asked again; the session then ends when its time is over.
/// Proves: rfc4028-10-1, rfc4028-10-2.
#[test]
fn a_refresh_that_is_refused_is_tried_as_its_refusal_says_and_not_for_ever() {
    let (mut bench, _) = up("uac");
    bench.wait(90_000);
    let update = bench.only();
    let challenge = "WWW-Authenticate: Digest realm=\"biloxi\", nonce=\"n\", qop=\"auth\"";
    bench.tell(reply(&update, 401, "", (challenge, "")));
    let again = bench.only();
    assert!(again.has(Name::Authorization));
    bench.tell(reply(&again, 405, "", ("Allow: INVITE", "")));
    let invite = bench.only();
    assert_eq!(titles(std::slice::from_ref(&invite)), ["INVITE"]);
    bench.tell(reply(&invite, 500, "", ("", "")));
    assert_eq!(bench.titles(), ["ACK"]);
    bench.wait(89_999);
    assert_eq!(bench.titles(), [""; 0]);
    bench.wait(1);
    assert_eq!(bench.titles(), ["BYE"]);
    assert_eq!(bench.ended(), Some(408));
}

/// "if the side not performing refreshes does not receive a session refresh request before the session expiration, it SHOULD send a BYE to
/// terminate the session, slightly before the session expiration. The minimum of 32 seconds and one third of the session interval is RECOMMENDED."
/// Proves: rfc4028-10-3, rfc4028-10-4.
#[test]
fn a_session_that_the_other_side_does_not_refresh_is_ended() {
    let (mut bench, ack) = up("uas");
    bench.wait(100_000);
    let rows = "Supported: timer\r\nSession-Expires: 180;refresher=uac\r\n";
    bench.tell(back(&ack, "UPDATE", 1, rows, ""));
    assert_eq!(bench.titles(), ["200"]);
    bench.wait(147_999);
    assert_eq!(bench.titles(), [""; 0]);
    bench.wait(1);
    assert_eq!(bench.titles(), ["BYE"]);
    assert_eq!(bench.ended(), Some(408));
}

/// The other side is gone, or knows nothing of the call: 408 and 481 end it (§10).
#[test]
fn a_refresh_that_finds_nobody_ends_the_call() {
    let (mut bench, _) = up("uac");
    bench.wait(90_000);
    let update = bench.only();
    bench.tell(reply(&update, 481, "", ("", "")));
    assert_eq!(bench.ended(), Some(481));
}
