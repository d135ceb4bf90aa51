//! `Report`: what a stream has to say about itself.

use std::time::Duration;

use machine::Time;

use crate::quality::Quality;

/// What a stream has to say about itself, since its beginning.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// What we sent.
    pub sent: Sent,
    /// What we received.
    pub received: Received,
    /// The time there and back, as RTCP measures it (RFC 3550 §6.4.1).
    pub round_trip: Option<Duration>,
    /// How we hear the other side; nothing before its first packets.
    pub here: Option<Quality>,
    /// How the other side hears us, as its reports say; its losses are taken for random ones.
    pub there: Option<Quality>,
}

/// What we sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// RTP packets.
    pub packets: u64,
    /// Octets of payload.
    pub octets: u64,
    /// Compound RTCP packets.
    pub reports: u64,
}

/// What we received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// RTP packets that were of use.
    pub packets: u64,
    /// Octets of their payloads.
    pub octets: u64,
    /// Packets that never came, or too late, as far as their numbers tell.
    pub lost: u64,
    /// Lost packets that were heard all the same, since the next one told them again (Opus).
    pub recovered: u64,
    /// Packets that came too late to be played.
    pub late: u64,
    /// Packets that came before.
    pub duplicates: u64,
    /// Packets far from where their source is in its numbers or its time; or of a source that was not believed.
    pub stray: u64,
    /// Packets whose payload type is none that we agreed on.
    pub unknown: u64,
    /// Packets that came while we do not listen.
    pub unwanted: u64,
    /// Datagrams that are neither RTP nor RTCP, or not well-formed.
    pub unreadable: u64,
    /// Our own packets, come back.
    pub looped: u64,
    /// Compound RTCP packets.
    pub reports: u64,
    /// Sources that we have listened to; more than one when the other side changed its SSRC.
    pub sources: u32,
    /// Interarrival jitter.
    pub jitter: Duration,
    /// The delay that the jitter buffer adds.
    pub buffer: Duration,
    /// Frames played as they were sent.
    pub played: u64,
    /// Frames in which loss was concealed.
    pub concealed: u64,
    /// When the last packet came that was of use.
    pub last: Option<Time>,
    /// When the other side said BYE in RTCP; nothing once it sends again.
    pub left: Option<Time>,
}
