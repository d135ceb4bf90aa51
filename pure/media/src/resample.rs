//! `Resampler`: the same sound at another sampling rate: a windowed sinc, one set of weights for each phase.

use std::f64::consts::PI;

use crate::limits;

/// Zero crossings of the sinc on each side: a steep filter, with more than 60 dB beyond it.
const CROSSINGS: f64 = 24.0;
/// The filter ends a little below half of the lower rate, where its slope has to have come down.
const PASSED: f64 = 0.92;

/// From one rate to another.
#[derive(Clone, Debug)]
pub struct Resampler {
    /// Output sample `m` lies at input sample `m * step / phases`.
    step: usize,
    /// The weights of each phase, for the input samples around it.
    phases: Vec<Vec<f32>>,
}

/// A rate that nothing is sampled at: 0, or above [`limits::HIGHEST_RATE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchRate(pub u32);

impl std::fmt::Display for NoSuchRate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let most = limits::HIGHEST_RATE;
        write!(f, "a sampling rate of {} Hz cannot be used; 1 to {most} Hz can", self.0)
    }
}

impl std::error::Error for NoSuchRate {}

impl Resampler {
    /// From `from` samples a second to `to`.
    pub fn new(from: u32, to: u32) -> Result<Self, NoSuchRate> {
        let wrong = |rate: &u32| *rate == 0 || *rate > limits::HIGHEST_RATE;
        if let Some(rate) = [from, to].into_iter().find(wrong) {
            return Err(NoSuchRate(rate));
        }
        let common = common_divisor(from, to);
        let (step, count) = ((from / common) as usize, (to / common) as usize);
        let phases = if from == to {
            vec![vec![1.0]]
        } else {
            let cut = PASSED * (f64::from(to) / f64::from(from)).min(1.0);
            (0..count).map(|phase| weights(phase as f64 / count as f64, cut)).collect()
        };
        Ok(Self { step, phases })
    }

    /// The sound at the new rate; as long as it was.
    pub fn convert(&self, samples: &[i16]) -> Vec<i16> {
        let count = self.phases.len();
        let length = samples.len().saturating_mul(count).div_ceil(self.step);
        let sample = |m: usize| {
            let place = m.saturating_mul(self.step);
            let weights = self.phases.get(place % count)?;
            Some(weigh(samples, place / count, weights))
        };
        (0..length).map_while(sample).collect()
    }
}

/// A [`Resampler`] for sound that comes piece by piece: nothing is heard of the seams. One rate must divide the other, and pieces must be whole at both. What
/// comes out is late by the reach of the filter, 3 ms between 8,000 and 16,000 Hz.
#[derive(Clone, Debug)]
pub struct Continuous {
    resampler: Resampler,
    /// The end of what came before, as numbers of the filter's kind: each sample is weighed dozens of times, and made one once.
    past: Vec<f32>,
}

impl Continuous {
    /// From one rate to another.
    ///
    /// # Errors
    /// Neither divides the other, or nothing is sampled at one of them.
    pub fn between(from: u32, to: u32) -> Result<Self, NoSuchRate> {
        Resampler::new(from, to)?;
        let whole = from.is_multiple_of(to) || to.is_multiple_of(from);
        if whole { Ok(Self::new(from, to)) } else { Err(NoSuchRate(from)) }
    }

    /// From one rate to another; both are ours to choose.
    pub(crate) fn new(from: u32, to: u32) -> Self {
        let resampler =
            Resampler::new(from, to).unwrap_or(Resampler { step: 1, phases: vec![vec![1.0]] });
        let reach = resampler.phases.first().map_or(0, Vec::len).saturating_sub(1);
        Self { past: vec![0.0; reach], resampler }
    }

