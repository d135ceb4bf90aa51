//! Opus files there and back, and those that are none.

use std::path::PathBuf;
use std::time::Duration;

use media::{Audio, FRAME, RATE, Tone, detect};

use super::*;

/// A file that goes when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("offhook-{}-{name}.opus", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn recorded(scratch: &Scratch, seconds: u64) -> OpusRecording {
    let mut recording = OpusRecording::create(&scratch.0).unwrap();
    let said = Tone::sine(440.0).take(Duration::from_secs(seconds));
    said.chunks(FRAME).for_each(|frame| recording.hear(frame));
    recording
}

#[test]
fn a_recording_reads_back() {
    let scratch = Scratch::new("recording");
    recorded(&scratch, 3).finish().unwrap();
    let samples = read(&scratch.0).unwrap();
    assert!(samples.len().abs_diff(3 * RATE as usize) <= 2 * FRAME, "{}", samples.len());
    let found = detect::tone(&samples, 440.0);
    assert!(found.lasted >= Duration::from_millis(2900) && found.share > 0.95, "{found:?}");
    assert!((found.level + 10.0).abs() < 1.0, "{found:?}");
    assert!(std::fs::metadata(&scratch.0).unwrap().len() < 20_000, "it is a tenth of a WAV");
}

#[test]
fn a_crash_costs_little_more_than_a_second() {
    let scratch = Scratch::new("crash");
    std::mem::forget(recorded(&scratch, 5)); // nothing is written after this, as if the process had died
    let samples = read(&scratch.0).unwrap();
    assert!(samples.len() >= 3 * RATE as usize, "{}", samples.len());
}

#[test]
fn what_is_no_opus_file_says_so() {
    let scratch = Scratch::new("none");
    for (octets, why) in
        [(&b"RIFF, but not Ogg at all, and long enough to see that"[..], "Ogg"), (b"", "")]
    {
        std::fs::write(&scratch.0, octets).unwrap();
        let said = read(&scratch.0).unwrap_err().to_string();
        assert!(said.contains(why) && said.contains("none"), "{said}");
    }
    recorded(&scratch, 1).finish().unwrap();
    let mut octets = std::fs::read(&scratch.0).unwrap();
    for at in (0..octets.len()).step_by(7) {
        octets[at] ^= 0x55;
        std::fs::write(&scratch.0, &octets).unwrap();
        // Whatever it says, it ends.
        let _ = read(&scratch.0);
    }
    let missing = Scratch::new("missing");
    assert!(read(&missing.0).unwrap_err().to_string().contains("No such file"));
}
