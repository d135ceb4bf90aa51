//! WAV files there and back, and those that are none.

use std::f64::consts::TAU;
use std::path::PathBuf;
use std::time::Duration;

use hound::{SampleFormat, WavSpec, WavWriter};
use media::g711::Law;
use media::{Audio, FRAME, RATE, Tone, detect, level};

use super::*;

/// A file that goes when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("offhook-{}-{name}.wav", std::process::id())))
    }

    fn with(name: &str, octets: &[u8]) -> Self {
        let scratch = Self::new(name);
        std::fs::write(&scratch.0, octets).unwrap();
        scratch
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A second of 440 Hz in the first channel, silence in the others.
fn write_tone(path: &PathBuf, spec: WavSpec) {
    let mut writer = WavWriter::create(path, spec).unwrap();
    for n in 0..spec.sample_rate {
        let value = 0.5 * (TAU * 440.0 * f64::from(n) / f64::from(spec.sample_rate)).sin();
        for channel in 0..spec.channels {
            let value = if channel == 0 { value } else { 0.0 };
            match spec.sample_format {
                SampleFormat::Float => writer.write_sample(value as f32).unwrap(),
                SampleFormat::Int => {
                    let full = f64::from(2.0f32.powi(i32::from(spec.bits_per_sample) - 1));
                    writer.write_sample((value * (full - 1.0)) as i32).unwrap();
                }
            }
        }
    }
    writer.finalize().unwrap();
}

#[test]
fn every_rate_depth_and_number_of_channels_is_read() {
    let scratch = Scratch::new("kinds");
    for sample_rate in [8_000, 16_000, 44_100, 48_000] {
        for (bits_per_sample, sample_format) in [
            (8, SampleFormat::Int),
            (16, SampleFormat::Int),
            (24, SampleFormat::Int),
            (32, SampleFormat::Int),
            (32, SampleFormat::Float),
        ] {
            for channels in [1, 2, 6] {
                let spec = WavSpec { channels, sample_rate, bits_per_sample, sample_format };
                write_tone(&scratch.0, spec);
                let samples = read(&scratch.0).unwrap();
                assert_eq!(samples.len(), 16_000, "{spec:?}");
                let expected = level::of_power((16_384.0 / f64::from(channels)).powi(2) / 2.0);
                let found = detect::tone(&samples, 440.0);
                assert!((found.level - expected).abs() < 0.3, "{spec:?} {found:?} {expected}");
                assert!(found.lasted >= Duration::from_millis(980), "{spec:?} {found:?}");
            }
        }
    }
}

#[test]
fn a_recording_reads_back() {
    let scratch = Scratch::new("recording");
    let said = Tone::sine(440.0).take(Duration::from_secs(2));
    let mut recording = Recording::create(&scratch.0).unwrap();
    said.chunks(FRAME).for_each(|frame| recording.hear(frame));
    recording.finish().unwrap();
    assert_eq!(read(&scratch.0).unwrap(), said);
}

#[test]
fn a_crash_costs_no_more_than_a_second() {
    let scratch = Scratch::new("crash");
    let said = Tone::sine(440.0).take(Duration::from_millis(2_500));
    let mut recording = Recording::create(&scratch.0).unwrap();
    said.chunks(FRAME).for_each(|frame| recording.hear(frame));
    std::mem::forget(recording); // nothing is written after this, as if the process had died
    assert!(read(&scratch.0).unwrap() == said[..32_000]);
}

#[test]
fn a_file_that_is_cut_off_plays_what_is_there() {
    let whole = Scratch::new("whole");
    write_tone(
        &whole.0,
        WavSpec {
            channels: 1,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        },
    );
    let octets = std::fs::read(&whole.0).unwrap();
    let cut = Scratch::with("cut", &octets[..octets.len() / 2]);
    assert!(read(&cut.0).unwrap().len().abs_diff(8_000) < 60);
}

/// A WAV file with this format tag.
fn file((format, bits): (u16, u16), channels: u16, rate: u32, data: &[u8]) -> Vec<u8> {
    let block = channels * bits / 8;
    let mut octets = b"RIFF".to_vec();
    octets.extend((36 + data.len() as u32).to_le_bytes());
    octets.extend(b"WAVEfmt \x10\0\0\0");
    octets.extend([format, channels].map(u16::to_le_bytes).concat());
    octets.extend([rate, rate.saturating_mul(block.into())].map(u32::to_le_bytes).concat());
    octets.extend([block, bits].map(u16::to_le_bytes).concat());
    octets.extend(b"data");
    octets.extend((data.len() as u32).to_le_bytes());
    octets.extend(data);
    octets
}

#[test]
fn announcements_in_g711_are_read() {
    let said = Tone::sine(440.0).take(Duration::from_secs(1));
    for (tag, law) in [(6, Law::A), (7, Law::Mu)] {
        let octets = law.encode(&said);
        let mono = Scratch::with("mono", &file((tag, 8), 1, RATE, &octets));
        assert_eq!(read(&mono.0).unwrap(), law.decode(&octets));
        // As two channels at twice the rate, and with a chunk of odd length in between.
        let stereo: Vec<u8> = octets.iter().flat_map(|octet| [*octet; 4]).collect();
        let mut stereo = file((tag, 8), 2, 2 * RATE, &stereo);
        stereo.splice(36..36, *b"note\x03\0\0\0abc\0");
        let stereo = Scratch::with("stereo", &stereo);
        let found = detect::tone(&read(&stereo.0).unwrap(), 440.0);
        assert!((found.level + 10.0).abs() < 0.5 && found.lasted.as_millis() >= 960, "{found:?}");
        let cut = Scratch::with("short", &file((tag, 8), 1, RATE, &octets)[..4_044]);
        assert_eq!(read(&cut.0).unwrap().len(), 4_000);
    }
}

#[test]
fn an_error_names_the_file_and_what_is_wrong() {
    let message = |scratch: &Scratch| {
        let text = read(&scratch.0).unwrap_err().to_string();
        let name = scratch.0.display().to_string();
        text.strip_prefix(&format!("{name}: ")).unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    assert!(message(&Scratch::new("missing")).starts_with("No such file"));
    let text = Scratch::with("text", b"this is no WAV file, whatever its name says");
    assert_eq!(message(&text), "this is no WAV file that can be read: no RIFF tag found");
    let mp3 = Scratch::with("format", &file((0x55, 16), 1, 8_000, &[0; 4]));
    assert!(message(&mp3).contains("save it as PCM"), "{}", message(&mp3));
    let empty = Scratch::with("empty", &file((1, 16), 1, 8_000, &[]));
    assert_eq!(message(&empty), "there is no sound in it");
    let rate = Scratch::with("rate", &file((1, 16), 1, 1_000_000, &[0; 4]));
    assert_eq!(message(&rate), "a sampling rate of 1000000 Hz cannot be used; 1 to 192000 Hz can");
    let still = Scratch::with("still", &file((1, 16), 1, 0, &[0; 4]));
    assert!(message(&still).contains("0 Hz cannot be used"), "{}", message(&still));
    let many = Scratch::with("many", &file((1, 16), 40, 8_000, &[0; 80]));
    assert!(message(&many).contains("40 channels"), "{}", message(&many));
    let folder = Recording::create(std::env::temp_dir()).unwrap_err().to_string();
    assert!(folder.contains("directory"), "{folder}");
}

#[test]
fn whatever_the_octets_are_reading_ends() {
    let whole = Scratch::new("seed");
    write_tone(
        &whole.0,
        WavSpec {
            channels: 2,
            sample_rate: 16_000,
            bits_per_sample: 24,
            sample_format: SampleFormat::Int,
        },
    );
    let seed: Vec<u8> = std::fs::read(&whole.0).unwrap().into_iter().take(400).collect();
    for at in 0..80 {
        for value in [0, 1, 0x7F, 0x80, 0xFF] {
            let mut octets = seed.clone();
            octets[at] = value;
            let broken = Scratch::with("broken", &octets);
            let _ = read(&broken.0);
        }
    }
}
