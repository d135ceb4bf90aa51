//! §3, §8: a call that takes the place of another.

use phone::{Call, PhoneEvent};
use sip::{Message, Name};

use crate::handset::{Bench, SDP, account, reply, rows, titles, within};

/// The Replaces that names the dialog of an answer of ours (to Bob, whose tag is `b1`).
fn replacing(ok: &Message) -> String {
    let to = rows(ok, Name::To).concat();
    let tag = to.split(";tag=").nth(1).unwrap();
    format!("Replaces: {};to-tag={tag};from-tag=b1\r\n", String::from_utf8_lossy(ok.call_id()))
}

/// Bob has asked for it.
const BY_BOB: &str = "Referred-By: <sip:bob@biloxi.example>\r\n";

/// Carol calls, with more rows: her INVITE.
fn carol(bench: &mut Bench, rows: &str) -> Message {
    let invite = bench.request("INVITE", rows, SDP);
    let from = b"<sip:carol@chicago.example>;tag=c1";
    invite.edit().replace_raw(Name::From, from).finish().unwrap()
}

fn refused(bench: &mut Bench, rows: &str) -> u16 {
    let invite = carol(bench, rows);
    bench.tell(invite);
    bench.only().status().unwrap().code()
}

fn goes_on(bench: &mut Bench, old: Call) -> Option<Call> {
    bench.events().into_iter().find_map(|event| match event {
        PhoneEvent::GoesOn { call, new } if call == old => Some(new),
        _ => None,
    })
}

/// It is answered without ringing, mouth and ear go on, and the replaced one is shut down with a BYE; "UAs which support the Replaces header MUST
/// include the "replaces" option tag in a Supported header field". "the UA SHOULD treat the replacement as if the replacement was authorized by the
/// replaced party" when a Referred-By says so.
/// Proves: rfc3891-3-6, rfc3891-3-7, rfc3891-6.2-1, rfc3891-8-2.
#[test]
fn a_call_takes_the_place_of_another() {
    let mut bench = Bench::new();
    let (old, _, ok) = bench.taken();
    assert!(rows(&ok, Name::Supported).concat().contains("replaces"));
    bench.events();
    let rows = format!("{}{BY_BOB}Require: replaces\r\n", replacing(&ok));
    let invite = carol(&mut bench, &rows);
    bench.tell(invite);
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["200", "BYE"]);
    assert!(sent[1].wire().windows(6).any(|part| part == b"tag=b1"), "Bob's call ends");
    let new = goes_on(&mut bench, old).unwrap();
    bench.wait(100);
    assert!(bench.act(|phone, _, _| phone.quality(new)).unwrap().sent > 3);
}

/// "more than one Replaces header field", one "in a request other than INVITE", "another header field with contradictory semantics": 400.
/// Proves: rfc3891-3-1, rfc3891-3-2.
#[test]
fn what_contradicts_itself_is_refused() {
    let mut bench = Bench::new();
    let (_, _, ok) = bench.taken();
    let once = replacing(&ok);
    let join = once.replace("Replaces", "Join");
    for rows in [format!("{once}{once}"), format!("{once}{join}"), "Replaces: x\r\n".to_owned()] {
        assert_eq!(refused(&mut bench, &format!("{rows}{BY_BOB}")), 400);
    }
    bench.tell(within(&ok, "OPTIONS", 2, &once, ""));
    assert_eq!(bench.only().status().unwrap().code(), 400);
}

/// No match, and a match with what is no call: 481. A dialog has one name here, so that none matches twice.
/// Proves: rfc3891-3-3, rfc3891-3-4.
#[test]
fn what_nobody_knows_cannot_be_replaced() {
    let mut bench = Bench::new();
    let (_, _, ok) = bench.taken();
    for (part, other) in [("from-tag=b1", "from-tag=b2"), ("to-tag=", "to-tag=x"), ("c1@", "c9@")] {
        let rows = format!("{}{BY_BOB}", replacing(&ok).replace(part, other));
        assert_eq!(refused(&mut bench, &rows), 481, "{rows}");
    }
    assert_eq!(bench.act(|phone, _, _| phone.calls().count()), 1);
}

