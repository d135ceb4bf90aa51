//! `Hush`: whether anything is said at all, and how the silence sounds if not: what is sent instead of sound (RFC 3389 §5).

use super::noise::{Noise, ORDER};
use crate::clock::FRAME;
use crate::level;

/// Listens to what we would send.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hush {
    quiet: u32,
    /// The correlation of the silence with itself, smoothed.
    model: [f64; ORDER + 1],
    told: Option<(Noise, u32)>,
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Silenced {
    /// It is sent.
    Spoken,
    /// This is sent instead.
    Told(Noise),
    /// Nothing is sent.
    Silent,
}

impl Hush {
    /// Looks at the next frame.
    pub(crate) fn frame(&mut self, frame: &[i16; FRAME]) -> Silenced {
        if level::of(frame) > QUIET {
            *self = Self::default();
            return Silenced::Spoken;
        }
        self.listen(frame);
        self.quiet = self.quiet.saturating_add(1);
        if self.quiet <= HANGOVER {
            return Silenced::Spoken;
        }
        let noise = self.noise();
        match &mut self.told {
            Some((last, age)) if *age < REPEAT && last.apart(&noise) < AUDIBLY => {
                *age += 1;
                Silenced::Silent
            }
            _ => {
                self.told = Some((noise, 1));
                Silenced::Told(noise)
            }
        }
    }

    /// Goes on with the model of the silence, at the 8,000 samples a second that the payload speaks of.
    fn listen(&mut self, frame: &[i16; FRAME]) {
        let narrow: Vec<f64> = frame
            .chunks_exact(2)
            .map(|pair| pair.iter().map(|sample| f64::from(*sample)).sum::<f64>() / 2.0)
            .collect();
        for (lag, kept) in self.model.iter_mut().enumerate() {
            let later = narrow.iter().skip(lag);
            let now = later.zip(&narrow).map(|(one, other)| one * other).sum::<f64>()
                / narrow.len().max(1) as f64;
            *kept = if self.quiet == 0 { now } else { *kept + SMOOTH * (now - *kept) };
        }
    }

    /// Levinson's recursion: from the correlation to reflection coefficients.
    fn noise(&self) -> Noise {
        let power = self.model.first().copied().unwrap_or(0.0);
        let (mut reflection, mut model) = ([0.0f32; ORDER], [0.0f64; ORDER]);
        // A little white noise keeps the model in its senses.
        let mut left = power * 1.001 + 1e-3;
        for order in 0..ORDER {
            let told: f64 = (0..order)
                .filter_map(|at| Some(model.get(at)? * self.model.get(order - at)?))
                .sum();
            let correlated = self.model.get(order + 1).copied().unwrap_or(0.0);
            let k = ((correlated - told) / left).clamp(-STABLE, STABLE);
            let before = model;
            let earlier = before.iter().take(order).rev();
            model.iter_mut().zip(earlier).for_each(|(one, other)| *one -= k * other);
            if let (Some(last), Some(kept)) = (model.get_mut(order), reflection.get_mut(order)) {
                (*last, *kept) = (k, -k as f32);
            }
            left *= 1.0 - k * k;
        }
        Noise::new(level::of_power(power), reflection)
    }
}

/// In dBm0: what is quieter is no speech, whoever speaks; a room is louder than this only when somebody is in it.
const QUIET: f64 = -50.0;
/// Frames of quiet that are still sent: 200 ms, so that no word loses its end.
const HANGOVER: u32 = 10;
/// Frames until the same is told again: 400 ms. Routers and those who wait for sound see that we are there.
const REPEAT: u32 = 20;
/// A change of so many dB is told at once.
const AUDIBLY: u8 = 4;
/// How much of the model is the newest frame.
const SMOOTH: f64 = 0.2;
/// The filter of a coefficient below 1 does not ring for ever.
const STABLE: f64 = 0.98;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Audio, Tone};

    fn noise(dice: &mut machine::Dice, loud: i16) -> [i16; FRAME] {
        std::array::from_fn(|_| dice.roll() as i16 % loud.max(1))
    }

    #[test]
    fn speech_is_sent_and_so_is_what_follows_it_for_a_moment() {
        let (mut hush, mut frame) = (Hush::default(), [0; FRAME]);
        Tone::chord(&[300.0], -40.0).speak(&mut frame);
        assert_eq!(hush.frame(&frame), Silenced::Spoken);
        let said: Vec<Silenced> = (0..60).map(|_| hush.frame(&[0; FRAME])).collect();
        let told: Vec<usize> =
            (0..60).filter(|at| matches!(said[*at], Silenced::Told(_))).collect();
        assert!(said[..10].iter().all(|one| *one == Silenced::Spoken));
        assert_eq!(told, [10, 30, 50]);
        assert_eq!(hush.frame(&frame), Silenced::Spoken);
    }

    #[test]
    fn a_change_of_the_noise_is_told_at_once() {
        let (mut hush, mut dice) = (Hush::default(), machine::Dice::new(1));
        for _ in 0..20 {
            hush.frame(&noise(&mut dice, 8));
        }
        let said: Vec<Silenced> = (0..10).map(|_| hush.frame(&noise(&mut dice, 60))).collect();
        let told = said.iter().filter(|one| matches!(one, Silenced::Told(_))).count();
        assert!((1..6).contains(&told), "{told}");
    }
}
