//! Loss concealment: a gap is filled with the last pitch period, over and over, and fades (in the spirit of ITU-T G.711
//! appendix I).

use crate::clock::{FRAME, samples_of};

/// The shortest and the longest pitch period looked for: 200 Hz down to 66 Hz.
const SHORTEST: usize = samples_of(5);
const LONGEST: usize = samples_of(15);
/// What is compared to find it: 20 ms.
const COMPARED: usize = FRAME;
/// What is remembered of the past.
const PAST: usize = COMPARED + 2 * LONGEST;
/// The first 10 ms are as loud as what was; after 60 ms there is silence: a longer hum is worse than none.
const STEADY: usize = samples_of(10);
const FADED: usize = samples_of(60);
/// When the sound comes back, it is blended in over 5 ms.
const BLEND: usize = samples_of(5);

/// What was played last, and how the gap is filled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Concealer {
    past: Vec<i16>,
    gap: Option<Gap>,
}

/// A gap that is being filled.
#[derive(Clone, Debug)]
struct Gap {
    period: Vec<i16>,
    filled: usize,
}

impl Gap {
    fn is_silent(&self) -> bool {
        self.filled >= FADED || self.period.iter().all(|sample| *sample == 0)
    }

    fn next(&mut self) -> f32 {
        let at = self.filled.checked_rem(self.period.len()).unwrap_or(0);
        let fade = FADED.saturating_sub(self.filled.max(STEADY)) as f32 / (FADED - STEADY) as f32;
        self.filled = self.filled.saturating_add(1);
        fade * f32::from(self.period.get(at).copied().unwrap_or(0))
    }
}

impl Concealer {
    /// Fills a gap.
    pub(crate) fn fill(&mut self, samples: &mut [i16]) {
        let mut gap =
            self.gap.take().unwrap_or_else(|| Gap { period: period_of(&self.past), filled: 0 });
        samples.fill_with(|| gap.next() as i16);
        self.gap = Some(gap);
        self.remember(samples);
    }

    /// Takes note of what is played, and blends it with what filled the gap before it.
    pub(crate) fn heard(&mut self, samples: &mut [i16]) {
        if let Some(mut gap) = self.gap.take() {
            for (at, sample) in samples.iter_mut().take(BLEND).enumerate() {
                let weight = (at + 1) as f32 / (BLEND + 1) as f32;
                *sample = (weight * f32::from(*sample) + (1.0 - weight) * gap.next()) as i16;
            }
        }
        self.remember(samples);
    }

    /// True when the gap has lasted so long that nothing is heard any more.
    pub(crate) fn is_silent(&self) -> bool {
        self.gap.as_ref().is_some_and(Gap::is_silent)
    }

    /// What was played last.
    pub(crate) fn past(&self) -> &[i16] {
        &self.past
    }

    fn remember(&mut self, samples: &[i16]) {
        self.past.extend_from_slice(samples);
        let old = self.past.len().saturating_sub(PAST);
        self.past.drain(..old);
    }
}

/// The last pitch period, its end blended so that it can follow itself.
fn period_of(past: &[i16]) -> Vec<i16> {
    let Some(split) = past.len().checked_sub(pitch(past)) else { return past.to_vec() };
    let (before, period) = past.split_at_checked(split).unwrap_or_default();
    let mut period = period.to_vec();
    // The last quarter turns into what came before the period, since that is what led to its beginning.
    let quarter = period.len() / 4;
    let led = before.iter().rev().take(quarter);
    for (back, (sample, led)) in period.iter_mut().rev().zip(led).enumerate() {
        let weight = back as f32 / quarter.max(1) as f32;
        *sample = (weight * f32::from(*sample) + (1.0 - weight) * f32::from(*led)) as i16;
    }
    period
}

/// The pitch period of the end of `past`, in samples: where it is most like itself.
pub(crate) fn pitch(past: &[i16]) -> usize {
    best(SHORTEST, LONGEST, |lag| {
        let end = past.len();
        let now = past.get(end.checked_sub(COMPARED)?..)?;
        let then = past.get(end.checked_sub(COMPARED + lag)?..end - lag)?;
        Some(likeness(now, then))
    })
}

/// The lag between `least` and `most` that is liked best; `least` when there is nothing to compare.
pub(crate) fn best(least: usize, most: usize, liked: impl Fn(usize) -> Option<f32>) -> usize {
    let mut best = (f32::MIN, least);
    for lag in least..=most {
        let Some(like) = liked(lag) else { break };
        if like > best.0 {
            best = (like, lag);
        }
    }
    best.1
}

/// How much one piece of sound looks like another, whatever their loudness.
pub(crate) fn likeness(now: &[i16], then: &[i16]) -> f32 {
    let (mut product, mut power) = (0.0, 0.0);
    for (now, then) in now.iter().zip(then) {
        product += f32::from(*now) * f32::from(*then);
        power += f32::from(*then) * f32::from(*then);
    }
    product / (power + 1.0).sqrt()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Tone, detect, level};

    fn playing(hz: f64) -> (Concealer, Vec<i16>) {
        let mut concealer = Concealer::default();
        let mut samples = Tone::sine(hz).take(Duration::from_millis(200));
        samples.chunks_mut(FRAME).for_each(|frame| concealer.heard(frame));
        (concealer, samples)
    }

    #[test]
    fn the_pitch_of_a_sine_is_its_period() {
        for hz in [80.0, 100.0, 160.0, 200.0] {
            let period = pitch(playing(hz).0.past()) as f64;
            assert!((period - 16_000.0 / hz).abs() <= 1.0, "{hz} {period}");
        }
    }

    #[test]
    fn a_gap_goes_on_with_the_tone_and_without_a_click() {
        let (mut concealer, mut samples) = playing(200.0);
        let mut gap = [0; FRAME];
        concealer.fill(&mut gap);
        let found = detect::tone(&gap, 200.0);
        assert_eq!(found.lasted, Duration::from_millis(20));
        let steepest = |samples: &[i16]| {
            samples.windows(2).map(|pair| pair[0].abs_diff(pair[1])).max().unwrap()
        };
        let usual = steepest(&samples);
        samples.extend(gap);
        assert!(steepest(&samples) <= usual + usual / 4, "{} {usual}", steepest(&samples));
    }

    #[test]
    fn a_long_gap_falls_silent_within_60_ms() {
        let (mut concealer, _) = playing(300.0);
        let levels = [(); 4].map(|()| {
            let mut gap = [0; FRAME];
            concealer.fill(&mut gap);
            level::of(&gap)
        });
        assert!(levels.is_sorted_by(|one, next| one > next), "{levels:?}");
        assert_eq!((levels[3], concealer.is_silent()), (level::SILENCE, true));
    }

    #[test]
    fn the_sound_comes_back_softly() {
        let (mut concealer, _) = playing(300.0);
        concealer.fill(&mut [0; 4 * FRAME]);
        let mut loud = [10_000; FRAME];
        concealer.heard(&mut loud);
        assert!(loud[0] < 500 && loud[39] > 4_000 && loud[80] == 10_000, "{loud:?}");
    }

    #[test]
    fn nothing_before_a_gap_is_filled_with_silence() {
        let mut gap = [7; FRAME];
        Concealer::default().fill(&mut gap);
        assert_eq!(gap, [0; FRAME]);
    }
}
