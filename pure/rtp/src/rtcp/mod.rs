//! RTCP: compound packets (RFC 3550 §6.1).

mod report;
mod sdes;
#[cfg(test)]
mod tests;
mod xr;

pub use report::{ReportBlock, SenderInfo};
pub use sdes::{Chunk, Item, item};
pub use xr::{Block, Dlrr, VoipMetrics};

use crate::octets::Octets;
use crate::packet::unpad;
use crate::{Malformed, limits};

/// One packet of a compound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rtcp<'a> {
    /// What a sender has sent and heard (RFC 3550 §6.4.1).
    SenderReport {
        /// The sender.
        ssrc: u32,
        /// What it has sent.
        info: SenderInfo,
        /// What it has heard, a block for each source; at most 31.
        reports: Vec<ReportBlock>,
        /// Profile-specific words.
        extension: &'a [u8],
    },
    /// What somebody who does not send has heard (RFC 3550 §6.4.2).
    ReceiverReport {
        /// The listener.
        ssrc: u32,
        /// What it has heard, a block for each source; at most 31.
        reports: Vec<ReportBlock>,
        /// Profile-specific words.
        extension: &'a [u8],
    },
    /// Who the sources are (RFC 3550 §6.5).
    Sdes(Vec<Chunk<'a>>),
    /// Sources that leave (RFC 3550 §6.6).
    Bye {
        /// Who leaves; at most 31.
        sources: Vec<u32>,
        /// Why, as text; may be empty.
        reason: &'a [u8],
    },
    /// Something of an application's own (RFC 3550 §6.7).
    App {
        /// 0 to 31.
        subtype: u8,
        /// The sender.
        ssrc: u32,
        /// Four ASCII characters.
        name: [u8; 4],
        /// Whole words.
        data: &'a [u8],
    },
    /// Extended reports (RFC 3611).
    Xr {
        /// The sender.
        ssrc: u32,
        /// The reports.
        blocks: Vec<Block<'a>>,
    },
    /// Any other type, such as feedback (RFC 4585), kept as it is.
    Other {
        /// The five bits beside the version: a count or a format.
        count: u8,
        /// The packet type.
        packet_type: u8,
        /// Everything after the first word: whole words.
        body: &'a [u8],
    },
}

const SR: u8 = 200;
const RR: u8 = 201;
const SDES: u8 = 202;
const BYE: u8 = 203;
const APP: u8 = 204;
const XR: u8 = 207;

/// Reads a compound packet (RFC 3550 appendix A.2). All of it must be well-formed, or none of it counts.
///
/// The first packet need not be a report: reduced-size RTCP (RFC 5506) is tolerated.
pub fn parse(datagram: &[u8]) -> Result<Vec<Rtcp<'_>>, Malformed> {
    let mut octets = Octets(datagram);
    let mut packets = Vec::new();
    loop {
        if packets.len() == limits::RTCP_PACKETS {
            return Err(Malformed::TooMany);
        }
        packets.push(Rtcp::read(&mut octets)?);
        if octets.is_empty() {
            return Ok(packets);
        }
    }
}

/// Writes packets one after the other: a compound packet.
pub fn write(packets: &[Rtcp<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for packet in packets {
        packet.write(&mut out);
    }
    out
}

impl<'a> Rtcp<'a> {
    fn read(octets: &mut Octets<'a>) -> Result<Self, Malformed> {
        let [first, packet_type] = octets.array()?;
        let words = octets.u16()?;
        if first >> 6 != 2 {
            return Err(Malformed::Version(first >> 6));
        }
        let mut body = octets.take(4 * usize::from(words)).map_err(|_| Malformed::Length)?;
        if first & 0x20 != 0 {
            // RFC 3550 §6.4.1: only the last packet may be padded, and by whole words.
            let (unpadded, count) = unpad(body)?;
            if !octets.is_empty() || count % 4 != 0 {
                return Err(Malformed::Padding);
            }
            body = unpadded;
        }
        Self::read_body(first & 0x1F, packet_type, Octets(body))
    }

    fn read_body(count: u8, packet_type: u8, mut body: Octets<'a>) -> Result<Self, Malformed> {
        Ok(match packet_type {
            SR => {
                let ssrc = body.u32()?;
                let info = SenderInfo::read(&mut body)?;
                Self::SenderReport {
                    ssrc,
                    info,
                    reports: ReportBlock::list(count, &mut body)?,
                    extension: body.0,
                }
            }
            RR => Self::ReceiverReport {
                ssrc: body.u32()?,
                reports: ReportBlock::list(count, &mut body)?,
                extension: body.0,
            },
            SDES => Self::Sdes(Chunk::list(count, &mut body)?),
            BYE => {
                let sources = (0..count).map(|_| body.u32()).collect::<Result<_, _>>()?;
                let length = if body.is_empty() { 0 } else { body.u8()? };
                Self::Bye { sources, reason: body.take(usize::from(length))? }
            }
            APP => {
                Self::App { subtype: count, ssrc: body.u32()?, name: body.array()?, data: body.0 }
            }
            XR => Self::Xr { ssrc: body.u32()?, blocks: Block::list(&mut body)? },
            _ => Self::Other { count, packet_type, body: body.0 },
        })
    }

    /// Appends the packet to `out`. What exceeds the format's counts is left out.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        let (count, packet_type) = self.write_body(out);
        // RFC 3550 §6.1: every packet ends on a word.
        out.resize(start + (out.len() - start).next_multiple_of(4), 0);
        let words = u16::try_from((out.len() - start) / 4 - 1).unwrap_or(u16::MAX);
        let [high, low] = words.to_be_bytes();
        if let Some(header) = out.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
            *header = [0x80 | count & 0x1F, packet_type, high, low];
        }
    }

    /// Appends what follows the first word; returns the count and the packet type that go there.
    fn write_body(&self, out: &mut Vec<u8>) -> (u8, u8) {
        match self {
            Self::SenderReport { ssrc, info, reports, extension } => {
                out.extend_from_slice(&ssrc.to_be_bytes());
                info.write(out);
                let count = ReportBlock::write_list(reports, out);
                out.extend_from_slice(extension);
                (count, SR)
            }
            Self::ReceiverReport { ssrc, reports, extension } => {
                out.extend_from_slice(&ssrc.to_be_bytes());
                let count = ReportBlock::write_list(reports, out);
                out.extend_from_slice(extension);
                (count, RR)
            }
            Self::Sdes(chunks) => (Chunk::write_list(chunks, out), SDES),
            Self::Bye { sources, reason } => {
                let sources = sources.get(..limits::COUNT).unwrap_or(sources);
                out.extend(sources.iter().flat_map(|source| source.to_be_bytes()));
                write_text(reason, out);
                (sources.len() as u8, BYE)
            }
            Self::App { subtype, ssrc, name, data } => {
                out.extend_from_slice(&ssrc.to_be_bytes());
                out.extend_from_slice(name);
                out.extend_from_slice(data);
                (*subtype, APP)
            }
            Self::Xr { ssrc, blocks } => {
                out.extend_from_slice(&ssrc.to_be_bytes());
                Block::write_list(blocks, out);
                (0, XR)
            }
            Self::Other { count, packet_type, body } => {
                out.extend_from_slice(body);
                (*count, *packet_type)
            }
        }
    }
}

/// A length octet and at most 255 octets of text; nothing for no text (RFC 3550 §6.6: the reason is optional).
fn write_text(text: &[u8], out: &mut Vec<u8>) {
    let text = text.get(..limits::TEXT).unwrap_or(text);
    if !text.is_empty() {
        out.push(text.len() as u8);
        out.extend_from_slice(text);
    }
}
