//! `Ration`: how many are refused in words. Each refusal takes a part of what a call takes, so there are as many as follow from what is begun;
//! whoever hears nothing comes again, or learns from that.

/// What may be said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ration(u32);

/// Things begun to one refusal.
const TO_ONE: u32 = 4;

/// Refusals at once: a burst is refused in words.
const AT_ONCE: u32 = 64;

impl Default for Ration {
    fn default() -> Self {
        Self(AT_ONCE * TO_ONE)
    }
}

impl Ration {
    /// Something is begun.
    pub(crate) fn begun(&mut self) {
        self.0 = (self.0 + 1).min(AT_ONCE * TO_ONE);
    }

    /// Somebody is to be refused: true when there are words for it.
    pub(crate) fn take(&mut self) -> bool {
        let left = self.0.checked_sub(TO_ONE);
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
        let said = |ration: &mut Ration| std::iter::from_fn(|| ration.take().then_some(())).count();
        assert_eq!(said(&mut ration), 64);
        (0..100).for_each(|_| ration.begun());
        assert_eq!(said(&mut ration), 25);
        (0..10_000).for_each(|_| ration.begun());
        assert_eq!(said(&mut ration), 64);
    }
}
