//! `Pipe`: samples between the call's thread and the sound server's; the oldest go when it is full, so that the delay has
//! an end.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// One direction.
#[derive(Clone, Debug)]
pub(super) struct Pipe {
    inside: Arc<(Mutex<VecDeque<i16>>, Condvar)>,
    most: usize,
}

impl Pipe {
    /// Holds at most so many samples.
    pub(super) fn new(most: usize) -> Self {
        Self { inside: Arc::default(), most }
    }

    fn samples(&self) -> MutexGuard<'_, VecDeque<i16>> {
        // Whoever stopped in the middle left samples, and nothing but samples.
        self.inside.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds samples.
    pub(super) fn put(&self, samples: impl Iterator<Item = i16>) {
        let mut inside = self.samples();
        inside.extend(samples);
        let old = inside.len().saturating_sub(self.most);
        inside.drain(..old);
        self.inside.1.notify_all();
    }

    /// The next so many samples; where there are none, silence.
    pub(super) fn take(&self, samples: &mut [i16]) {
        let mut inside = self.samples();
        samples.fill_with(|| inside.pop_front().unwrap_or(0));
    }

    /// Waits until there are so many samples; false when they do not come in time.
    #[cfg(test)]
    pub(super) fn wait_for(&self, count: usize, patience: std::time::Duration) -> bool {
        let (_, condition) = &*self.inside;
        let few = |inside: &mut VecDeque<i16>| inside.len() < count;
        condition
            .wait_timeout_while(self.samples(), patience, few)
            .is_ok_and(|(_, out)| !out.timed_out())
    }
}

#[cfg(test)]
mod pipe_tests {
    use super::*;

    #[test]
    fn what_is_too_much_goes_oldest_first_and_what_is_missing_is_silence() {
        let pipe = Pipe::new(3);
        pipe.put([1, 2, 3, 4].into_iter());
        let mut taken = [9; 5];
        pipe.take(&mut taken);
        assert_eq!(taken, [2, 3, 4, 0, 0]);
    }
}
