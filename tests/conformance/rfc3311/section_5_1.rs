//! §5.1: when the phone sends UPDATE.

use phone::PhoneEvent;
use sip::{Message, Method, Name};

use crate::handset::{Bench, SDP, account, number, reply, rows, titles};

const CAN: &str = "Contact: <sip:bob@192.0.2.9>\r\nAllow: INVITE, ACK, BYE, UPDATE";

/// A phone that changes calls by UPDATE, and its call with somebody who takes it, or does not.
fn up(rows: &str) -> (Bench, phone::Call, Message) {
    let mut bench = Bench::with(account().server("192.0.2.9").unwrap().changes_by_update());
    let (call, invite) = bench.calls("sip:bob@biloxi.example");
    bench.tell(reply(&invite, 200, "bob", (rows, SDP)));
    let ack = bench.only();
    (bench, call, ack)
}

/// "Although UPDATE can be used on confirmed dialogs, it is RECOMMENDED that a re-INVITE be used instead": unless the account says otherwise.
/// Proves: rfc3311-5.1-1.
#[test]
fn a_call_is_held_by_invite() {
    let mut bench = Bench::new();
    let (call, invite) = bench.calls("sip:bob@biloxi.example");
    bench.tell(reply(&invite, 200, "bob", (CAN, SDP)));
    bench.sent();
    bench.hold(call);
    assert_eq!(bench.titles(), ["INVITE"]);
}

/// Whoever wants to holds and resumes by UPDATE, where the other side takes it; the offer and the answer are as with INVITE, without an ACK.
#[test]
fn a_call_is_held_by_update_where_it_is_wished() {
    let (mut bench, call, ack) = up(CAN);
    bench.hold(call);
    let update = bench.only();
    assert_eq!(update.method(), Some(Method::Update));
    assert_eq!(number(&update), number(&ack) + 1);
    assert!(String::from_utf8_lossy(update.body()).contains("a=sendonly"));
    assert_eq!(rows(&update, Name::Contact).len(), 1, "it moves the target (§5.1)");
    bench.tell(reply(&update, 200, "", (CAN, &SDP.replace("1 1", "1 2"))));
    assert_eq!(bench.titles(), [""; 0], "nothing is acknowledged");
    assert!(bench.events().contains(&PhoneEvent::HoldDone { call, hold: true, status: 200 }));
}

/// Whoever does not say that it takes UPDATE is asked by INVITE, and whoever says so and does not, too.
#[test]
fn who_does_not_take_update_is_asked_by_invite() {
    let (mut bench, call, _) = up("Contact: <sip:bob@192.0.2.9>");
    bench.hold(call);
    assert_eq!(bench.titles(), ["INVITE"]);
    let (mut bench, call, _) = up(CAN);
    bench.hold(call);
    let update = bench.only();
    bench.tell(reply(&update, 405, "", ("Allow: INVITE", "")));
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["INVITE"]);
    assert!(String::from_utf8_lossy(sent[0].body()).contains("a=sendonly"));
}

/// "it MUST place the same value into the Contact header field of the 2xx to the INVITE that it placed into the UPDATE request or response".
/// Proves: rfc3311-5.1-2.
#[test]
fn our_address_is_the_same_in_the_200_to_an_update_and_to_the_invite() {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "Require: 100rel\r\n", SDP);
    bench.tell(invite);
    let call = bench.incoming();
    bench.ring(call);
    let ringing = bench.only();
    let rack = format!("RAck: {} 1 INVITE\r\n", rows(&ringing, Name::RSeq)[0]);
    bench.tell(crate::handset::within(&ringing, "PRACK", 2, &rack, ""));
    bench.sent();
    bench.tell(crate::handset::within(&ringing, "UPDATE", 3, "", ""));
    let updated = bench.only();
    bench.answer(call);
    let ok = bench.only();
    assert_eq!(titles(std::slice::from_ref(&updated)), ["200"]);
    assert_eq!(rows(&updated, Name::Contact), rows(&ok, Name::Contact));
}
