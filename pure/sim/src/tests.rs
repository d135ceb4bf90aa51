//! What a world promises.

mod datagrams;
mod nats;
mod outages;
mod streams;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use machine::Time;

use crate::{
    Connection, Door, Host, HostId, Kind, Parcel, Realm, Segment, Transport, Unreachable, Weather,
    World,
};

/// A host that remembers what it heard, and may answer each datagram with itself.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    pub(crate) heard: Vec<(Time, Parcel)>,
    pub(crate) echoes: u32,
    pub(crate) closed: Option<Transport>,
    /// Sends this at each of these times.
    pub(crate) plan: Vec<(Time, Parcel)>,
    /// Never satisfied: is due always.
    pub(crate) restless: u32,
}

impl Host for Probe {
    fn handle(&mut self, now: Time, parcel: Parcel, out: &mut Vec<Parcel>) {
        if let (Kind::Datagram(bytes), true) = (&parcel.kind, self.echoes > 0) {
            self.echoes -= 1;
            out.push(Parcel::datagram(parcel.to, parcel.from, bytes.clone()));
        }
        self.heard.push((now, parcel));
    }

    fn wake(&mut self, now: Time, out: &mut Vec<Parcel>) {
        self.restless = self.restless.saturating_sub(1);
        out.extend(self.plan.extract_if(.., |(at, _)| *at <= now).map(|(_, parcel)| parcel));
    }

    fn deadline(&self) -> Option<Time> {
        if self.restless > 0 {
            return Some(Time(0));
        }
        self.plan.iter().map(|(at, _)| *at).min()
    }

    fn listens(&self, door: Door) -> bool {
        self.closed != Some(door.transport)
    }
}

impl Probe {
    /// The payloads of the datagrams that it heard.
    pub(crate) fn datagrams(&self) -> Vec<&[u8]> {
        let parcels = self.heard.iter().map(|(_, parcel)| parcel);
        parcels.filter(|one| matches!(one.kind, Kind::Datagram(_))).map(Parcel::payload).collect()
    }

    /// The octets that it heard on streams, joined.
    pub(crate) fn octets(&self) -> Vec<u8> {
        let parcels = self.heard.iter().map(|(_, parcel)| parcel);
        let data = parcels.filter(|one| matches!(one.kind, Kind::Stream(_, Segment::Data(_))));
        data.flat_map(|one| one.payload().iter().copied()).collect()
    }

    /// What it heard happen on streams, but for data.
    pub(crate) fn segments(&self) -> Vec<Segment> {
        let streams = self.heard.iter().filter_map(|(_, parcel)| parcel.as_stream());
        let news = streams.filter(|(_, segment)| !matches!(segment, Segment::Data(_)));
        news.map(|(_, segment)| segment.clone()).collect()
    }

    /// The last one it heard from.
    pub(crate) fn last_from(&self) -> Option<SocketAddr> {
        self.heard.last().map(|(_, parcel)| parcel.from)
    }
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) const ANY: &str = "0.0.0.0:0";

/// Alice and Bob on the Internet, 192.0.2.1 and 192.0.2.2.
pub(crate) fn pair(seed: u64, weather: Weather) -> (World<Probe>, HostId, HostId) {
    let mut world = World::new(seed, weather);
    let alice = world.add("alice", Probe::default(), &[(Realm::INTERNET, ip("192.0.2.1"))]);
    let bob = world.add("bob", Probe::default(), &[(Realm::INTERNET, ip("192.0.2.2"))]);
    world.tap_on();
    (world, alice, bob)
}

pub(crate) fn send(world: &mut World<Probe>, from: HostId, source: &str, to: &str, text: &str) {
    let parcel = Parcel::datagram(at(source), at(to), text.to_owned());
    world.act(from, |_, _, out| out.push(parcel));
}

pub(crate) fn say(world: &mut World<Probe>, from: HostId, stream: u64, segment: Segment) {
    let parcel = Parcel::stream(at(ANY), at("192.0.2.2:5060"), Connection(stream), segment);
    world.act(from, |_, _, out| out.push(parcel));
}

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn is_port_unreachable(parcel: &Parcel) -> bool {
    matches!(parcel.kind, Kind::Unreachable(Unreachable::Port(_)))
}
