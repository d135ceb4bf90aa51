//! §4.2: what a notifier does.

use std::time::Duration;

use offhook_tests::office::{Office, Phone, Sent, answers, reply, requests, rows, status};
use protocol::Input;
use sip::Name;

use crate::rfc3680::{Watcher, attribute, body, office, subscribe};

fn state(notify: &Sent) -> String {
    rows(std::slice::from_ref(notify), Name::SubscriptionState).remove(0)
}

fn register(office: &mut Office, cseq: u32) -> Vec<Sent> {
    office.wait(Duration::from_secs(6));
    let phone = Phone::udp(101);
    let mut request = phone.register(&format!("Contact: <sip:{cseq}@b.example>\r\n"));
    request.cseq = cseq;
    request.branch += &cseq.to_string();
    requests(&office.receive(phone.flow, request.wire()), "NOTIFY")
}

/// "Upon successfully accepting or refreshing a subscription, notifiers MUST send a NOTIFY request immediately" "200-class responses to
/// SUBSCRIBE requests also MUST contain an "Expires" header field. The period of time in the response MAY be shorter but MUST NOT be longer"
/// "NOTIFY requests MUST contain a "Subscription-State" header field" "the notifier MUST also include … an "expires" parameter" "the package
/// name in the "Event" header field MUST match" "Implementations … MUST NOT send a 202 response to a SUBSCRIBE request"
/// Proves: rfc6665-3.1.1-3, rfc6665-3.1.1-4, rfc6665-3.2.1-1, rfc6665-3.2.1-2, rfc6665-3.2.1-3, rfc6665-4.1.3-3, rfc6665-4.2.1.1-1, rfc6665-4.2.1.1-5, rfc6665-4.2.1.2-1, rfc6665-4.2.2-1, rfc6665-4.2.2-5, rfc6665-4.2.2-6, rfc6665-4.2.2-7, rfc6665-8.2.1-2, rfc6665-8.3-1, rfc6665-8.3-2, rfc6665-B.6-1.
#[test]
fn a_subscription_is_answered_and_told_at_once() {
    for (wish, granted) in [("Expires: 600", "600"), ("Expires: 99999", "7200"), ("", "3761")] {
        let (mut office, phone) = (office(), Phone::udp(101));
        let sent = office.receive(phone.flow, subscribe(&phone, wish).wire());
        assert_eq!((sent.len(), status(&sent)), (2, 200), "the answer first");
        assert_eq!(rows(&sent, Name::Expires), [granted]);
        let notify = &sent[1];
        assert_eq!(notify.flow, phone.flow);
        assert_eq!(state(notify), format!("active;expires={granted}"));
        let one = std::slice::from_ref(notify);
        assert_eq!(rows(one, Name::Event), ["reg"]);
        assert_eq!(rows(one, Name::ContentType), ["application/reginfo+xml"]);
        // One dialog: tags, Call-ID, target.
        assert_eq!(rows(one, Name::From)[0], rows(&sent, Name::To)[0]);
        assert_eq!(rows(one, Name::To)[0], rows(&sent, Name::From)[0]);
        assert_eq!(notify.message.call_id(), sent[0].message.call_id());
        assert_eq!(notify.message.request_uri(), Some(phone.contact().as_bytes()));
    }
}

