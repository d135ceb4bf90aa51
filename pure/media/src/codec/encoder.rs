//! `Encoder`: frames of sound, one after the other, into octets.

use std::fmt;

use audio_codec::Encoder as _;
use audio_codec::g722::G722Encoder;
use ropus::{Application, Bitrate, Channels, InbandFec};

use super::{Codec, Opus};
use crate::clock::{FRAME, RATE};
use crate::g711::Law;
use crate::limits;
use crate::resample::Continuous;

/// One direction of one call: what it sends depends on what it sent before.
pub(crate) struct Encoder {
    codec: Codec,
    state: State,
}

enum State {
    /// G.711 at half our rate.
    Narrow(Continuous, Law),
    G722(Box<G722Encoder>),
    Opus(Box<ropus::Encoder>),
    /// A codec that could not be set up says nothing.
    Mute,
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Encoder").field(&self.codec).finish()
    }
}

impl Encoder {
    pub(crate) fn new(codec: Codec) -> Self {
        let halved = || Continuous::new(RATE, 8_000);
        let state = match codec {
            Codec::Pcmu => State::Narrow(halved(), Law::Mu),
            Codec::Pcma => State::Narrow(halved(), Law::A),
            Codec::G722 => State::G722(Box::default()),
            Codec::Opus(wishes) => {
                opus(wishes).map_or(State::Mute, |opus| State::Opus(Box::new(opus)))
            }
        };
        Self { codec, state }
    }

    pub(crate) const fn codec(&self) -> Codec {
        self.codec
    }

    /// Appends a frame, encoded; nothing, when it need not be sent.
    pub(crate) fn encode(&mut self, frame: &[i16; FRAME], out: &mut Vec<u8>) {
        match &mut self.state {
            State::Narrow(halved, law) => out.extend(law.encode(&halved.convert(frame))),
            State::G722(encoder) => out.extend(encoder.encode(frame)),
            State::Opus(encoder) => {
                let mut packet = [0; limits::OPUS_PACKET];
                let length = encoder.encode(frame, &mut packet).unwrap_or(0);
                // RFC 7587 §3.1.3: a packet of one octet says that nothing is to be said.
                if length > 1 {
                    out.extend(packet.iter().take(length));
                }
            }
            State::Mute => {}
        }
    }
}

/// For speech; against losses as far as the other side can read it.
fn opus(wishes: Opus) -> Option<ropus::Encoder> {
    let (fec, loss) = match wishes.forward_error_correction {
        true => (InbandFec::Enabled, EXPECTED_LOSS),
        false => (InbandFec::Disabled, 0),
    };
    ropus::Encoder::builder(RATE, Channels::Mono, Application::Voip)
        .bitrate(Bitrate::try_bits(BITS).ok()?)
        .complexity(COMPLEXITY)
        .inband_fec(fec)
        .packet_loss_perc(loss)
        .dtx(wishes.discontinuous)
        .build()
        .ok()
}

/// RFC 7587 §3.1.1 recommends 16 to 20 kbit/s for wideband speech; the packet that is told again takes the rest.
const BITS: u32 = 24_000;

/// Percent: with less, the encoder tells no packet again.
const EXPECTED_LOSS: u8 = 10;

/// Of ten: what half of the time buys, five brings nearly all.
const COMPLEXITY: u8 = 5;
