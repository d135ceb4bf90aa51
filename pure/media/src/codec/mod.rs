//! `Codec`: how sound becomes octets, and which payload type says so (RFC 3551 §6, RFC 7587).

mod decoder;
mod encoder;

pub(crate) use decoder::Decoder;
pub(crate) use encoder::Encoder;

use ropus::opus::decoder::opus_packet_get_nb_samples;

use crate::clock::RATE;

/// A codec that we speak, with one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// G.711 µ-law: 8,000 samples a second.
    Pcmu,
    /// G.711 A-law: 8,000 samples a second.
    Pcma,
    /// G.722: 16,000 samples a second, though its timestamps count 8,000 (RFC 3551 §4.5.2).
    G722,
    /// Opus: timestamps count 48,000 (RFC 7587 §4.1).
    Opus(Opus),
}

/// What the other side wants of the Opus that we send (RFC 7587 §6.1). Without a wish it is neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opus {
    /// `useinbandfec`: each packet tells roughly what was in the one before it.
    pub forward_error_correction: bool,
    /// `usedtx`: nothing is sent in silence.
    pub discontinuous: bool,
}

impl Opus {
    /// Reads the parameters of `a=fmtp`.
    pub fn of(parameters: &str) -> Self {
        let wants = |name: &str| {
            parameters.split(';').filter_map(|part| part.split_once('=')).any(|(known, value)| {
                known.trim().eq_ignore_ascii_case(name) && value.trim() == "1"
            })
        };
        Self { forward_error_correction: wants("useinbandfec"), discontinuous: wants("usedtx") }
    }
}

/// Every codec, its payload type (of those that are dynamic the usual), and its name in SDP.
const TABLE: [(Codec, u8, &str); 4] = [
    (Codec::Opus(Opus { forward_error_correction: false, discontinuous: false }), 111, "opus"),
    (Codec::G722, 9, "G722"),
    (Codec::Pcmu, 0, "PCMU"),
    (Codec::Pcma, 8, "PCMA"),
];

impl Codec {
    /// The codec that a static payload type means (RFC 3551 table 4).
    pub fn of(payload_type: u8) -> Option<Self> {
        let is_static = |row: &&(Self, u8, &str)| row.1 == payload_type && payload_type < 96;
        TABLE.iter().find(is_static).map(|row| row.0)
    }

