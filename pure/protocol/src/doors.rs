//! The doors of a machine that speaks SIP: what may come in, what may go out.
//!
//! The server's node and the phone have the same doors, so one driver in `io/net` and one adapter to the simulator
//! serve both.

use std::net::SocketAddr;
use std::sync::Arc;

use machine::Time;
use sip::{Bytes, Malformed, Message};

use crate::Record;
pub use crate::alive::Alive;
use crate::bans::{Caution, Source};
pub use crate::cluster::{Neighbour, Share};
pub use crate::event::{Call, Event, Inquiry, PhoneEvent, Watch};
pub use crate::load::{Backlog, Deafness};
use crate::locate::{Domain, Failure, Hop, Naptr, Target, Unlocated};
pub use crate::quality::{CallQuality, Grade};
pub use crate::reach::{Reach, Sleeper};
use crate::transport::{Distrust, Flow, Transport};

/// What the world tells a machine.
#[derive(Clone, Debug)]
pub enum Input {
    /// A message came.
    Received(Flow, Message),
    /// Octets came that are no message. A stream they came on has lost its meaning: the driver closes it after our answer.
    Malformed(Flow, Malformed),
    /// Nothing more can be sent on this flow: refused, closed, unreachable. `Flow::connection` is 0 when a connection could
    /// not be opened, or for datagrams.
    Failed(Flow),
    /// The same, and why: the peer over TLS has not proven to be whom the flow names. Nothing was sent to it.
    Untrusted(Flow, Distrust),
    /// A datagram of audio (or anything that is not SIP) came on a socket of ours.
    Media(Socket, SocketAddr, Bytes),
    /// The answer to something we asked. Everything may have changed meanwhile.
    Answered(Ticket, Answer),
    /// What is told next has waited.
    Waited(Backlog),
    /// Another shard asks.
    Asked(Asker, Question),
    /// Another shard has found out that an address fails.
    Warned(Warning),
    /// An address of record of another shard has a new binding.
    Announced(Box<[u8]>),
    /// Another shard tells of strangers.
    Cautioned(Caution),
    /// A sign of life of ours was answered by that peer (RFC 5626 §4.4).
    Alive(Flow, Alive),
    /// Whether somebody follows what happens every day ([`Event::is_daily`]). Until it is told, somebody does; while nobody does, such
    /// events need not be reported, and their texts may be empty.
    Followed(bool),
}

/// What a machine tells the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a message. On streams: over this very connection, or, when `Flow::connection` is 0, over any open one to the
    /// peer, else a new one.
    Send(Flow, Bytes),
    /// The name behind the [`Identity`](crate::Identity) of flows that follow: whom a TLS peer must prove to be.
    Introduce(Box<str>),
    /// What is to go to this address, to whom the flow has proven to be, may go over its connection too (RFC 5923 §8.2).
    Alias(Flow, SocketAddr),
    /// Whoever is at the other end of this connection has proven who it is: it keeps its place when there are too many connections.
    Vouch(Flow),
    /// This connection, or the one to the peer when `Flow::connection` is 0, is wanted no more: it is closed, and its end is not told.
    Leave(Flow),
    /// Send a datagram from a socket of ours.
    Media(Socket, SocketAddr, Bytes),
    /// Find something out.
    Ask(Ticket, Question),
    /// Answer another shard.
    Tell(Asker, Answer),
    /// Tell all other shards that an address fails, so that each need not lose a request to find out. It may be lost.
    Warn(Warning),
    /// Tell all other shards that an address of record of ours has a new binding: they may have calls that ring there. It may be lost.
    Announce(Box<[u8]>),
    /// Tell all other shards of a stranger. It may be lost.
    Caution(Caution),
    /// Hear nothing of a source until then: not its datagrams, not its connections.
    Bar(Source, Time),
    /// Hear a source again.
    Unbar(Source),
    /// There is more than we can do: of the requests that begin something, so many of 1024 that come by datagrams need not be read. Of
    /// the same request always all copies, or none.
    Deafen(Deafness),
    /// Something happened that people or programs may want to know.
    Report(Event),
}

