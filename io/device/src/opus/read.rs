//! Reading an Opus file (RFC 7845 §4).

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use media::RATE;
use ogg::PacketReader;
use ropus::{Channels, DecodeMode, Decoder};

use super::error::{OpusError, Wrong};
use super::head::Head;
use crate::limits;

/// The sound of a file: [`RATE`] samples a second, one channel. Of a file that is cut off, what is there.
///
/// # Errors
/// The file cannot be read, or holds no Opus in mono or stereo.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<i16>, OpusError> {
    let path = path.as_ref();
    sound(path).map_err(|wrong| OpusError::new(path, wrong))
}

fn sound(path: &Path) -> Result<Vec<i16>, Wrong> {
    let file = File::open(path).map_err(Wrong::Io)?;
    let mut packets = PacketReader::new(BufReader::new(file));
    let first = packets.read_packet().map_err(Wrong::Ogg)?.ok_or(Wrong::Empty)?;
    let head = Head::parse(&first.data).ok_or(Wrong::NotOpus)?;
    if head.family != 0 || head.channels > 2 {
        return Err(Wrong::Channels(head.channels));
    }
    // The tags. What comes after them is sound; a file that ends in the middle of something ends there.
    packets.read_packet().map_err(Wrong::Ogg)?.ok_or(Wrong::Empty)?;
    let mut decoder =
        Decoder::new(RATE, Channels::Mono).map_err(|error| Wrong::Codec(error.to_string()))?;
    let (mut samples, mut end) = (Vec::new(), None);
    let mut frame = vec![0; LONGEST];
    while let Ok(Some(packet)) = packets.read_packet() {
        let length = decoder.decode(&packet.data, &mut frame, DecodeMode::Normal).unwrap_or(0);
        samples.extend(frame.iter().take(length));
        end = packet.last_in_stream().then(|| packet.absgp_page());
        if samples.len() > limits::SAMPLES as usize {
            return Err(Wrong::Long);
        }
    }
    let skip = usize::from(head.pre_skip) / TICKS;
    // RFC 7845 §4.4: the last page says where the sound ends.
    if let Some(end) = end {
        let end = usize::try_from(end).unwrap_or(usize::MAX) / TICKS;
        samples.truncate(end.max(skip));
    }
    samples.drain(..skip.min(samples.len()));
    if samples.is_empty() {
        return Err(Wrong::Empty);
    }
    Ok(louder(samples, head.gain))
}

/// RFC 7845 §5.1: the gain is to be applied by whoever plays the file.
fn louder(samples: Vec<i16>, gain: i16) -> Vec<i16> {
    if gain == 0 {
        return samples;
    }
    let factor = 10f64.powf(f64::from(gain) / (20.0 * 256.0));
    samples.into_iter().map(|sample| (f64::from(sample) * factor).round() as i16).collect()
}

/// 120 ms, the longest packet there is.
const LONGEST: usize = RATE as usize * 120 / 1000;
/// Ticks of an Opus file's clock in a sample of ours: the clock has 48,000.
pub(super) const TICKS: usize = 48_000 / RATE as usize;