    /// The next piece; as long as it was.
    pub fn convert(&mut self, samples: &[i16]) -> Vec<i16> {
        self.past.extend(samples.iter().map(|sample| f32::from(*sample)));
        let Resampler { step, phases } = &self.resampler;
        let (count, taps) = (phases.len(), phases.first().map_or(1, Vec::len));
        let length = samples.len().saturating_mul(count) / step;
        let sample = |m: usize| {
            let place = m.saturating_mul(*step);
            let around = self.past.get(place / count..)?.get(..taps)?;
            let weights = phases.get(place % count)?;
            Some(nearest(sum(around, weights)))
        };
        let converted = (0..length).map_while(sample).collect();
        let old = self.past.len().saturating_sub(taps.saturating_sub(1));
        self.past.drain(..old);
        converted
    }
}

/// The weighted sum, in eight at a time: one after the other each would wait for the one before it.
fn sum(samples: &[f32], weights: &[f32]) -> f32 {
    let (eights, rest) = samples.as_chunks::<LANES>();
    let (weights, rest_weights) = weights.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for (samples, weights) in eights.iter().zip(weights) {
        for ((lane, sample), weight) in lanes.iter_mut().zip(samples).zip(weights) {
            *lane += sample * weight;
        }
    }
    let rest = rest.iter().zip(rest_weights).map(|(sample, weight)| sample * weight);
    lanes.iter().sum::<f32>() + rest.sum::<f32>()
}

/// The nearest sample, or the loudest there is. `round` would be a call of a function for each: not all processors that we run on have it.
fn nearest(value: f32) -> i16 {
    (value + 0.5_f32.copysign(value)) as i16 // saturates
}

/// Numbers that a processor multiplies at once.
const LANES: usize = 8;

/// The weights of the input samples around a place that lies `phase` of a sample after one of them.
fn weights(phase: f64, cut: f64) -> Vec<f32> {
    let reach = (CROSSINGS / cut).ceil();
    let weight = |k: i64| {
        let t = k as f64 - phase;
        let sinc = if t == 0.0 { 1.0 } else { (PI * cut * t).sin() / (PI * cut * t) };
        // Blackman's window.
        let x = PI * (t / reach).clamp(-1.0, 1.0);
        sinc * (0.42 + 0.5 * x.cos() + 0.08 * (2.0 * x).cos())
    };
    let reach = reach as i64;
    let raw: Vec<f64> = (1 - reach..=reach).map(weight).collect();
    // Silence stays silence and a constant stays itself, whatever the phase.
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|weight| (weight / sum) as f32).collect()
}

/// The weighted sum around the sample at `at`; outside of the sound there is silence.
fn weigh(samples: &[i16], at: usize, weights: &[f32]) -> i16 {
    let before = weights.len() / 2 - usize::from(weights.len() > 1);
    let missing = before.saturating_sub(at);
    let around = samples.get(at.saturating_sub(before)..).unwrap_or_default();
    let weights = weights.get(missing..).unwrap_or_default();
    let sum: f32 =
        around.iter().zip(weights).map(|(sample, weight)| f32::from(*sample) * weight).sum();
    nearest(sum)
}

