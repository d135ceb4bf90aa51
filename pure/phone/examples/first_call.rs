//! A first call, in a world of its own: `cargo run -p offhook-phone --example first_call`.
//!
//! Two phones register with a server, one calls the other, each plays a tone, and in the end each says what it has heard. There is
//! no socket and no waiting: the simulator owns the clock. With real sockets `io/net` stands where the world stands here.

use std::any::Any;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use machine::{Dice, Time};
use media::{Audio, Pair, Recorder, Tone, detect};
use offhook_phone::{Account, Call, Phone, PhoneEvent};
use protocol::doors::Event;
use protocol::{Listener, Output, Transport};
use server::Node;
use server::settings::{Settings, User};
use sim::{Door, Host, HostId, Parcel, Realm, Weather, World};
use stage::Actor;

/// Who lives in the world: a server, or a phone.
enum Resident {
    Server(Box<Actor<Node>>),
    Phone(Box<Actor<Phone>>),
}

type Voice = Pair<Tone, Recorder>;

fn main() -> Result<(), String> {
    let mut world = World::new(1, Weather::BREEZE);
    let server = address("192.0.2.10")?;
    move_in(&mut world, "server", Resident::Server(Box::new(an_office(server))), server);
    // Each throws dice of its own: from them come the Call-IDs and tags by which calls are told apart.
    let phone = |user: &str, at: SocketAddr, dice: Dice| -> Result<Resident, String> {
        let account =
            Account::new(&format!("sip:{user}@example.test")).map_err(|why| why.to_string())?;
        let account =
            account.password("secret").server("192.0.2.10").map_err(|why| why.to_string())?;
        let phone = Phone::new(account, listeners(at), dice);
        Ok(Resident::Phone(Box::new(Actor::new(phone, listeners(at)))))
    };
    let (at_alice, at_bob) = (address("192.0.2.1")?, address("192.0.2.2")?);
    let alice = move_in(&mut world, "alice", phone("101", at_alice, Dice::new(1))?, at_alice);
    let bob = move_in(&mut world, "bob", phone("102", at_bob, Dice::new(2))?, at_bob);

    for who in [alice, bob] {
        command(&mut world, who, |phone, now, out| phone.register(now, out))?;
    }
    world.run_for(Duration::from_secs(1));

    let call =
        command(&mut world, alice, |phone, now, out| phone.call(now, "102", voice(440.0), out))?
            .map_err(|why| why.to_string())?;
    world.run_for(Duration::from_secs(1));
    let incoming = incoming(&world, bob).ok_or("nothing rings")?;
    command(&mut world, bob, |phone, now, out| phone.ring(now, incoming, out))?
        .map_err(|why| why.to_string())?;
    world.run_for(Duration::from_secs(2));
    command(&mut world, bob, |phone, now, out| phone.answer(now, incoming, voice(660.0), out))?
        .map_err(|why| why.to_string())?;
    world.run_for(Duration::from_secs(5));
    command(&mut world, alice, |phone, now, out| phone.hang_up(now, call, out))?
        .map_err(|why| why.to_string())?;
    world.run_for(Duration::from_secs(1));

    for (name, who, call, hz) in [("Alice", alice, call, 660.0), ("Bob", bob, incoming, 440.0)] {
        let heard = heard(&mut world, who, call)?;
        let found = detect::tone(&heard, hz);
        println!("{name} has heard {hz} Hz for {:.1} s.", found.lasted.as_secs_f64());
        if found.lasted < Duration::from_secs(4) {
            return Err(format!("{name} should have heard {hz} Hz for 4 s at least"));
        }
    }
    Ok(())
}

/// A server with two extensions.
fn an_office(at: SocketAddr) -> Actor<Node> {
    let users = ["101", "102"].map(|user| User::new(user, "secret")).to_vec();
    let settings = Settings { users, ..Settings::of("example.test", listeners(at)) };
    Actor::new(Node::new(settings, Dice::new(7)), listeners(at))
}

fn listeners(at: SocketAddr) -> Vec<Listener> {
    vec![Listener::new(0, Transport::Udp, at), Listener::new(1, Transport::Tcp, at)]
}

fn address(ip: &str) -> Result<SocketAddr, String> {
    let ip: IpAddr = ip.parse().map_err(|why| format!("{ip}: {why}"))?;
    Ok(SocketAddr::new(ip, 5060))
}

fn move_in(world: &mut World<Resident>, name: &str, who: Resident, at: SocketAddr) -> HostId {
    world.add(name, who, &[(Realm::INTERNET, at.ip())])
}

/// Says a tone and records what it hears.
fn voice(hz: f64) -> Box<dyn Audio> {
    Box::new(Voice { mouth: Tone::sine(hz), ear: Recorder::default() })
}

/// Commands a phone: every command takes the time and an outbox.
fn command<R>(
    world: &mut World<Resident>,
    who: HostId,
    deed: impl FnOnce(&mut Phone, Time, &mut Vec<Output>) -> R,
) -> Result<R, String> {
    let done = world.act(who, |resident, now, out| match resident {
        Resident::Phone(actor) => actor.command(now, out, deed),
        Resident::Server(_) => None,
    });
    done.flatten().ok_or_else(|| format!("{who} is no phone"))
}

/// The call that a phone was told of.
fn incoming(world: &World<Resident>, who: HostId) -> Option<Call> {
    let Some(Resident::Phone(actor)) = world.host(who) else { return None };
    actor.events().find_map(|(_, event)| match event {
        Event::Phone(PhoneEvent::Incoming { call, .. }) => Some(*call),
        _ => None,
    })
}

/// What a phone has recorded; its program gets its audio back when the call is over.
fn heard(world: &mut World<Resident>, who: HostId, call: Call) -> Result<Vec<i16>, String> {
    let audio =
        command(world, who, |phone, _, _| phone.take_audio(call))?.ok_or("the call goes on")?;
    let audio: Box<dyn Any> = audio;
    let mut voice = audio.downcast::<Voice>().map_err(|_| "that is another voice")?;
    Ok(voice.ear.take())
}

impl Host for Resident {
    fn handle(&mut self, now: Time, parcel: Parcel, out: &mut Vec<Parcel>) {
        match self {
            Self::Server(actor) => actor.handle(now, parcel, out),
            Self::Phone(actor) => actor.handle(now, parcel, out),
        }
    }

    fn wake(&mut self, now: Time, out: &mut Vec<Parcel>) {
        match self {
            Self::Server(actor) => actor.wake(now, out),
            Self::Phone(actor) => actor.wake(now, out),
        }
    }

    fn deadline(&self) -> Option<Time> {
        match self {
            Self::Server(actor) => actor.deadline(),
            Self::Phone(actor) => actor.deadline(),
        }
    }

    fn listens(&self, door: Door) -> bool {
        match self {
            Self::Server(actor) => actor.listens(door),
            Self::Phone(actor) => actor.listens(door),
        }
    }
}

#[test]
fn the_first_call_is_heard_on_both_sides() {
    assert_eq!(main(), Ok(()));
}
