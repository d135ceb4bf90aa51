//! Services of RFC 5359 with three at once, with messages, and with calls that are seen from elsewhere: conferences, park, pickup, automatic redial.

use std::time::Duration;

use media::Silence;
use offhook_tests::attendant::{Habits, Pickup, Wish};
use offhook_tests::exchange::Exchange;
use phone::packages::{Dialogs, Package, Talk};
use phone::{Call, Entry, NamedCall, Phone, PhoneEvent};
use sim::{HostId, Realm, Weather};

use super::services::{ALICE, BOB, CAROL, Three, three};

impl Three {
    /// Somebody's calls, as `who` sees them who watches them from now on.
    fn watch(&mut self, who: HostId, whose: &str) {
        let watch = |phone: &mut Phone, now, out: &mut Vec<_>| {
            phone.watch(now, whose, Package::Dialogs, out)
        };
        self.exchange.by_hand(who, watch).unwrap();
        self.exchange.live(2000);
    }

    /// The calls that `who` has seen last.
    fn seen(&self, who: HostId) -> Vec<Talk> {
        let told = &self.exchange.attendant(who).told;
        let last = told.iter().rev().find_map(|(_, event)| match event {
            PhoneEvent::Watched { body, .. } if !body.is_empty() => Some(body),
            _ => None,
        });
        Dialogs::read(last.unwrap()).unwrap().talks
    }

    /// `who` watches nobody any more.
    fn unwatch(&mut self, who: HostId) {
        let told = &self.exchange.attendant(who).told;
        let watch = told.iter().find_map(|(_, event)| match event {
            PhoneEvent::Watched { watch, .. } => Some(*watch),
            _ => None,
        });
        let watch = watch.unwrap();
        self.exchange.by_hand(who, |phone, now, out| phone.unwatch(now, watch, out)).unwrap();
        self.exchange.live(2000);
    }

    fn enter(&mut self, who: HostId, target: &str, named: NamedCall, entry: Entry) -> Call {
        let enter = |phone: &mut Phone, now, out: &mut Vec<_>| {
            phone.enter(now, target, (&named, entry), Box::new(Silence), out)
        };
        let call = self.exchange.by_hand(who, enter).unwrap();
        self.exchange.live(4000);
        call
    }
}

/// §2.6: Bob writes to Carol how she can take his call, and she does. (The address that he writes has the Replaces in it.)
#[test]
fn flow_2_6_transfer_by_message() {
    let mut three = three();
    let (_, bobs) = three.talk(three.alice, three.bob, BOB);
    let (alice, bob, carol) = (three.alice, three.bob, three.carol);
    let link = three.exchange.by_hand(bob, |phone, _, _| phone.link_to(bobs)).unwrap();
    let text = link.clone();
    let message = |phone: &mut Phone, now, out: &mut Vec<_>| phone.message(now, CAROL, &text, out);
    three.exchange.by_hand(bob, message).unwrap();
    three.exchange.live(1000);
    let read = three.exchange.attendant(carol).told.iter().find_map(|(_, event)| match event {
        PhoneEvent::Message { text, .. } => Some(text.to_string()),
        _ => None,
    });
    assert_eq!(read.as_deref(), Some(&*link));
    let (target, named, entry) = NamedCall::in_uri(&read.unwrap()).unwrap();
    three.enter(carol, &target, named, entry);
    let new = three.goes_on(alice);
    three.hang_up(alice, new);
    three.is_golden("5359_2.6_transfer_by_message");
}

/// §2.10: Bob adds Carol to his call with Alice, and mixes the two. His phone says that it is a focus, so Alice's and Carol's watch who is there.
#[test]
fn flow_2_10_third_party_is_added() {
    let mut three = three();
    let (_, bobs) = three.talk(three.alice, three.bob, BOB);
    let (bob, carol) = (three.bob, three.carol);
    let add = |phone: &mut Phone, now, out: &mut Vec<_>| {
        phone.add(now, bobs, CAROL, Box::new(Silence), out)
    };
    let second = three.exchange.by_hand(bob, add).unwrap();
    three.exchange.live(1000);
    three.pick_up(carol);
    three.exchange.live(4000);
    three.exchange.by_hand(bob, |phone, now, out| phone.hang_up(now, second, out)).unwrap();
    three.exchange.live(4000);
    three.hang_up(bob, bobs);
    three.is_golden("5359_2.10_third_party_is_added");
}

/// §2.11: Carol, whom Bob shows his calls to, comes in by Join. (In the RFC she has the names of the call from somewhere; here she watches Bob.)
#[test]
fn flow_2_11_third_party_joins() {
    let mut three = three();
    let (ours, _) = three.talk(three.alice, three.bob, BOB);
    let (alice, carol) = (three.alice, three.carol);
    three.watch(carol, BOB);
    let named = three.seen(carol)[0].there().unwrap();
    let carols = three.enter(carol, BOB, named, Entry::Join);
    three.exchange.live(2000);
    three.exchange.by_hand(carol, |phone, now, out| phone.hang_up(now, carols, out)).unwrap();
    three.exchange.live(2000);
    three.unwatch(carol);
    three.hang_up(alice, ours);
    three.is_golden("5359_2.11_third_party_joins");
}

