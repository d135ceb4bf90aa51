//! §3.1, §4.1.2, §4.1.4: how our phone watches.

use phone::packages::Package;
use phone::{PhoneEvent, Watch};
use sip::{Message, Name};

use super::notify;
use crate::handset::{Bench, number, reply, rows, titles, uri};

/// Alice watches whether Bob is there: her SUBSCRIBE.
pub(super) fn watching() -> (Bench, Watch, Message) {
    let mut bench = Bench::new();
    let watch = bench
        .act(|phone, now, out| phone.watch(now, "sip:bob@biloxi.example", Package::Presence, out))
        .unwrap();
    let subscribe = bench.only();
    (bench, watch, subscribe)
}

/// The same, with its 200 and a first NOTIFY.
pub(super) fn watched() -> (Bench, Watch, Message) {
    let (mut bench, watch, subscribe) = watching();
    bench.tell(reply(&subscribe, 200, "n", ("Expires: 600\r\nContact: <sip:bob@192.0.2.9>", "")));
    bench.tell(notify(&subscribe, 1, ("presence", "active;expires=600"), ("", "")));
    assert_eq!(bench.titles(), ["200"]);
    bench.events();
    (bench, watch, subscribe)
}

pub(super) fn ended(bench: &mut Bench) -> Option<(u16, bool)> {
    bench.events().into_iter().find_map(|event| match event {
        PhoneEvent::NotWatched { status, again, .. } => Some((status, again)),
        _ => None,
    })
}

/// "SUBSCRIBE requests SHOULD contain an "Expires" header field"; "Subscribers MUST include exactly one "Event" header field", with one event type.
/// Proves: rfc6665-3.1.1-1, rfc6665-3.1.2-1, rfc6665-8.2.1-2.
#[test]
fn a_subscribe_says_what_and_for_how_long() {
    let (_, _, subscribe) = watching();
    assert_eq!(uri(&subscribe), "sip:bob@biloxi.example");
    assert_eq!(rows(&subscribe, Name::Event), ["presence"]);
    assert_eq!(rows(&subscribe, Name::Expires), ["3600"]);
    assert_eq!(rows(&subscribe, Name::Accept), ["application/pidf+xml"]);
    assert_eq!(rows(&subscribe, Name::Contact).len(), 1);
}

/// It is asked for again before it ends, in its dialog, with the same Event; a 202 counts as a 200 (§8.3).
/// Proves: rfc6665-8.3-1, rfc6665-4.5.2-4.
#[test]
fn it_is_refreshed_in_time() {
    let (mut bench, _, subscribe) = watching();
    bench.tell(reply(&subscribe, 202, "n", ("Expires: 600\r\nContact: <sip:bob@192.0.2.9>", "")));
    bench.tell(notify(&subscribe, 1, ("presence", "active;expires=100"), ("", "")));
    bench.sent();
    bench.wait(80_000);
    let refresh = bench.only();
    assert_eq!(
        (uri(&refresh), number(&refresh)),
        ("sip:bob@192.0.2.9".into(), number(&subscribe) + 1)
    );
    assert!(rows(&refresh, Name::To)[0].ends_with(";tag=n"));
    assert_eq!(rows(&refresh, Name::Event), rows(&subscribe, Name::Event));
    bench.tell(reply(&refresh, 200, "n", ("Expires: 50", "")));
    bench.wait(40_000);
    assert_eq!(bench.titles(), ["SUBSCRIBE"]);
}

/// RFC 3261 §12.2.1.2: whoever is somewhere else says so in its answer, and is asked there from then on; another's answer says nothing.
#[test]
fn who_has_moved_is_asked_where_it_is_now() {
    for (tag, target) in [("n", "sip:bob@192.0.2.77"), ("other", "sip:bob@192.0.2.9")] {
        let (mut bench, _, _) = watched();
        bench.wait(480_000);
        let refresh = bench.only();
        let moved = ("Expires: 600\r\nContact: <sip:bob@192.0.2.77>", "");
        let answer = reply(&refresh, 200, "n", moved);
        let to = format!("<sip:bob@biloxi.example>;tag={tag}");
        bench.tell(answer.edit().replace_raw(Name::To, to.as_bytes()).finish().unwrap());
        bench.wait(480_000);
        assert_eq!(uri(&bench.only()), target);
    }
}

/// "receives a 404, 405, 410, 416, 480-485, 489, 501, or 604 response, the subscriber MUST consider the subscription terminated"; of a 481 it is made
/// anew, for it is still wanted.
/// Proves: rfc6665-4.1.2.2-1.
#[test]
fn some_answers_end_it() {
    for status in [404, 405, 410, 416, 480, 482, 483, 484, 485, 489, 501, 604] {
        let (mut bench, _, _) = watched();
        bench.wait(480_000);
        let refresh = bench.only();
        bench.tell(reply(&refresh, status, "n", ("", "")));
        assert_eq!(ended(&mut bench), Some((status, false)), "{status}");
        bench.wait(10_000_000);
        assert_eq!(bench.titles(), [""; 0], "{status}");
    }
    let (mut bench, _, subscribe) = watched();
    bench.wait(480_000);
    let refresh = bench.only();
    bench.tell(reply(&refresh, 481, "n", ("", "")));
    bench.wait(1);
    let anew = bench.only();
    assert!(anew.call_id() != subscribe.call_id() && !rows(&anew, Name::To)[0].contains("tag"));
}