/// "If the Replaces header field matches a dialog which has already terminated, the UA SHOULD decline the request with a 603".
/// Proves: rfc3891-3-5.
#[test]
fn a_call_that_has_just_ended_is_declined() {
    let mut bench = Bench::new();
    let (call, _, ok) = bench.taken();
    bench.hang_up(call);
    assert_eq!(bench.titles(), ["BYE"]);
    assert_eq!(refused(&mut bench, &format!("{}{BY_BOB}", replacing(&ok))), 603);
}

/// "invitations with the Replaces header MUST only be accepted if the peer requesting replacement has been properly authenticated": it comes from
/// the server that we are registered with, which knows whom it lets call, or in the name of who is replaced. To know the names of the dialog is not
/// enough.
/// Proves: rfc3891-8-1, rfc3891-4-1.
#[test]
fn a_stranger_does_not_get_into_a_call() {
    let mut bench = Bench::new();
    let (_, _, ok) = bench.taken();
    assert_eq!(refused(&mut bench, &replacing(&ok)), 403);
    let by = "Referred-By: <sip:mallory@biloxi.example>\r\n";
    assert_eq!(refused(&mut bench, &format!("{}{by}", replacing(&ok))), 403);
    assert_eq!(bench.titles(), [""; 0]);

    // The same from the server that we are registered with.
    let mut bench = Bench::with(account().server("192.0.2.9").unwrap());
    bench.act(phone::Phone::register);
    let register = bench.only();
    bench.tell(reply(&register, 200, "r", ("Expires: 600", "")));
    let (_, _, ok) = bench.taken();
    let invite = carol(&mut bench, &replacing(&ok));
    bench.tell(invite);
    assert_eq!(bench.titles(), ["200", "BYE"]);
}

/// "MUST return an appropriate error response and MUST leave the matched dialog unchanged".
/// Proves: rfc3891-3-9.
#[test]
fn what_cannot_be_answered_changes_nothing() {
    let mut bench = Bench::new();
    let (call, _, ok) = bench.taken();
    let rows = format!("{}{BY_BOB}", replacing(&ok));
    let silent = bench.request("INVITE", &rows, &SDP.replace("8 0", "99"));
    bench.tell(silent);
    assert_eq!(bench.only().status().unwrap().code(), 488);
    let early = rows.replace("from-tag=b1", "from-tag=b1;early-only");
    assert_eq!(refused(&mut bench, &early), 486, "it has been answered");
    bench.wait(100);
    assert!(bench.act(|phone, _, _| phone.quality(call)).unwrap().sent > 3);
}

/// A call of ours that rings is picked up from elsewhere: "shuts down the replaced dialog by sending a CANCEL". One of theirs is not: 481.
#[test]
fn a_ringing_call_of_ours_is_picked_up_elsewhere() {
    let mut bench = Bench::new();
    let (old, ours) = bench.calls("sip:bob@biloxi.example");
    bench.tell(reply(&ours, 180, "b1", ("Contact: <sip:bob@192.0.2.9>", "")));
    let from = rows(&ours, Name::From).concat();
    let tag = from.split(";tag=").nth(1).unwrap();
    let names = String::from_utf8_lossy(ours.call_id());
    let replaces = format!("Replaces: {names};to-tag={tag};from-tag=b1;early-only\r\n{BY_BOB}");
    bench.events();
    let invite = carol(&mut bench, &replaces);
    bench.tell(invite);
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["200", "CANCEL"]);
    assert!(goes_on(&mut bench, old).is_some());

    let mut bench = Bench::new();
    let theirs = bench.request("INVITE", "", SDP);
    bench.tell(theirs);
    let call = bench.incoming();
    bench.ring(call);
    let ringing = bench.only();
    assert_eq!(refused(&mut bench, &format!("{}{BY_BOB}", replacing(&ringing))), 481);
}

/// While it is asked again, the registration stands; and so does who its server is.
#[test]
fn the_server_is_known_while_the_registration_is_refreshed() {
    let mut bench = Bench::new();
    bench.act(phone::Phone::register);
    let register = bench.only();
    bench.tell(reply(&register, 200, "r", ("Expires: 600", "")));
    let (_, _, ok) = bench.taken();
    bench.act(phone::Phone::register);
    assert_eq!(bench.titles(), ["REGISTER"]);
    let invite = carol(&mut bench, &replacing(&ok));
    bench.tell(invite);
    assert_eq!(bench.titles(), ["200", "BYE"]);
}
