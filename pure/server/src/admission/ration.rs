//! `Ration`: how many are refused in words. Each refusal takes a part of what a call takes, so there are as many as follow from what is begun;
//! whoever hears nothing comes again, or learns from that.

use super::work::Work;

/// What may be said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ration(u32);

/// Refusals of calls at once: a burst is refused in words.
const AT_ONCE: u32 = 64;
const MOST: u32 = AT_ONCE * Work::Much.to_one_word();

impl Default for Ration {
    fn default() -> Self {
        Self(MOST)
    }
}

impl Ration {
    /// Something is begun.
    pub(crate) fn begun(&mut self) {
        self.0 = (self.0 + 1).min(MOST);
    }

    /// Somebody is to be refused: true when there are words for it.
    pub(crate) fn take(&mut self, work: Work) -> bool {
        let left = self.0.checked_sub(work.to_one_word());
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_refused_and_then_one_for_each_four_that_are_begun() {
        let mut ration = Ration::default();
        let said = |ration: &mut Ration| {
            std::iter::from_fn(|| ration.take(Work::Much).then_some(())).count()
        };
        assert_eq!(said(&mut ration), 64);
        (0..100).for_each(|_| ration.begun());
        assert_eq!(said(&mut ration), 25);
        (0..10_000).for_each(|_| ration.begun());
        assert_eq!(said(&mut ration), 64);
    }

    /// To refuse one takes as much as to answer it.
    #[test]
    fn fewer_are_refused_of_those_who_are_as_soon_answered() {
        let mut ration = Ration::default();
        let answers = std::iter::from_fn(|| ration.take(Work::Answer).then_some(()));
        assert_eq!(answers.count(), 16);
    }
}
