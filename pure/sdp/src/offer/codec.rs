//! `Codec`: something that we can send and receive, and how it is recognised (RFC 3264 §6.1).

use crate::RtpMap;

/// An encoding that we speak.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codec {
    /// Its name in `a=rtpmap`.
    pub name: Box<str>,
    /// Ticks a second of the RTP timestamp.
    pub clock_rate: u32,
    /// Channels, as `a=rtpmap` says them.
    pub channels: u8,
    /// What `a=fmtp` says about it.
    pub parameters: Parameters,
}

/// What the parameters of a format are to it (RFC 3264 §6.1: "The interpretation of fmtp parameters…").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Parameters {
    /// There are none, and those of the other side do not matter.
    #[default]
    None,
    /// Each side says its own (Opus). These are ours.
    Own(Box<str>),
    /// They are part of the format: both sides must say the same, in any order.
    Same(Box<str>),
}

impl Codec {
    /// An encoding with one channel and no parameters.
    pub fn new(name: &str, clock_rate: u32) -> Self {
        Self { name: name.into(), clock_rate, channels: 1, parameters: Parameters::None }
    }

    /// G.711 µ-law.
    pub fn pcmu() -> Self {
        Self::new("PCMU", 8_000)
    }

    /// G.711 A-law.
    pub fn pcma() -> Self {
        Self::new("PCMA", 8_000)
    }

    /// The same with so many channels.
    #[must_use]
    pub fn with_channels(self, channels: u8) -> Self {
        Self { channels, ..self }
    }

    /// The same with parameters.
    #[must_use]
    pub fn with_parameters(self, parameters: Parameters) -> Self {
        Self { parameters, ..self }
    }

    pub(super) fn fmtp(&self) -> Option<&str> {
        match &self.parameters {
            Parameters::None => None,
            Parameters::Own(text) | Parameters::Same(text) => Some(text),
        }
    }

    pub(super) fn rtpmap(&self, payload_type: u8) -> RtpMap {
        RtpMap {
            payload_type,
            name: self.name.clone(),
            clock_rate: self.clock_rate,
            channels: self.channels,
        }
    }

    /// Whether a format of the other side is this one.
    pub(super) fn is(&self, map: &RtpMap, fmtp: Option<&str>) -> bool {
        if !map.is_same_encoding(&self.name, self.clock_rate, self.channels) {
            return false;
        }
        match &self.parameters {
            Parameters::Same(ours) => parts(ours) == parts(fmtp.unwrap_or_default()),
            Parameters::None | Parameters::Own(_) => true,
        }
    }
}

fn parts(parameters: &str) -> Vec<String> {
    let mut parts: Vec<_> = parameters
        .split(';')
        .map(|part| part.trim().to_ascii_lowercase())
        .filter(|part| !part.is_empty())
        .collect();
    parts.sort_unstable();
    parts
}