    /// The codec with this encoding name, in either case (RFC 8866 §6.6).
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.2.eq_ignore_ascii_case(name)).map(|row| row.0)
    }

    fn row(self) -> Option<&'static (Self, u8, &'static str)> {
        TABLE.iter().find(|row| std::mem::discriminant(&row.0) == std::mem::discriminant(&self))
    }

    /// Its static payload type; 111 for Opus, as most have it.
    pub fn payload_type(self) -> u8 {
        self.row().map_or(0, |row| row.1)
    }

    /// Its encoding name in SDP.
    pub fn name(self) -> &'static str {
        self.row().map_or("", |row| row.2)
    }

    /// Ticks a second of its timestamps.
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => 8_000,
            Self::Opus(_) => 48_000,
        }
    }

    /// Channels, as SDP has to say them: Opus is always called stereo (RFC 7587 §7).
    pub const fn channels(self) -> u8 {
        if matches!(self, Self::Opus(_)) { 2 } else { 1 }
    }

    /// True for the codecs of the telephone network, which know no silence of their own.
    pub(crate) const fn is_narrow(self) -> bool {
        matches!(self, Self::Pcmu | Self::Pcma)
    }

    /// True when frames can follow each other in one packet as they are.
    pub(crate) const fn joins(self) -> bool {
        !matches!(self, Self::Opus(_))
    }

    /// How many samples a payload holds, at our rate; 0 for one that cannot be read.
    pub(crate) fn samples(self, payload: &[u8]) -> usize {
        match self {
            Self::Pcmu | Self::Pcma | Self::G722 => payload.len() * (RATE / 8_000) as usize,
            Self::Opus(_) => {
                let samples = opus_packet_get_nb_samples(payload, RATE.cast_signed());
                samples.ok().and_then(|samples| usize::try_from(samples).ok()).unwrap_or(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::FRAME;
    use crate::{Tone, detect, level};

    const WISHES: Opus = Opus { forward_error_correction: true, discontinuous: true };
    const ALL: [Codec; 4] = [Codec::Pcmu, Codec::Pcma, Codec::G722, Codec::Opus(WISHES)];

    #[test]
    fn names_and_numbers_are_those_of_the_rfc() {
        for (codec, payload_type, name) in TABLE {
            assert_eq!((codec.payload_type(), codec.name()), (payload_type, name));
            assert_eq!(Codec::named(&name.to_lowercase()), Some(codec));
        }
        assert_eq!(Codec::of(9), Some(Codec::G722));
        assert_eq!((Codec::of(111), Codec::named("G729")), (None, None));
    }

    #[test]
    fn the_wishes_of_opus_are_read_from_its_parameters() {
        assert_eq!(Opus::of("maxplaybackrate=16000; useinbandfec=1;usedtx=1"), WISHES);
        assert_eq!(Opus::of("useinbandfec=0;stereo=1;sprop-usedtx=1"), Opus::default());
    }

    /// The next frame of a tone.
    fn encoded(encoder: &mut Encoder, tone: &mut Tone) -> Vec<u8> {
        let (mut frame, mut octets) = ([0; FRAME], Vec::new());
        crate::Audio::speak(tone, &mut frame);
        encoder.encode(&frame, &mut octets);
        octets
    }

    /// A second of a tone, frame by frame.
    fn second(codec: Codec, hz: f64) -> Vec<Vec<u8>> {
        let (mut encoder, mut tone) = (Encoder::new(codec), Tone::sine(hz));
        (0..50).map(|_| encoded(&mut encoder, &mut tone)).collect()
    }

    #[test]
    fn a_tone_survives_the_way_there_and_back() {
        for codec in ALL {
            let mut decoder = Decoder::new(codec);
            let mut heard = Vec::new();
            for payload in second(codec, 1000.0) {
                assert_eq!(codec.samples(&payload), FRAME, "{codec:?}");
                heard.extend(decoder.decode(&payload));
            }
            assert_eq!(heard.len(), 50 * FRAME, "{codec:?}");
            let found = detect::tone(&heard, 1000.0);
            assert!(found.lasted >= Duration::from_millis(960), "{codec:?} {found:?}");
            assert!((found.level + 10.0).abs() < 1.5 && found.share > 0.9, "{codec:?} {found:?}");
        }
    }

    /// What a telephone never had: 6 kHz.
    #[test]
    fn wide_codecs_carry_what_narrow_ones_do_not() {
        for (codec, carries) in
            [(Codec::Pcma, false), (Codec::G722, true), (Codec::Opus(WISHES), true)]
        {
            let mut decoder = Decoder::new(codec);
            let heard: Vec<i16> =
                second(codec, 6000.0).iter().flat_map(|octets| decoder.decode(octets)).collect();
            let level = detect::level_of(&heard[FRAME * 10..], 6000.0);
            assert_eq!(level > -20.0, carries, "{codec:?} {level}");
            assert!(carries || level < -50.0, "{level}: nor anything that looks like it");
        }
    }

    /// RFC 7587 §3.3: a packet says roughly what was in the one before it.
    #[test]
    fn a_lost_packet_of_opus_is_told_by_the_next() {
        let codec = Codec::Opus(WISHES);
        // A voice, as far as the encoder can tell: it repeats nothing else.
        let harmonics: Vec<f64> = (1..=8).map(|n| 125.0 * f64::from(n)).collect();
        let on_off = (Duration::from_millis(240), Duration::from_millis(120));
        let mut voice = Tone::chord(&harmonics, -20.0).cadence(&[on_off]);
        let mut encoder = Encoder::new(codec);
        let packets: Vec<Vec<u8>> = (0..100).map(|_| encoded(&mut encoder, &mut voice)).collect();
        let (mut whole, mut decoder) = (Decoder::new(codec), Decoder::new(codec));
        let mut alike = 0;
        for pair in packets.windows(2) {
            let said = whole.decode(&pair[0]);
            let told = decoder.recover(&pair[1], FRAME).unwrap_or_default();
            decoder.decode(&pair[0]);
            let lost = level::of(&said);
            // The second telling is a rough one.
            alike += usize::from(lost > -15.0 && (level::of(&told) - lost).abs() < 8.0);
        }
        assert!(alike > 50, "{alike}");
        assert_eq!(decoder.recover(&packets[31], 0), None);
        assert_eq!(Decoder::new(Codec::Pcma).recover(&[0; 160], FRAME), None);
    }

    #[test]
    fn opus_says_nothing_in_silence_when_the_other_side_wants_that() {
        let sent = |wishes: Opus| {
            let mut encoder = Encoder::new(Codec::Opus(wishes));
            let octets = |_| {
                let mut octets = Vec::new();
                encoder.encode(&[0; FRAME], &mut octets);
                octets.len()
            };
            (0..100).map(octets).filter(|octets| *octets > 0).count()
        };
        assert_eq!(sent(Opus::default()), 100);
        assert!(sent(WISHES) < 40, "{}", sent(WISHES));
    }

    #[test]
    fn octets_that_are_no_sound_are_silence_or_noise_but_no_panic() {
        let mut dice = machine::Dice::new(1);
        for codec in ALL {
            let mut decoder = Decoder::new(codec);
            for length in (0..3_000).map(|n| n % 300) {
                let payload: Vec<u8> = (0..length).map(|_| dice.roll() as u8).collect();
                codec.samples(&payload);
                let heard = decoder.decode(&payload);
                assert!(heard.len() <= crate::limits::PACKET_SAMPLES.max(2 * length), "{codec:?}");
                decoder.recover(&payload, FRAME);
            }
        }
    }

    /// Packets that were good, with a few octets changed and the end cut off: what fuzzers find first.
    #[test]
    fn packets_of_opus_that_were_garbled_on_purpose_do_no_harm() {
        let (codec, mut dice) = (Codec::Opus(WISHES), machine::Dice::new(77));
        let (mut encoder, mut voice) = (Encoder::new(codec), Tone::chord(&[125.0, 250.0], -20.0));
        let said = (0..50).map(|_| encoded(&mut encoder, &mut voice));
        let good: Vec<Vec<u8>> = said.filter(|payload| !payload.is_empty()).collect();
        let mut decoder = Decoder::new(codec);
        for nth in 0..20_000 {
            let mut payload = good[nth % good.len()].clone();
            for _ in 0..dice.below(6) {
                let at = dice.below(payload.len() as u64) as usize;
                payload[at] = dice.roll() as u8;
            }
            if dice.chance(30) {
                payload.truncate(dice.below(payload.len() as u64) as usize);
            }
            codec.samples(&payload);
            decoder.recover(&payload, FRAME);
            assert!(decoder.decode(&payload).len() <= crate::limits::OPUS_SAMPLES);
        }
    }
}
