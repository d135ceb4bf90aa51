//! §9: what a called phone answers.

use sip::{Message, Name};

use crate::handset::{Bench, SDP, rows, within};

/// The answer to a call with these rows.
fn answered(rows: &str) -> (Bench, Message) {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", rows, SDP);
    bench.tell(invite);
    let call = bench.incoming();
    bench.answer(call);
    let ok = bench.only();
    bench.tell(within(&ok, "ACK", 1, "", ""));
    (bench, ok)
}

/// "When sending the 422 response, the UAS MUST include a Min-SE header field with the value of its minimum interval. This minimum interval MUST
/// NOT be lower than 90 seconds." In a call, and at its beginning.
/// Proves: rfc4028-9-1, rfc4028-9-2.
#[test]
fn a_session_that_is_too_short_is_refused() {
    let brief = "Supported: timer\r\nSession-Expires: 89\r\n";
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", brief, SDP);
    bench.tell(invite);
    let no = bench.only();
    assert_eq!((no.status().unwrap().code(), rows(&no, Name::MinSe)), (422, vec!["90".into()]));
    let (mut bench, ok) = answered("");
    bench.tell(within(&ok, "UPDATE", 2, brief, ""));
    let no = bench.only();
    assert_eq!((no.status().unwrap().code(), rows(&no, Name::MinSe)), (422, vec!["90".into()]));
}

/// "MAY reduce its value but MUST NOT set it to a duration lower than the value in the Min-SE header field …; otherwise … lower than 90 seconds.
/// The UAS MUST NOT increase the value": ours takes what it is offered. "The UAS MUST set the value of the refresher parameter"; "'uac', the UAS MUST
/// place a Require header field into the response with the value 'timer'", and "SHOULD" where the caller knows timers.
/// Proves: rfc4028-9-3, rfc4028-9-4, rfc4028-9-5, rfc4028-9-6, rfc4028-9-7, rfc4028-9-8, rfc4028-9-9, rfc4028-9-10.
#[test]
fn the_answer_says_who_refreshes() {
    for (asked, said, requires) in [
        ("Session-Expires: 400\r\nMin-SE: 400\r\n", "400;refresher=uas", false),
        ("Session-Expires: 90;refresher=uac\r\n", "90;refresher=uas", false),
        ("Supported: timer\r\nSession-Expires: 7200\r\n", "7200;refresher=uac", true),
        ("Supported: timer\r\nSession-Expires: 700;refresher=uac\r\n", "700;refresher=uac", true),
        ("Supported: timer\r\nSession-Expires: 700;refresher=uas\r\n", "700;refresher=uas", true),
    ] {
        let (_, ok) = answered(asked);
        assert_eq!(rows(&ok, Name::SessionExpires), [said], "{asked}");
        assert_eq!(rows(&ok, Name::Require) == ["timer"], requires, "{asked}");
    }
    let (_, ok) = answered("Supported: timer\r\n");
    assert!(!ok.has(Name::SessionExpires) && !ok.has(Name::Require), "nobody has asked for one");
}

/// "it MUST generate a refresh before the session expiration", "once half the session interval has elapsed".
/// Proves: rfc4028-9-11, rfc4028-9-12.
#[test]
fn a_called_phone_refreshes_when_it_has_said_so() {
    let (mut bench, _) = answered("Allow: INVITE, UPDATE\r\nSession-Expires: 200\r\n");
    bench.wait(99_999);
    assert_eq!(bench.titles(), [""; 0]);
    bench.wait(1);
    let update = bench.only();
    assert_eq!(update.method(), Some(sip::Method::Update));
    assert_eq!(rows(&update, Name::SessionExpires), ["200;refresher=uac"]);
}
