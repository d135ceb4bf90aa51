//! `Limiter`: makes a sum of voices fit into 16 bits, by turning it down and not by cutting it off.

use crate::clock::FRAME;

/// Turns a sum down where it is too loud, slowly back up afterwards, and lets it pass as it is where it fits.
///
/// It looks 5 ms ahead, and gives what it was given so much later: before a peak comes it has been turned down already, without a step.
#[derive(Clone, Debug)]
pub(super) struct Limiter {
    /// What is still to be given.
    block: [i32; BLOCK],
    /// The most that this may be multiplied with.
    room: f32,
    /// What the last sample was multiplied with; at most `room`.
    gain: f32,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { block: [0; BLOCK], room: 1.0, gain: 1.0 }
    }
}

impl Limiter {
    /// The sum, 5 ms later.
    pub(super) fn pass(&mut self, sum: &[i32; FRAME]) -> [i16; FRAME] {
        let mut frame = [0; FRAME];
        let (blocks, _) = sum.as_chunks::<BLOCK>();
        for (ahead, out) in blocks.iter().zip(frame.chunks_exact_mut(BLOCK)) {
            let room = room(ahead);
            let next = (self.gain + RECOVERY).min(self.room).min(room);
            let step = (next - self.gain) / BLOCK as f32;
            for ((sample, out), n) in self.block.iter().zip(out).zip(1_u16..) {
                let gain = self.gain + step * f32::from(n);
                *out = (*sample as f32 * gain) as i16; // towards zero, and saturates
            }
            (self.block, self.room, self.gain) = (*ahead, room, next);
        }
        frame
    }
}

/// The most that these may be multiplied with.
fn room(block: &[i32; BLOCK]) -> f32 {
    let peak = block.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
    (f32::from(i16::MAX) / peak.max(1) as f32).min(1.0)
}

/// Samples that are looked ahead: 5 ms.
const BLOCK: usize = FRAME / 4;

/// How much of full loudness comes back in each block: all of it takes half a second.
const RECOVERY: f32 = 0.01;

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(limiter: &mut Limiter, samples: &[i32]) -> Vec<i16> {
        let (frames, rest) = samples.as_chunks::<FRAME>();
        assert!(rest.is_empty());
        frames.iter().flat_map(|frame| limiter.pass(frame)).collect()
    }

    #[test]
    fn what_fits_passes_as_it_is() {
        let samples: Vec<i32> = (0..3 * FRAME as i32).map(|n| n * 7919 % 65_535 - 32_767).collect();
        let passed = pass(&mut Limiter::default(), &samples);
        let late = samples.len() - BLOCK;
        let same = passed[BLOCK..].iter().zip(&samples[..late]).all(|(a, b)| i32::from(*a) == *b);
        assert!(same && passed[..BLOCK].iter().all(|sample| *sample == 0));
    }

    #[test]
    fn what_is_too_loud_is_turned_down_without_a_step_and_comes_back() {
        // Quiet, four times too loud at once, quiet again.
        let sine = |n: usize, peak: f64| {
            (peak * (n as f64 * 400.0 / 16_000.0 * std::f64::consts::TAU).sin()) as i32
        };
        let loud = 20 * FRAME..40 * FRAME;
        let peak = |n: usize| if loud.contains(&n) { 130_000.0 } else { 8_000.0 };
        let samples: Vec<i32> = (0..100 * FRAME).map(|n| sine(n, peak(n))).collect();
        let passed = pass(&mut Limiter::default(), &samples);
        let (mut most, mut last) = (0, 0.0_f64);
        for (given, was) in passed[BLOCK..].iter().zip(&samples) {
            most = most.max(given.unsigned_abs());
            if was.unsigned_abs() > 1000 {
                let gain = f64::from(*given) / f64::from(*was);
                assert!(last == 0.0 || (gain - last).abs() < 0.02, "{last} {gain}");
                last = gain;
            }
        }
        // As loud as it can be, never cut off.
        assert!((32_500..=32_767).contains(&most), "{most}");
        let cut = passed.windows(3).filter(|few| few.iter().all(|one| one.unsigned_abs() > 32_760));
        assert_eq!(cut.count(), 0);
        let end = passed.len() - FRAME;
        assert!(passed[end..].iter().max().unwrap().abs_diff(8_000) < 10);
    }
}
