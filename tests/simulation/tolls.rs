//! Tolls: a password was stolen, and somebody phones with it. What it costs has an end, and everybody learns of it.

use std::time::Duration;

use offhook_tests::office::{Office, Phone, Request, Sent, method, requests, settings, status};
use protocol::bans::{Caution, Offence, Treatment};
use protocol::doors::Event;
use protocol::{Input, Transport};
use server::Settings;
use server::routes::{Days, Hours, Zone};
use server::settings::{Action, Proxy, Recurse, Route, Shard, Toll, Tolls};

/// Calls to numbers cost, those to 112 are free; nobody phones to 0900.
fn with_a_carrier(tolls: Tolls) -> Settings {
    let dear = Action::Deny { status: 403, reason: "Premium Numbers Are Not Allowed".into() };
    let routes = vec![
        Route { action: dear, toll: Toll::Forbidden, ..Route::prefix("0900", "") },
        Route { toll: Toll::Free, ..Route::prefix("112", "sip:192.0.2.99") },
        Route::prefix("0", "sip:192.0.2.99"),
    ];
    let proxy = Proxy { recurse: Recurse::AlongRoutes, ..Proxy::default() };
    Settings { routes, tolls, proxy, ..settings() }
}

fn call(office: &mut Office, phone: &Phone, number: &str, name: &str) -> (Request, Vec<Sent>) {
    let invite = phone.invite(&format!("sip:{number}@example.test")).call(name);
    let sent = office.converse(phone, &invite);
    (invite, sent)
}

/// The status that a call is refused with; 0 when it goes out.
fn refused(office: &mut Office, phone: &Phone, number: &str, name: &str) -> u16 {
    let (_, sent) = call(office, phone, number, name);
    if requests(&sent, "INVITE").is_empty() { status(&sent) } else { 0 }
}

fn frauds(office: &Office) -> Vec<(String, String, String, bool)> {
    let fraud = |event: &Event| match event {
        Event::Fraud { user, method, number, paused, call_id, .. } => {
            assert!(!call_id.is_empty(), "by its Call-ID the call is found in the records");
            Some((user.to_string(), method.to_string(), number.to_string(), *paused))
        }
        _ => None,
    };
    office.events.iter().filter_map(fraud).collect()
}

#[test]
fn an_account_that_goes_on_trying_what_is_forbidden_makes_no_calls_that_cost() {
    let mut office = Office::new(with_a_carrier(Tolls::default()));
    let (thief, other) = (Phone::tcp(101, 1), Phone::udp(102));
    office.register(&other);
    for nth in 0..5 {
        assert_eq!(refused(&mut office, &thief, "0900123", &format!("dear-{nth}")), 403);
        assert_eq!(
            refused(&mut office, &thief, "0301", &format!("usual-{nth}")),
            if nth < 4 { 0 } else { 403 }
        );
    }
    let told = frauds(&office);
    assert_eq!(told.len(), 5);
    assert_eq!(told[4], ("101".into(), "INVITE".into(), "0900123".into(), true));
    assert_eq!(refused(&mut office, &thief, "112", "emergency"), 0);
    assert_eq!(refused(&mut office, &thief, "102", "inside"), 0);
    assert_eq!(refused(&mut office, &other, "0302", "others"), 0);
    office.wait(Duration::from_secs(3_601));
    assert_eq!(refused(&mut office, &thief, "0303", "later"), 0);
    // It has proven where it is, so it counts against its source too.
    let ban = office.node.bans(None);
    assert!(ban.is_empty(), "five are not enough: {ban:?}");
}

#[test]
fn whoever_tries_it_again_and_again_is_banned_from_where_it_does() {
    let mut office = Office::new(with_a_carrier(Tolls::default()));
    let thief = Phone::tcp(101, 1);
    for nth in 0..10 {
        refused(&mut office, &thief, "0900123", &format!("dear-{nth}"));
    }
    let bans = office.node.bans(None);
    assert_eq!((bans[0].treatment, bans[0].offence), (Treatment::Barred, Offence::Fraud));
    assert_eq!(thief.flow.transport, Transport::Tcp);
}

/// Nobody phones abroad from eight in the evening to seven in the morning, by the clocks where the office is.
#[test]
fn what_is_forbidden_by_night_is_reported_by_night_and_goes_out_by_day() {
    let mut settings = with_a_carrier(Tolls::default());
    let action = Action::Deny { status: 403, reason: "No Calls Abroad by Night".into() };
    let zone = Zone { name: "Europe/Berlin".into(), ahead: 3_600, changes: Vec::new() };
    let when = Some(Hours { days: Days::ALL, from: 20 * 60, to: 7 * 60, zone });
    let abroad = Route { action, toll: Toll::Forbidden, when, ..Route::prefix("00", "") };
    settings.routes.insert(0, abroad);
    let (mut office, phone) = (Office::new(settings), Phone::udp(101));
    // It is thirteen minutes and twenty seconds past eleven there.
    let (one, day) = (Duration::from_secs(1), Duration::from_secs(13 * 3_600));
    let night = Duration::from_secs(7 * 3_600 + 46 * 60 + 40);
    for (passes, abroad, told) in [
        (Duration::ZERO, 403, 1),
        (night - one, 403, 2),
        (one, 0, 2),
        (day - one, 0, 2),
        (one, 403, 3),
    ] {
        office.wait(passes);
        let name = format!("{:?}", office.now);
        assert_eq!(
            refused(&mut office, &phone, "0044207", &format!("abroad {name}")),
            abroad,
            "{name}"
        );
        assert_eq!(refused(&mut office, &phone, "030123", &format!("here {name}")), 0, "{name}");
        assert_eq!(frauds(&office).len(), told, "{name}");
    }
}

