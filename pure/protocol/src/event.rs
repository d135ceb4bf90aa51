//! `Event`: what a machine reports, for people and programs to read; and what a phone tells the program around it.

use std::net::SocketAddr;
use std::time::Duration;

use sip::Bytes;

use crate::bans::{Ban, Source};
use crate::call_record::CallRecord;
use crate::quality::CallQuality;
use crate::transport::{Distrust, Transport};

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

impl Event {
    /// True for what happens with every call and every registration: mere news.
    pub const fn is_daily(&self) -> bool {
        matches!(
            self,
            Self::Registered { .. }
                | Self::Unregistered { .. }
                | Self::Challenged { .. }
                | Self::Unbanned { .. }
                | Self::Answered { .. }
                | Self::Ended { .. }
                | Self::HangsUp { .. }
                | Self::HungUp { .. }
        )
    }
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
