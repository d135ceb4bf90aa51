//! Playing a little faster or slower: a pitch period is taken out or put in, blended over a whole frame, so that the
//! buffer's delay can change while somebody speaks.

use crate::clock::FRAME;
use crate::conceal::{best, likeness};

/// Periods that are taken out or put in: 5 to 15 ms.
const SHORTEST: usize = 40;
pub(super) const LONGEST: usize = 120;

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
        let (past, ahead) = samples.split_at(160);
        let fast = faster(ahead, 120).unwrap();
        let slow = slower(past, ahead).unwrap();
        assert!((200..=280).contains(&fast.taken) && (40..=120).contains(&slow.taken));
        for bent in [fast, slow] {
            assert!(detect::tone(&bent.frame, 250.0).share > 0.95);
            assert_eq!(bent.frame[0], ahead[0]);
            assert!(bent.frame[159].abs_diff(ahead[bent.taken - 1]) < 30);
        }
    }

    #[test]
    fn what_is_not_there_cannot_be_bent() {
        assert!(faster(&[0; 190], 120).is_none());
        assert!(slower(&[0; 60], &[0; 160]).is_none());
        assert!(faster(&[0; 280], 30).is_none(), "shorter than the shortest period");
    }
}
