//! Datagrams: how they are sent, and how they arrive.

use bytes::{Bytes, BytesMut};

use super::{Flight, Happening, World};
use crate::sky::delay;
use crate::world::Outage;
use crate::{
    Door, Fate, Host, HostId, Kind, Mtu, Parcel, Realm, Sighting, Transport, Unreachable, limits,
};

impl<H: Host> World<H> {
    /// Sends a parcel that no host wrote, from anywhere: a forged datagram, or the noise of the Internet.
    pub fn inject(&mut self, realm: Realm, parcel: Parcel) {
        self.send(None, realm, parcel);
    }

    pub(super) fn send(&mut self, from: Option<HostId>, realm: Realm, parcel: Parcel) {
        let original = parcel.clone();
        let placed = match self.atlas.climb(self.now, realm, parcel) {
            Ok(placed) => placed,
            Err(fate) => return self.see(from, None, original, fate),
        };
        let way = (from, self.atlas.peek(self.now, &placed));
        if self.sky.is_parted(way) {
            return self.see(from, way.1, original, Fate::Parted);
        }
        let weather = self.sky.weather(way);
        if let Some(refusal) = too_big(weather.mtu, &original) {
            self.see(from, way.1, original.clone(), Fate::TooBig);
            if let (Some(host), Some(refusal)) = (from, refusal) {
                let kind = Kind::Unreachable(refusal);
                let news = Parcel { from: original.to, to: original.from, kind };
                self.agenda.plan(self.now, Happening::News(host, news));
            }
            return;
        }
        let Ok(wait) = self.sky.queue(self.now, way, original.payload().len()) else {
            return self.see(from, way.1, original, Fate::Overflowed);
        };
        let copies = 1 + u32::from(self.dice.chance(weather.twice));
        for copy in 0..copies {
            let mut placed = placed.clone();
            if self.dice.chance(weather.loss) {
                self.see(from, way.1, placed.parcel, Fate::Lost);
                continue;
            }
            let mut fate = if copy == 0 { Fate::Delivered } else { Fate::Doubled };
            if self.dice.chance(weather.corrupt) && self.corrupt(&mut placed.parcel) {
                fate = Fate::Corrupted;
            }
            let at = self.now + wait + delay(&weather, &mut self.dice);
            if self.agenda.len() >= limits::AGENDA {
                self.see(from, way.1, placed.parcel, Fate::Overflowed);
                continue;
            }
            let flight = Flight { sent: self.now, from, placed, fate };
            self.agenda.plan(at, Happening::Arrival(flight));
        }
    }

    pub(super) fn arrive(&mut self, flight: Flight) {
        let Flight { sent, from, placed, fate } = flight;
        let way = (from, self.atlas.peek(self.now, &placed));
        if self.sky.is_parted(way) {
            return self.note(sent, way, placed.parcel, Fate::Parted);
        }
        let (host, parcel) = match self.atlas.descend(self.now, &placed) {
            Ok(landed) => (landed.host, landed.parcel),
            Err(fate) => return self.note(sent, way, placed.parcel, fate),
        };
        let way = (from, Some(host));
        let outage = self.hosts.get(host.index()).and_then(|station| station.outage);
        if outage == Some(Outage::Power) {
            return self.note(sent, way, parcel, Fate::Down);
        }
        let door = Door { transport: Transport::Udp, at: parcel.to };
        let open = outage.is_none()
            && self.hosts.get(host.index()).is_some_and(|station| station.host.listens(door));
        match (open, &parcel.kind) {
            (true, _) => {
                self.note(sent, way, parcel.clone(), fate);
                self.hand(host, parcel);
            }
            (false, Kind::Datagram(datagram)) => {
                let datagram = datagram.clone();
                self.note(sent, way, parcel.clone(), Fate::Closed);
                self.refuse(host, &parcel, datagram);
            }
            (false, _) => self.note(sent, way, parcel, Fate::Closed),
        }
    }

    /// The kernel of the addressee answers: nobody listens there (RFC 1122 §3.2.2.1).
    fn refuse(&mut self, host: HostId, parcel: &Parcel, datagram: Bytes) {
        let kind = Kind::Unreachable(Unreachable::Port(datagram));
        let mut news = Parcel { from: parcel.to, to: parcel.from, kind };
        if let Some(realm) = self.sign(host, &mut news) {
            self.send(Some(host), realm, news);
        }
    }

    fn note(
        &mut self,
        sent: machine::Time,
        (from, to): (Option<HostId>, Option<HostId>),
        parcel: Parcel,
        fate: Fate,
    ) {
        let at = self.now;
        self.tap.see(|| Sighting { sent, at, from, to, parcel, fate });
    }

    /// Turns one bit over; false when there is none.
    fn corrupt(&mut self, parcel: &mut Parcel) -> bool {
        let Kind::Datagram(bytes) = &mut parcel.kind else { return false };
        let mut changed = BytesMut::from(bytes.as_ref());
        let at = usize::try_from(self.dice.below(changed.len() as u64)).unwrap_or_default();
        let bit = self.dice.below(8);
        let Some(octet) = changed.get_mut(at) else { return false };
        *octet ^= 1 << bit;
        *bytes = changed.freeze();
        true
    }
}

/// Whether a datagram is too long for the path, and the news of it if the path sends any.
fn too_big(mtu: Mtu, parcel: &Parcel) -> Option<Option<Unreachable>> {
    let Kind::Datagram(datagram) = &parcel.kind else { return None };
    let headers = if parcel.to.is_ipv4() { limits::IPV4_UDP } else { limits::IPV6_UDP };
    let packet = datagram.len().saturating_add(headers);
    if datagram.len() > limits::DATAGRAM {
        return Some(None);
    }
    match mtu {
        Mtu::Drops(mtu) if packet > mtu => Some(None),
        Mtu::Refuses(mtu) if packet > mtu => {
            Some(Some(Unreachable::TooBig { mtu, datagram: datagram.clone() }))
        }
        _ => None,
    }
}