/// A socket for media, numbered by the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Socket(pub u32);

/// Names one question, so that its answer finds who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Another shard that asked, and its ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asker {
    /// The number of the shard.
    pub shard: u16,
    /// Its ticket.
    pub ticket: Ticket,
}

/// What has become of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning {
    /// By which transport.
    pub transport: Transport,
    /// Where.
    pub address: SocketAddr,
    /// In which way it fails; `None`: it is back.
    pub failure: Option<Failure>,
}

/// What a machine may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Where a next hop is (RFC 3263). The driver knows what can be sent by, and answers in the order to try.
    Resolve(Hop),
    /// The services of a name: its NAPTR records, for a number (RFC 6116).
    Services(Domain),
    /// Where an address of record can be reached: asked of the shard that keeps it.
    Locate(Box<[u8]>),
    /// Keep a fact: asked of the store. Who asks holds it as well until it is safe, to know what to undo, and two copies are dearer than a count.
    Keep(Arc<Record>),
    /// What all nodes know under a key: asked of the store that they share.
    Recall(Box<[u8]>),
    /// Keep a fact for all nodes, unless one of them has kept another meanwhile: asked of the store that they share.
    Share(Share),
    /// Whether a use of a nonce is its first, at any node: asked of the store that they share, which notes it.
    SpendAnywhere {
        /// The nonce.
        nonce: Box<str>,
        /// Which use of it this is (RFC 7616 §3.4, `nc`).
        count: u32,
        /// Until when that must be remembered.
        until: Time,
    },
    /// Whether a use of a nonce is its first: asked of the shard that made the nonce, which notes it.
    Spend {
        /// The number of that shard.
        keeper: u16,
        /// When it made the nonce.
        made: Time,
        /// The nonce.
        nonce: Box<str>,
        /// Which use of it this is (RFC 7616 §3.4, `nc`).
        count: u32,
    },
    /// Wake a phone, and say how it can be reached then: asked of the shard that keeps its bindings (RFC 8599 §5.6.2).
    Wake(Box<Sleeper>),
    /// Have a phone woken by its notification service.
    Push(Box<Sleeper>),
    /// A pair of sockets for RTP and RTCP, with consecutive ports.
    MediaSockets,
    /// Give the pair back.
    CloseMedia(Socket, Socket),
}

/// What a machine is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Where to go, in the order to try; never empty.
    Targets(Vec<Target>),
    /// The services of a name; there may be none.
    Services(Vec<Naptr>),
    /// Nowhere, and why.
    Unlocated(Unlocated),
    /// The bindings of an address of record, as the other shard wrote them.
    Bindings(Vec<Reach>),
    /// Whether it was the first.
    Spent(bool),
    /// Two sockets and the addresses they are bound to: RTP, RTCP.
    MediaSockets {
        /// For RTP.
        rtp: (Socket, SocketAddr),
        /// For RTCP.
        rtcp: (Socket, SocketAddr),
    },
    /// What is kept under the key; nothing, when nothing is.
    Recalled(Option<Box<[u8]>>),
    /// The store that all nodes share cannot be reached.
    NotRecalled,
    /// It is not kept: another node has kept this meanwhile.
    Differs(Box<[u8]>),
    /// It is safe, as the store promises it.
    Kept,
    /// It is not: the disk is full or broken, or too much waits for it.
    NotKept,
    /// The notification service has taken it.
    Pushed,
    /// It cannot be had.
    Nothing,
}

impl From<Result<Vec<Target>, Unlocated>> for Answer {
    fn from(found: Result<Vec<Target>, Unlocated>) -> Self {
        found.map_or_else(Self::Unlocated, Self::Targets)
    }
}

impl From<Result<Vec<Naptr>, Unlocated>> for Answer {
    fn from(found: Result<Vec<Naptr>, Unlocated>) -> Self {
        found.map_or_else(Self::Unlocated, Self::Services)
    }
}
