//! Reading a WAV file: any rate, any number of channels, any depth.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

use hound::{SampleFormat, WavReader, WavSpec};
use media::{RATE, Resampler};

use super::companded::{self, Sound};
use super::error::{WavError, Wrong};
use crate::limits;

/// The sound of a file: [`RATE`] samples a second, one channel. Of a file that is cut off, what is there.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<i16>, WavError> {
    let path = path.as_ref();
    sound(path).map_err(|wrong| WavError::new(path, wrong))
}

fn sound(path: &Path) -> Result<Vec<i16>, Wrong> {
    let Sound { channels, rate, samples } = match WavReader::open(path) {
        Ok(reader) => linear(reader)?,
        Err(hound::Error::Unsupported) => {
            companded(path)?.ok_or(Wrong::Hound(hound::Error::Unsupported))?
        }
        Err(error) => return Err(Wrong::Hound(error)),
    };
    if channels == 0 || channels > limits::CHANNELS {
        return Err(Wrong::Channels(channels));
    }
    let converter = Resampler::new(rate, RATE).map_err(Wrong::Rate)?;
    if samples.is_empty() {
        return Err(Wrong::Empty);
    }
    Ok(converter.convert(&mixed(&samples, usize::from(channels))))
}

fn companded(path: &Path) -> Result<Option<Sound>, Wrong> {
    let file = File::open(path).map_err(|error| Wrong::Hound(error.into()))?;
    let (most, mut octets) = (u64::from(limits::SAMPLES), Vec::new());
    let read = file.take(most + 1).read_to_end(&mut octets);
    match read.map_err(|error| Wrong::Hound(error.into()))? {
        length if length as u64 > most => Err(Wrong::Long),
        _ => Ok(companded::read(&octets)),
    }
}

/// Sound in samples that are numbers.
fn linear(mut reader: WavReader<BufReader<File>>) -> Result<Sound, Wrong> {
    let spec = reader.spec();
    if reader.len() > limits::SAMPLES {
        return Err(Wrong::Long);
    }
    let samples = samples(&mut reader, spec)?;
    Ok(Sound { channels: spec.channels, rate: spec.sample_rate, samples })
}

fn samples(reader: &mut WavReader<BufReader<File>>, spec: WavSpec) -> Result<Vec<i16>, Wrong> {
    match spec.sample_format {
        SampleFormat::Float => {
            let scaled = |sample: f32| (sample * 32_768.0).round() as i16; // saturates
            until_the_end(reader.samples::<f32>().map(|sample| sample.map(scaled)))
        }
        SampleFormat::Int => {
            let depth = spec.bits_per_sample.clamp(1, 32);
            let scaled = |sample: i32| ((i64::from(sample) << (32 - depth)) >> 16) as i16;
            until_the_end(reader.samples::<i32>().map(|sample| sample.map(scaled)))
        }
    }
}

/// All samples; a file that is cut off ends where it ends.
fn until_the_end(samples: impl Iterator<Item = hound::Result<i16>>) -> Result<Vec<i16>, Wrong> {
    let mut all = Vec::new();
    for sample in samples {
        match sample {
            Ok(sample) => all.push(sample),
            Err(hound::Error::IoError(error)) if is_the_end(&error) => break,
            Err(error) => return Err(Wrong::Hound(error)),
        }
    }
    Ok(all)
}

/// hound says "failed to read enough bytes" under another kind than `UnexpectedEof`.
fn is_the_end(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::Other)
}

/// All channels in one: the mean.
fn mixed(samples: &[i16], channels: usize) -> Vec<i16> {
    let mean = |frame: &[i16]| {
        let sum: i32 = frame.iter().map(|sample| i32::from(*sample)).sum();
        i16::try_from(sum / i32::try_from(channels).unwrap_or(1)).unwrap_or_default()
    };
    samples.chunks_exact(channels.max(1)).map(mean).collect()
}
