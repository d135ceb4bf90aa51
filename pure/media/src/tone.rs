//! `Tone`: sines, alone or together, steady or in a cadence (ITU-T E.180 for what networks play).

use std::f64::consts::TAU;
use std::time::Duration;

use crate::audio::Audio;
use crate::clock::{RATE, samples_in};
use crate::{level, limits};

/// How loud a tone is when nobody says, in dBm0: clearly heard, far from clipping.
const USUAL_LEVEL: f64 = -10.0;

/// Speaks a tone, and does not listen.
#[derive(Clone, Debug, PartialEq)]
pub struct Tone {
    sines: Vec<Sine>,
    cadence: Vec<(u64, u64)>,
    round: u64,
    at: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Sine {
    hz: f64,
    peak: f64,
}

impl Tone {
    /// One steady sine of the usual level.
    pub fn sine(hz: f64) -> Self {
        Self::chord(&[hz], USUAL_LEVEL)
    }

    /// Several sines together, each of this level in dBm0. More than eight are left out.
    pub fn chord(frequencies: &[f64], dbm0: f64) -> Self {
        let peak = level::peak(dbm0);
        let sines = frequencies.iter().take(limits::SINES).map(|hz| Sine { hz: *hz, peak });
        Self { sines: sines.collect(), cadence: Vec::new(), round: 0, at: 0 }
    }

    /// The two sines of a key: a row and a column (ITU-T Q.23); `None` if it is no key.
    pub fn key(key: char) -> Option<Self> {
        let (row, column) = (0..).zip(KEYPAD).find_map(|(row, keys)| {
            keys.iter().position(|known| *known == key.to_ascii_uppercase()).map(|at| (row, at))
        })?;
        let (row, column): (&f64, &f64) = (ROWS.get::<usize>(row)?, COLUMNS.get(column)?);
        Some(Self::chord(&[*row, *column], KEY_LEVEL))
    }

    /// What the caller hears while the other phone rings, in most of Europe.
    pub fn ringback() -> Self {
        Self::sine(425.0).cadence(&[(Duration::from_secs(1), Duration::from_secs(4))])
    }

    /// What the caller hears when the other phone is busy, in most of Europe.
    pub fn busy() -> Self {
        let half = Duration::from_millis(500);
        Self::sine(425.0).cadence(&[(half, half)])
    }

    /// The same tone, on and off in turn; then from the beginning. Without a pair it is steady.
    #[must_use]
    pub fn cadence(mut self, on_off: &[(Duration, Duration)]) -> Self {
        let steps = on_off.iter().take(limits::CADENCE);
        self.cadence = steps.map(|(on, off)| (samples_in(*on), samples_in(*off))).collect();
        self.round = self.cadence.iter().map(|(on, off)| on.saturating_add(*off)).sum();
        self
    }

    fn is_on(&self) -> bool {
        let Some(mut left) = self.at.checked_rem(self.round) else { return true };
        for (on, off) in &self.cadence {
            if left < *on {
                return true;
            }
            left -= on;
            if left < *off {
                return false;
            }
            left -= off;
        }
        true
    }

    /// The next sample.
    fn next(&mut self) -> i16 {
        let seconds = self.at as f64 / f64::from(RATE);
        let sum = |sines: &[Sine]| -> f64 {
            sines.iter().map(|sine| sine.peak * (TAU * (sine.hz * seconds).fract()).sin()).sum()
        };
        let sample = if self.is_on() { sum(&self.sines) } else { 0.0 };
        self.at = self.at.wrapping_add(1);
        sample.round() as i16 // saturates
    }

    /// The next so many samples; at most an hour.
    pub fn take(&mut self, time: Duration) -> Vec<i16> {
        let count = samples_in(time).min(limits::RECORDING as u64);
        (0..count).map(|_| self.next()).collect()
    }
}

impl Audio for Tone {
    fn speak(&mut self, frame: &mut [i16]) {
        frame.fill_with(|| self.next());
    }

    fn hear(&mut self, _frame: &[i16]) {}
}

/// The frequencies of a key (ITU-T Q.23 §4).
pub(crate) const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
pub(crate) const COLUMNS: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
pub(crate) const KEYPAD: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// Level of each of the two sines of a key, in dBm0 (within the limits of ITU-T Q.24).
const KEY_LEVEL: f64 = -8.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect;

    #[test]
    fn a_tone_has_the_level_it_was_asked_for() {
        let samples = Tone::chord(&[440.0], -12.0).take(Duration::from_secs(1));
        assert!((level::of(&samples) + 12.0).abs() < 0.1, "{}", level::of(&samples));
    }

    #[test]
    fn a_cadence_is_on_and_off() {
        let samples = Tone::ringback().take(Duration::from_secs(10));
        let second = |n: usize| level::of(&samples[n * 16_000..(n + 1) * 16_000]) > -15.0;
        assert_eq!(
            (0..10).map(second).collect::<Vec<_>>(),
            [0, 5].map(|on| { (on..on + 5).map(|n| n == on).collect::<Vec<_>>() }).concat()
        );
    }

    #[test]
    fn every_key_has_its_own_two_sines() {
        let all = KEYPAD.iter().zip(ROWS).flat_map(|(keys, row)| {
            keys.iter().zip(COLUMNS).map(move |(key, column)| (*key, [row, column]))
        });
        for (key, meant) in all {
            let samples = Tone::key(key).unwrap().take(Duration::from_millis(100));
            let heard = |hz: &f64| detect::level_of(&samples, *hz) > -14.0;
            let found: Vec<f64> = ROWS.into_iter().chain(COLUMNS).filter(heard).collect();
            assert_eq!(found, meant, "{key}");
        }
        assert_eq!(Tone::key('x'), None);
    }

    #[test]
    fn too_loud_a_chord_is_clipped_not_wrapped() {
        let samples = Tone::chord(&[400.0, 400.0, 400.0], 3.0).take(Duration::from_millis(20));
        assert_eq!(samples.iter().max(), Some(&i16::MAX));
        assert!(samples.windows(2).all(|pair| pair[0].abs_diff(pair[1]) < 40_000));
    }
}
