//! Is there a tone of so many hertz in these samples, how strong, for how long? (Goertzel's algorithm)

use std::f64::consts::TAU;
use std::time::Duration;

use crate::clock::{FRAME, RATE, time_of};
use crate::level;

/// What was found of a tone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Its level over the frames that have it, in dBm0; silence when none has.
    pub level: f64,
    /// How long it was there altogether, in frames of 20 ms.
    pub lasted: Duration,
    /// How long it was there at a stretch, at most.
    pub longest: Duration,
    /// Its part of the power of all samples, 0 to 1: how pure it was, gaps counted against it.
    pub share: f64,
}

/// A frame has the tone when the tone is at least this part of its power …
const MAJORITY: f64 = 0.5;
/// … and at least this loud, in dBm0.
const AUDIBLE: f64 = -45.0;

/// Looks for a tone.
pub fn tone(samples: &[i16], hz: f64) -> Found {
    let (mut frames, mut run, mut longest) = (0u64, 0u64, 0u64);
    let (mut of_tone, mut of_all, mut of_frames) = (0.0, 0.0, 0.0);
    for frame in samples.chunks_exact(FRAME) {
        let (strength, all) = (power_of(frame, hz), level::power(frame));
        of_all += all;
        of_tone += strength.min(all);
        if strength >= MAJORITY * all && level::of_power(strength) >= AUDIBLE {
            of_frames += strength;
            frames += 1;
            run += 1;
            longest = longest.max(run);
        } else {
            run = 0;
        }
    }
    Found {
        level: level::of_power(of_frames / frames.max(1) as f64),
        lasted: time_of(frames * FRAME as u64),
        longest: time_of(longest * FRAME as u64),
        share: if of_all > 0.0 { of_tone / of_all } else { 0.0 },
    }
}

/// The level of one frequency in all the samples together, in dBm0. The more samples, the sharper.
pub fn level_of(samples: &[i16], hz: f64) -> f64 {
    level::of_power(power_of(samples, hz))
}

/// The mean power of one frequency.
fn power_of(samples: &[i16], hz: f64) -> f64 {
    let coefficient = 2.0 * (TAU * hz / f64::from(RATE)).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in samples {
        let next = f64::from(*sample) + coefficient * one - two;
        (two, one) = (one, next);
    }
    let count = samples.len().max(1) as f64;
    // A sine of peak p over n samples gives (p·n/2)²; its mean power is p²/2.
    2.0 * (one * one + two * two - coefficient * one * two) / (count * count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::Tone;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_tone_is_found_with_its_level_and_length() {
        let mut samples = vec![0; 8000];
        samples.extend(Tone::chord(&[600.0], -15.0).take(SECOND));
        let found = tone(&samples, 600.0);
        assert!((found.level + 15.0).abs() < 0.2, "{found:?}");
        assert_eq!((found.lasted, found.longest), (SECOND, SECOND));
        assert!(found.share > 0.98);
    }

    #[test]
    fn another_tone_silence_and_noise_are_not_it() {
        let mut dice = machine::Dice::new(1);
        let noise: Vec<i16> = (0..8000).map(|_| (dice.roll() as i16) / 8).collect();
        for samples in [Tone::sine(440.0).take(SECOND), vec![0; 8000], noise, vec![]] {
            let found = tone(&samples, 880.0);
            assert_eq!(found.lasted, Duration::ZERO, "{found:?}");
            assert!(found.share < 0.1);
        }
    }

    #[test]
    fn a_gap_ends_the_stretch() {
        let mut samples = Tone::sine(440.0).take(SECOND);
        samples[3200..6400].fill(0);
        let found = tone(&samples, 440.0);
        assert_eq!(found.lasted, Duration::from_millis(800));
        assert_eq!(found.longest, Duration::from_millis(600));
    }
}
