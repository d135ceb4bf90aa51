//! How much of everything a phone has, and why.

use std::time::Duration;

/// Calls at once, those that are being hung up included. A person has two or three; a load test some hundreds.
pub const CALLS: usize = 1024;

/// Seconds that we ask to be registered for.
pub const EXPIRES: u32 = 3600;

/// The longest registration that a registrar may demand of us with a 423: a week. More is a mistake, or a trap.
pub const LONGEST_EXPIRES: u32 = 604_800;

/// The pause after the first failed registration; it doubles with each further one (RFC 5626 §4.5).
pub const RETRY_FIRST: Duration = Duration::from_secs(30);

/// The same where another flow stands (RFC 5626 §4.5).
pub const RETRY_FIRST_SPARE: Duration = Duration::from_secs(90);

/// How long the answer to a sign of life over a stream may take (RFC 5626 §4.4.1).
pub const PONG: Duration = Duration::from_secs(10);

/// The first pause between repeats of a sign of life by STUN, and how often it is sent (RFC 8489 §6.2.1, RFC 5626 §4.4.2).
pub const STUN_AGAIN: Duration = Duration::from_millis(500);
/// See [`STUN_AGAIN`].
pub const STUN_SENT: u8 = 7;
/// How many times the first pause is waited after the last.
pub const STUN_LAST: u32 = 16;

/// How soon a call says again where we are now, when there was no way to say it.
pub const MOVE_AGAIN: Duration = Duration::from_secs(2);

/// Ways that are kept open at once: RFC 5626 §4.2.1 asks for up to four.
pub const FLOWS: usize = 4;

/// The longest pause between registrations that fail (RFC 5626 §4.5).
pub const RETRY_LAST: Duration = Duration::from_secs(1800);

/// How soon we register again after our connection broke, at most: all phones of a server that restarts notice at once, and share
/// this time.
pub const RECONNECT: Duration = Duration::from_secs(5);

/// How fast registrations follow each other, at most: a registrar that grants no time, or wants us back after none, is not asked all the time.
pub const REGISTER_PACE: Duration = Duration::from_secs(1);

/// How long nothing is said over datagrams while we are registered: routers at home forget who is silent for 30 seconds
/// (RFC 4787 §4.3 asks for two minutes; RFC 5626 §4.4.2 for 24 to 29 seconds).
pub const SILENCE: (Duration, Duration) = (Duration::from_secs(24), Duration::from_secs(29));

/// The same over streams (RFC 5626 §4.4.1).
pub const STREAM_SILENCE: (Duration, Duration) =
    (Duration::from_secs(95), Duration::from_secs(120));

/// How long a call may ring before we say 480. People let it ring for a minute; the proxies' timer C is three (RFC 3261 §16.6).
pub const RINGING: Duration = Duration::from_secs(175);

/// How often a ringing phone says so again, so that no proxy gives up (RFC 3261 §13.3.1.1).
pub const RING_AGAIN: Duration = Duration::from_secs(60);

/// The same where the responses are reliable (RFC 3262 §3).
pub const RING_AGAIN_RELIABLY: Duration = Duration::from_secs(150);

/// Forks of a call of ours whose early answers are kept. One is heard; the others wait for somebody to pick up there.
pub const EARLY: usize = 8;

/// How long we wait for a name to be looked up.
pub const RESOLVING: Duration = Duration::from_secs(15);

/// Names whose addresses we remember, and peers that do not speak TCP. A phone talks to a few servers.
pub const NAMES: usize = 64;

/// How long an address that was looked up is believed. The answer does not say; a minute is what dynamic names use.
pub const BELIEVED: Duration = Duration::from_secs(60);

/// Requests that wait for a name: one for each call, and the registration.
pub const WAITING: usize = CALLS + 8;

/// New requests that are remembered, to know them again when they come by another path (RFC 3261 §8.2.2.2).
pub const SEEN: usize = 1024;

/// Octets of a body that we look at. A session description of a phone has a few hundred.
pub const BODY: usize = 16_384;

/// Addresses tried one after another when calls are redirected (RFC 3261 §8.1.3.4).
pub const REDIRECTIONS: usize = 10;

/// Transfers of one call that are under way: one, and more by mistake.
pub const TRANSFERS: usize = 4;

/// How long a transfer may take until somebody has picked up, or not: longer than a proxy lets a call ring (RFC 3515 §3.4, RFC 3261 §16.6).
pub const REFERRAL: Duration = Duration::from_secs(240);

/// How long we wait to be told how a transfer of ours went: a little longer.
pub const TRANSFER: Duration = Duration::from_secs(300);

/// Calls in a conference of ours. Each costs a sum and a codec every 20 ms; people lose track of who speaks long before.
pub const CONFERENCE: usize = 16;

/// How long a busy tone is heard after a call.
pub const FAREWELL: Duration = Duration::from_secs(4);

/// How fast news of a transfer follow each other, at most (RFC 3515 §3.10).
pub const REFERRAL_PACE: Duration = Duration::from_secs(1);

/// Calls that the history keeps.
pub const HISTORY: usize = 256;

/// Audio of ended calls that nobody has taken back yet.
pub const ENDED: usize = 64;

/// Packets in a row from one address that is not the announced one, before we believe that the other side is behind a NAT.
pub const STRANGERS: u8 = 3;

/// How long the address that is heard must be silent, before the same stream is believed to come from another: a few packets were lost, or a NAT
/// on the way uses another port.
pub const FALLEN_SILENT: Duration = Duration::from_millis(300);

/// How many packets such a stream may have gone on by meanwhile: a minute.
pub const AHEAD: u16 = 3000;

/// How long after an answer such an address may still be learned.
pub const LATCHING: Duration = Duration::from_secs(10);

/// Elements within each other, elements, and attributes of one, of an XML body. Documents of event packages are flat; a busy conference has some
/// hundred members.
pub const XML_DEPTH: usize = 16;
/// See [`XML_DEPTH`].
pub const XML_ELEMENTS: usize = 2048;
/// See [`XML_DEPTH`].
pub const XML_ATTRIBUTES: usize = 32;

/// Lines of a message summary that are looked at: a few kinds of messages, and the headers of some new ones (RFC 3842 §3.5).
pub const SUMMARY_LINES: usize = 200;

/// Requests outside of calls that wait for their answer: messages, pings.
pub const INQUIRIES: usize = 64;

/// Connections that are remembered because a request was too long for a datagram: to the server, and to some whom we have called directly.
pub(crate) const DETOURS: usize = 8;

/// Things that are watched at once: the keys of a large telephone.
pub const WATCHES: usize = 128;

/// Places that one question is heard from: the phones and the mailboxes of one person.
pub const PLACES: usize = 8;

/// The shortest time for which we can be watched: a conference lasts longer.
pub const SHORTEST_WATCH: Duration = Duration::from_secs(10);

/// How fast news of us follow each other, at most (RFC 4575 §4.9, RFC 4235 §3.9: a second).
pub const AUDIENCE_PACE: Duration = Duration::from_secs(1);

/// The pause before something is watched anew that its notifier has ended and wants to go on with (RFC 6665 §4.1.3): at once, but not in circles.
pub const WATCH_AGAIN: Duration = Duration::from_secs(1);

/// The largest MESSAGE, in octets: more would not be fit for every network (RFC 3428 §8).
pub const MESSAGE: usize = 1300;
