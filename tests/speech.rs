//! Something like speech: syllables of a voice with pauses between them, and how much of it is found again in a recording.

use std::f64::consts::TAU;
use std::time::Duration;

use media::{FRAME, RATE, level};

/// So many seconds of it, always the same: voiced syllables of 220 ms whose pitch glides, with formants, and pauses
/// that come at no beat.
pub fn speech(seconds: u64) -> Vec<i16> {
    let count = usize::try_from(seconds).unwrap() * RATE as usize;
    let mut phase = 0.0;
    (0..count)
        .map(|at| {
            let time = at as f64 / f64::from(RATE);
            let syllable = (time / SYLLABLE) as usize;
            let within = time / SYLLABLE - syllable as f64;
            phase += (120.0 + 30.0 * (TAU * 0.4 * time).sin()) / f64::from(RATE);
            let loud = if syllable * 7 % 11 % 4 == 3 {
                0.0
            } else {
                (within * std::f64::consts::PI).sin()
            };
            (9000.0 * loud * voice(phase, VOWELS[syllable % VOWELS.len()])) as i16
        })
        .collect()
}

/// A vowel: harmonics of the pitch, the stronger the nearer to a formant.
fn voice(phase: f64, formants: [f64; 2]) -> f64 {
    let harmonics = (1..=24).map(|nth| {
        let hz = 120.0 * f64::from(nth);
        let near = formants.map(|formant| (-((hz - formant) / 180.0).powi(2)).exp());
        let strength = 0.08 / f64::from(nth) + near[0] + 0.5 * near[1];
        strength * (TAU * (phase * f64::from(nth)).fract()).sin()
    });
    harmonics.sum::<f64>() / 3.0
}

/// What was found of it in a recording.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// How alike the loudness of both is over time, 20 ms by 20 ms: 1 is the same, 0 has nothing in common.
    pub likeness: f64,
    /// How much later it was heard than it was said.
    pub delay: Duration,
    /// How much louder it is, in dB.
    pub gain: f64,
    /// What was said and is not heard: frames of a syllable that are silent in the recording, in a hundred.
    pub gaps: f64,
}

/// Looks for what was said in what was heard, both in frames of 20 ms.
pub fn find(said: &[i16], heard: &[i16]) -> Found {
    let [said, heard] = [said, heard].map(|samples| -> Vec<f64> {
        samples.chunks_exact(FRAME).map(|frame| level::of(frame).max(QUIET)).collect()
    });
    let at = (0..LATEST).max_by(|one, other| {
        let [one, other] = [*one, *other].map(|by| alike(&said, &heard, by));
        one.total_cmp(&other)
    });
    let by = at.unwrap_or(0);
    let pairs: Vec<(f64, f64)> =
        said.iter().zip(heard.iter().skip(by)).map(|(said, heard)| (*said, *heard)).collect();
    let spoken: Vec<_> = pairs.iter().filter(|(said, _)| *said > SPOKEN).collect();
    let missing = spoken.iter().filter(|(_, heard)| *heard <= QUIET + 5.0).count();
    let power = |of: fn(&(f64, f64)) -> f64| -> f64 {
        spoken.iter().map(|pair| 10f64.powf(of(pair) / 10.0)).sum()
    };
    Found {
        likeness: alike(&said, &heard, by),
        delay: Duration::from_millis(20) * u32::try_from(by).unwrap(),
        gain: 10.0 * (power(|pair| pair.1) / power(|pair| pair.0)).log10(),
        gaps: 100.0 * missing as f64 / spoken.len().max(1) as f64,
    }
}

/// The correlation of two courses of loudness, the second so many frames later.
fn alike(said: &[f64], heard: &[f64], by: usize) -> f64 {
    let pairs = || said.iter().zip(heard.iter().skip(by));
    let count = pairs().count().max(1) as f64;
    let mean = |of: fn((&f64, &f64)) -> f64| pairs().map(of).sum::<f64>() / count;
    let (mean_said, mean_heard) = (mean(|pair| *pair.0), mean(|pair| *pair.1));
    let (mut both, mut one, mut other) = (0.0, 0.0, 0.0);
    for (said, heard) in pairs() {
        let (said, heard) = (said - mean_said, heard - mean_heard);
        both += said * heard;
        one += said * said;
        other += heard * heard;
    }
    both / (one * other).sqrt().max(f64::MIN_POSITIVE)
}

const SYLLABLE: f64 = 0.22;
/// The first two formants of a, i, u, e and o.
const VOWELS: [[f64; 2]; 5] =
    [[730.0, 1090.0], [270.0, 2290.0], [300.0, 870.0], [530.0, 1840.0], [570.0, 840.0]];
/// In dBm0: nothing below is told apart, and a syllable is above.
const QUIET: f64 = -55.0;
const SPOKEN: f64 = -30.0;
/// It is looked for up to a second later.
const LATEST: usize = 50;
