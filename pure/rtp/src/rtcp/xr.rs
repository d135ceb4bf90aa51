//! XR: extended reports (RFC 3611).

use crate::octets::Octets;
use crate::{Malformed, Ntp, limits};

/// One report block (RFC 3611 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block<'a> {
    /// When a listener, who sends no SR, sent this (RFC 3611 §4.4).
    ReceiverReferenceTime(Ntp),
    /// The answers to those: what a listener needs for its round-trip time (RFC 3611 §4.5).
    Dlrr(Vec<Dlrr>),
    /// How good a voice call is (RFC 3611 §4.7).
    VoipMetrics(VoipMetrics),
    /// Any other block, kept as it is.
    Other {
        /// The block type.
        kind: u8,
        /// The octet beside the type.
        specific: u8,
        /// Whole words.
        body: &'a [u8],
    },
}

/// Delay since the last reference time of one listener (RFC 3611 §4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Dlrr {
    /// The listener.
    pub ssrc: u32,
    /// The middle 32 bits of its reference time; 0 for none.
    pub last_rr: u32,
    /// Since that arrived, in 1/65536 s; 0 for none.
    pub delay: u32,
}

/// How good a voice call is (RFC 3611 §4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VoipMetrics {
    /// The source it is about.
    pub ssrc: u32,
    /// Share lost since the start, in 256ths.
    pub loss_rate: u8,
    /// Share thrown away by the jitter buffer since the start, in 256ths.
    pub discard_rate: u8,
    /// Share lost or thrown away within bursts, in 256ths.
    pub burst_density: u8,
    /// Share lost or thrown away between bursts, in 256ths.
    pub gap_density: u8,
    /// Mean length of a burst, in ms.
    pub burst_duration: u16,
    /// Mean length of a gap, in ms.
    pub gap_duration: u16,
    /// Last measured round trip, in ms; 0 if unknown.
    pub round_trip: u16,
    /// Last estimated delay within this end, in ms.
    pub end_system_delay: u16,
    /// Voice level in dBm0; 127 unknown.
    pub signal_level: i8,
    /// Noise level in dBm0; 127 unknown.
    pub noise_level: i8,
    /// Residual echo return loss in dB; 127 unknown.
    pub rerl: u8,
    /// The gap threshold; 16 is recommended.
    pub gmin: u8,
    /// R factor of this segment, 0 to 100; 127 unknown.
    pub r_factor: u8,
    /// R factor of a segment outside; 127 unknown.
    pub external_r_factor: u8,
    /// Listening MOS times ten, 10 to 50; 127 unknown.
    pub mos_lq: u8,
    /// Conversational MOS times ten, 10 to 50; 127 unknown.
    pub mos_cq: u8,
    /// Concealment (2 bits), adaptive buffer (2 bits), buffer rate (4 bits).
    pub rx_config: u8,
    /// Nominal jitter buffer delay, in ms.
    pub buffer_nominal: u16,
    /// Its present maximum, in ms.
    pub buffer_maximum: u16,
    /// Its absolute maximum, in ms.
    pub buffer_absolute: u16,
}

const RRT: u8 = 4;
const DLRR: u8 = 5;
const VOIP: u8 = 7;

impl<'a> Block<'a> {
    pub(super) fn list(octets: &mut Octets<'a>) -> Result<Vec<Self>, Malformed> {
        let mut blocks = Vec::new();
        while !octets.is_empty() {
            if blocks.len() == limits::XR_BLOCKS {
                return Err(Malformed::TooMany);
            }
            blocks.push(Self::read(octets)?);
        }
        Ok(blocks)
    }

