//! Services of RFC 5359 that two phones make, or one for another: hold, transfer, forwarding.

use std::time::Duration;

use media::{Silence, Tone};
use offhook_tests::attendant::{Habits, Pickup, Wish};
use offhook_tests::exchange::Exchange;
use phone::{Call, Phone, PhoneEvent, Referrals};
use sim::{HostId, Weather};

use super::check;

pub(super) const ALICE: &str = "sip:alice@198.51.100.2";
pub(super) const BOB: &str = "sip:bob@198.51.100.3";
pub(super) const CAROL: &str = "sip:carol@198.51.100.4";

/// Alice, Bob and Carol, who do what they are told; no server.
pub(super) struct Three {
    pub(super) exchange: Exchange,
    pub(super) alice: HostId,
    pub(super) bob: HostId,
    pub(super) carol: HostId,
}

pub(super) fn three() -> Three {
    let mut exchange = Exchange::new(1, Weather::FAIR);
    let by_hand = Habits { ring: Some(Duration::ZERO), then: Pickup::Never, talk: None };
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|user| {
        exchange.lone_phone_with(user, by_hand, |account| {
            account.referrals(Referrals::Follow).shows_calls(&[ALICE, BOB, CAROL])
        })
    });
    Three { exchange, alice, bob, carol }
}

impl Three {
    /// One calls, the other picks up: the call, as each knows it.
    pub(super) fn talk(&mut self, from: HostId, to: HostId, target: &str) -> (Call, Call) {
        let ours = self.exchange.dial(from, target, Wish::default());
        self.exchange.live(1000);
        (ours, self.pick_up(to))
    }

    /// Whoever is called last picks up.
    pub(super) fn pick_up(&mut self, who: HostId) -> Call {
        let told = &self.exchange.attendant(who).told;
        let call = told.iter().rev().find_map(|(_, event)| match event {
            PhoneEvent::Incoming { call, .. } => Some(*call),
            _ => None,
        });
        let call = call.unwrap();
        let answer = |phone: &mut Phone, now, out: &mut Vec<_>| {
            phone.answer(now, call, Box::new(Silence), out)
        };
        self.exchange.by_hand(who, answer).unwrap();
        self.exchange.live(2000);
        call
    }

    /// The call as which a call of Bob's or Carol's goes on.
    pub(super) fn goes_on(&self, who: HostId) -> Call {
        let told = &self.exchange.attendant(who).told;
        let new = told.iter().find_map(|(_, event)| match event {
            PhoneEvent::GoesOn { new, .. } => Some(*new),
            _ => None,
        });
        new.unwrap()
    }

    pub(super) fn hang_up(&mut self, who: HostId, call: Call) {
        self.exchange.by_hand(who, |phone, now, out| phone.hang_up(now, call, out)).unwrap();
        self.exchange.live(360_000);
        self.exchange.assert_nothing_is_left();
    }

    pub(super) fn is_golden(&mut self, name: &str) {
        check(&mut self.exchange, &[self.alice, self.bob, self.carol], name);
    }
}

#[test]
fn flow_2_1_call_hold() {
    let mut three = three();
    let (ours, _) = three.talk(three.alice, three.bob, BOB);
    let (alice, exchange) = (three.alice, &mut three.exchange);
    exchange.by_hand(alice, |phone, now, out| phone.hold(now, ours, out)).unwrap();
    exchange.live(2000);
    exchange.by_hand(alice, |phone, now, out| phone.resume(now, ours, out)).unwrap();
    exchange.live(2000);
    three.hang_up(alice, ours);
    three.is_golden("5359_2.1_call_hold");
}

/// §2.2: Bob puts Alice on hold, asks Carol something, and takes Alice back.
#[test]
fn flow_2_2_consultation_hold() {
    let mut three = three();
    let (_, bobs) = three.talk(three.alice, three.bob, BOB);
    let (bob, carol) = (three.bob, three.carol);
    three.exchange.by_hand(bob, |phone, now, out| phone.hold(now, bobs, out)).unwrap();
    three.exchange.live(1000);
    let (second, _) = three.talk(bob, carol, CAROL);
    three.exchange.by_hand(bob, |phone, now, out| phone.hang_up(now, second, out)).unwrap();
    three.exchange.live(1000);
    three.exchange.by_hand(bob, |phone, now, out| phone.resume(now, bobs, out)).unwrap();
    three.exchange.live(2000);
    three.hang_up(bob, bobs);
    three.is_golden("5359_2.2_consultation_hold");
}

