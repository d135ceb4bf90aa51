//! `Patch`: a cord between the calls of several accounts: what is heard at one account is said at all others.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use media::FRAME;

type Frame = [i16; FRAME];

/// From one account to another: what was heard at the first and is not yet said at the second.
type Between = BTreeMap<(usize, usize), VecDeque<Frame>>;

/// The cord.
#[derive(Clone, Debug, Default)]
pub(super) struct Patch {
    between: Arc<Mutex<Between>>,
}

/// The end of the cord at one account.
#[derive(Clone, Debug)]
pub(super) struct Plug {
    line: usize,
    patch: Patch,
}

impl Patch {
    /// Another end, at this account; or the one that is there.
    pub(super) fn plug(&self, line: usize) -> Plug {
        let mut between = self.between();
        let known: Vec<_> = between.keys().map(|(from, _)| *from).chain([line]).collect();
        for other in known {
            for way in [(line, other), (other, line)] {
                between.entry(way).or_default();
            }
        }
        Plug { line, patch: self.clone() }
    }

    fn between(&self) -> MutexGuard<'_, Between> {
        // Whoever stopped in the middle left frames, and nothing but frames.
        self.between.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plug {
    /// What is heard here goes to all others. Where nobody fetches it, the oldest goes first.
    pub(super) fn hear(&self, frame: &[i16]) {
        let mut heard = [0; FRAME];
        heard.iter_mut().zip(frame).for_each(|(to, from)| *to = *from);
        for (_, waiting) in self
            .patch
            .between()
            .iter_mut()
            .filter(|((from, to), _)| *from == self.line && to != from)
        {
            if waiting.len() >= WAITING {
                waiting.pop_front();
            }
            waiting.push_back(heard);
        }
    }

    /// What is heard at all others is said here, with what is said already.
    pub(super) fn speak(&self, frame: &mut [i16]) {
        for (_, waiting) in self.patch.between().iter_mut().filter(|((_, to), _)| *to == self.line)
        {
            let Some(heard) = waiting.pop_front() else { continue };
            frame
                .iter_mut()
                .zip(heard)
                .for_each(|(said, heard)| *said = said.saturating_add(heard));
        }
    }
}

/// Frames that wait: the phones of two accounts keep no common beat, and what is older than 80 ms would only be a delay.
const WAITING: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_account_hears_all_others_and_never_itself() {
        let patch = Patch::default();
        let [one, two, three] = [3, 5, 9].map(|line| patch.plug(line));
        let said = |plug: &Plug| {
            let mut frame = [1; FRAME];
            plug.speak(&mut frame);
            frame[FRAME - 1]
        };
        one.hear(&[10; FRAME]);
        two.hear(&[200; FRAME]);
        assert_eq!([&one, &two, &three].map(said), [201, 11, 211]);
        assert_eq!([&one, &two, &three].map(said), [1; 3], "all has been said");
        // The same end twice is one end; too loud is as loud as can be.
        let again = patch.plug(5);
        one.hear(&[i16::MAX; FRAME]);
        assert_eq!([&again, &two].map(said), [i16::MAX, 1]);
    }

    #[test]
    fn nobody_is_heard_later_and_later() {
        let patch = Patch::default();
        let [one, other] = [0, 1].map(|line| patch.plug(line));
        (0..50).for_each(|n| one.hear(&[n; FRAME]));
        let mut said = Vec::new();
        for _ in 0..6 {
            let mut frame = [0; FRAME];
            other.speak(&mut frame);
            said.push(frame[0]);
        }
        assert_eq!(said, [46, 47, 48, 49, 0, 0]);
    }
}