/// "If the subscriber receives a success response … that indicates that no NOTIFY request will be generated -- such as the 204 … -- then it MUST cancel
/// Timer N."
/// Proves: rfc6665-4.1.2.2-2.
#[test]
fn after_a_204_nothing_is_waited_for() {
    let (mut bench, _, subscribe) = watching();
    bench.tell(reply(&subscribe, 204, "n", ("Expires: 600\r\nContact: <sip:bob@192.0.2.9>", "")));
    bench.wait(100_000);
    assert_eq!(ended(&mut bench), None);
}

/// "the subscriber MUST be prepared to receive NOTIFY requests before the SUBSCRIBE transaction has completed"; "After the expiration of Timer N, the
/// subscriber SHOULD reject any such NOTIFY requests … with a 481".
/// Proves: rfc6665-4.1.2.4-3, rfc6665-4.1.2.4-1.
#[test]
fn a_notify_may_come_first_and_not_too_late() {
    let (mut bench, _, subscribe) = watching();
    bench.tell(notify(&subscribe, 1, ("presence", "active;expires=100"), ("", "")));
    assert_eq!(bench.titles(), ["200"]);
    bench.tell(reply(&subscribe, 200, "n", ("Expires: 600\r\nContact: <sip:bob@192.0.2.9>", "")));
    bench.wait(480_000);
    let refresh = bench.only();
    assert_eq!(number(&refresh), number(&subscribe) + 1);

    let (mut bench, _, subscribe) = watching();
    bench.tell(reply(&subscribe, 200, "n", ("Expires: 600\r\nContact: <sip:bob@192.0.2.9>", "")));
    bench.wait(32_001);
    assert_eq!(ended(&mut bench), Some((408, true)));
    bench.tell(notify(&subscribe, 1, ("presence", "active"), ("", "")));
    assert_eq!(bench.titles(), ["481"], "before it is asked for anew");
    bench.wait(60_000);
    bench.sent();
    bench.tell(notify(&subscribe, 2, ("presence", "active"), ("", "")));
    assert_eq!(bench.titles(), ["481"]);
}

/// When nobody answers and nothing is told, that is one failure; it is told once, and the pauses grow with each.
#[test]
fn silence_fails_once() {
    let (mut bench, ..) = watching();
    bench.wait(40_000);
    let failed = |event: &PhoneEvent| matches!(event, PhoneEvent::NotWatched { .. });
    assert_eq!(bench.events().into_iter().filter(failed).count(), 1);
}

/// An answer to what was asked before does not belong to what is asked now.
#[test]
fn a_late_answer_belongs_to_its_own_question() {
    let (mut bench, _, subscribe) = watching();
    bench.tell(notify(&subscribe, 1, ("presence", "active;expires=600"), ("", "")));
    bench.tell(notify(&subscribe, 2, ("presence", "terminated;reason=deactivated"), ("", "")));
    bench.sent();
    bench.wait(1_000);
    let anew = bench.sent().into_iter().find(|sent| sent.call_id() != subscribe.call_id()).unwrap();
    bench.tell(reply(&subscribe, 200, "old", ("Contact: <sip:bob@192.0.2.9>", "")));
    bench.tell(reply(&anew, 200, "n", ("Contact: <sip:bob@192.0.2.9>", "")));
    bench.tell(notify(&anew, 1, ("presence", "active;expires=600"), ("", "")));
    assert_eq!(bench.titles(), ["200"]);
}

/// "The subscriber MUST therefore be prepared to receive NOTIFY requests with "From:" tags that differ from the "To:" tag received in the SUBSCRIBE
/// 200-class response": of many that answer we listen to one, and tell the others so.
/// Proves: rfc6665-4.1.4-1.
#[test]
fn of_many_that_answer_one_is_listened_to() {
    let (mut bench, _, subscribe) = watched();
    let other = notify(&subscribe, 2, ("presence", "active"), ("", ""));
    let from = b"<sip:bob@biloxi.example>;tag=other";
    let via = b"SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKother";
    let edited = other.edit().replace_raw(Name::From, from).replace_raw(Name::Via, via).finish();
    bench.tell(edited.unwrap());
    assert_eq!(bench.titles(), ["481"]);
    bench.tell(notify(&subscribe, 3, ("presence", "active"), ("", "")));
    let sent = bench.sent();
    assert_eq!(titles(&sent), ["200"]);
}
