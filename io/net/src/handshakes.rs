//! `Handshakes`: those who have called us and not yet agreed on how to talk. They are strangers, and cost more than others.

use std::collections::{BTreeSet, HashMap};

use protocol::bans::Source;

/// The handshakes of one shard, in the order in which they began.
#[derive(Debug)]
pub(crate) struct Handshakes {
    most: usize,
    a_source: usize,
    began: u64,
    /// By connection: its place, and whose it is.
    places: HashMap<u32, (u64, Source)>,
    order: BTreeSet<(u64, u32)>,
    sources: HashMap<Source, BTreeSet<(u64, u32)>>,
}

impl Handshakes {
    /// At most so many, and so many from one source.
    pub(crate) fn new(most: usize, a_source: usize) -> Self {
        let (places, order, sources) = (HashMap::new(), BTreeSet::new(), HashMap::new());
        Self { most: most.max(1), a_source: a_source.max(1), began: 0, places, order, sources }
    }

    /// One begins; says which one must go for it: the oldest of that source, or of all.
    pub(crate) fn begin(&mut self, connection: u32, source: Source) -> Option<u32> {
        let theirs = self.sources.get(&source).filter(|theirs| theirs.len() >= self.a_source);
        let all = Some(&self.order).filter(|all| all.len() >= self.most);
        let goes = theirs.or(all).and_then(BTreeSet::first).map(|(_, number)| *number);
        if let Some(goes) = goes {
            self.end(goes);
        }
        self.began += 1;
        let place = (self.began, connection);
        self.places.insert(connection, (self.began, source));
        self.order.insert(place);
        self.sources.entry(source).or_default().insert(place);
        goes
    }

    /// One is over, however it went.
    pub(crate) fn end(&mut self, connection: u32) {
        let Some((began, source)) = self.places.remove(&connection) else { return };
        let place = (began, connection);
        self.order.remove(&place);
        if let Some(theirs) = self.sources.get_mut(&source) {
            theirs.remove(&place);
            if theirs.is_empty() {
                self.sources.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_makes_room_of_the_source_that_has_too_many_or_of_all() {
        let source = |host: u8| Source::from(std::net::IpAddr::from([192, 0, 2, host]));
        let mut handshakes = Handshakes::new(4, 2);
        assert_eq!(handshakes.begin(1, source(1)), None);
        assert_eq!(handshakes.begin(2, source(2)), None);
        assert_eq!(handshakes.begin(3, source(2)), None);
        assert_eq!(handshakes.begin(4, source(2)), Some(2), "its own oldest, not that of others");
        assert_eq!(handshakes.begin(5, source(3)), None);
        assert_eq!(handshakes.begin(6, source(4)), Some(1), "the oldest of all");
        (1..=6).for_each(|number| handshakes.end(number));
        assert!(handshakes.places.is_empty() && handshakes.order.is_empty());
        assert!(handshakes.sources.is_empty());
    }
}
