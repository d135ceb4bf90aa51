//! `Codec`: how sound becomes octets, and which payload type says so (RFC 3551 §6).

use crate::g711;

/// A codec that we speak: 8,000 samples a second, one channel, one octet a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
}

/// Every codec, its static payload type and its name in SDP.
const TABLE: [(Codec, u8, &str); 2] = [(Codec::Pcmu, 0, "PCMU"), (Codec::Pcma, 8, "PCMA")];

impl Codec {
    /// The codec that a static payload type means (RFC 3551 table 4).
    pub fn of(payload_type: u8) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == payload_type).map(|row| row.0)
    }

    /// The codec with this encoding name, in either case (RFC 8866 §6.6).
    pub fn named(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.2.eq_ignore_ascii_case(name)).map(|row| row.0)
    }

    /// Its static payload type.
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// Its encoding name in SDP.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// Appends the samples to `out`, encoded.
    pub fn encode(self, samples: &[i16], out: &mut Vec<u8>) {
        match self {
            Self::Pcmu => out.extend(samples.iter().map(|sample| g711::encode_mu(*sample))),
            Self::Pcma => out.extend(samples.iter().map(|sample| g711::encode_a(*sample))),
        }
    }

    /// The samples of a payload.
    pub fn decode(self, payload: &[u8]) -> Vec<i16> {
        match self {
            Self::Pcmu => payload.iter().map(|octet| g711::decode_mu(*octet)).collect(),
            Self::Pcma => payload.iter().map(|octet| g711::decode_a(*octet)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_those_of_the_rfc() {
        for (codec, payload_type, name) in TABLE {
            assert_eq!((codec.payload_type(), codec.name()), (payload_type, name));
            assert_eq!(Codec::of(payload_type), Some(codec));
            assert_eq!(Codec::named(&name.to_lowercase()), Some(codec));
        }
        assert_eq!((Codec::of(9), Codec::named("G722")), (None, None));
    }

    #[test]
    fn a_frame_survives_the_way_there_and_back() {
        let frame: Vec<i16> = (-80..80).map(|n| n * 300).collect();
        for codec in [Codec::Pcmu, Codec::Pcma] {
            let mut octets = Vec::new();
            codec.encode(&frame, &mut octets);
            assert_eq!(octets.len(), 160);
            for (sent, heard) in frame.iter().zip(codec.decode(&octets)) {
                assert!((sent - heard).abs() <= sent.abs() / 32 + 8, "{sent} {heard}");
            }
        }
    }
}
