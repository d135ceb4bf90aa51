//! `KeyEar`: keys that come as sound, for peers that do not send them as events (ITU-T Q.23, Q.24).
//!
//! Goertzel's algorithm for the eight frequencies, over blocks of 12.75 ms: so short a block is wide enough for keys that are a little off, and
//! its neighbours still fall into each other's zeros. Two blocks in a row must say the same.

use std::f64::consts::TAU;

use crate::level;
use crate::tone::{COLUMNS, KEYPAD, ROWS};

/// Listens for keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyEar {
    bank: Bank,
    /// What the last block had.
    last: Option<char>,
    /// The key that is being pressed, and how many blocks were without it since.
    pressed: Option<(char, u8)>,
}

impl KeyEar {
    /// The keys that begin within a frame.
    pub(crate) fn hear(&mut self, frame: &[i16], keys: &mut Vec<char>) {
        for pair in frame.chunks_exact(2) {
            // Half of our rate is enough, and keys are far below where that folds.
            let sample = pair.iter().map(|sample| f32::from(*sample)).sum::<f32>() / 2.0;
            if self.bank.take(sample) {
                let key = self.bank.key();
                self.bank = Bank::default();
                keys.extend(self.block(key));
            }
        }
    }

    /// A block has this key, or none: the key, when it begins.
    fn block(&mut self, key: Option<char>) -> Option<char> {
        let twice = key.filter(|key| self.last == Some(*key));
        self.last = key;
        match self.pressed {
            Some((pressed, _)) if key == Some(pressed) => self.pressed = Some((pressed, 0)),
            Some((pressed, away)) if twice.is_none() => {
                self.pressed = (away + 1 < RELEASED).then_some((pressed, away + 1));
            }
            _ => {
                self.pressed = twice.map(|key| (key, 0));
                return twice;
            }
        }
        None
    }
}

/// One block: each frequency's two values, and the power of everything.
#[derive(Clone, Debug, Default)]
struct Bank {
    tones: [(f32, f32); 8],
    power: f32,
    count: usize,
}

impl Bank {
    /// True when the block is full.
    fn take(&mut self, sample: f32) -> bool {
        for ((one, two), coefficient) in self.tones.iter_mut().zip(&COEFFICIENTS.0) {
            let next = sample + coefficient * *one - *two;
            (*two, *one) = (*one, next);
        }
        self.power += sample * sample;
        self.count += 1;
        self.count >= BLOCK
    }

    /// The key in it.
    fn key(&self) -> Option<char> {
        let mut powers = [0.0f32; 8];
        for ((power, (one, two)), coefficient) in
            powers.iter_mut().zip(self.tones).zip(&COEFFICIENTS.0)
        {
            *power = 2.0 * (one * one + two * two - coefficient * one * two);
        }
        let (rows, columns) = powers.split_at(ROWS.len());
        let ((row, low), (column, high)) = (strongest(rows)?, strongest(columns)?);
        // In units of the mean power of all samples, times the length of the block squared.
        let all = self.power * BLOCK as f32;
        let loud = level::of_power(f64::from(low.min(high)) / (BLOCK * BLOCK) as f64) > QUIETEST;
        let twisted = high > low * STANDARD_TWIST || low > high * REVERSE_TWIST;
        if !loud || twisted || low + high < PURE * all {
            return None;
        }
        KEYPAD.get(row)?.get(column).copied()
    }
}

/// The strongest of four, when it stands out.
fn strongest(powers: &[f32]) -> Option<(usize, f32)> {
    let (at, most) =
        powers.iter().enumerate().max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    let others = powers.iter().enumerate().filter(|(other, _)| *other != at);
    others.map(|(_, power)| power * STANDS_OUT).all(|power| power < *most).then_some((at, *most))
}

struct Coefficients([f32; 8]);

static COEFFICIENTS: std::sync::LazyLock<Coefficients> = std::sync::LazyLock::new(|| {
    let mut all = [0.0; 8];
    for (coefficient, hz) in all.iter_mut().zip(ROWS.iter().chain(&COLUMNS)) {
        *coefficient = (2.0 * (TAU * hz / 8_000.0).cos()) as f32;
    }
    Coefficients(all)
});

