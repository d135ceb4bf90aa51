//! `Stream`: a flow of media that we want, and what we can do with it.

use std::net::SocketAddr;

use super::{Codec, Secrecy};
use crate::{Direction, Fingerprint, Ice};

/// A stream of ours, as we wish it. What becomes of it, offer and answer decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// `audio`, `video`…
    pub kind: Box<str>,
    /// Whether others may hear it on its way.
    pub secrecy: Secrecy,
    /// The certificate that we show in a handshake (RFC 5763); without one we take part in none.
    pub certificate: Option<Fingerprint>,
    /// Our addresses, for who looks for a way to them (RFC 8839); without them we do not look for one.
    pub ice: Option<Ice>,
    /// Whether an offer of ours asks for RTP and RTCP on one port (RFC 5761 §5.1.1). Whoever asks us gets it.
    pub mux: bool,
    /// Where we receive RTP.
    pub local: SocketAddr,
    /// The port on which we receive RTCP.
    pub rtcp: u16,
    /// What we speak, most wanted first.
    pub codecs: Vec<Codec>,
    /// The telephone events that we understand (RFC 4733 §2.4.1: `0-15` are the keys), offered at the clock rate of each codec.
    pub events: Option<Box<str>>,
    /// Comfort noise that we understand, at its own clock rate (RFC 3389 §5.1).
    pub noise: Option<Codec>,
    /// The extended reports that we ask for, as `a=rtcp-xr` lists them (RFC 3611 §5.1).
    pub extended: Option<Box<str>>,
    /// Whether we want to send, receive, or both.
    pub direction: Direction,
    /// Milliseconds of sound that we want in a packet.
    pub ptime: Option<u16>,
}

impl Stream {
    /// Sound both ways over RTP, with keys, 20 ms a packet, RTCP one port above.
    pub fn audio(local: SocketAddr, codecs: impl IntoIterator<Item = Codec>) -> Self {
        Self {
            kind: "audio".into(),
            secrecy: Secrecy::None,
            certificate: None,
            ice: None,
            mux: false,
            local,
            rtcp: local.port().saturating_add(1),
            codecs: codecs.into_iter().collect(),
            events: Some("0-15".into()),
            noise: None,
            extended: None,
            direction: Direction::SendRecv,
            ptime: Some(20),
        }
    }

    /// Pictures both ways over RTP, RTCP one port above.
    pub fn video(local: SocketAddr, codecs: impl IntoIterator<Item = Codec>) -> Self {
        let audio = Self::audio(local, codecs);
        Self { kind: "video".into(), events: None, ptime: None, ..audio }
    }
}

/// Names one of our streams within its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub(super) usize);
