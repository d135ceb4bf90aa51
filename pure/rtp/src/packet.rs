//! `Packet`: one RTP data packet (RFC 3550 §5.1).

use crate::octets::Octets;
use crate::{Malformed, limits};

/// An RTP packet; a view of the datagram it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Packet<'a> {
    /// The M bit: for audio, the first packet after silence (RFC 3551 §4.1).
    pub marker: bool,
    /// What the payload is: 0 to 127.
    pub payload_type: u8,
    /// Rises by one with each packet, and wraps.
    pub sequence: u16,
    /// When the first sample was taken, in units of the payload's clock rate; wraps.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
    /// Whom a mixer mixed in, in network byte order; at most 15.
    pub csrcs: &'a [[u8; 4]],
    /// The header extension, if any (RFC 3550 §5.3.1).
    pub extension: Option<Extension<'a>>,
    /// The media, without padding.
    pub payload: &'a [u8],
    /// Octets of padding after the payload, its count included; 0 for none.
    pub padding: u8,
}

/// A header extension (RFC 3550 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// "Defined by profile"; 0xBEDE and 0x100x are those of RFC 8285.
    pub profile: u16,
    /// A whole number of 32-bit words.
    pub data: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads a datagram (RFC 3550 appendix A.1: version, CSRC count, extension and padding must fit).
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Malformed> {
        let mut octets = Octets(datagram);
        let [first, second] = octets.array()?;
        if first >> 6 != 2 {
            return Err(Malformed::Version(first >> 6));
        }
        let sequence = octets.u16()?;
        let timestamp = octets.u32()?;
        let ssrc = octets.u32()?;
        let (csrcs, _) = octets.take(4 * usize::from(first & 0x0F))?.as_chunks();
        let extension = if first & 0x10 == 0 { None } else { Some(Extension::parse(&mut octets)?) };
        let (payload, padding) = if first & 0x20 == 0 { (octets.0, 0) } else { unpad(octets.0)? };
        let (marker, payload_type) = (second & 0x80 != 0, second & 0x7F);
        Ok(Self {
            marker,
            payload_type,
            sequence,
            timestamp,
            ssrc,
            csrcs,
            extension,
            payload,
            padding,
        })
    }

    /// Appends the packet to `out`. More than 15 CSRCs do not fit and are left out; an extension is filled up with zeros
    /// to whole words.
    pub fn write(&self, out: &mut Vec<u8>) {
        let csrcs = self.csrcs.get(..limits::CSRCS).unwrap_or(self.csrcs);
        let padded = if self.padding == 0 { 0 } else { 0x20 };
        let extended = if self.extension.is_none() { 0 } else { 0x10 };
        let marker = if self.marker { 0x80 } else { 0 };
        out.reserve(12 + 4 * csrcs.len() + self.payload.len());
        out.push(0x80 | padded | extended | csrcs.len() as u8);
        out.push(marker | self.payload_type & 0x7F);
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        out.extend_from_slice(csrcs.as_flattened());
        if let Some(extension) = &self.extension {
            extension.write(out);
        }
        out.extend_from_slice(self.payload);
        if let Some(zeros) = self.padding.checked_sub(1) {
            out.resize(out.len() + usize::from(zeros), 0);
            out.push(self.padding);
        }
    }
}

/// What can be read of a packet whose payload is hidden (RFC 3711 §3.1): its header is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Counts packets; wraps.
    pub sequence: u16,
    /// Who sends.
    pub ssrc: u32,
    /// Octets of the header, with CSRCs and extension.
    pub octets: usize,
}

impl Head {
    /// Reads the begin of a datagram.
    pub fn of(datagram: &[u8]) -> Result<Self, Malformed> {
        let mut octets = Octets(datagram);
        let [first, _] = octets.array()?;
        if first >> 6 != 2 {
            return Err(Malformed::Version(first >> 6));
        }
        let sequence = octets.u16()?;
        let [_, ssrc] = [octets.u32()?, octets.u32()?];
        octets.take(4 * usize::from(first & 0x0F))?;
        if first & 0x10 != 0 {
            Extension::parse(&mut octets)?;
        }
        Ok(Self { sequence, ssrc, octets: datagram.len() - octets.0.len() })
    }
}

impl<'a> Extension<'a> {
    fn parse(octets: &mut Octets<'a>) -> Result<Self, Malformed> {
        let profile = octets.u16()?;
        let words = octets.u16()?;
        Ok(Self { profile, data: octets.take(4 * usize::from(words))? })
    }

