//! `Filler`: makes noise of a level and a colour, where the other side says nothing (RFC 3389 §2: how is left to the listener).

use super::noise::{Noise, ORDER};
use crate::clock::RATE;
use crate::level;
use crate::resample::Continuous;

/// Noise, sample by sample.
#[derive(Debug)]
pub(crate) struct Filler {
    noise: Noise,
    /// The lattice filter's memory.
    memory: [f32; ORDER],
    /// A linear congruence: noise need not be unpredictable.
    state: u32,
    doubled: Continuous,
    ready: Vec<i16>,
}

impl Filler {
    pub(crate) fn new(noise: Noise) -> Self {
        let doubled = Continuous::new(NARROW, RATE);
        Self { noise, memory: [0.0; ORDER], state: 1, doubled, ready: Vec::new() }
    }

    /// Goes on with another noise.
    pub(crate) const fn turn_to(&mut self, noise: Noise) {
        self.noise = noise;
    }

    pub(crate) fn fill(&mut self, samples: &mut [i16]) {
        while self.ready.len() < samples.len() {
            let made = self.make();
            self.ready.extend(self.doubled.convert(&made));
        }
        let wanted = samples.len();
        for (sample, ready) in samples.iter_mut().zip(self.ready.drain(..wanted)) {
            *sample = ready;
        }
    }

    /// 20 ms at 8,000 samples a second.
    fn make(&mut self) -> [i16; 160] {
        // What the filter adds is taken from what goes in.
        let gain: f32 = self.noise.reflection.iter().map(|k| 1.0 - k * k).product();
        let peak = level::peak(self.noise.dbm0()) as f32;
        // White noise between -1 and 1 has two thirds of the power of a sine of that peak.
        let loud = peak * gain.max(0.0).sqrt() * 1.5f32.sqrt();
        std::array::from_fn(|_| self.next(loud) as i16)
    }

    fn next(&mut self, loud: f32) -> f32 {
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let white = self.state.cast_signed() as f32 / 2_147_483_648.0;
        let mut forward = white * loud;
        // From the highest order down; each stage hands its backward value to the one above it.
        let mut above: Option<&mut f32> = None;
        for (k, memory) in self.noise.reflection.iter().zip(self.memory.iter_mut()).rev() {
            forward -= k * *memory;
            if let Some(above) = above {
                *above = k * forward + *memory;
            }
            above = Some(memory);
        }
        if let Some(lowest) = above {
            *lowest = forward;
        }
        forward
    }
}

const NARROW: u32 = 8_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FRAME;
    use crate::comfort::{Hush, Silenced};
    use crate::detect;

    fn filled(noise: Noise) -> Vec<i16> {
        let mut samples = vec![0; RATE as usize];
        Filler::new(noise).fill(&mut samples);
        samples.drain(..1_600);
        samples
    }

    #[test]
    fn a_level_alone_makes_white_noise_of_that_level() {
        for below in [40, 50, 60] {
            let samples = filled(Noise::parse(&[below]).unwrap());
            let wanted = 6.15 - f64::from(below);
            assert!((level::of(&samples) - wanted).abs() < 1.5, "{below} {}", level::of(&samples));
            assert!(detect::tone(&samples, 1000.0).share < 0.05);
        }
    }

    /// What was analysed is made again: as loud, and of the same colour.
    #[test]
    fn a_hum_and_a_hiss_are_told_apart() {
        let mut dice = machine::Dice::new(3);
        let mut last = 0.0;
        let mut next = |tilt: f32| {
            let white = f32::from((dice.roll() % 101) as i16 - 50);
            last = tilt * last + white * 0.5;
            last as i16
        };
        let mut colour = |tilt: f32| {
            let mut hush = Hush::default();
            let told = (0..40).filter_map(|_| {
                let frame: [i16; FRAME] = std::array::from_fn(|_| next(tilt));
                match hush.frame(&frame) {
                    Silenced::Told(noise) => Some(noise),
                    _ => None,
                }
            });
            filled(told.last().unwrap())
        };
        let (hum, hiss) = (colour(0.9), colour(-0.5));
        let low = |samples: &[i16]| {
            let at = |hz: f64| detect::level_of(&samples[..3_200], hz);
            let mean =
                |from: u32| (0..40).map(|n| at(f64::from(from + n * 17))).sum::<f64>() / 40.0;
            mean(200) - mean(2_500)
        };
        assert!(low(&hum) > low(&hiss) + 6.0, "{} {}", low(&hum), low(&hiss));
    }

    #[test]
    fn what_strangers_tell_rings_no_bell() {
        for index in [0, 254] {
            let samples =
                filled(Noise::parse(&[20, index, 254, 0, 254, index, 0, 254, 0]).unwrap());
            assert!(level::of(&samples) < 0.0, "{}", level::of(&samples));
        }
    }
}
