//! `Standing`: which servers cannot be reached, and which can be and refuse. Each of it is told once, and so is its end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::atlas::Place;
use crate::limits;

/// What is told of a server of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It cannot be reached, or refuses what we want: why, in words.
    Fails(String),
    /// It can be reached, and takes what we want.
    Works,
    /// It is asked for nothing any more: others have its place.
    Replaced,
}

/// How the servers stand that give trouble.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    unreachable: BTreeSet<Place>,
    /// And when they refused something last.
    refusing: BTreeMap<Place, Instant>,
}

impl Standing {
    /// A server cannot be reached.
    pub(crate) fn fails(&mut self, place: &Place, why: &str) -> Option<News> {
        self.unreachable.insert(place.clone()).then(|| News::Fails(why.into()))
    }

    /// It can be. Whether it takes what we want, that does not say.
    pub(crate) fn answers(&mut self, place: &Place) -> Option<News> {
        let is_back = self.unreachable.remove(place) && !self.refusing.contains_key(place);
        is_back.then_some(News::Works)
    }

    /// It can be reached, and refuses what we want.
    pub(crate) fn refuses(&mut self, now: Instant, place: &Place, why: &str) -> Option<News> {
        let is_new = self.refusing.insert(place.clone(), now).is_none();
        is_new.then(|| News::Fails(why.into()))
    }

    /// It has taken something. One whose memory is just full takes a little now and then.
    pub(crate) fn takes(&mut self, now: Instant, place: &Place) -> Option<News> {
        let last = self.refusing.get(place)?;
        (now.saturating_duration_since(*last) >= limits::CALM).then(|| {
            self.refusing.remove(place);
            News::Works
        })
    }

    /// These are the servers now: of others nothing is wanted. Who of them gave trouble.
    pub(crate) fn redraw(&mut self, places: &[Place]) -> Vec<Place> {
        let gone = |place: &&Place| !places.contains(place);
        let gone: BTreeSet<_> =
            self.refusing.keys().chain(&self.unreachable).filter(gone).cloned().collect();
        self.unreachable.retain(|place| !gone.contains(place));
        self.refusing.retain(|place, _| !gone.contains(place));

        gone.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(port: u16) -> Place {
        ("10.0.0.1".into(), port)
    }

    fn fails(why: &str) -> Option<News> {
        Some(News::Fails(why.into()))
    }

    #[test]
    fn a_server_that_refuses_is_told_of_once_however_often_it_can_be_reached() {
        let (mut standing, at, now) = (Standing::default(), place(7000), Instant::now());
        assert_eq!(standing.refuses(now, &at, "OOM"), fails("OOM"));
        for _ in 0..3 {
            assert_eq!(standing.answers(&at), None, "it draws its map for everybody");
            assert_eq!(standing.refuses(now, &at, "OOM"), None);
        }
        assert_eq!(standing.takes(now, &at), None, "a little, now and then");
        let later = now + limits::CALM;
        assert_eq!(standing.takes(later, &at), Some(News::Works));
        assert_eq!(standing.takes(later, &at), None);
        assert_eq!(
            standing.refuses(later, &at, "OOM"),
            fails("OOM"),
            "the next time is told again"
        );
    }

    #[test]
    fn a_server_that_refuses_and_is_gone_for_a_while_works_when_it_does_both() {
        let (mut standing, at, now) = (Standing::default(), place(7000), Instant::now());
        standing.refuses(now, &at, "OOM");
        assert_eq!(standing.fails(&at, "refused"), fails("refused"));
        assert_eq!(standing.fails(&at, "refused"), None);
        assert_eq!(standing.answers(&at), None);
        assert_eq!(standing.takes(now + limits::CALM, &at), Some(News::Works));
        assert_eq!(standing.fails(&at, "refused"), fails("refused"));
        assert_eq!(standing.answers(&at), Some(News::Works));
    }

    #[test]
    fn a_server_that_others_have_taken_the_place_of_is_told_of_when_it_is_back_and_fails_again() {
        let (mut standing, now) = (Standing::default(), Instant::now());
        standing.fails(&place(7000), "refused");
        standing.refuses(now, &place(7001), "READONLY");
        assert!(standing.redraw(&[place(7000), place(7001)]).is_empty());
        assert_eq!(standing.redraw(&[place(7002), place(7001)]), [place(7000)]);
        assert_eq!(standing.redraw(&[place(7002)]), [place(7001)]);
        assert_eq!(standing.fails(&place(7000), "refused"), fails("refused"));
        assert_eq!(standing.refuses(now, &place(7001), "READONLY"), fails("READONLY"));
    }
}
