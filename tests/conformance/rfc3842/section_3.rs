//! §3: what a phone makes of a message summary.

use phone::packages::{Messages, Package};
use phone::{PhoneEvent, Watch};
use sip::{Message, Name};

use crate::handset::{Bench, reply, rows};
use crate::rfc6665::notify;

const SUMMARY: &str = "Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example\r\nVoice-Message: 4/99999999999 (1/0)\r\n";

fn watching() -> (Bench, Watch, Message) {
    let mut bench = Bench::new();
    let watch =
        bench.act(|phone, now, out| phone.watch(now, "alice", Package::Messages, out)).unwrap();
    let subscribe = bench.only();
    bench.tell(reply(&subscribe, 200, "n", ("Expires: 3600\r\nContact: <sip:m@192.0.2.9>", "")));
    (bench, watch, subscribe)
}

fn summaries(bench: &mut Bench) -> Vec<Messages> {
    let read = |event: PhoneEvent| match event {
        PhoneEvent::Watched { kind, body, .. } => {
            assert_eq!(&*kind, "application/simple-message-summary");
            Some(Messages::read(&body).unwrap())
        }
        _ => None,
    };
    bench.events().into_iter().filter_map(read).collect()
}

/// Its type is asked for; "Subscriptions in hours or days are more typical"; "Upon receipt of a valid NOTIFY request, the subscriber SHOULD immediately
/// render the message status"; "Subscribers MUST treat a larger value as 2^32-1."
/// Proves: rfc3842-3.4-1, rfc3842-3.5-5, rfc3842-3.9-1.
#[test]
fn what_waits_is_told_at_once() {
    let (mut bench, _, subscribe) = watching();
    assert_eq!(rows(&subscribe, Name::Accept), ["application/simple-message-summary"]);
    assert_eq!(rows(&subscribe, Name::Expires), ["3600"]);
    let kind = "application/simple-message-summary";
    bench.tell(notify(&subscribe, 1, ("message-summary", "active;expires=3600"), (kind, SUMMARY)));
    assert_eq!(bench.titles(), ["200"]);
    let told = summaries(&mut bench);
    assert!(told[0].waiting);
    let (name, class) = &told[0].classes[0];
    assert_eq!(
        (&**name, class.new, class.old, class.urgent_new),
        ("voice-message", 4, u32::MAX, 1)
    );
}

/// "The Subscriber MUST be prepared to receive and process a NOTIFY with new state immediately after sending … an unsubscribe"; "subscribers SHOULD
/// unsubscribe by sending a SUBSCRIBE message with an Expires header of zero."
/// Proves: rfc3842-3.6-5, rfc3842-3.6-6.
#[test]
fn the_last_word_is_heard() {
    let (mut bench, watch, subscribe) = watching();
    let kind = "application/simple-message-summary";
    bench.tell(notify(&subscribe, 1, ("message-summary", "active"), (kind, SUMMARY)));
    bench.sent();
    bench.act(|phone, now, out| phone.unwatch(now, watch, out)).unwrap();
    let last = bench.only();
    assert_eq!(rows(&last, Name::Expires), ["0"]);
    bench.events();
    let no = "Messages-Waiting: no\r\n";
    bench.tell(notify(&subscribe, 2, ("message-summary", "terminated;reason=timeout"), (kind, no)));
    assert_eq!(bench.titles(), ["200"]);
    assert!(!summaries(&mut bench)[0].waiting);
    bench.tell(notify(&subscribe, 3, ("message-summary", "active"), (kind, no)));
    assert_eq!(bench.titles(), ["481"]);
}

/// "If re-subscription fails, the Subscriber SHOULD periodically retry again until a subscription is successful, taking care to backoff"; "If a
/// subscription has expired, new re-subscriptions MUST use a new Call-ID."
/// Proves: rfc3842-3.6-1, rfc3842-3.6-2.
#[test]
fn a_subscription_that_was_lost_is_made_anew() {
    let (mut bench, _, subscribe) = watching();
    let kind = "application/simple-message-summary";
    bench.tell(notify(&subscribe, 1, ("message-summary", "active;expires=100"), (kind, SUMMARY)));
    bench.sent();
    bench.wait(80_000);
    let refresh = bench.only();
    assert_eq!(refresh.call_id(), subscribe.call_id());
    bench.tell(reply(&refresh, 503, "", ("", "")));
    bench.wait(20_000);
    let anew = bench.only();
    assert_ne!(anew.call_id(), subscribe.call_id());
    let mut pauses = Vec::new();
    let mut last = anew;
    for _ in 0..3 {
        bench.tell(reply(&last, 503, "", ("", "")));
        let from = bench.millis();
        bench.wait(2_000_000);
        let (at, _, again) = bench.sent_with_times().remove(0);
        pauses.push(at - from);
        last = again;
    }
    assert!(pauses[0] >= 15_000 && pauses[2] > pauses[0], "{pauses:?}");
}

/// "The Subscriber MUST be prepared to receive NOTIFYs from different Contacts corresponding to the same SUBSCRIBE."
/// Proves: rfc3842-3.9-2.
#[test]
fn many_mailboxes_tell_of_one_question() {
    let (mut bench, _, subscribe) = watching();
    let kind = "application/simple-message-summary";
    let news = notify(&subscribe, 1, ("message-summary", "active;expires=3600"), (kind, SUMMARY));
    bench.tell(news.clone());
    let text = String::from_utf8(news.wire().to_vec()).unwrap();
    let text = text.replace(";tag=n\r\n", ";tag=other\r\n").replace("z9hG4bKn", "z9hG4bKo");
    let text = text.replace("Contact: <sip:bob@192.0.2.9>", "Contact: <sip:m@192.0.2.77>");
    bench.tell(Message::parse(text.replace("4/999", "7/999")).unwrap());
    assert_eq!(bench.titles(), ["200", "200"]);
    let told = summaries(&mut bench);
    assert_eq!(told.iter().map(|told| told.classes[0].1.new).collect::<Vec<_>>(), [4, 7]);
}
