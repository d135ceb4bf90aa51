//! `Trace`: a running hash of everything that was delivered.

use std::net::{IpAddr, SocketAddr};

use machine::Time;

use crate::{HostId, Kind, Parcel, Segment, Unreachable};

/// FNV-1a over 64 bits: not secret, only sensitive to every octet and to their order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trace(u64);

impl Default for Trace {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Trace {
    pub(crate) const fn value(self) -> u64 {
        self.0
    }

    /// Adds one delivery.
    pub(crate) fn note(&mut self, now: Time, to: HostId, parcel: &Parcel) {
        self.write(&now.0.to_le_bytes());
        self.write(&to.0.to_le_bytes());
        self.address(parcel.from);
        self.address(parcel.to);
        let (tag, number) = tag(&parcel.kind);
        self.write(&[tag]);
        self.write(&number.to_le_bytes());
        self.write(&(parcel.payload().len() as u64).to_le_bytes());
        self.write(parcel.payload());
    }

    fn address(&mut self, address: SocketAddr) {
        match address.ip() {
            IpAddr::V4(ip) => self.write(&ip.octets()),
            IpAddr::V6(ip) => self.write(&ip.octets()),
        }
        self.write(&address.port().to_le_bytes());
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// What kind of parcel it is, and its number if it has one.
fn tag(kind: &Kind) -> (u8, u64) {
    match kind {
        Kind::Datagram(_) => (0, 0),
        Kind::Unreachable(Unreachable::Port(_)) => (1, 0),
        Kind::Unreachable(Unreachable::TooBig { mtu, .. }) => (2, *mtu as u64),
        Kind::Stream(stream, segment) => {
            let tag = match segment {
                Segment::Open => 3,
                Segment::Opened => 4,
                Segment::Data(_) => 5,
                Segment::Close => 6,
                Segment::Reset => 7,
                Segment::Refused => 8,
                Segment::TimedOut => 9,
            };
            (tag, stream.0)
        }
    }
}