/// Samples of a block, at 8,000 a second.
const BLOCK: usize = 102;
/// Blocks without a key until it is released: a key may be broken for 25 ms (ITU-T Q.24 wants 10), and the next comes after 40.
const RELEASED: u8 = 2;
/// In dBm0, for each of the two: with a wide margin below ITU-T Q.24's.
const QUIETEST: f64 = -38.0;
/// How much louder the column may be than the row: 4 dB, and the row than the column: 8 dB, as networks dampen high tones more (ITU-T Q.24); with 1 dB for
/// how exactly so short a block measures.
const STANDARD_TWIST: f32 = 3.16;
const REVERSE_TWIST: f32 = 7.94;
/// The strongest of its group is 8 dB above the others.
const STANDS_OUT: f32 = 6.31;
/// The two are so much of all that is heard: speech has more beside them.
const PURE: f32 = 0.78;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::FRAME;
    use crate::{Audio, Tone};

    fn heard(samples: &[i16]) -> String {
        let (mut ear, mut keys) = (KeyEar::default(), Vec::new());
        samples.chunks(FRAME).for_each(|frame| ear.hear(frame, &mut keys));
        keys.into_iter().collect()
    }

    /// Two tones, each with a level, off by parts of a hundred, for so long; 50 ms of silence around.
    fn pair([low, high]: [(f64, f64); 2], off: f64, millis: u64) -> Vec<i16> {
        let one = |(hz, dbm0): (f64, f64)| {
            Tone::chord(&[hz * (1.0 + off / 100.0)], dbm0).take(Duration::from_millis(millis))
        };
        let mut samples = vec![0; 800];
        samples.extend(one(low).iter().zip(one(high)).map(|(low, high)| low.saturating_add(high)));
        samples.extend([0; 800]);
        samples
    }

    fn all() -> impl Iterator<Item = (char, f64, f64)> {
        KEYPAD.into_iter().zip(ROWS).flat_map(|(keys, row)| {
            keys.into_iter().zip(COLUMNS).map(move |(key, column)| (key, row, column))
        })
    }

    #[test]
    fn every_key_is_heard_once_however_long_it_is_pressed() {
        for (key, ..) in all() {
            for millis in [45, 100, 2000] {
                let mut samples = vec![0; 333];
                samples.extend(Tone::key(key).unwrap().take(Duration::from_millis(millis)));
                samples.extend([0; 1000]);
                assert_eq!(heard(&samples), key.to_string(), "{millis}");
            }
        }
    }

    /// Keys that machines dial: 50 ms each, with pauses of 50 ms, and the same key twice.
    #[test]
    fn fast_keys_are_told_apart() {
        let mut samples = Vec::new();
        for key in "1122*#0099ABCD".chars() {
            samples.extend(Tone::key(key).unwrap().take(Duration::from_millis(50)));
            samples.extend([0; 800]);
        }
        assert_eq!(heard(&samples), "1122*#0099ABCD");
    }

    /// ITU-T Q.24: ±1.5 % is a key, so are the twists of its table; 20 ms is none.
    #[test]
    fn a_little_off_is_a_key_and_too_much_is_none() {
        for (key, row, column) in all() {
            for off in [-1.5, 1.5] {
                let samples = pair([(row, -8.0), (column, -8.0)], off, 60);
                assert_eq!(heard(&samples), key.to_string(), "{off}");
            }
            for (low, high) in [(-8.0, -4.5), (-4.5, -12.0), (-30.0, -30.0)] {
                let samples = pair([(row, low), (column, high)], 0.0, 60);
                assert_eq!(heard(&samples), key.to_string(), "{low} {high}");
            }
            for (low, high) in [(-20.0, -8.0), (-4.0, -20.0), (-55.0, -55.0)] {
                assert_eq!(heard(&pair([(row, low), (column, high)], 0.0, 60)), "", "{low} {high}");
            }
            assert_eq!(heard(&pair([(row, -8.0), (column, -8.0)], 0.0, 20)), "");
            assert_eq!(heard(&pair([(row, -8.0), (column, -8.0)], 6.0, 60)), "", "{key}");
        }
    }

    /// A key in noise of 15 dB below it (ITU-T Q.24 note 5 asks for less).
    #[test]
    fn noise_does_not_hide_a_key() {
        let mut dice = machine::Dice::new(5);
        for (key, ..) in all() {
            let mut samples = Tone::key(key).unwrap().take(Duration::from_millis(80));
            for sample in &mut samples {
                *sample = sample.saturating_add((dice.roll() as i16) / 20);
            }
            samples.extend([0; 1000]);
            assert_eq!(heard(&samples), key.to_string());
        }
    }

    /// Talk-off: what is no key is none: a minute of noise, single tones, chords, ringing, and voices of every pitch.
    #[test]
    fn speech_noise_and_music_press_no_keys() {
        let mut dice = machine::Dice::new(2);
        let noise: Vec<i16> = (0..960_000).map(|_| (dice.roll() as i16) / 4).collect();
        assert_eq!(heard(&noise), "");
        let minute = Duration::from_secs(6);
        for hz in (300..3400).step_by(25) {
            assert_eq!(heard(&Tone::sine(f64::from(hz)).take(minute / 12)), "", "{hz}");
        }
        assert_eq!(heard(&Tone::ringback().take(minute)), "");
        for chord in [[350.0, 440.0, 0.0], [523.3, 659.3, 784.0], [440.0, 554.4, 659.3]] {
            assert_eq!(heard(&Tone::chord(&chord, -12.0).take(minute)), "", "{chord:?}");
        }
        for pitch in 80..300 {
            let harmonics: Vec<f64> = (1..=8).map(|nth| f64::from(nth * pitch)).collect();
            let mut voice = Tone::chord(&harmonics, -20.0);
            let mut frame = [0; 8 * FRAME];
            voice.speak(&mut frame);
            assert_eq!(heard(&frame), "", "{pitch}");
        }
    }
}
