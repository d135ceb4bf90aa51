//! Tones in files: what a peer plays, and what it heard.

use std::path::{Path, PathBuf};
use std::time::Duration;

use device::Recording;
use media::{Audio as _, RATE, Tone, detect};

/// A WAV file with a tone that is longer than any test.
pub(crate) fn write_tone(file: &Path, hz: f64) {
    let mut recording = Recording::create(file).unwrap();
    recording.hear(&Tone::sine(hz).take(Duration::from_secs(60)));
    recording.finish().unwrap();
}

/// What somebody heard.
pub(crate) fn read(file: &Path) -> Vec<i16> {
    device::read(file).unwrap()
}

/// Tells, again and again, whether somebody who records into a file has heard this tone for as long as tests want.
pub(crate) fn heard(file: PathBuf, hz: f64) -> impl FnMut() -> bool {
    let mut next = ENOUGH;
    move || {
        let samples = so_far(&file);
        let time = length(&samples);
        // Judging takes time too: each half second is enough.
        time >= next && {
            next = time + Duration::from_millis(500);
            detect::tone(&samples, hz).lasted >= ENOUGH
        }
    }
}

/// What is in a file that is still being written, or empty: 16 bits a sample after a head of 44 octets.
pub(crate) fn so_far(file: &Path) -> Vec<i16> {
    let octets = std::fs::read(file).unwrap_or_default();
    let samples = octets.get(44..).unwrap_or_default().chunks_exact(2);
    samples.map(|it| i16::from_le_bytes([it[0], it[1]])).collect()
}

/// How long these samples last.
fn length(samples: &[i16]) -> Duration {
    Duration::from_secs_f64(samples.len() as f64 / f64::from(RATE))
}

/// The recording holds the other's tone, and not one's own.
pub(crate) fn assert_heard(samples: &[i16], theirs: f64, own: f64) {
    let (heard, echo) = (detect::tone(samples, theirs), detect::tone(samples, own));
    let of = length(samples);
    println!(
        "{theirs} Hz for {:?} of {of:?}, {:.1} dBm0, longest {:?}",
        heard.lasted, heard.level, heard.longest
    );
    // In all, not at a stretch: on a busy machine packets come late. How good sound is, is for other tests.
    assert!(heard.lasted >= ENOUGH, "{heard:?} of {of:?}");
    // PJSIP halves what it sends in G.722.
    assert!(heard.level > -18.0, "{heard:?}");
    assert_eq!(echo.lasted, Duration::ZERO, "one's own tone came back: {echo:?}");
}

/// Octets of a second of sound in a file: 16 bits a sample.
pub(crate) const SECOND: u64 = 2 * RATE as u64;
/// So long somebody must be heard.
const ENOUGH: Duration = Duration::from_secs(2);