/// "The notifier SHOULD check that the event package specified in the "Event" header field is understood. If not, the notifier SHOULD return
/// a 489 (Bad Event) response" "If a notifier does not support PINT, it SHOULD return 489 (Bad Event) to any SUBSCRIBE requests without an
/// "Event" header field."
/// Proves: rfc6665-4.2.1.1-2, rfc6665-4.2.1.1-3, rfc6665-4.2.3-1, rfc6665-4.4.4-1.
#[test]
fn what_we_do_not_know_is_489_with_what_we_do() {
    let (mut office, phone) = (office(), Phone::udp(101));
    for (at, event) in ["Event: presence\r\n", "", "Event: \r\n"].into_iter().enumerate() {
        let mut request = subscribe(&phone, "").call(&at.to_string());
        request.uri = "sip:example.test".into();
        request.rows = request.rows.replace("Event: reg\r\n", event);
        let sent = office.receive(phone.flow, request.wire());
        let allowed: Vec<_> = sent[0].message.rows(Name::AllowEvents).collect();
        assert!(
            status(&sent) == 489 && allowed == [&b"reg"[..]] || status(&sent) == 400,
            "{event}{sent:?}"
        );
    }
    // A user's other events are its phones' to answer.
    office.register(&Phone::udp(102));
    let mut request = subscribe(&phone, "").call("presence");
    request.uri = "sip:102@example.test".into();
    request.rows = request.rows.replace("Event: reg", "Event: presence");
    assert_eq!(requests(&office.receive(phone.flow, request.wire()), "SUBSCRIBE").len(), 1);
}

/// "The notifier SHOULD also perform any necessary authentication and authorization" "If authorization fails …, the notifier SHOULD reply to the
/// request with a 403 (Forbidden)" "implementations of notifiers SHOULD require authentication" "with anti-replay protection"
/// Proves: rfc6665-4.2.1.1-4, rfc6665-4.2.1.3-1, rfc6665-6.3-1, rfc6665-6.4-1.
#[test]
fn who_watches_must_prove_who_it_is() {
    let mut office = Office::default();
    let (owner, thief) = (Phone::udp(101), Phone::udp(102));
    let asked = office.receive(owner.flow, subscribe(&owner, "").wire());
    assert_eq!((status(&asked), asked.len()), (401, 1));
    let right = subscribe(&owner, "").again();
    let right = right.clone().row(&owner.credentials(&right, &asked[0].message));
    assert_eq!(status(&office.receive(owner.flow, right.wire())), 200);
    let mut replayed = right.call("replayed");
    replayed.cseq += 1;
    assert_eq!(status(&office.receive(owner.flow, replayed.wire())), 401, "a nonce is good once");
    let mut nosy = subscribe(&thief, "");
    nosy.uri = "sip:101@example.test".into();
    nosy.to = "<sip:101@example.test>".into();
    assert_eq!(status(&office.converse(&thief, &nosy)), 403);
}

/// "the server MAY shorten the amount of time until expiration but MUST NOT increase it" "If the duration specified in a SUBSCRIBE request is
/// unacceptably short, the notifier SHOULD respond with a 423" A refresh is told everything again.
/// Proves: rfc6665-4.2.1.4-1, rfc6665-4.2.1.4-2.
#[test]
fn a_refresh_is_answered_and_told_too() {
    let mut office = office();
    let mut watcher = Watcher::new(&mut office);
    let sent = watcher.say(&mut office, 900);
    assert_eq!((status(&sent), rows(&sent, Name::Expires)), (200, vec!["900".to_owned()]));
    let body = watcher.hear(&mut office, &sent);
    assert_eq!(attribute(&body, "reginfo", "state"), "full");
    assert_eq!(state(&watcher.last), "active;expires=900");
    let brief = watcher.say(&mut office, 30);
    assert_eq!((status(&brief), rows(&brief, Name::MinExpires)), (423, vec!["60".to_owned()]));
    assert_eq!(register(&mut office, 1).len(), 1, "and the subscription goes on");
}

