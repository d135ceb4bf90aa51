//! Playing a little faster or slower: a pitch period is taken out or put in, blended over a whole frame, so that the
//! buffer's delay can change while somebody speaks.

use crate::clock::{FRAME, samples_of};
use crate::conceal::{best, likeness};

/// Periods that are taken out or put in: 5 to 15 ms.
const SHORTEST: usize = samples_of(5);
pub(super) const LONGEST: usize = samples_of(15);

/// What is needed to bend a frame: the frame itself and the longest period after it.
pub(super) const NEEDED: usize = FRAME + LONGEST;

/// A frame that was bent, and how many samples of the source it stands for.
pub(super) struct Bent {
    pub(super) frame: Vec<i16>,
    pub(super) taken: usize,
}

/// A frame that stands for more than a frame, but not for more than `most` samples more.
pub(super) fn faster(ahead: &[i16], most: usize) -> Option<Bent> {
    let frame = ahead.get(..FRAME)?;
    let most = most.min(LONGEST);
    let lag = best(SHORTEST, most, |lag| Some(likeness(frame, ahead.get(lag..lag + FRAME)?)));
    let then = ahead.get(lag..lag + FRAME).filter(|_| lag <= most)?;
    Some(Bent { frame: blend(frame, then), taken: FRAME + lag })
}

/// A frame that stands for less than a frame. `past` is what was played before it.
pub(super) fn slower(past: &[i16], ahead: &[i16]) -> Option<Bent> {
    let frame = ahead.get(..FRAME)?;
    let start = past.len().checked_sub(LONGEST)?;
    let mut both = past.get(start..)?.to_vec();
    both.extend_from_slice(frame);
    let earlier = |lag: usize| both.get(LONGEST - lag..LONGEST - lag + FRAME);
    let lag = best(SHORTEST, LONGEST, |lag| Some(likeness(frame, earlier(lag)?)));
    Some(Bent { frame: blend(frame, earlier(lag)?), taken: FRAME - lag })
}

/// Begins as the one and ends as the other.
fn blend(from: &[i16], to: &[i16]) -> Vec<i16> {
    let mix = |(at, (from, to)): (usize, (&i16, &i16))| {
        let weight = at as f32 / (FRAME - 1) as f32;
        ((1.0 - weight) * f32::from(*from) + weight * f32::from(*to)) as i16
    };
    from.iter().zip(to).enumerate().map(mix).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Tone, detect};

    #[test]
    fn a_bent_frame_still_is_the_tone_and_meets_its_neighbours() {
        let samples = Tone::sine(250.0).take(Duration::from_millis(60));
        let (past, ahead) = samples.split_at(FRAME);
        let fast = faster(ahead, LONGEST).unwrap();
        let slow = slower(past, ahead).unwrap();
        assert!((400..=560).contains(&fast.taken) && (80..=240).contains(&slow.taken));
        for bent in [fast, slow] {
            assert!(detect::tone(&bent.frame, 250.0).share > 0.95);
            assert_eq!(bent.frame[0], ahead[0]);
            assert!(bent.frame[FRAME - 1].abs_diff(ahead[bent.taken - 1]) < 30);
        }
    }

    #[test]
    fn what_is_not_there_cannot_be_bent() {
        assert!(faster(&[0; 380], LONGEST).is_none());
        assert!(slower(&[0; 120], &[0; FRAME]).is_none());
        assert!(faster(&[0; 560], 60).is_none(), "shorter than the shortest period");
    }
}