const fn common_divisor(mut one: u32, mut other: u32) -> u32 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;
    use crate::clock::RATE;
    use crate::{detect, level};

    fn sine(hz: f64, rate: u32, seconds: f64) -> Vec<i16> {
        let count = (f64::from(rate) * seconds) as u32;
        let sample = |n: u32| (10_000.0 * (TAU * hz * f64::from(n) / f64::from(rate)).sin()) as i16;
        (0..count).map(sample).collect()
    }

    #[test]
    fn a_tone_keeps_its_level_its_place_and_its_length() {
        for rate in [11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 7_919] {
            let converted = Resampler::new(rate, 8_000).unwrap().convert(&sine(440.0, rate, 1.0));
            assert!(converted.len().abs_diff(8_000) <= 1, "{rate} {}", converted.len());
            let ideal = sine(440.0, 8_000, 1.0);
            let middle = 400..7_600;
            let apart: Vec<i16> = middle.map(|n| converted[n].saturating_sub(ideal[n])).collect();
            assert!(level::of(&apart) < level::of(&ideal) - 55.0, "{rate} {}", level::of(&apart));
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_carry_is_gone_and_does_not_come_back_elsewhere() {
        for hz in [4_600.0, 5_000.0, 7_000.0, 12_000.0] {
            let converted = Resampler::new(48_000, 8_000).unwrap().convert(&sine(hz, 48_000, 1.0));
            let loudest = level::of(&converted[400..7_600]);
            assert!(loudest < level::of(&sine(440.0, 8_000, 1.0)) - 55.0, "{hz} {loudest}");
        }
    }

    #[test]
    fn speech_passes_whole() {
        for hz in [50.0, 300.0, 3_300.0] {
            let converted = Resampler::new(44_100, RATE).unwrap().convert(&sine(hz, 44_100, 1.0));
            let middle = &converted[800..15_200];
            let lost = level::of(&sine(440.0, RATE, 1.0)) - detect::level_of(middle, hz);
            assert!(lost.abs() < 0.2, "{hz} {lost}");
        }
    }

    /// How much louder a tone is at the other rate, at once and piece by piece; both are as long.
    fn gains(hz: f64, from: u32, to: u32) -> [f64; 2] {
        let before = sine(hz, from, 1.0);
        let whole = Resampler::new(from, to).unwrap().convert(&before);
        let mut continuous = Continuous::between(from, to).unwrap();
        let frames = before.chunks(from as usize / 50);
        let pieces: Vec<i16> = frames.flat_map(|frame| continuous.convert(frame)).collect();
        assert_eq!(pieces.len(), whole.len(), "{from} {to}");
        // Whole waves of each tone, away from both ends.
        let middle = |sound: &[i16], rate: u32| {
            let tenth = rate as usize / 10;
            level::of(&sound[2 * tenth..8 * tenth])
        };
        [whole, pieces].map(|after| middle(&after, to) - middle(&before, from))
    }

    /// Between the rates of G.711, of our own sound and of Opus: what was said is as loud as it was.
    #[test]
    fn nothing_gets_louder_or_softer_on_the_way() {
        const RATES: [u32; 3] = [8_000, 16_000, 48_000];
        for (from, to) in RATES.into_iter().flat_map(|from| RATES.map(|to| (from, to))) {
            for hz in [100.0, 440.0, 1_000.0, 3_000.0] {
                let gains = gains(hz, from, to);
                assert!(gains.iter().all(|it| it.abs() < 0.1), "{from} {to}, {hz} Hz: {gains:?}");
            }
        }
    }

    #[test]
    fn a_higher_rate_is_filled_in() {
        let converted = Resampler::new(8_000, 48_000).unwrap().convert(&sine(1_000.0, 8_000, 0.5));
        let ideal = sine(1_000.0, 48_000, 0.5);
        let apart: Vec<i16> = (2_400..21_600).map(|n| converted[n] - ideal[n]).collect();
        assert!(level::of(&apart) < level::of(&ideal) - 55.0);
    }

    #[test]
    fn the_same_rate_changes_nothing_and_a_constant_stays_itself() {
        let samples = sine(440.0, 8_000, 0.1);
        assert_eq!(Resampler::new(8_000, 8_000).unwrap().convert(&samples), samples);
        let converted = Resampler::new(44_100, 8_000).unwrap().convert(&[1_000; 4_410]);
        assert!(converted[100..700].iter().all(|sample| sample.abs_diff(1_000) <= 1));
        assert_eq!(Resampler::new(44_100, 8_000).unwrap().convert(&[]), []);
    }

    #[test]
    fn a_rate_that_cannot_be_is_refused() {
        assert_eq!(Resampler::new(0, 8_000).err(), Some(NoSuchRate(0)));
        let most = limits::HIGHEST_RATE;
        assert_eq!(Resampler::new(8_000, most + 1).err(), Some(NoSuchRate(most + 1)));
        assert!(Resampler::new(most - 1, 8_000).unwrap().convert(&[1; 1000]).len() < 50);
    }
}
