//! §5.3: what becomes of an UPDATE of the phone's.

use phone::{Call, PhoneEvent};
use sip::Message;

use crate::handset::{Bench, SDP, account, reply, titles};

const CAN: &str = "Contact: <sip:bob@192.0.2.9>\r\nAllow: INVITE, ACK, BYE, UPDATE";

fn holding() -> (Bench, Call, Message) {
    let mut bench = Bench::with(account().server("192.0.2.9").unwrap().changes_by_update());
    let (call, invite) = bench.calls("sip:bob@biloxi.example");
    bench.tell(reply(&invite, 200, "bob", (CAN, SDP)));
    bench.sent();
    bench.hold(call);
    let update = bench.only();
    bench.events();
    (bench, call, update)
}

/// "If a UA receives a non-2xx final response to a UPDATE, the session parameters MUST remain unchanged, as if no UPDATE had been issued."
/// Proves: rfc3311-5.3-1.
#[test]
fn a_refused_update_changes_nothing() {
    let (mut bench, call, update) = holding();
    bench.tell(reply(&update, 488, "", ("", "")));
    assert_eq!(bench.events(), [PhoneEvent::HoldDone { call, hold: true, status: 488 }]);
    bench.wait(1000);
    let quality = bench.act(|phone, _, _| phone.quality(call)).unwrap();
    assert!(quality.sent > 40, "it is not held: {quality:?}");
    bench.hold(call);
    let again = bench.only();
    assert!(String::from_utf8_lossy(again.body()).contains("a=sendonly"));
}

/// "If a UAC receives a 491 response to a UPDATE, it SHOULD start a timer with a value T chosen as follows": 2.1 to 4 s for the owner of the
/// Call-ID; "When the timer fires, the UAC SHOULD attempt the UPDATE once more".
/// Proves: rfc3311-5.3-2, rfc3311-5.3-3.
#[test]
fn after_a_491_it_is_tried_again_a_little_later() {
    let (mut bench, call, update) = holding();
    bench.tell(reply(&update, 491, "", ("", "")));
    bench.wait(2090);
    assert_eq!(bench.titles(), [""; 0]);
    bench.wait(1920);
    let sent = bench.sent();
    // It may have been said twice since: nobody has answered it.
    assert!(titles(&sent).iter().all(|title| title == "UPDATE") && !sent.is_empty());
    bench.tell(reply(&sent[0], 200, "", (CAN, &SDP.replace("1 1", "1 2"))));
    assert!(bench.events().contains(&PhoneEvent::HoldDone { call, hold: true, status: 200 }));
}

/// 481 and 408 are about the call (RFC 3261 §12.2.1.2).
#[test]
fn a_call_that_the_other_side_does_not_know_is_over() {
    let (mut bench, _, update) = holding();
    bench.tell(reply(&update, 481, "", ("", "")));
    assert_eq!(bench.ended(), Some(481));
    let (mut bench, _, _) = holding();
    bench.wait(33_000);
    assert_eq!(bench.ended(), Some(408));
}
