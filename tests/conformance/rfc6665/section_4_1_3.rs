//! §3.2, §4.1.3: what our phone makes of a NOTIFY.

use phone::PhoneEvent;
use phone::packages::{Basic, Presence};

use super::notify;
use super::section_4_1::{ended, watched, watching};
use crate::handset::{Bench, reply};

/// "it MUST return a 481 (Subscription does not exist)" for what is not watched; "Once the notification is deemed acceptable to the subscriber, the
/// subscriber SHOULD return a 200 response", without waiting for anybody; the event of a NOTIFY "MUST match".
/// Proves: rfc6665-4.1.3-1, rfc6665-4.1.3-16, rfc6665-4.1.3-17, rfc6665-3.2.1-2.
#[test]
fn what_is_watched_is_told_and_nothing_else() {
    let (mut bench, watch, subscribe) = watched();
    let presence = Presence::of("sip:bob@biloxi.example", Basic::Open, Some("here"));
    let body = String::from_utf8(presence.write()).unwrap();
    let kind = "application/pidf+xml";
    bench.tell(notify(&subscribe, 2, ("presence", "active;expires=600"), (kind, &body)));
    assert_eq!(bench.titles(), ["200"]);
    let events = bench.events();
    let PhoneEvent::Watched { watch: told, state, body, .. } = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!((*told, &**state), (watch, "active"));
    assert_eq!(Presence::read(body), Ok(presence));
    bench.tell(notify(&subscribe, 3, ("dialog", "active"), ("", "")));
    assert_eq!(bench.titles(), ["489"]);
    let stranger = bench.request("NOTIFY", "Event: presence\r\nSubscription-State: active\r\n", "");
    bench.tell(stranger);
    assert_eq!(bench.titles(), ["481"]);
    assert_eq!(bench.events(), []);
}

/// "If the header field also contains an "expires" parameter, the subscriber SHOULD take it as the authoritative subscription duration"; "NOTIFY requests
/// MUST contain "Subscription-State""; `pending` is no end.
/// Proves: rfc6665-4.1.3-4, rfc6665-4.1.3-5.
#[test]
fn a_notify_says_how_long_it_goes_on() {
    for state in ["active;expires=50", "pending;expires=50"] {
        let (mut bench, _, subscribe) = watched();
        bench.tell(notify(&subscribe, 2, ("presence", state), ("", "")));
        bench.sent();
        bench.wait(40_000);
        assert_eq!(bench.titles(), ["SUBSCRIBE"], "{state}");
    }
    let (mut bench, _, subscribe) = watched();
    bench.tell(notify(&subscribe, 2, ("presence", ""), ("", "")));
    assert_eq!(bench.titles(), ["400"]);
}

/// §4.2.1.1: a notifier shortens what was asked for, and never makes it longer: here, an hour.
#[test]
fn what_was_asked_for_is_asked_for_again_whatever_the_notifier_says() {
    let (mut bench, _, subscribe) = watched();
    bench.tell(notify(&subscribe, 2, ("presence", "active;expires=4294967295"), ("", "")));
    bench.sent();
    bench.wait(3_600_000 * 4 / 5 - 1);
    assert_eq!(bench.titles(), [""; 0]);
    bench.wait(1);
    assert_eq!(bench.titles(), ["SUBSCRIBE"]);
}

/// When the phone asks again after the end with this state, in seconds.
fn again(state: &str) -> Option<u64> {
    let (mut bench, _, subscribe) = watched();
    bench.tell(notify(&subscribe, 2, ("presence", state), ("", "")));
    bench.sent();
    let from = bench.millis();
    bench.wait(2_000_000);
    bench.sent_with_times().first().map(|(at, ..)| (at - from) / 1000)
}

/// "If the "Subscription-State" value is "terminated", the subscriber MUST consider the subscription terminated", whatever else it says. What its reason
/// means for trying again: at once after `deactivated`, by which notifiers migrate (§4.4.2), and `timeout`; later after `probation` and `giveup`, not before Retry-After; never after
/// `rejected`, `noresource` and `invariant`.
/// Proves: rfc6665-4.1.3-6, rfc6665-4.1.3-8, rfc6665-4.1.3-9, rfc6665-4.1.3-10, rfc6665-4.1.3-11, rfc6665-4.1.3-12, rfc6665-4.1.3-13,
/// rfc6665-4.1.3-14, rfc6665-4.1.3-15, rfc6665-4.4.2-1.
#[test]
fn what_has_ended_is_asked_for_again_as_its_reason_says() {
    assert_eq!(again("terminated;reason=deactivated"), Some(1));
    assert_eq!(again("terminated;reason=timeout;expires=500"), Some(1));
    assert_eq!(again("terminated;reason=probation;retry-after=77"), Some(77));
    assert_eq!(again("terminated;reason=giveup;retry-after=99"), Some(99));
    assert!(again("terminated;reason=giveup").unwrap() >= 15);
    assert!(again("terminated").unwrap() >= 15);
    assert_eq!(again("terminated;retry-after=55"), Some(55));
    assert_eq!(again("terminated;retry-after=0"), Some(1), "not in circles");
    for never in ["rejected", "noresource", "invariant;retry-after=5"] {
        assert_eq!(again(&format!("terminated;reason={never}")), None, "{never}");
    }
}

/// A notifier that says `deactivated` each time does not make us ask in circles.
#[test]
fn a_notifier_that_ends_it_each_time_is_asked_once_a_second_at_most() {
    let (mut bench, _, mut subscribe) = watching();
    let mut asked = 0;
    let from = bench.millis();
    for number in 1..20 {
        bench.tell(reply(
            &subscribe,
            200,
            "n",
            ("Expires: 600\r\nContact: <sip:bob@192.0.2.9>", ""),
        ));
        bench.tell(notify(
            &subscribe,
            number,
            ("presence", "terminated;reason=deactivated"),
            ("", ""),
        ));
        bench.sent();
        bench.wait(1000);
        let sent = bench.sent();
        asked += sent.len();
        subscribe = sent.last().unwrap().clone();
    }
    assert_eq!((asked, bench.millis() - from), (19, 19_000));
}

/// What was refused is told once.
#[test]
fn who_may_not_watch_is_told() {
    let (mut bench, _, subscribe) = watched();
    bench.tell(notify(&subscribe, 2, ("presence", "terminated;reason=rejected"), ("", "")));
    assert_eq!(ended(&mut bench), Some((403, false)));
    let quiet: fn(&mut Bench) -> bool = |bench| bench.act(|phone, _, _| phone.is_idle());
    assert!(quiet(&mut bench));
}