/// "When removing a subscription, the notifier SHOULD send a NOTIFY request with a "Subscription-State" value of "terminated"" "If such a
/// request is sent, the "Subscription-State" header field SHOULD contain a "reason=timeout" parameter." "SHOULD NOT include an "expires"
/// parameter" "the notifier SHOULD also include a "reason" parameter"
/// Proves: rfc6665-4.2.1.4-3, rfc6665-4.2.1.4-4, rfc6665-4.2.2-8, rfc6665-4.1.3-7.
#[test]
fn the_end_of_a_subscription_is_told() {
    for way in ["time", "taken back", "only asked"] {
        let (mut office, phone) = (office(), Phone::udp(101));
        let last = match way {
            "time" => {
                let _ = Watcher::new(&mut office);
                office.wait(Duration::from_secs(3600))
            }
            "taken back" => Watcher::new(&mut office).say(&mut office, 0),
            _ => office.receive(phone.flow, subscribe(&phone, "Expires: 0").wire()),
        };
        let last = requests(&last, "NOTIFY");
        assert_eq!((last.len(), state(&last[0])), (1, "terminated;reason=timeout".into()), "{way}");
        assert!(!body(&last[0]).is_empty());
        assert!(register(&mut office, 1).is_empty(), "{way}");
    }
}

/// "If the NOTIFY request fails due to expiration of SIP Timer F (transaction timeout), the notifier SHOULD remove the subscription." "If the
/// NOTIFY transaction fails due to the receipt of a 404, 405, 410, 416, 480-485, 489, 501, or 604 response …, the notifier MUST remove the
/// corresponding subscription." "When a change in the subscribed state occurs, the notifier SHOULD immediately construct and send a NOTIFY
/// request, unless the state transition is caused by a NOTIFY transaction failure."
/// Proves: rfc6665-4.2.2-2, rfc6665-4.2.2-3, rfc6665-4.2.2-4.
#[test]
fn a_watcher_that_is_gone_is_told_no_more() {
    for (code, stays) in
        [(481, false), (404, false), (489, false), (604, false), (500, true), (200, true)]
    {
        let mut office = office();
        let mut watcher = Watcher::new(&mut office);
        watcher.last = register(&mut office, 1).remove(0);
        watcher.answer(&mut office, code);
        assert_eq!(register(&mut office, 2).len(), usize::from(stays), "{code}");
        let refreshed = status(&watcher.say(&mut office, 600));
        assert_eq!(refreshed, if stays { 200 } else { 481 });
    }
    let mut office = office();
    let mut watcher = Watcher::new(&mut office);
    register(&mut office, 1);
    office.wait(Duration::from_secs(33));
    assert!(register(&mut office, 2).is_empty(), "timer F");
    assert_eq!(status(&watcher.say(&mut office, 600)), 481);
}

/// A connection that breaks ends what was told by it.
#[test]
fn a_watcher_whose_connection_is_gone_is_told_no_more() {
    let (mut office, phone) = (office(), Phone::tcp(101, 7));
    let sent = office.receive(phone.flow, subscribe(&phone, "").wire());
    assert_eq!(requests(&sent, "NOTIFY")[0].flow, phone.flow);
    office.tell(Input::Failed(phone.flow));
    assert!(register(&mut office, 1).is_empty());
}

/// "Notifiers MUST NOT create subscriptions except upon receipt of a SUBSCRIBE request." "if a UAS receives a CANCEL request that matches a known
/// SUBSCRIBE or NOTIFY transaction, it MUST respond to the CANCEL request, but otherwise ignore it. … the CANCEL request MUST NOT affect
/// processing"
/// Proves: rfc6665-4.2.1-1, rfc6665-4.6-1, rfc6665-4.6-2.
#[test]
fn a_cancel_changes_nothing() {
    let (mut office, phone) = (office(), Phone::udp(101));
    assert!(register(&mut office, 1).is_empty());
    let request = subscribe(&phone, "");
    let notify = requests(&office.receive(phone.flow, request.wire()), "NOTIFY").remove(0);
    let cancel = request.wire().replace("SUBSCRIBE", "CANCEL");
    assert_eq!(answers(&office.receive(phone.flow, cancel), phone.flow).len(), 1);
    office.receive(phone.flow, reply(&notify.message, 200, ""));
    assert_eq!(register(&mut office, 2).len(), 1, "the subscription stands");
}
