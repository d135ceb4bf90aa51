//! `Ration`: how many are refused in words. Each refusal takes a part of what a call takes, so there are as many as follow from what is begun;
//! whoever hears nothing comes again, or learns from that.

/// What may be said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ration(u32);

/// What is begun counts for refusals later, up to so many: 64 calls that come by streams at once, or 128 by datagrams. A burst is refused in words.
const MOST: u32 = 256;

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

    /// Somebody is to be refused, to whom belong so many that are begun: true when there are words for it.
    pub(crate) fn take(&mut self, begun: u32) -> bool {
        let left = self.0.checked_sub(begun);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use protocol::Transport;

    use super::super::work::Work;
    use super::*;

    /// How many are refused in words, of as many as you like.
    fn said(ration: &mut Ration, work: Work, transport: Transport) -> usize {
        let take = || ration.take(work.to_one_word(transport)).then_some(());
        std::iter::from_fn(take).count()
    }

    #[test]
    fn a_burst_is_refused_and_then_one_for_so_many_that_are_begun() {
        for (transport, burst, each) in [(Transport::Tcp, 64, 4), (Transport::Udp, 128, 2)] {
            let mut ration = Ration::default();
            assert_eq!(said(&mut ration, Work::Much, transport), burst);
            (0..100).for_each(|_| ration.begun());
            assert_eq!(said(&mut ration, Work::Much, transport), 100 / each);
            (0..10_000).for_each(|_| ration.begun());
            assert_eq!(said(&mut ration, Work::Much, transport), burst);
        }
    }

    /// To refuse one takes as much as to answer it.
    #[test]
    fn fewer_are_refused_of_those_who_are_as_soon_answered() {
        assert_eq!(said(&mut Ration::default(), Work::Answer, Transport::Udp), 16);
    }
}
