//! §9: cancelling.

use phone::PhoneEvent;
use sip::header::{CSeq, To, Via};
use sip::{Message, Method, Name};

use crate::handset::{Bench, SDP, account, number, picked_up, reply, rows, titles};

const BOB: &str = "sip:bob@biloxi.example";

/// Trap 1: the CANCEL is made of its INVITE.
/// Proves: rfc3261-9.1-2, rfc3261-9.1-3, rfc3261-9.1-4, rfc3261-9.1-5, rfc3261-9.1-6, rfc3261-9.1-10.
#[test]
fn trap_01_a_cancel_is_made_of_its_invite() {
    let mut bench = Bench::with(account().through("sip:192.0.2.77:5070;lr").unwrap());
    let call =
        bench.act(|phone, now, out| phone.call(now, BOB, Box::new(media::Silence), out)).unwrap();
    let (_, way, invite) = bench.sent_with_times().remove(0);
    bench.tell(reply(&invite, 180, "bob", ("", "")));
    bench.hang_up(call);
    let (_, back, cancel) = bench.sent_with_times().remove(0);
    assert_eq!(way, back);
    assert_eq!(cancel.request_uri(), invite.request_uri());
    for name in [Name::CallId, Name::From, Name::To, Name::Route, Name::Via] {
        assert_eq!(rows(&cancel, name), rows(&invite, name), "{name:?}");
    }
    assert_eq!(cancel.all::<Via<'_>>().count(), 1);
    let cseq = cancel.get::<CSeq<'_>>().unwrap();
    assert_eq!((cseq.number, cseq.method), (number(&invite), Method::Cancel));
    assert!(!cancel.has(Name::Require) && !cancel.has(Name::ProxyRequire));
}

/// Proves: rfc3261-9.1-7, rfc3261-9.1-8.
#[test]
fn trap_01_a_cancel_waits_for_a_provisional_response() {
    let mut bench = Bench::new();
    let (call, invite) = bench.calls(BOB);
    bench.hang_up(call);
    assert!(bench.sent().is_empty());
    bench.wait(400);
    assert!(bench.sent().is_empty());
    bench.tell(reply(&invite, 100, "", ("", "")));
    let cancel = bench.only();
    assert_eq!(cancel.method(), Some(Method::Cancel));
    bench.tell(reply(&cancel, 200, "bob", ("", "")));
    bench.tell(reply(&invite, 487, "bob", ("", "")));
    assert_eq!((bench.titles(), bench.ended()), (vec!["ACK".into()], Some(487)));
}

/// Proves: rfc3261-9.1-9, rfc3261-9.1-1.
#[test]
fn what_was_answered_is_not_cancelled_but_ended() {
    let mut bench = Bench::new();
    let (call, ..) = bench.up();
    bench.hang_up(call);
    assert_eq!(bench.titles(), ["BYE"]);
    let (call, invite) = bench.calls(BOB);
    bench.hang_up(call);
    bench.tell(reply(&invite, 486, "bob", ("", "")));
    assert_eq!(bench.titles(), ["ACK"]);
}

/// Proves: rfc3261-9.1-11.
#[test]
fn nobody_waits_for_ever_for_the_end_of_a_cancelled_call() {
    let mut bench = Bench::new();
    let (call, invite) = bench.calls(BOB);
    bench.tell(reply(&invite, 180, "bob", ("", "")));
    bench.hang_up(call);
    let cancel = bench.only();
    bench.tell(reply(&cancel, 200, "bob", ("", "")));
    bench.events();
    bench.wait(31_999);
    assert_eq!(bench.ended(), None);
    bench.wait(1);
    assert_eq!(bench.ended(), Some(487));
    bench.wait(60_000);
    assert!(bench.phone.is_quiet());
}

/// Trap 2: the 200 to the INVITE and the CANCEL have met on the way. The call that nobody wants is acknowledged and hung up, on
/// every branch.
/// Proves: rfc3261-13.2.2-10.
#[test]
fn trap_02_a_late_2xx_is_acknowledged_and_hung_up() {
    let mut bench = Bench::new();
    let (call, invite) = bench.calls(BOB);
    bench.tell(reply(&invite, 180, "bob", ("", "")));
    bench.hang_up(call);
    assert_eq!(bench.titles(), ["CANCEL"]);
    for tag in ["bob", "carol"] {
        bench.tell(reply(&invite, 200, tag, ("Contact: <sip:bob@192.0.2.9>", SDP)));
        let sent = bench.sent();
        assert_eq!(titles(&sent), ["ACK", "BYE"]);
        for message in &sent {
            assert_eq!(message.get::<To<'_>>().unwrap().tag(), Some(tag.as_bytes()));
        }
        bench.tell(reply(&sent[1], 200, "", ("", "")));
    }
    assert!(!bench.events().iter().any(|event| matches!(event, PhoneEvent::Established { .. })));
    // A repeat gets its ACK again, and no second BYE.
    bench.tell(reply(&invite, 200, "carol", ("Contact: <sip:bob@192.0.2.9>", SDP)));
    assert_eq!(bench.titles(), ["ACK"]);
    bench.wait(100_000);
    assert!(bench.phone.is_quiet());
}

/// A CANCEL at every state of an outgoing call: it always ends, and nothing is left.
#[test]
fn trap_01_a_call_can_be_cancelled_at_every_moment() {
    for heard in 0..4 {
        let mut bench = Bench::new();
        let (call, invite) = bench.calls(BOB);
        let answers = [
            reply(&invite, 100, "", ("", "")),
            reply(&invite, 180, "bob", ("", "")),
            reply(&invite, 183, "carol", ("", "")),
        ];
        answers.iter().take(heard).for_each(|answer| bench.tell(answer.clone()));
        bench.hang_up(call);
        if heard == 0 {
            bench.wait(40_000);
        } else {
            let cancel = bench.only();
            bench.tell(reply(&cancel, 200, "", ("", "")));
            bench.tell(reply(&invite, 487, "bob", ("", "")));
        }
        assert!(bench.ended().is_some(), "{heard}");
        bench.wait(100_000);
        assert!(bench.phone.is_quiet(), "{heard}");
    }
}

/// Proves: rfc3261-9.2-1, rfc3261-9.2-2, rfc3261-9.2-3.
#[test]
fn trap_01_a_cancel_of_theirs_is_answered_and_ends_the_invite() {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "", SDP);
    bench.tell(invite.clone());
    let call = bench.incoming();
    bench.ring(call);
    let ringing = bench.only();
    bench.tell(cancel(&invite));
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["200", "487"]);
    for answer in &sent {
        assert_eq!(rows(answer, Name::To), rows(&ringing, Name::To));
    }
    assert_eq!(bench.ended(), Some(487));
    // Of what nobody knows:
    let stranger = bench.request("CANCEL", "", "");
    bench.tell(stranger);
    assert_eq!(bench.titles(), ["481"]);
}

