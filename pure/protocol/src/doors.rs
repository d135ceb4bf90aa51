//! The doors of a machine that speaks SIP: what may come in, what may go out.
//!
//! The server's node and the phone have the same doors, so one driver in `io/net` and one adapter to the simulator
//! serve both.

use std::net::SocketAddr;
use std::time::Duration;

use machine::Time;
use sip::{Bytes, Malformed, Message};

use crate::Record;
pub use crate::alive::Alive;
use crate::bans::{Ban, Caution, Source};
use crate::call_record::CallRecord;
pub use crate::cluster::{Neighbour, Share};
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
    /// Keep a fact: asked of the store.
    Keep(Record),
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

/// Something that happened. Logs, metrics, call records, the console and ladders are its readers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A user's bindings changed: how many there are now.
    Registered {
        /// The address of record.
        aor: Box<str>,
        /// Bindings that are valid now.
        contacts: usize,
        /// Where the REGISTER came from.
        from: SocketAddr,
        /// Its Call-ID.
        call_id: Box<str>,
    },
    /// Bindings expired, or their connection is gone: how many are left.
    Unregistered {
        /// The address of record.
        aor: Box<str>,
        /// Bindings that are valid now.
        contacts: usize,
    },
    /// Somebody was asked who it is. That is how every call and every registration begins.
    Challenged {
        /// The method.
        method: Box<str>,
        /// Who asked, as the From says.
        from: Box<str>,
        /// Where it came from.
        source: SocketAddr,
        /// Its Call-ID.
        call_id: Box<str>,
    },
    /// A request was refused, and why, in words.
    Refused {
        /// The method.
        method: Box<str>,
        /// Who asked, as the From says.
        from: Box<str>,
        /// Where it came from.
        source: SocketAddr,
        /// The status that was sent.
        status: u16,
        /// Why.
        reason: Box<str>,
        /// Its Call-ID.
        call_id: Box<str>,
    },
    /// A call that passes through us got a final answer.
    Answered {
        /// Its Call-ID.
        call_id: Box<str>,
        /// The status.
        status: u16,
    },
    /// A call that passed through us ended.
    Ended {
        /// Its Call-ID.
        call_id: Box<str>,
    },
    /// An operator wants a call to end; it is seen to.
    HangsUp {
        /// Its Call-ID.
        call_id: Box<str>,
        /// True when it is up; it rings or is tried otherwise.
        up: bool,
    },
    /// Both sides of a call that an operator had ended have been told, or cannot be.
    HungUp {
        /// Its Call-ID.
        call_id: Box<str>,
        /// What its caller has answered; 408, when nothing.
        caller: u16,
        /// What its callee has.
        callee: u16,
        /// True when it is over; neither of them has obeyed otherwise.
        over: bool,
    },
    /// A call attempt is over, and this is all of it: for call records.
    Called(Box<CallRecord>),
    /// A domain said before that it can be contacted by TLS, and does not say so any more: somebody may be changing the answers of
    /// its DNS (RFC 3263 §7).
    TlsWithdrawn {
        /// The domain.
        domain: Box<str>,
    },
    /// A TLS peer has not proven to be whom we wanted, so it was not talked to.
    Untrusted {
        /// Where it is, whom we wanted, and what is wrong.
        distrust: Distrust,
    },
    /// A member of a group went down, or came back, as its probes say.
    Member {
        /// The group.
        group: Box<str>,
        /// By which transport it was asked.
        transport: Transport,
        /// Where.
        address: SocketAddr,
        /// True when it went down.
        down: bool,
    },
    /// There is more to do than can be done, so new things are refused. Said when it begins, and now and then while it lasts.
    Overloaded {
        /// How long what comes has to wait.
        waited: Duration,
        /// How many new things are begun in a second.
        rate: u64,
        /// Requests that were refused since it began.
        refused: u64,
        /// Requests that were not answered either.
        unheard: u64,
    },
    /// That is over.
    Relieved {
        /// Requests that were refused meanwhile.
        refused: u64,
        /// Requests that were not answered either.
        unheard: u64,
    },
    /// A source sends more new requests than it may. One is named now and then, however many there are.
    TooFast {
        /// Where they come from.
        source: SocketAddr,
    },
    /// A source is not heard any more, or only slowly; and why.
    Banned(Box<Ban>),
    /// A source is heard again.
    Unbanned {
        /// The source.
        source: Source,
    },
    /// Many sources try passwords for one user: only where that user is known is it served at once.
    Besieged {
        /// The user, as the credentials said.
        user: Box<str>,
    },
    /// Somebody has tried to call, or to have called, what is forbidden.
    Fraud {
        /// The account that has proven to be the caller; else what the From says.
        user: Box<str>,
        /// Where it came from.
        source: SocketAddr,
        /// The method: a REFER sends somebody else there, and what was called may do so by a 3xx.
        method: Box<str>,
        /// The number, as it was dialled.
        number: Box<str>,
        /// True when the account makes no more calls that cost for a while.
        paused: bool,
        /// Its Call-ID: the call's record and ladder have it too.
        call_id: Box<str>,
    },
    /// Octets came that are no message.
    Unreadable {
        /// Where they came from.
        source: SocketAddr,
        /// What is wrong with them.
        reason: Box<str>,
    },
    /// What is kept for all nodes under an address of record is not what any node has written: it is passed over.
    Tampered {
        /// The address of record.
        aor: Box<str>,
    },
    /// A newer Offhook has written what is kept for all nodes under an address of record: it is left as it is.
    Newer {
        /// The address of record.
        aor: Box<str>,
    },
    /// Something that a phone tells the program around it.
    Phone(PhoneEvent),
}

