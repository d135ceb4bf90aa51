//! `SenderInfo` and `ReportBlock`: what was sent, and how it was received (RFC 3550 §6.4).

use crate::octets::Octets;
use crate::{Malformed, Ntp, limits};

/// What a sender has sent so far (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SenderInfo {
    /// When this report was sent, by the wall clock.
    pub ntp: Ntp,
    /// The same moment in RTP timestamp units.
    pub timestamp: u32,
    /// RTP packets sent, modulo 2³².
    pub packets: u32,
    /// Payload octets sent (no headers, no padding), modulo 2³².
    pub octets: u32,
}

/// How one source is received (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ReportBlock {
    /// The source it is about.
    pub ssrc: u32,
    /// Share lost since the last report, in 256ths.
    pub fraction_lost: u8,
    /// Packets lost so far: 24 bits, negative when duplicates outnumber losses.
    pub lost: i32,
    /// Highest sequence number received, the number of wraps in its upper half.
    pub highest_sequence: u32,
    /// Interarrival jitter in timestamp units.
    pub jitter: u32,
    /// The middle 32 bits of the NTP time in the last sender report received; 0 for none.
    pub last_sr: u32,
    /// From that report's arrival to this one's departure, in 1/65536 s; 0 for none.
    pub delay_since_last_sr: u32,
}

impl SenderInfo {
    pub(super) fn read(octets: &mut Octets<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            ntp: Ntp(octets.u64()?),
            timestamp: octets.u32()?,
            packets: octets.u32()?,
            octets: octets.u32()?,
        })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.ntp.0.to_be_bytes());
        for word in [self.timestamp, self.packets, self.octets] {
            out.extend_from_slice(&word.to_be_bytes());
        }
    }
}

impl ReportBlock {
    /// The largest loss that fits into 24 bits (RFC 3550 appendix A.3: clamped, not wrapped).
    pub const MAX_LOST: i32 = 0x7F_FFFF;
    /// The smallest.
    pub const MIN_LOST: i32 = -0x80_0000;

    fn read(octets: &mut Octets<'_>) -> Result<Self, Malformed> {
        let ssrc = octets.u32()?;
        let [fraction_lost, high, middle, low] = octets.array()?;
        Ok(Self {
            ssrc,
            fraction_lost,
            lost: i32::from_be_bytes([high, middle, low, 0]) >> 8, // the shift carries the sign
            highest_sequence: octets.u32()?,
            jitter: octets.u32()?,
            last_sr: octets.u32()?,
            delay_since_last_sr: octets.u32()?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        let [_, high, middle, low] = self.lost.clamp(Self::MIN_LOST, Self::MAX_LOST).to_be_bytes();
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        out.extend_from_slice(&[self.fraction_lost, high, middle, low]);
        for word in [self.highest_sequence, self.jitter, self.last_sr, self.delay_since_last_sr] {
            out.extend_from_slice(&word.to_be_bytes());
        }
    }

    pub(super) fn list(count: u8, octets: &mut Octets<'_>) -> Result<Vec<Self>, Malformed> {
        (0..count).map(|_| Self::read(octets)).collect()
    }

    pub(super) fn write_list(blocks: &[Self], out: &mut Vec<u8>) -> u8 {
        let blocks = blocks.get(..limits::COUNT).unwrap_or(blocks);
        blocks.iter().for_each(|block| block.write(out));
        blocks.len() as u8
    }
}