#[test]
fn trap_01_a_cancel_that_comes_too_late_changes_nothing() {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "", SDP);
    bench.tell(invite.clone());
    let call = bench.incoming();
    bench.answer(call);
    let ok = bench.only();
    bench.tell(cancel(&invite));
    let answer = bench.only();
    assert_eq!(
        (titles(std::slice::from_ref(&answer)), rows(&answer, Name::To)),
        (vec!["200".into()], rows(&ok, Name::To))
    );
    assert_eq!(bench.ended(), None);
    assert_eq!(bench.phone.calls().count(), 1);
}

/// The INVITE was answered with 401 and came again: its CANCEL has the branch of the second.
#[test]
fn trap_01_after_a_challenge_the_second_invite_is_cancelled() {
    let mut bench = Bench::new();
    let (call, invite) = bench.calls(BOB);
    let challenge = r#"WWW-Authenticate: Digest realm="r", nonce="1", qop="auth""#;
    bench.tell(reply(&invite, 401, "x", (challenge, "")));
    let second = bench.sent().remove(1);
    bench.tell(reply(&second, 180, "bob", ("", "")));
    bench.hang_up(call);
    let cancel = bench.only();
    assert_eq!(
        (rows(&cancel, Name::Via), number(&cancel)),
        (rows(&second, Name::Via), number(&second))
    );
    assert!(!cancel.has(Name::Authorization));
    assert_eq!(picked_up(&second).status().unwrap().code(), 200);
}

fn cancel(invite: &Message) -> Message {
    Message::parse(protocol::transaction::cancel_of(invite)).unwrap()
}