    fn write(&self, out: &mut Vec<u8>) {
        let words = u16::try_from(self.data.len().div_ceil(4)).unwrap_or(u16::MAX);
        let length = 4 * usize::from(words);
        let data = self.data.get(..length).unwrap_or(self.data);
        out.extend_from_slice(&self.profile.to_be_bytes());
        out.extend_from_slice(&words.to_be_bytes());
        out.extend_from_slice(data);
        out.resize(out.len() + length - data.len(), 0);
    }
}

/// Splits the padding off: its last octet counts it, itself included (RFC 3550 §5.1).
pub(crate) fn unpad(padded: &[u8]) -> Result<(&[u8], u8), Malformed> {
    let count = *padded.last().ok_or(Malformed::Padding)?;
    let kept = padded
        .len()
        .checked_sub(usize::from(count))
        .filter(|_| count != 0)
        .ok_or(Malformed::Padding)?;
    Ok((padded.get(..kept).unwrap_or_default(), count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_packet_is_read_field_by_field() {
        let octets = [
            0xB1, 0x88, 0x12, 0x34, 0, 0, 1, 0x40, 0xDE, 0xAD, 0xBE,
            0xEF, // header: P, X, one CSRC; M, PCMA
            0, 0, 0, 9, 0xBE, 0xDE, 0, 1, 1, 2, 3, 4, 0xD5, 0xD5, 0, 2,
        ];
        let packet = Packet::parse(&octets).unwrap();
        assert!(packet.marker);
        assert_eq!((packet.payload_type, packet.sequence, packet.timestamp), (8, 0x1234, 320));
        assert_eq!((packet.ssrc, packet.csrcs), (0xDEAD_BEEF, &[[0, 0, 0, 9]][..]));
        assert_eq!(packet.extension, Some(Extension { profile: 0xBEDE, data: &[1, 2, 3, 4] }));
        assert_eq!((packet.payload, packet.padding), (&[0xD5, 0xD5][..], 2));
    }

    #[test]
    fn the_head_of_a_packet_is_read_without_its_payload() {
        let octets = [
            0xB1, 0x88, 0x12, 0x34, 0, 0, 1, 0x40, 0xDE, 0xAD, 0xBE, 0xEF, 0, 0, 0, 9, 0xBE, 0xDE,
            0, 1, 1, 2, 3, 4, 0xD5, 0xFF,
        ];
        let head = Head { sequence: 0x1234, ssrc: 0xDEAD_BEEF, octets: 24 };
        assert_eq!(Head::of(&octets), Ok(head));
        assert_eq!(Head::of(&octets[..24]), Ok(head));
        (0..24).for_each(|end| assert_eq!(Head::of(&octets[..end]), Err(Malformed::Short)));
    }

    #[test]
    fn what_does_not_fit_is_malformed() {
        let good = [0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(Packet::parse(&good).is_ok());
        assert_eq!(Packet::parse(&good[..11]), Err(Malformed::Short));
        let with = |first| {
            let mut octets = good;
            octets[0] = first;
            octets
        };
        assert_eq!(Packet::parse(&with(0x40)), Err(Malformed::Version(1)));
        assert_eq!(Packet::parse(&with(0x81)), Err(Malformed::Short));
        assert_eq!(Packet::parse(&with(0x90)), Err(Malformed::Short));
        assert_eq!(Packet::parse(&with(0xA0)), Err(Malformed::Padding));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            (marker, payload_type, sequence, timestamp, ssrc) in (any::<bool>(), 0u8..128, any::<u16>(), any::<u32>(), any::<u32>()),
            csrcs in prop::collection::vec(any::<[u8; 4]>(), 0..=15),
            extension in prop::option::of((any::<u16>(), prop::collection::vec(any::<[u8; 4]>(), 0..5))),
            payload in prop::collection::vec(any::<u8>(), 0..400),
            padding in any::<u8>(),
        ) {
            let extension = extension.as_ref()
                .map(|(profile, data)| Extension { profile: *profile, data: data.as_flattened() });
            let packet = Packet {
                marker, payload_type, sequence, timestamp, ssrc, csrcs: &csrcs, extension, payload: &payload, padding,
            };
            let mut octets = Vec::new();
            packet.write(&mut octets);
            prop_assert_eq!(Packet::parse(&octets), Ok(packet));
        }

        #[test]
        fn what_is_read_writes_back(mut octets in prop::collection::vec(any::<u8>(), 12..80)) {
            octets[0] = 0x80 | octets[0] & 0x1F; // padding octets may be anything, so they need not come back
            if let Ok(packet) = Packet::parse(&octets) {
                let mut written = Vec::new();
                packet.write(&mut written);
                prop_assert_eq!(written, octets);
            }
        }
    }
}
