//! WAV files that hold G.711, as telephone systems keep their announcements: hound does not read these.

use media::g711::Law;

/// What a file holds: its samples, those of all channels in turn.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sound {
    pub(super) channels: u16,
    pub(super) rate: u32,
    pub(super) samples: Vec<i16>,
}

/// Format tags of A-law and µ-law (RFC 2361 appendix A).
const A_LAW: u16 = 6;
const MU_LAW: u16 = 7;

/// Reads the octets of a file; `None` when they are no WAV with G.711. Of a file that is cut off, what is there.
pub(super) fn read(octets: &[u8]) -> Option<Sound> {
    let mut rest = octets.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WAVE")?;
    let mut format = None;
    loop {
        let (head, body) = rest.split_first_chunk::<8>()?;
        let (name, length) = head.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
        let content = body.get(..length).unwrap_or(body);
        match name {
            b"fmt " => format = Some(kind(content)?),
            b"data" => {
                let (law, channels, rate) = format?;
                return Some(Sound { channels, rate, samples: law.decode(content) });
            }
            _ => {}
        }
        // A chunk of odd length is followed by an octet that does not count.
        rest = body.get(length.checked_next_multiple_of(2)?..)?;
    }
}

fn kind(format: &[u8]) -> Option<(Law, u16, u32)> {
    let ([tag_low, tag_high, low, high], rest) = format.split_first_chunk()?;
    let law = match u16::from_le_bytes([*tag_low, *tag_high]) {
        A_LAW => Law::A,
        MU_LAW => Law::Mu,
        _ => return None,
    };
    let rate = u32::from_le_bytes(*rest.first_chunk()?);
    Some((law, u16::from_le_bytes([*low, *high]), rate))
}