/// A call of a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call(pub u32);

/// A request of a phone outside of calls that is answered once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Inquiry(pub u32);

/// Something that a phone watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Watch(pub u32);

/// What a phone tells the program around it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PhoneEvent {
    /// We are registered, for so many seconds.
    Registered {
        /// Seconds that the registrar granted.
        expires: u32,
    },
    /// We are not registered, and why.
    NotRegistered {
        /// The status, 408 when nobody answered, 503 when nobody could be reached.
        status: u16,
        /// Why, in words.
        reason: Box<str>,
    },
    /// One of several flows by which we are registered failed; the others stand, or are being asked for (RFC 5626).
    FlowFailed {
        /// Its number, from 1.
        flow: u8,
        /// The status.
        status: u16,
        /// Why, in words.
        reason: Box<str>,
    },
    /// Our registration is gone because we wanted it so.
    Unregistered,
    /// Somebody calls us.
    Incoming {
        /// The call.
        call: Call,
        /// Who, as the From says.
        from: Box<str>,
    },
    /// The other side is being called, or rings.
    Progress {
        /// The call.
        call: Call,
        /// The status: 100 to 199.
        status: u16,
    },
    /// The call is up.
    Established {
        /// The call.
        call: Call,
    },
    /// The other side put us on hold, or took us back.
    Held {
        /// The call.
        call: Call,
        /// True while we are on hold.
        held: bool,
    },
    /// Our own hold or resume was agreed to (or refused).
    HoldDone {
        /// The call.
        call: Call,
        /// True when a hold was asked for, false when it was a resume.
        hold: bool,
        /// The status of the answer.
        status: u16,
    },
    /// The other side pressed a key.
    Key {
        /// The call.
        call: Call,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        key: char,
    },
    /// Somebody has called, and was turned away: nobody is to be disturbed (480), or calls go elsewhere (302).
    TurnedAway {
        /// Who, as the From says.
        from: Box<str>,
        /// The status.
        status: u16,
    },
    /// A message or a ping of ours was answered, or was not (408, 503).
    Answered {
        /// Which.
        inquiry: Inquiry,
        /// The status.
        status: u16,
        /// Why, in words.
        reason: Box<str>,
        /// How long it took.
        took: Duration,
        /// What the answer says of who gave it: Server, Allow, Supported …
        rows: Box<[(Box<str>, Box<str>)]>,
    },
    /// Somebody sent us a text.
    Message {
        /// Who, as the From says.
        from: Box<str>,
        /// The text.
        text: Box<str>,
    },
    /// Something that we watch is told.
    Watched {
        /// What.
        watch: Watch,
        /// Which place tells: a question may reach many (RFC 4235 §3.9, RFC 3842 §3.9). The first is 0.
        place: u32,
        /// How that stands: `active`, `pending`, `terminated`.
        state: Box<str>,
        /// The type of the body: `application/pidf+xml`.
        kind: Box<str>,
        /// The body, as it came; it may be empty.
        body: Bytes,
    },
    /// Something is not watched, and why.
    NotWatched {
        /// What.
        watch: Watch,
        /// The status; 200 when we wanted it so.
        status: u16,
        /// Why, in words.
        reason: Box<str>,
        /// True when the phone tries again by itself.
        again: bool,
    },
    /// What we said of ourselves is known, for so many seconds.
    Published {
        /// Seconds.
        expires: u32,
    },
    /// What we said of ourselves is not known, and why.
    NotPublished {
        /// The status.
        status: u16,
        /// Why, in words.
        reason: Box<str>,
    },
    /// How a transfer that we asked for goes: 100 to 199, 200 when somebody there has picked up, else why it failed.
    Transfer {
        /// The call that is transferred.
        call: Call,
        /// The status.
        status: u16,
    },
    /// The other side asks us to call somebody else.
    Referred {
        /// The call in which it asks.
        call: Call,
        /// Whom.
        to: Box<str>,
    },
    /// There is one more call, and nobody was asked: somebody takes the place of a call or joins it (RFC 3891, 3911), or is called because
    /// the other side of one wants it and the account follows.
    Entered {
        /// The call.
        call: Call,
        /// The other side.
        with: Box<str>,
        /// The call whose other side wants us to call them; nothing, when it is they who call.
        wanted_in: Option<Call>,
    },
    /// A call goes on as another: with the same mouth and ear, and somebody else.
    GoesOn {
        /// The call that it was.
        call: Call,
        /// The call that it is now.
        new: Call,
    },
    /// Calls are joined, or are no more: who takes part now, in the order in which they came. Nobody: the conference is over.
    Conference {
        /// The calls.
        members: Box<[Call]>,
    },
    /// The other side of a call is the focus of a conference, whose members it tells as something watched; or is none any more.
    Focus {
        /// The call.
        call: Call,
        /// The address of the conference.
        conference: Option<Box<str>>,
    },
    /// How good the sound of a call was; said once, just before its end.
    Quality {
        /// The call.
        call: Call,
        /// What was counted.
        quality: Box<CallQuality>,
    },
    /// The call is over, or never came to be.
    Ended {
        /// The call.
        call: Call,
        /// The status: 200 for a hang-up, else why it failed.
        status: u16,
        /// Why, in words.
        reason: Box<str>,
    },
}