/// §2.3: Bob holds Alice, who hears music meanwhile. (In the RFC he brings her together with a server that plays it; here his phone does.)
#[test]
fn flow_2_3_music_on_hold() {
    let mut three = three();
    let (_, bobs) = three.talk(three.alice, three.bob, BOB);
    let (bob, exchange) = (three.bob, &mut three.exchange);
    let music = |phone: &mut Phone, now, out: &mut Vec<_>| {
        phone.set_music(now, bobs, Some(Box::new(Tone::sine(1000.0))), out)
    };
    exchange.by_hand(bob, music).unwrap();
    exchange.by_hand(bob, |phone, now, out| phone.hold(now, bobs, out)).unwrap();
    exchange.live(3000);
    exchange.by_hand(bob, |phone, now, out| phone.resume(now, bobs, out)).unwrap();
    exchange.live(2000);
    three.hang_up(bob, bobs);
    three.is_golden("5359_2.3_music_on_hold");
}

/// §2.4: Bob asks Alice to call Carol, and is out of it when she has picked up.
#[test]
fn flow_2_4_transfer_unattended() {
    let mut three = three();
    let (_, bobs) = three.talk(three.alice, three.bob, BOB);
    let (alice, bob, carol) = (three.alice, three.bob, three.carol);
    let exchange = &mut three.exchange;
    exchange.by_hand(bob, |phone, now, out| phone.transfer(now, bobs, CAROL, out)).unwrap();
    exchange.live(2000);
    three.pick_up(carol);
    three.exchange.live(2000);
    let new = three.goes_on(alice);
    three.hang_up(alice, new);
    three.is_golden("5359_2.4_transfer_unattended");
}

/// §2.5: Bob holds Alice, asks Carol, and brings the two together: Alice's call takes the place of his.
#[test]
fn flow_2_5_transfer_attended() {
    let mut three = three();
    let (_, bobs) = three.talk(three.alice, three.bob, BOB);
    let (alice, bob, carol) = (three.alice, three.bob, three.carol);
    three.exchange.by_hand(bob, |phone, now, out| phone.hold(now, bobs, out)).unwrap();
    three.exchange.live(1000);
    let (second, _) = three.talk(bob, carol, CAROL);
    let exchange = &mut three.exchange;
    exchange.by_hand(bob, |phone, now, out| phone.transfer_to(now, bobs, second, out)).unwrap();
    exchange.live(4000);
    let new = three.goes_on(alice);
    three.goes_on(carol);
    three.hang_up(alice, new);
    three.is_golden("5359_2.5_transfer_attended");
}

/// §2.7: all calls to Bob go to Carol. (In the RFC a proxy sends them there; here his phone does, and Alice's goes.)
#[test]
fn flow_2_7_forwarding_unconditional() {
    let mut three = three();
    let (alice, bob, carol) = (three.alice, three.bob, three.carol);
    three.exchange.by_hand(bob, |phone, _, _| phone.forward_all(CAROL)).unwrap();
    let (ours, _) = three.talk(alice, carol, BOB);
    three.hang_up(alice, ours);
    three.is_golden("5359_2.7_forwarding_unconditional");
}

/// §2.8: Bob talks to somebody else, so his phone sends the call on to Carol. (In the RFC a proxy does, after his 486.)
#[test]
fn flow_2_8_forwarding_busy() {
    let mut three = three();
    let (alice, bob, carol) = (three.alice, three.bob, three.carol);
    let by_hand = Habits { ring: Some(Duration::ZERO), then: Pickup::Never, talk: None };
    let dave = three.exchange.lone_phone("dave", by_hand);
    let (bobs, _) = three.talk(bob, dave, "sip:dave@198.51.100.5");
    let ours = three.exchange.dial(alice, BOB, Wish::default());
    three.exchange.live(100);
    let theirs = three.exchange.attendant(bob).incoming().unwrap();
    let forward = |phone: &mut Phone, now, out: &mut Vec<_>| phone.forward(now, theirs, CAROL, out);
    three.exchange.by_hand(bob, forward).unwrap();
    three.exchange.live(1000);
    three.pick_up(carol);
    three.exchange.by_hand(bob, |phone, now, out| phone.hang_up(now, bobs, out)).unwrap();
    three.hang_up(alice, ours);
    three.is_golden("5359_2.8_forwarding_busy");
}

/// §2.9: nobody picks up at Bob's, who sends the call on to Carol.
#[test]
fn flow_2_9_forwarding_no_answer() {
    let mut three = three();
    let (alice, bob, carol) = (three.alice, three.bob, three.carol);
    let ours = three.exchange.dial(alice, BOB, Wish::default());
    three.exchange.live(5000);
    let theirs = three.exchange.attendant(bob).incoming().unwrap();
    let forward = |phone: &mut Phone, now, out: &mut Vec<_>| phone.forward(now, theirs, CAROL, out);
    three.exchange.by_hand(bob, forward).unwrap();
    three.exchange.live(1000);
    three.pick_up(carol);
    three.hang_up(alice, ours);
    three.is_golden("5359_2.9_forwarding_no_answer");
}
