//! A desk with phones in the simulated world.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the helpers of tests are tests too: what cannot go on stops here; and no test needs all of them"
)]

use std::any::Any;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use machine::Dice;
use media::{Audio, Pair, Recorder, Tone};
use offhook_phone::{Account, Call, Phone, PhoneEvent};
use protocol::doors::{Event, Output};
use protocol::{Listener, Transport};
use sim::{HostId, Realm, Weather, World};
use stage::Actor;

/// What a caller of the tests speaks and hears with.
pub(crate) type Ears = Pair<Tone, Recorder>;

/// Phones in a world of their own.
pub(crate) struct Desk {
    pub(crate) world: World<Actor<Phone>>,
    pub(crate) alice: HostId,
    pub(crate) bob: HostId,
}

/// Speaks a tone, and hears.
pub(crate) fn sounding(hz: f64) -> Box<dyn Audio> {
    Box::new(Ears { mouth: Tone::sine(hz), ear: Recorder::default() })
}

/// A phone at this address, with this account.
pub(crate) fn phone(user: &str, ip: &str, seed: u128) -> Actor<Phone> {
    phone_of(user, ip, seed, |account| account)
}

/// The same, with an account that is changed.
pub(crate) fn phone_of(
    user: &str,
    ip: &str,
    seed: u128,
    change: impl FnOnce(Account) -> Account,
) -> Actor<Phone> {
    let at = SocketAddr::new(ip.parse().unwrap(), 5060);
    let listeners =
        vec![Listener::new(0, Transport::Udp, at), Listener::new(1, Transport::Tcp, at)];
    let account = Account::new(&format!("sip:{user}@{ip}")).unwrap();
    Actor::new(Phone::new(change(account), listeners.clone(), Dice::new(seed)), listeners)
}

/// A desk with Carol, whose sockets are bound to all addresses of her machine. Her account and Bob's are changed.
pub(crate) fn with_carol(transport: Transport, change: fn(Account) -> Account) -> (Desk, HostId) {
    let mut desk = Desk::with(Weather::FAIR, change);
    let any = SocketAddr::from(([0, 0, 0, 0], 5060));
    let listeners =
        vec![Listener::new(0, Transport::Udp, any), Listener::new(1, Transport::Tcp, any)];
    let account = Account::new("sip:carol@192.0.2.3").unwrap().by(transport);
    let phone = Phone::new(change(account), listeners.clone(), Dice::new(3)).at(ip("192.0.2.3"));
    let homes = [(Realm::INTERNET, ip("192.0.2.3"))];
    let carol = desk.world.add("carol", Actor::new(phone, listeners), &homes);
    (desk, carol)
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

impl Desk {
    pub(crate) fn new(weather: Weather) -> Self {
        Self::with(weather, |account| account)
    }

    /// With accounts that are changed.
    pub(crate) fn with(weather: Weather, change: fn(Account) -> Account) -> Self {
        let mut world = World::new(1, weather);
        let home = |ip: &str| [(Realm::INTERNET, ip.parse::<IpAddr>().unwrap())];
        let alice =
            world.add("alice", phone_of("alice", "192.0.2.1", 1, change), &home("192.0.2.1"));
        let bob = world.add("bob", phone_of("bob", "192.0.2.2", 2, change), &home("192.0.2.2"));
        Self { world, alice, bob }
    }

    pub(crate) fn command<R>(
        &mut self,
        who: HostId,
        deed: impl FnOnce(&mut Phone, machine::Time, &mut Vec<Output>) -> R,
    ) -> R {
        self.world.act(who, |actor, now, out| actor.command(now, out, deed)).flatten().unwrap()
    }

    pub(crate) fn run(&mut self, seconds: f64) {
        self.world.run_for(Duration::from_secs_f64(seconds));
    }

    pub(crate) fn events(&self, who: HostId) -> Vec<PhoneEvent> {
        let events = self.world.host(who).unwrap().events();
        events
            .filter_map(|(_, event)| match event {
                Event::Phone(event) => Some(event.clone()),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn incoming(&self, who: HostId) -> Call {
        self.events(who)
            .into_iter()
            .find_map(|event| match event {
                PhoneEvent::Incoming { call, .. } => Some(call),
                _ => None,
            })
            .unwrap()
    }

    /// What a side has heard of a call.
    pub(crate) fn heard(&mut self, who: HostId, call: Call) -> Vec<i16> {
        self.command(who, |phone, _, _| {
            let audio: &mut dyn Any = phone.audio(call).unwrap();
            audio.downcast_mut::<Ears>().unwrap().ear.take()
        })
    }

    pub(crate) fn established(weather: Weather) -> (Self, Call, Call) {
        Self::new(weather).talk()
    }

    /// Alice calls Bob, who picks up.
    pub(crate) fn talk(self) -> (Self, Call, Call) {
        let mut desk = self;
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
