//! §4.5.2, §4.6, §8.2: what our phone does not do: share dialogs, cancel, and speak of events elsewhere.

use phone::Referrals;
use phone::packages::{Basic, Package, Presence};
use sip::{Message, Method, Name};

use super::notify;
use super::section_4_1::watching;
use crate::handset::{Bench, account, back, picked_up, reply, rows, titles, within};

/// "Subscribers MUST NOT attempt to reuse dialogs whose remote target is a GRUU": whom we talk to is watched in a dialog of its own, whatever the target.
/// Proves: rfc6665-4.5.2-1.
#[test]
fn whom_we_talk_to_is_watched_in_a_dialog_of_its_own() {
    let mut bench = Bench::new();
    let (_, invite) = bench.calls("sip:bob@biloxi.example");
    let gruu = "Contact: <sip:bob@192.0.2.9;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>";
    bench.tell(reply(&invite, 200, "bob", (gruu, crate::handset::SDP)));
    bench.sent();
    let bob = "sip:bob@biloxi.example";
    bench.act(|phone, now, out| phone.watch(now, bob, Package::Dialogs, out)).unwrap();
    let asked = bench.only();
    assert_ne!(asked.call_id(), invite.call_id());
    assert!(!rows(&asked, Name::To)[0].contains("tag="));
}

/// A SUBSCRIBE for something new in a call may be failed "with a 403 (Forbidden) response. The error text of such 403 responses SHOULD indicate that dialog
/// sharing is not supported."
/// Proves: rfc6665-4.5.2-2.
#[test]
fn what_would_share_a_call_is_refused_in_words() {
    for event in ["dialog", "conference", "refer"] {
        let mut bench = Bench::new();
        let (_, _, ok) = bench.taken();
        bench.tell(within(&ok, "SUBSCRIBE", 2, &format!("Event: {event}\r\n"), ""));
        let no = bench.only();
        let sip::Start::Response(status, phrase) = no.start() else { panic!("{no:?}") };
        assert_eq!((status.code(), phrase), (403, &b"Dialog Sharing Not Supported"[..]), "{event}");
    }
    let mut bench = Bench::new();
    let (_, _, ok) = bench.taken();
    bench.tell(within(&ok, "SUBSCRIBE", 2, "Event: presence\r\n", ""));
    assert_eq!(bench.titles(), ["489"]);
}

/// "UACs SHOULD NOT send CANCEL requests for SUBSCRIBE or NOTIFY transactions."
/// Proves: rfc6665-4.6-3, rfc6665-B.25-1.
#[test]
fn neither_is_ever_cancelled() {
    let (mut bench, watch, asked) = watching();
    bench.tell(reply(&asked, 100, "", ("", "")));
    bench.act(|phone, now, out| phone.unwatch(now, watch, out)).unwrap();
    bench.wait(60_000);
    assert!(bench.titles().iter().all(|sent| sent == "SUBSCRIBE"));
    let (_, _, ok) = bench.taken();
    let wanted = "Refer-To: <sip:carol@chicago.example>\r\n";
    bench.tell(within(&ok, "REFER", 2, wanted, ""));
    assert_eq!(bench.titles(), ["202", "NOTIFY"]);
    bench.tell(within(&ok, "BYE", 3, "", ""));
    bench.wait(60_000);
    assert!(!bench.titles().contains(&"CANCEL".to_owned()));
}

/// Event "MUST NOT appear in any other SIP requests and MUST NOT appear in responses" than SUBSCRIBE and NOTIFY (and PUBLISH, RFC 3903 §4); and
/// Subscription-State stands in NOTIFY alone.
/// Proves: rfc6665-8.2.1-3, rfc6665-8.2.3-1.
#[test]
fn only_what_is_of_events_speaks_of_them() {
    let follow = account().server("192.0.2.9").unwrap().referrals(Referrals::Follow);
    let mut bench = Bench::with(follow.shows_calls(&["sip:bob@biloxi.example"]));
    let mut all: Vec<Message> = Vec::new();
    bench.act(|phone, now, out| phone.register(now, out));
    let register = bench.only();
    bench.tell(reply(&register, 200, "r", ("", "")));
    all.push(register);
    bench.act(|phone, now, out| phone.message(now, "bob", "hello", out)).unwrap();
    bench.act(|phone, now, out| phone.ping(now, "bob", out)).unwrap();
    bench.act(|phone, now, out| {
        phone.publish(now, &Presence::of("sip:alice@atlanta.example", Basic::Open, None), out);
    });
    bench.act(|phone, now, out| phone.watch(now, "bob", Package::Presence, out)).unwrap();
    let asked = bench.request("SUBSCRIBE", "Event: dialog\r\n", "");
    bench.tell(asked);
    let sent = bench.sent();
    let watch = sent.iter().find(|sent| sent.method() == Some(Method::Subscribe)).unwrap();
    bench.tell(notify(watch, 1, ("presence", "active"), ("", "")));
    all.extend(sent);
    all.extend(bench.sent());
    let (call, _, ack) = bench.up();
    bench.hold(call);
    let hold = bench.sent().into_iter().find(|it| it.method() == Some(Method::Invite)).unwrap();
    bench.tell(picked_up(&hold));
    bench.act(|phone, now, out| phone.transfer(now, call, "carol", out)).unwrap();
    bench.tell(back(&ack, "REFER", 1, "Refer-To: <sip:carol@chicago.example>\r\n", ""));
    bench.tell(back(&ack, "OPTIONS", 2, "", ""));
    bench.hang_up(call);
    all.push(hold);
    all.extend(bench.sent());
    let kinds = titles(&all);
    for seen in [
        "REGISTER",
        "MESSAGE",
        "OPTIONS",
        "PUBLISH",
        "SUBSCRIBE",
        "NOTIFY",
        "INVITE",
        "REFER",
        "ACK",
        "BYE",
        "202",
        "200",
    ] {
        assert!(kinds.iter().any(|kind| kind == seen), "{seen} in {kinds:?}");
    }
    for message in &all {
        let of_events = [Method::Subscribe, Method::Notify, Method::Publish].map(Some);
        let (method, title) = (message.method(), titles(std::slice::from_ref(message)));
        assert_eq!(message.has(Name::Event), of_events.contains(&method), "{title:?}");
        let is_notify = method == Some(Method::Notify);
        assert_eq!(message.has(Name::SubscriptionState), is_notify, "{title:?}");
    }
}
