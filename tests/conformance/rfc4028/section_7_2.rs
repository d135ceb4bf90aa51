//! §7.1 to §7.3: what a calling phone asks for, and what it makes of the answer.

use sip::{Message, Method, Name};

use crate::handset::{Bench, SDP, account, number, reply, rows, titles};

const BOB: &str = "sip:bob@biloxi.example";
const THERE: &str = "Contact: <sip:bob@192.0.2.9>\r\nAllow: INVITE, ACK, BYE, UPDATE";

/// A call that Bob has picked up, with more rows.
fn up(rows: &str) -> Bench {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls(BOB);
    bench.tell(reply(&invite, 200, "bob", (&format!("{THERE}\r\n{rows}"), SDP)));
    assert_eq!(bench.titles(), ["ACK"]);
    bench
}

/// "A UAC that supports the session timer extension defined here MUST include a Supported header field in each request (except ACK), listing the
/// option tag 'timer'. It MUST do so even if the UAC is not requesting usage of the session timer"; Require is "NOT RECOMMENDED"; the refresher
/// parameter is best "omitted"; "the value of the Session-Expires MUST be greater than or equal to the value in Min-SE".
/// Proves: rfc4028-A-1, rfc4028-A-2, rfc4028-A-3, rfc4028-A-4, rfc4028-A-5, rfc4028-4-1.
#[test]
fn every_session_request_says_that_we_know_timers() {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls(BOB);
    assert!(rows(&invite, Name::Supported).concat().contains("timer"));
    assert!(!invite.has(Name::Require) && !invite.has(Name::ProxyRequire));
    assert_eq!(rows(&invite, Name::SessionExpires), ["1800"]);
    assert!(!invite.has(Name::MinSe), "90 need not be said");
    let shorter = account().server("192.0.2.9").unwrap().session_expires(10);
    let (_, invite) = Bench::with(shorter).calls(BOB);
    assert_eq!(rows(&invite, Name::SessionExpires), ["90"], "the least that there is");
}

/// "the UAC MUST look for the Session-Expires header field to process the response", also "if none were present in the request"; "The UAC MUST set
/// the identity of the refresher to the value of this parameter"; "it MUST generate a refresh before the session expiration", "once half the session
/// interval has elapsed".
/// Proves: rfc4028-7.2-1, rfc4028-7.2-2, rfc4028-7.2-3, rfc4028-7.2-4, rfc4028-7.2-5.
#[test]
fn who_is_to_refresh_does_so_halfway() {
    let refreshed = |rows: &str, seconds: u64| {
        let mut bench = up(rows);
        bench.wait(seconds * 1000 - 1);
        assert_eq!(bench.titles(), [""; 0], "{rows}");
        bench.wait(1);
        bench.titles()
    };
    assert_eq!(refreshed("Session-Expires: 1800;refresher=uac\r\nRequire: timer", 900), ["UPDATE"]);
    assert_eq!(refreshed("Session-Expires: 200;refresher=uac\r\nRequire: timer", 100), ["UPDATE"]);
    assert_eq!(refreshed("Session-Expires: 200;refresher=uas", 100), [""; 0]);
    assert_eq!(refreshed("", 2_000), [""; 0], "no timer was agreed on");
}

/// "This new request constitutes a new transaction and SHOULD have the same value as the Call-ID, To, and From of the previous request, but the
/// CSeq should contain a new sequence number that is one higher"; "a UAC MUST insert the Min-SE header field into an INVITE request if it has ever
/// received a 422 response to a previous INVITE request with the same Call-ID", with "the largest value among all".
/// Proves: rfc4028-7.3-1, rfc4028-7.4-3, rfc4028-7.4-4.
#[test]
fn a_422_is_followed() {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls(BOB);
    let brief =
        |min: u32, invite: &Message| reply(invite, 422, "p", (&format!("Min-SE: {min}"), ""));
    bench.tell(brief(2000, &invite));
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["ACK", "INVITE"]);
    let again = &sent[1];
    for name in [Name::CallId, Name::From, Name::To] {
        assert_eq!(rows(again, name), rows(&invite, name));
    }
    assert_eq!(number(again), number(&invite) + 1);
    assert_eq!(rows(again, Name::SessionExpires), ["2000"]);
    assert_eq!(rows(again, Name::MinSe), ["2000"]);
    bench.tell(brief(3000, again));
    let third = bench.sent().remove(1);
    assert_eq!(
        (rows(&third, Name::MinSe), third.method()),
        (vec!["3000".into()], Some(Method::Invite))
    );
    // Whoever is not content with what it demanded is not asked again and again.
    bench.tell(brief(3000, &third));
    assert_eq!(bench.titles(), ["ACK"]);
    assert_eq!(bench.ended(), Some(422));
}
