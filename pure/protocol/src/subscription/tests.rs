//! Subscriptions by themselves.

use super::*;

fn subscribe(rows: &str) -> Message {
    Message::parse(format!(
        "SUBSCRIBE sip:a@h SIP/2.0\r\nFrom: <sip:w@h>;tag=w\r\nTo: <sip:a@h>\r\nCall-ID: x\r\nCSeq: 1 SUBSCRIBE\r\n\
         Contact: <sip:w@192.0.2.7>\r\n{rows}\r\n"
    ))
    .unwrap()
}

fn begin(until: u64) -> Subscription {
    let request = subscribe("Event: reg;id=7\r\n");
    Subscription::begin(&request, Tag::of(b"n"), Transport::Udp, seconds(until)).unwrap()
}

fn seconds(seconds: u64) -> Time {
    Time(seconds * 1_000_000_000)
}

const PACE: Duration = Duration::from_secs(5);

#[test]
fn what_changes_while_a_notify_is_on_its_way_is_told_by_one_more() {
    let mut one = begin(600);
    assert_eq!(one.next_mail(), Some(Time(0)), "at once");
    one.notify(seconds(10), PACE);
    one.owe();
    one.owe();
    assert_eq!(one.next_mail(), None);
    assert!(one.answered(Some(Status::OK)));
    assert_eq!(one.next_mail(), Some(seconds(15)), "and not faster than its package allows");
    one.notify(seconds(15), PACE);
    assert!(one.answered(Some(Status::OK)));
    assert_eq!(one.next_mail(), None);
}

#[test]
fn a_notify_says_how_the_subscription_stands_and_which_one_it_is() {
    let mut one = begin(600);
    let wire = |draft: Draft| String::from_utf8(draft.wire().to_vec()).unwrap();
    let first = wire(one.notify(seconds(10), PACE));
    for row in [
        "NOTIFY sip:w@192.0.2.7",
        "Event: reg;id=7",
        "Subscription-State: active;expires=590",
        "To: <sip:w@h>;tag=w",
    ] {
        assert!(first.contains(row), "{row}\n{first}");
    }
    assert!(
        wire(one.notify(seconds(600), PACE))
            .contains("Subscription-State: terminated;reason=timeout\r\n")
    );
}

#[test]
fn only_some_answers_end_it() {
    for (code, goes_on) in [
        (200, true),
        (401, true),
        (404, false),
        (481, false),
        (489, false),
        (500, true),
        (503, true),
    ] {
        let mut one = begin(600);
        one.notify(seconds(1), PACE);
        assert_eq!(one.answered(Status::new(code)), goes_on, "{code}");
    }
    assert!(!begin(600).answered(None), "who says nothing is gone");
}

#[test]
fn nobody_gets_it_longer_than_wished_or_shorter_than_is_kept() {
    let [min, default, max] = [60, 3761, 7200].map(Duration::from_secs);
    let bounds = Bounds { min, default, max };
    let granted = |rows: &str| {
        Wish::read(&subscribe(&format!("Event: reg\r\n{rows}")))
            .and_then(|wish| wish.granted(&bounds))
    };
    for (rows, seconds) in
        [("", 3761), ("Expires: 100\r\n", 100), ("Expires: 9999\r\n", 7200), ("Expires: 0\r\n", 0)]
    {
        assert_eq!(granted(rows), Ok(Duration::from_secs(seconds)), "{rows}");
    }
    assert_eq!(granted("Expires: 59\r\n"), Err(crate::Fault::IntervalTooBrief(60)));
    assert_eq!(Wish::read(&subscribe("")), Err(crate::Fault::BadEvent));
    assert!(Wish::accepts(&subscribe(""), "application", "reginfo+xml"));
    assert!(Wish::accepts(&subscribe("Accept: application/*\r\n"), "application", "reginfo+xml"));
    assert!(!Wish::accepts(&subscribe("Accept: text/plain\r\n"), "application", "reginfo+xml"));
}

#[test]
fn a_refresh_that_is_old_changes_nothing() {
    let mut one = begin(600);
    one.notify(seconds(1), PACE);
    one.answered(Some(Status::OK));
    let again = subscribe("Event: reg;id=7\r\n");
    assert_eq!(one.refresh(&again, seconds(900)), Ok(()), "a repeat");
    assert_eq!((one.until(), one.next_mail()), (seconds(600), None));
    assert!(one.is_named_by(&again) && !one.is_named_by(&subscribe("Event: reg\r\n")));
}
