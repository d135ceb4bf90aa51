//! Calls between two phones in the simulated world, with sound.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

use std::any::Any;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use machine::Dice;
use media::{Audio, Pair, Recorder, Tone, detect};
use offhook_phone::{Account, Call, Phone, PhoneEvent, Unable};
use protocol::doors::{Event, Output};
use protocol::{Listener, Transport};
use sim::{HostId, Realm, Weather, World};
use stage::Actor;

type Ears = Pair<Tone, Recorder>;

struct Desk {
    world: World<Actor<Phone>>,
    alice: HostId,
    bob: HostId,
}

fn sounding(hz: f64) -> Box<dyn Audio> {
    Box::new(Ears { mouth: Tone::sine(hz), ear: Recorder::default() })
}

fn phone(user: &str, ip: &str, seed: u128) -> Actor<Phone> {
    let at = SocketAddr::new(ip.parse().unwrap(), 5060);
    let listeners =
        vec![Listener::new(0, Transport::Udp, at), Listener::new(1, Transport::Tcp, at)];
    let account = Account::new(&format!("sip:{user}@{ip}")).unwrap();
    Actor::new(Phone::new(account, listeners.clone(), Dice::new(seed)), listeners)
}

impl Desk {
    fn new(weather: Weather) -> Self {
        let mut world = World::new(1, weather);
        let home = |ip: &str| [(Realm::INTERNET, ip.parse::<IpAddr>().unwrap())];
        let alice = world.add("alice", phone("alice", "192.0.2.1", 1), &home("192.0.2.1"));
        let bob = world.add("bob", phone("bob", "192.0.2.2", 2), &home("192.0.2.2"));
        Self { world, alice, bob }
    }

    fn command<R>(
        &mut self,
        who: HostId,
        deed: impl FnOnce(&mut Phone, machine::Time, &mut Vec<Output>) -> R,
    ) -> R {
        self.world.act(who, |actor, now, out| actor.command(now, out, deed)).flatten().unwrap()
    }

    fn run(&mut self, seconds: f64) {
        self.world.run_for(Duration::from_secs_f64(seconds));
    }

    fn events(&self, who: HostId) -> Vec<PhoneEvent> {
        let events = self.world.host(who).unwrap().events();
        events
            .filter_map(|(_, event)| match event {
                Event::Phone(event) => Some(event.clone()),
                _ => None,
            })
            .collect()
    }

    fn incoming(&self, who: HostId) -> Call {
        self.events(who)
            .into_iter()
            .find_map(|event| match event {
                PhoneEvent::Incoming { call, .. } => Some(call),
                _ => None,
            })
            .unwrap()
    }

    /// What a side has heard of a call.
    fn heard(&mut self, who: HostId, call: Call) -> Vec<i16> {
        self.command(who, |phone, _, _| {
            let audio: &mut dyn Any = phone.audio(call).unwrap();
            audio.downcast_mut::<Ears>().unwrap().ear.take()
        })
    }

    fn established(weather: Weather) -> (Self, Call, Call) {
        let mut desk = Self::new(weather);
        let alice = desk.alice;
        let ours = desk
            .command(alice, |phone, now, out| {
                phone.call(now, "sip:bob@192.0.2.2", sounding(440.0), out)
            })
            .unwrap();
        desk.run(1.0);
        let theirs = desk.incoming(desk.bob);
        let bob = desk.bob;
        desk.command(bob, |phone, now, out| phone.ring(now, theirs, out)).unwrap();
        desk.run(1.0);
        desk.command(bob, |phone, now, out| phone.answer(now, theirs, sounding(660.0), out))
            .unwrap();
        desk.run(1.0);
        (desk, ours, theirs)
    }
}

#[test]
fn a_call_is_heard_on_both_sides() {
    let (mut desk, ours, theirs) = Desk::established(Weather::FAIR);
    let (alice, bob) = (desk.alice, desk.bob);
    desk.run(3.0);
    let (a, b) = (desk.heard(alice, ours), desk.heard(bob, theirs));
    assert!(detect::level_of(&a[8000..], 660.0) > -20.0, "{}", detect::level_of(&a[8000..], 660.0));
    assert!(detect::level_of(&b[8000..], 440.0) > -20.0);
    assert!(detect::level_of(&b[8000..], 660.0) < -40.0);
    desk.command(alice, |phone, now, out| phone.hang_up(now, ours, out)).unwrap();
    desk.run(60.0);
    for (who, call) in [(alice, ours), (bob, theirs)] {
        let events = desk.events(who);
        let quality = events.iter().find_map(|event| match event {
            PhoneEvent::Quality { quality, .. } => Some(quality.clone()),
            _ => None,
        });
        let quality = quality.unwrap();
        assert!(quality.received > 150 && quality.lost == 0, "{quality:?}");
        assert!(quality.here.unwrap().mos > 400, "{quality:?}");
        assert!(matches!(events.last(), Some(PhoneEvent::Ended { status: 200, .. })), "{events:?}");
        assert!(desk.world.host(who).unwrap().machine().unwrap().is_quiet());
        assert_eq!(desk.world.host(who).unwrap().media_sockets(), 0);
        assert!(desk.command(who, |phone, _, _| phone.take_audio(call)).is_some());
    }
    assert_eq!(desk.world.spins(), 0);
}

#[test]
fn hold_and_resume_are_heard_and_told() {
    let (mut desk, ours, theirs) = Desk::established(Weather::FAIR);
    let (alice, bob) = (desk.alice, desk.bob);
    desk.command(alice, |phone, now, out| phone.hold(now, ours, out)).unwrap();
    desk.run(2.0);
    assert!(desk.events(alice).contains(&PhoneEvent::HoldDone { call: ours, status: 200 }));
    assert!(desk.events(bob).contains(&PhoneEvent::Held { call: theirs, held: true }));
    desk.heard(alice, ours);
    desk.heard(bob, theirs);
    desk.run(2.0);
    assert_eq!(desk.heard(alice, ours), Vec::<i16>::new());
    let held = desk.heard(bob, theirs);
    assert!(detect::level_of(&held, 440.0) < -40.0, "who is held hears nothing of the room");
    desk.command(alice, |phone, now, out| phone.resume(now, ours, out)).unwrap();
    desk.run(2.0);
    assert!(desk.events(bob).contains(&PhoneEvent::Held { call: theirs, held: false }));
    desk.heard(alice, ours);
    desk.run(2.0);
    assert!(detect::level_of(&desk.heard(alice, ours), 660.0) > -20.0);
}

#[test]
fn keys_arrive_in_order() {
    let (mut desk, ours, theirs) = Desk::established(Weather::BREEZE);
    let (alice, bob) = (desk.alice, desk.bob);
    for key in "12*#A".chars() {
        desk.command(alice, |phone, now, out| phone.press(now, ours, key, out)).unwrap();
    }
    let wrong = desk.command(alice, |phone, now, out| phone.press(now, ours, 'x', out));
    assert_eq!(wrong, Err(Unable::BadKey('x')));
    desk.run(5.0);
    let keys: String = desk
        .events(bob)
        .iter()
        .filter_map(|event| match event {
            PhoneEvent::Key { call, key } if *call == theirs => Some(*key),
            _ => None,
        })
        .collect();
    assert_eq!(keys, "12*#A");
}
