//! A call with pictures, in a world of its own: `cargo run -p offhook-phone --example pictures`.
//!
//! The program has a camera and a screen, or what it takes for them; the phone agrees on how pictures go, protects their packets and carries them. What is
//! in them is the program's business. There is no socket and no waiting: the simulator owns the clock. With real sockets it is the same.

use std::any::Any;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use machine::{Dice, Time};
use media::{Silence, Tone};
use offhook_phone::{Account, Call, Phone, PhoneEvent, Srtp, Video, VideoFormat};
use protocol::doors::Event;
use protocol::{Listener, Output, Transport};
use sim::{HostId, Realm, Weather, World};
use stage::Actor;

/// Counts what it is shown.
#[derive(Default)]
struct Screen {
    format: Option<VideoFormat>,
    packets: usize,
}

impl Video for Screen {
    fn agreed(&mut self, format: Option<&VideoFormat>) {
        self.format = format.cloned();
    }

    fn receive(&mut self, packet: &[u8]) {
        self.packets += usize::from(packet.len() > PACKET);
    }
}

/// What a camera makes in half a second: ten packets, with a header of RTP (RFC 3550 §5.1).
fn film(payload_type: u8) -> impl Iterator<Item = Vec<u8>> {
    (0..10u8).map(move |nth| {
        let (sequence, timestamp) = ([0, nth], u32::from(nth) * 4500);
        let mut packet = [&[0x80, payload_type][..], &sequence, &timestamp.to_be_bytes()].concat();
        packet.extend([0, 0, 0, 1]);
        packet.extend([nth; PACKET]);
        packet
    })
}

/// Octets of a packet's pictures.
const PACKET: usize = 1000;

/// What we can show, best first; and what `a=fmtp` says of it.
const CODECS: &[(&str, &str)] =
    &[("H264", "profile-level-id=42e01f;packetization-mode=1"), ("VP8", "")];

fn main() -> Result<(), String> {
    let mut world = World::new(1, Weather::FAIR);
    let alice = move_in(&mut world, ("alice", "192.0.2.1"), Dice::new(1))?;
    let bob = move_in(&mut world, ("bob", "192.0.2.2"), Dice::new(2))?;
    let why = |why: offhook_phone::Unable| why.to_string();
    let call = command(&mut world, alice, |phone, now, out| {
        let call = phone.call(now, "sip:bob@192.0.2.2", Box::new(Silence), out)?;
        phone.show(now, call, (CODECS, Box::<Screen>::default()), out)?;
        Ok(call)
    })?
    .map_err(why)?;
    world.run_for(Duration::from_secs(1));
    let incoming = incoming(&world, bob).ok_or("nothing rings")?;
    command(&mut world, bob, |phone, now, out| {
        phone.show(now, incoming, (CODECS, Box::<Screen>::default()), out)?;
        phone.answer(now, incoming, Box::new(Tone::sine(440.0)), out)
    })?
    .map_err(why)?;
    world.run_for(Duration::from_secs(2));

    let format = look(&mut world, (alice, call), |screen| screen.format.clone())?;
    let format = format.ok_or("no pictures were agreed on")?;
    command(&mut world, alice, |phone, _, out| {
        film(format.send).try_for_each(|packet| phone.send_video(call, &packet, out))
    })?
    .map_err(why)?;
    world.run_for(Duration::from_secs(1));
    let seen = look(&mut world, (bob, incoming), |screen| screen.packets)?;
    println!("Bob has seen {seen} packets of {}, payload type {}.", format.name, format.send);
    if seen == 10 { Ok(()) } else { Err(format!("Bob should have seen 10 packets, not {seen}")) }
}

/// A phone whose calls are secret.
fn move_in(
    world: &mut World<Actor<Phone>>,
    (name, ip): (&str, &str),
    dice: Dice,
) -> Result<HostId, String> {
    let home: IpAddr = ip.parse().map_err(|why| format!("{ip}: {why}"))?;
    let listeners = vec![Listener::new(0, Transport::Udp, SocketAddr::new(home, 5060))];
    let account = Account::new(&format!("sip:{name}@{ip}")).map_err(|why| why.to_string())?;
    let phone = Phone::new(account.srtp(Srtp::Dtls), listeners.clone(), dice);
    Ok(world.add(name, Actor::new(phone, listeners), &[(Realm::INTERNET, home)]))
}

/// Commands a phone: every command takes the time and an outbox.
fn command<R>(
    world: &mut World<Actor<Phone>>,
    who: HostId,
    deed: impl FnOnce(&mut Phone, Time, &mut Vec<Output>) -> R,
) -> Result<R, String> {
    let done = world.act(who, |actor, now, out| actor.command(now, out, deed));
    done.flatten().ok_or_else(|| format!("{who} is no phone"))
}

/// The call that a phone was told of.
fn incoming(world: &World<Actor<Phone>>, who: HostId) -> Option<Call> {
    world.host(who)?.events().find_map(|(_, event)| match event {
        Event::Phone(PhoneEvent::Incoming { call, .. }) => Some(*call),
        _ => None,
    })
}

/// The program's own screen, to look at.
fn look<R>(
    world: &mut World<Actor<Phone>>,
    (who, call): (HostId, Call),
    at: impl FnOnce(&Screen) -> R,
) -> Result<R, String> {
    let seen = command(world, who, |phone, _, _| {
        let video: &dyn Any = phone.video(call)?;
        video.downcast_ref().map(at)
    })?;
    seen.ok_or_else(|| "there is no such screen".to_owned())
}

#[test]
fn ten_packets_are_sent_and_ten_are_seen() {
    assert_eq!(main(), Ok(()));
}
