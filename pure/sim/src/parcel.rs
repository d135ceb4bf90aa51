//! `Parcel`: what travels between hosts: a datagram, a piece of a stream, or bad news.

use std::net::SocketAddr;

use bytes::Bytes;

/// One thing on its way from one address to another.
///
/// What a host sends may leave the address out (`0.0.0.0` or `::`) and, for a datagram or a new stream, the port (0):
/// the world fills them in as a kernel would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// The sender, as the holder of this parcel sees it (a NAT on the way changes it).
    pub from: SocketAddr,
    /// The addressee, as the holder sees it.
    pub to: SocketAddr,
    /// What is in it.
    pub kind: Kind,
}

/// What is in a parcel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A UDP datagram.
    Datagram(Bytes),
    /// Something that happens to a stream.
    Stream(Connection, Segment),
    /// Bad news about a datagram that was sent (ICMP, RFC 792). Only the world writes these.
    Unreachable(Unreachable),
}

/// The number by which one host knows one of its streams.
///
/// A host picks the numbers of the streams that it opens, below 2^63 and each only once; the world picks those of the
/// streams that are opened to it, above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection(pub u64);

impl Connection {
    /// The number of the `count`th stream that the world accepts for a host.
    pub(crate) const fn accepted(count: u64) -> Self {
        Self(count | 1 << 63)
    }
}

/// What happens to a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Sent: open a stream to `to`. Received: a peer has opened one to us.
    Open,
    /// Received: the peer has accepted the stream that we opened.
    Opened,
    /// Octets, in order; received in other pieces than they were sent in.
    Data(Bytes),
    /// The sender will send no more; the other direction stays open until its own `Close`.
    Close,
    /// The stream is gone at once, both ways, and what was under way with it.
    Reset,
    /// Received: nobody listens there.
    Refused,
    /// Received: nobody answered, or nothing was acknowledged for too long.
    TimedOut,
}

/// Why a datagram did not arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreachable {
    /// Nobody listens at that port (ICMP type 3 code 3). Holds the datagram.
    Port(Bytes),
    /// It is longer than the path carries (ICMP type 3 code 4; ICMPv6 type 2).
    TooBig {
        /// Octets of a packet, headers and all, that the path carries.
        mtu: usize,
        /// The datagram.
        datagram: Bytes,
    },
}

impl Parcel {
    /// A datagram.
    pub fn datagram(from: SocketAddr, to: SocketAddr, payload: impl Into<Bytes>) -> Self {
        Self { from, to, kind: Kind::Datagram(payload.into()) }
    }

    /// Something that happens to a stream. Once the stream is open its number says where to; the addresses then are
    /// only for the reader.
    pub fn stream(from: SocketAddr, to: SocketAddr, stream: Connection, segment: Segment) -> Self {
        Self { from, to, kind: Kind::Stream(stream, segment) }
    }

    /// The octets inside: those of a datagram, of stream data, or of the datagram that was unreachable.
    pub fn payload(&self) -> &[u8] {
        match &self.kind {
            Kind::Datagram(bytes)
            | Kind::Stream(_, Segment::Data(bytes))
            | Kind::Unreachable(
                Unreachable::Port(bytes) | Unreachable::TooBig { datagram: bytes, .. },
            ) => bytes,
            Kind::Stream(..) => &[],
        }
    }
}
