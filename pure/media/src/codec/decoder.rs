//! `Decoder`: payloads, in the order of their time, into sound.

use std::fmt;

use audio_codec::Decoder as _;
use audio_codec::g722::G722Decoder;
use ropus::opus::decoder::opus_packet_has_lbrr;
use ropus::{Channels, DecodeMode};

use super::Codec;
use crate::clock::RATE;
use crate::g711::Law;
use crate::limits;
use crate::resample::Continuous;

/// One direction of one call: what it hears depends on what it heard before.
pub(crate) struct Decoder {
    codec: Codec,
    state: State,
}

enum State {
    /// G.711 at half our rate.
    Narrow(Continuous, Law),
    G722(Box<G722Decoder>),
    Opus(Box<ropus::Decoder>),
    /// A codec that could not be set up hears nothing.
    Deaf,
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Decoder").field(&self.codec).finish()
    }
}

impl Decoder {
    pub(crate) fn new(codec: Codec) -> Self {
        let doubled = || Continuous::new(8_000, RATE);
        let state = match codec {
            Codec::Pcmu => State::Narrow(doubled(), Law::Mu),
            Codec::Pcma => State::Narrow(doubled(), Law::A),
            Codec::G722 => State::G722(Box::default()),
            Codec::Opus(_) => ropus::Decoder::new(RATE, Channels::Mono)
                .map_or(State::Deaf, |opus| State::Opus(Box::new(opus))),
        };
        Self { codec, state }
    }

    pub(crate) const fn codec(&self) -> Codec {
        self.codec
    }

    /// The samples of a payload; none, when it cannot be read.
    pub(crate) fn decode(&mut self, payload: &[u8]) -> Vec<i16> {
        match &mut self.state {
            State::Narrow(doubled, law) => doubled.convert(&law.decode(payload)),
            State::G722(decoder) => decoder.decode(payload),
            State::Opus(opus) => heard(opus, payload, (limits::OPUS_SAMPLES, DecodeMode::Normal)),
            State::Deaf => Vec::new(),
        }
    }

    /// What a lost packet of so many samples held, as the one after it tells (RFC 7587 §3.3); nothing, when it does not.
    pub(crate) fn recover(&mut self, next: &[u8], samples: usize) -> Option<Vec<i16>> {
        let State::Opus(opus) = &mut self.state else { return None };
        let octets = i32::try_from(next.len()).ok()?;
        if next.is_empty() || !opus_packet_has_lbrr(next, octets).is_ok_and(|tells| tells) {
            return None;
        }
        let most = samples.min(limits::OPUS_SAMPLES);
        Some(heard(opus, next, (most, DecodeMode::Fec))).filter(|told| !told.is_empty())
    }
}

fn heard(opus: &mut ropus::Decoder, payload: &[u8], (most, mode): (usize, DecodeMode)) -> Vec<i16> {
    // An empty one would be taken for a loss to conceal.
    if payload.is_empty() || most == 0 {
        return Vec::new();
    }
    let mut samples = vec![0; most];
    let length = opus.decode(payload, &mut samples, mode).unwrap_or(0);
    samples.truncate(length);
    samples
}
