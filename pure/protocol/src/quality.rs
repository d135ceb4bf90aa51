//! `CallQuality`: how good the sound of a call was, as the phone that had it says.

use std::time::Duration;

/// How good the sound of a call was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallQuality {
    /// The codec that we spoke last, as SDP names it.
    pub codec: &'static str,
    /// The suite of SRTP; nothing, when anybody on the way could hear the call.
    pub srtp: Option<&'static str>,
    /// Packets that SRTP did not let in: forged, garbled, or come again (RFC 3711 §3.3).
    pub refused: u64,
    /// RTP packets that we sent.
    pub sent: u64,
    /// RTP packets of theirs that were of use.
    pub received: u64,
    /// Packets of theirs that never came, or too late.
    pub lost: u64,
    /// Those of them that came too late.
    pub late: u64,
    /// Frames of 20 ms in which loss was concealed.
    pub concealed: u64,
    /// The time there and back.
    pub round_trip: Option<Duration>,
    /// How we heard them; nothing when nothing came.
    pub here: Option<Grade>,
    /// How they heard us, as their RTCP says; nothing when it said nothing.
    pub there: Option<Grade>,
}

/// How good one direction was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grade {
    /// Packets lost, in a thousand.
    pub loss: u16,
    /// Interarrival jitter (RFC 3550 §6.4.1).
    pub jitter: Duration,
    /// Mean opinion score in hundredths: 441 is as good as G.711 gets, below 310 hardly anybody is content.
    pub mos: u16,
}
