//! SDES: who the sources are (RFC 3550 §6.5).

use crate::octets::Octets;
use crate::{Malformed, limits};

/// What is said of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// The source.
    pub ssrc: u32,
    /// What is said of it.
    pub items: Vec<Item<'a>>,
}

/// One thing said of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Which: see [`item`]. Never 0, which ends the list.
    pub kind: u8,
    /// UTF-8 by the rule, any octets in fact; at most 255.
    pub text: &'a [u8],
}

/// The kinds of item (RFC 3550 §12.2).
pub mod item {
    /// A name that stays with the participant over all its sources: the one item that everybody must send.
    pub const CNAME: u8 = 1;
    /// What people call the participant.
    pub const NAME: u8 = 2;
    /// An e-mail address.
    pub const EMAIL: u8 = 3;
    /// A telephone number.
    pub const PHONE: u8 = 4;
    /// A place.
    pub const LOC: u8 = 5;
    /// The application.
    pub const TOOL: u8 = 6;
    /// A passing remark.
    pub const NOTE: u8 = 7;
    /// A private extension.
    pub const PRIV: u8 = 8;
}

impl<'a> Chunk<'a> {
    pub(super) fn list(count: u8, octets: &mut Octets<'a>) -> Result<Vec<Self>, Malformed> {
        (0..count).map(|_| Self::read(octets).map_err(|_| Malformed::Sdes)).collect()
    }

    fn read(octets: &mut Octets<'a>) -> Result<Self, Malformed> {
        let ssrc = octets.u32()?;
        let start = octets.0.len();
        let mut items = Vec::new();
        loop {
            let kind = octets.u8()?;
            if kind == 0 {
                break;
            }
            let length = octets.u8()?;
            items.push(Item { kind, text: octets.take(usize::from(length))? });
        }
        // The list ends with one or more zeros, up to the next word.
        let read = start - octets.0.len();
        octets.take(read.next_multiple_of(4) - read)?;
        Ok(Self { ssrc, items })
    }

    pub(super) fn write_list(chunks: &[Self], out: &mut Vec<u8>) -> u8 {
        let chunks = chunks.get(..limits::COUNT).unwrap_or(chunks);
        chunks.iter().for_each(|chunk| chunk.write(out));
        chunks.len() as u8
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        let start = out.len();
        for item in self.items.iter().filter(|item| item.kind != 0) {
            let text = item.text.get(..limits::TEXT).unwrap_or(item.text);
            out.extend_from_slice(&[item.kind, text.len() as u8]);
            out.extend_from_slice(text);
        }
        let written = out.len() - start;
        out.resize(start + (written + 1).next_multiple_of(4), 0);
    }
}
