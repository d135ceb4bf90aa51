//! `Agreement`: what both sides agreed on in SDP, as plain numbers.

use crate::{Codec, KeySet, Minimum, limits};

/// What both sides agreed on. Each side's payload types are its own: we send by theirs and receive by ours (RFC 3264 §5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// What to send, and the payload type that says so.
    pub send: (u8, Codec),
    /// What may come, by payload type.
    pub receive: Vec<(u8, Codec)>,
    /// The payload type of telephone-event that the other side reads, and which keys it takes so. All others are sent as
    /// tones.
    pub send_keys: Option<(u8, KeySet)>,
    /// The payload type of telephone-event that may come.
    pub receive_keys: Option<u8>,
    /// The payload type of comfort noise that the other side reads: then silence is told, and not sent (RFC 3389).
    pub send_noise: Option<u8>,
    /// The payload type of comfort noise that may come.
    pub receive_noise: Option<u8>,
    /// What the other side wants reported beside the reports of RFC 3550.
    pub extended: Extended,
    /// Who speaks to whom.
    pub direction: Direction,
    /// Milliseconds of sound in a packet that we send, as the other side's `ptime` asks (RFC 8866 §6.4); rounded to frames
    /// of 20, at least one and at most ten.
    pub ptime: u8,
    /// How often to report.
    pub minimum: Minimum,
}

/// What is reported in extended reports (RFC 3611).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Extended {
    /// Nothing.
    #[default]
    None,
    /// How good the call is (RFC 3611 §4.7).
    VoipMetrics,
}

/// Who may send, seen from our side (RFC 8866 §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Direction {
    /// Both.
    #[default]
    SendRecv,
    /// Only we.
    SendOnly,
    /// Only the other side.
    RecvOnly,
    /// Nobody.
    Inactive,
}

impl Direction {
    /// True when we may send.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// True when we listen.
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }
}

impl Agreement {
    /// One codec both ways under its static payload type, and keys under the payload type `keys`: what most calls agree on.
    pub fn plain(codec: Codec, keys: Option<u8>) -> Self {
        Self {
            send: (codec.payload_type(), codec),
            receive: vec![(codec.payload_type(), codec)],
            send_keys: keys.map(|kind| (kind, KeySet::default())),
            receive_keys: keys,
            send_noise: None,
            receive_noise: None,
            extended: Extended::None,
            direction: Direction::SendRecv,
            ptime: 20,
            minimum: Minimum::Fixed,
        }
    }

    /// What a packet of this payload type holds.
    pub(super) fn content(&self, payload_type: u8) -> Content {
        if !self.direction.receives() {
            return Content::Unwanted;
        }
        let mut known = self.receive.iter().take(limits::PAYLOAD_TYPES);
        match known.find(|(number, _)| *number == payload_type) {
            Some((_, codec)) => Content::Sound(*codec),
            None if self.receive_keys == Some(payload_type) => Content::Keys,
            None if self.receive_noise == Some(payload_type) => Content::Noise,
            None => Content::Unknown,
        }
    }

    /// Frames in a packet that we send.
    pub(super) fn frames(&self) -> usize {
        usize::from(self.ptime).div_ceil(20).clamp(1, limits::FRAMES_SENT)
    }
}

/// What a packet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Sound(Codec),
    Keys,
    Noise,
    Unknown,
    /// We do not listen.
    Unwanted,
}