/// §2.15: Bob parks Alice at Carol's phone, and takes her back later from there: he watches what is parked. (In the RFC he sends his REFER to the park
/// server outside of a call; our phones do for others only what is asked within one, so he calls it first. And it is he who takes her back.)
#[test]
fn flow_2_15_call_park() {
    let mut three = three();
    let (_, bobs) = three.talk(three.alice, three.bob, BOB);
    let (alice, bob, park) = (three.alice, three.bob, three.carol);
    three.exchange.by_hand(bob, |phone, now, out| phone.hold(now, bobs, out)).unwrap();
    let (second, _) = three.talk(bob, park, CAROL);
    let parks =
        |phone: &mut Phone, now, out: &mut Vec<_>| phone.transfer_to(now, second, bobs, out);
    three.exchange.by_hand(bob, parks).unwrap();
    three.exchange.live(4000);
    three.goes_on(alice);
    three.watch(bob, CAROL);
    let parked = three
        .seen(bob)
        .into_iter()
        .find(|talk| talk.remote.as_deref().is_some_and(|it| it.contains("alice")));
    let named = parked.unwrap().beyond().unwrap();
    let back = three.enter(bob, ALICE, named, Entry::TakeOver);
    assert!(three.exchange.attendant(bob).was_up(back));
    three.unwatch(bob);
    three.hang_up(bob, back);
    three.is_golden("5359_2.15_call_park");
}

/// §2.16: it rings at Bob's, and Carol picks up.
#[test]
fn flow_2_16_call_pickup() {
    let mut three = three();
    let (alice, carol) = (three.alice, three.carol);
    let ours = three.exchange.dial(alice, BOB, Wish::default());
    three.exchange.live(2000);
    three.watch(carol, BOB);
    let named = three.seen(carol)[0].beyond().unwrap();
    let call = three.enter(carol, ALICE, named, Entry::PickUp);
    assert!(three.exchange.attendant(carol).was_up(call));
    assert_eq!(three.exchange.attendant(alice).end_of(ours), Some(487));
    three.unwatch(carol);
    three.hang_up(carol, call);
    three.is_golden("5359_2.16_call_pickup");
}

/// §2.17: Bob talks to Carol and is busy; Alice watches him, and calls again when he is free.
#[test]
fn flow_2_17_automatic_redial() {
    let mut three = three();
    let (alice, bob) = (three.alice, three.bob);
    let (bobs, _) = three.talk(bob, three.carol, CAROL);
    three.exchange.dial(alice, BOB, Wish::default());
    three.exchange.live(500);
    let call = three.exchange.attendant(bob).incoming().unwrap();
    three.exchange.by_hand(bob, |phone, now, out| phone.refuse(now, call, 486, out)).unwrap();
    three.exchange.live(500);
    three.watch(alice, BOB);
    assert_eq!(three.seen(alice).len(), 1, "busy");
    three.exchange.by_hand(bob, |phone, now, out| phone.hang_up(now, bobs, out)).unwrap();
    three.exchange.live(2000);
    assert_eq!(three.seen(alice).len(), 0, "free");
    let redial =
        |phone: &mut Phone, now, out: &mut Vec<_>| phone.redial(now, Box::new(Silence), out);
    let again = three.exchange.by_hand(alice, redial).unwrap();
    three.exchange.live(1000);
    three.pick_up(bob);
    three.unwatch(alice);
    three.hang_up(alice, again);
    three.is_golden("5359_2.17_automatic_redial");
}

/// RFC 3911: whoever joins hears all. That the server has let them through is not enough, and the names of a call are no secret.
#[test]
fn nobody_joins_whom_the_account_does_not_show_its_calls() {
    let shown_to = |account: phone::Account, friends: &[&str]| account.shows_calls(friends);
    for (friends, status) in [(&[][..], 403), (&["sip:103@example.test"][..], 200)] {
        let mut exchange = Exchange::new(1, Weather::FAIR);
        let by_hand = Habits { ring: Some(Duration::ZERO), then: Pickup::Never, talk: None };
        let phones = ["101", "102", "103"].map(|user| {
            let home = (Realm::INTERNET, exchange.address());
            exchange.phone_with(user, (by_hand, home), |account| shown_to(account, friends))
        });
        exchange.sign_on(&phones);
        let [alice, bob, carol] = phones;
        let mut three = Three { exchange, alice, bob, carol };
        let (_, bobs) = three.talk(alice, bob, "102");
        let link = three.exchange.by_hand(bob, |phone, _, _| phone.link_to(bobs)).unwrap();
        // It leads to Alice; Carol takes its names to her, to join.
        let (_, named, _) = NamedCall::in_uri(&link).unwrap();
        let call = three.enter(carol, "101", named, Entry::Join);
        let carol = three.exchange.attendant(carol);
        assert_eq!(carol.was_up(call), status == 200, "{status}");
        let ended = carol.told.iter().find_map(|(_, event)| match event {
            PhoneEvent::Ended { call: over, status, .. } if *over == call => Some(*status),
            _ => None,
        });
        assert_eq!(ended.unwrap_or(200), status);
        let came = three.exchange.attendant(alice).told.iter().any(|(_, event)| {
            matches!(event, PhoneEvent::Entered { with, wanted_in: None, .. } if with.contains("103"))
        });
        assert_eq!(came, status == 200, "who comes in is told");
    }
}
