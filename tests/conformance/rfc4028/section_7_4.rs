//! §7.4: how a phone refreshes.

use sip::{Message, Method, Name};

use crate::handset::{Bench, SDP, back, reply, rows};

const BOB: &str = "sip:bob@biloxi.example";

/// A call whose session we refresh every minute and a half, with more rows in its 200.
fn ours(rows: &str) -> (Bench, Message) {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls(BOB);
    let timer =
        "Session-Expires: 180;refresher=uac\r\nRequire: timer\r\nContact: <sip:bob@192.0.2.9>";
    bench.tell(reply(&invite, 200, "bob", (&format!("{timer}\r\n{rows}"), SDP)));
    let ack = bench.only();
    (bench, ack)
}

fn refresh(bench: &mut Bench) -> Message {
    bench.wait(90_000);
    bench.only()
}

/// "If a UAC knows that its peer supports the UPDATE method, it is RECOMMENDED that UPDATE be used instead of a re-INVITE", without an offer; "a
/// re-INVITE SHOULD contain one, even if the details of the session have not changed. In that case, the offer MUST indicate that it has not
/// changed."
/// Proves: rfc4028-7.4-9, rfc4028-7.4-10, rfc4028-7.4-11.
#[test]
fn update_where_it_is_taken_and_an_invite_that_changes_nothing_elsewhere() {
    let (mut bench, _) = ours("Allow: INVITE, ACK, UPDATE, BYE");
    let update = refresh(&mut bench);
    assert_eq!((update.method(), update.has(Name::ContentType)), (Some(Method::Update), false));
    let mut bench = Bench::new();
    let (_, invite) = bench.calls(BOB);
    let timer = "Session-Expires: 180;refresher=uac\r\nContact: <sip:bob@192.0.2.9>";
    bench.tell(reply(&invite, 200, "bob", (timer, SDP)));
    bench.sent();
    let again = refresh(&mut bench);
    assert_eq!(again.method(), Some(Method::Invite));
    let origin = |message: &Message| {
        let sdp = String::from_utf8_lossy(message.body()).into_owned();
        sdp.lines().find(|line| line.starts_with("o=")).unwrap().to_owned()
    };
    assert_eq!(origin(&again), origin(&invite), "the version is the same");
}

/// "The values of Supported, Require, and Proxy-Require used in the initial Session refresh request MUST be used"; "the Session-Expires header
/// field SHOULD be present", "equal to the maximum of the Min-SE header field … and the current session interval"; "'uac' if the element sending the
/// request is currently performing refreshes".
/// Proves: rfc4028-7.4-1, rfc4028-7.4-5, rfc4028-7.4-6, rfc4028-7.4-7, rfc4028-7.4-8.
#[test]
fn a_refresh_asks_for_what_was_agreed_on() {
    let (mut bench, _) = ours("Allow: UPDATE");
    let update = refresh(&mut bench);
    assert_eq!(rows(&update, Name::SessionExpires), ["180;refresher=uac"]);
    assert_eq!(
        rows(&update, Name::Supported),
        ["100rel, timer, replaces, join, norefersub, gruu, outbound"]
    );
    assert!(!update.has(Name::Require));
    // Its 200 starts the timer anew.
    let ok = "Session-Expires: 180;refresher=uac\r\nContact: <sip:bob@192.0.2.9>";
    bench.tell(reply(&update, 200, "", (ok, "")));
    assert_eq!(refresh(&mut bench).method(), Some(Method::Update));
}

/// "if it has ever received a 422 response to a previous session refresh request on the same dialog, or if it has received a session refresh
/// request on that dialog that contained a Min-SE header field".
/// Proves: rfc4028-7.4-2.
#[test]
fn a_minimum_that_was_ever_heard_is_said() {
    let (mut bench, ack) = ours("Allow: UPDATE");
    let theirs = "Supported: timer\r\nSession-Expires: 300;refresher=uas\r\nMin-SE: 250\r\n";
    bench.tell(back(&ack, "UPDATE", 1, theirs, ""));
    bench.sent();
    bench.wait(150_000);
    let update = bench.only();
    assert_eq!(rows(&update, Name::MinSe), ["250"]);
    bench.tell(reply(&update, 422, "", ("Min-SE: 400", "")));
    let again = bench.only();
    assert_eq!(rows(&again, Name::MinSe), ["400"]);
    assert_eq!(rows(&again, Name::SessionExpires), ["400;refresher=uac"]);
}

/// "The same is true for an answer exchanged as a result of a session refresh request; if it has not changed, that MUST be indicated."
/// Proves: rfc4028-7.4-12.
#[test]
fn the_answer_to_an_offer_that_changes_nothing_changes_nothing() {
    let mut bench = Bench::new();
    let (_, _, ok) = bench.taken();
    bench.tell(crate::handset::within(&ok, "INVITE", 2, "", SDP));
    let again = bench.only();
    assert_eq!(again.body(), ok.body());
}
