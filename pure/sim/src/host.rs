//! `Host`: what lives in a world.

use std::fmt;
use std::net::SocketAddr;

use machine::Time;

use crate::Parcel;

/// Something that reacts to parcels and to the passing of time: a [`machine::Machine`] over [`Parcel`]s.
pub trait Host {
    /// Takes a parcel in.
    fn handle(&mut self, now: Time, parcel: Parcel, out: &mut Vec<Parcel>);

    /// Does what has become due.
    fn wake(&mut self, now: Time, out: &mut Vec<Parcel>);

    /// The moment by which [`wake`](Self::wake) must be called, if any.
    fn deadline(&self) -> Option<Time>;

    /// Whether it listens at `door`. At a closed door the world answers as a kernel would: a stream is refused, a
    /// datagram comes back as [`Unreachable::Port`](crate::Unreachable::Port).
    fn listens(&self, door: Door) -> bool {
        let _ = door;
        true
    }
}

impl<T: Host + ?Sized> Host for Box<T> {
    fn handle(&mut self, now: Time, parcel: Parcel, out: &mut Vec<Parcel>) {
        (**self).handle(now, parcel, out);
    }

    fn wake(&mut self, now: Time, out: &mut Vec<Parcel>) {
        (**self).wake(now, out);
    }

    fn deadline(&self) -> Option<Time> {
        (**self).deadline()
    }

    fn listens(&self, door: Door) -> bool {
        (**self).listens(door)
    }
}

/// Where a host may listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Door {
    /// Datagrams or streams.
    pub transport: Transport,
    /// The host's own address and port.
    pub at: SocketAddr,
}

/// How parcels travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// Streams.
    Tcp,
}

/// The number of a host in its world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub(crate) u32);

impl HostId {
    /// Where it stands in the order in which hosts were added: 0, 1, 2 …
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host {}", self.0)
    }
}