    fn read(octets: &mut Octets<'a>) -> Result<Self, Malformed> {
        let [kind, specific] = octets.array()?;
        let length = 4 * usize::from(octets.u16()?);
        let mut body = Octets(octets.take(length).map_err(|_| Malformed::Block(kind))?);
        Ok(match (kind, length) {
            (RRT, 8) => Self::ReceiverReferenceTime(Ntp(body.u64()?)),
            (DLRR, _) if length.is_multiple_of(12) => Self::Dlrr(Dlrr::list(&mut body)?),
            (VOIP, 32) => Self::VoipMetrics(VoipMetrics::read(&mut body)?),
            (RRT | DLRR | VOIP, _) => return Err(Malformed::Block(kind)),
            _ => Self::Other { kind, specific, body: body.0 },
        })
    }

    pub(super) fn write_list(blocks: &[Self], out: &mut Vec<u8>) {
        for block in blocks.iter().take(limits::XR_BLOCKS) {
            block.write(out);
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        let (kind, specific) = match self {
            Self::ReceiverReferenceTime(time) => {
                out.extend_from_slice(&time.0.to_be_bytes());
                (RRT, 0)
            }
            Self::Dlrr(answers) => {
                let words =
                    answers.iter().flat_map(|answer| [answer.ssrc, answer.last_rr, answer.delay]);
                out.extend(words.flat_map(u32::to_be_bytes));
                (DLRR, 0)
            }
            Self::VoipMetrics(metrics) => {
                metrics.write(out);
                (VOIP, 0)
            }
            Self::Other { kind, specific, body } => {
                out.extend_from_slice(body);
                (*kind, *specific)
            }
        };
        out.resize(start + (out.len() - start).next_multiple_of(4), 0);
        let [high, low] =
            u16::try_from((out.len() - start) / 4 - 1).unwrap_or(u16::MAX).to_be_bytes();
        if let Some(header) = out.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
            *header = [kind, specific, high, low];
        }
    }
}

impl Dlrr {
    fn list(octets: &mut Octets<'_>) -> Result<Vec<Self>, Malformed> {
        let mut answers = Vec::new();
        while !octets.is_empty() {
            answers.push(Self {
                ssrc: octets.u32()?,
                last_rr: octets.u32()?,
                delay: octets.u32()?,
            });
        }
        Ok(answers)
    }
}

impl VoipMetrics {
    fn read(octets: &mut Octets<'_>) -> Result<Self, Malformed> {
        let ssrc = octets.u32()?;
        let [loss_rate, discard_rate, burst_density, gap_density] = octets.array()?;
        let (burst_duration, gap_duration) = (octets.u16()?, octets.u16()?);
        let (round_trip, end_system_delay) = (octets.u16()?, octets.u16()?);
        let [signal, noise, rerl, gmin] = octets.array()?;
        let [r_factor, external_r_factor, mos_lq, mos_cq] = octets.array()?;
        let [rx_config, _reserved] = octets.array()?;
        Ok(Self {
            ssrc,
            loss_rate,
            discard_rate,
            burst_density,
            gap_density,
            burst_duration,
            gap_duration,
            round_trip,
            end_system_delay,
            signal_level: signal.cast_signed(),
            noise_level: noise.cast_signed(),
            rerl,
            gmin,
            r_factor,
            external_r_factor,
            mos_lq,
            mos_cq,
            rx_config,
            buffer_nominal: octets.u16()?,
            buffer_maximum: octets.u16()?,
            buffer_absolute: octets.u16()?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        out.extend_from_slice(&[
            self.loss_rate,
            self.discard_rate,
            self.burst_density,
            self.gap_density,
        ]);
        for half in [self.burst_duration, self.gap_duration, self.round_trip, self.end_system_delay]
        {
            out.extend_from_slice(&half.to_be_bytes());
        }
        let (signal, noise) = (self.signal_level.cast_unsigned(), self.noise_level.cast_unsigned());
        out.extend_from_slice(&[signal, noise, self.rerl, self.gmin]);
        out.extend_from_slice(&[self.r_factor, self.external_r_factor, self.mos_lq, self.mos_cq]);
        out.extend_from_slice(&[self.rx_config, 0]);
        for half in [self.buffer_nominal, self.buffer_maximum, self.buffer_absolute] {
            out.extend_from_slice(&half.to_be_bytes());
        }
    }
}