/// Nobody is sent where it may not go by itself: not by a REFER, not by a phone that answers "try there".
#[test]
fn a_transfer_or_a_redirection_to_what_is_forbidden_is_none() {
    let mut office = Office::new(with_a_carrier(Tolls::default()));
    let (alice, bob) = (Phone::udp(101), Phone::udp(102));
    office.register(&bob);
    for (to, expected) in [("0900123", 403), ("0301", 0)] {
        let refer = alice.request("REFER", "sip:102@example.test").call(&format!("refer-{to}"));
        let refer = refer
            .row(&format!("Refer-To: <sip:{to}@example.test>"))
            .row(&format!("Contact: <{}>", alice.contact()));
        let sent = office.converse(&alice, &refer);
        let passed = sent.iter().any(|sent| method(sent) == "REFER");
        assert_eq!(if passed { 0 } else { status(&sent) }, expected, "{to}: {sent:?}");
    }
    assert_eq!(frauds(&office), [("101".into(), "REFER".into(), "0900123".into(), false)]);
    for (to, goes) in [("0900123", 0), ("0301", 1)] {
        let (_, sent) = call(&mut office, &alice, "102", &format!("moved-{to}"));
        let invite = &requests(&sent, "INVITE")[0];
        let moved = sip::Draft::reply(&invite.message, sip::Status::new(302).unwrap())
            .raw(sip::Name::Contact, format!("<sip:{to}@example.test>").as_bytes())
            .wire();
        let sent = office.receive(bob.flow, moved.to_vec());
        assert_eq!(requests(&sent, "INVITE").len(), goes, "{to}");
    }
    assert_eq!(frauds(&office)[1], ("102".into(), "INVITE".into(), "0900123".into(), false));
}

#[test]
fn an_account_has_so_many_calls_at_once_and_no_more() {
    let tolls = Tolls { calls: Some(2), ..Tolls::default() };
    let mut settings = with_a_carrier(tolls);
    settings
        .users
        .iter_mut()
        .filter(|user| &*user.name == "103")
        .for_each(|user| user.calls = Some(3));
    let mut office = Office::new(settings);
    let alice = Phone::udp(101);
    let (_, first) = call(&mut office, &alice, "0301", "first");
    assert_eq!(refused(&mut office, &alice, "0302", "second"), 0);
    assert_eq!(refused(&mut office, &alice, "0303", "third"), 403);
    assert_eq!(refused(&mut office, &alice, "112", "emergency"), 0);
    let carol = Phone::udp(103);
    let calls = (0..4).map(|nth| refused(&mut office, &carol, "0301", &format!("carol-{nth}")));
    assert_eq!(calls.collect::<Vec<_>>(), [0, 0, 0, 403]);
    // The first is busy: there is room again.
    let invite = &requests(&first, "INVITE")[0];
    let busy =
        sip::Draft::reply_tagged(&invite.message, sip::Status::new(486).unwrap(), "Busy", "t");
    office.receive(invite.flow, busy.wire().to_vec());
    assert_eq!(refused(&mut office, &alice, "0304", "fourth"), 0);
    assert_eq!(refused(&mut office, &alice, "0305", "fifth"), 403);
    assert_eq!(frauds(&office), []);
}

#[test]
fn calls_on_other_shards_count() {
    let tolls = Tolls { calls: Some(2), attempts: 2, ..Tolls::default() };
    let [mut first, mut second] = [0, 1].map(|number| {
        let shard = Shard { number, count: 2 };
        Office::new(Settings { shard, nonce_secret: Some(5), ..with_a_carrier(tolls.clone()) })
    });
    let tell = |from: &mut Office, to: &mut Office| {
        for caution in std::mem::take(&mut from.cautions) {
            assert!(
                matches!(caution, Caution::Calls { .. } | Caution::Tried { .. }),
                "{caution:?}"
            );
            to.tell(Input::Cautioned(caution));
        }
    };
    let alice = Phone::udp(101);
    let (_, sent) = call(&mut first, &alice, "0301", "one");
    assert_eq!(refused(&mut first, &alice, "0302", "two"), 0);
    tell(&mut first, &mut second);
    assert_eq!(refused(&mut second, &alice, "0303", "three"), 403);
    let invite = &requests(&sent, "INVITE")[0];
    let busy =
        sip::Draft::reply_tagged(&invite.message, sip::Status::new(486).unwrap(), "Busy", "t");
    first.receive(invite.flow, busy.wire().to_vec());
    tell(&mut first, &mut second);
    assert_eq!(refused(&mut second, &alice, "0304", "four"), 0);
    second.cautions.clear();
    let bob = Phone::udp(102);
    for nth in 0..2 {
        refused(&mut first, &bob, "0900123", &format!("dear-{nth}"));
    }
    first.cautions.retain(|caution| matches!(caution, Caution::Tried { .. }));
    tell(&mut first, &mut second);
    assert_eq!(refused(&mut second, &bob, "0305", "after"), 403, "it waits on every shard");
}
