//! `Shelf`: things under numbers that no other thing has had.

use crate::Rows;

/// Keeps things, each in a place of its own: found by its number at once, however many there are. A number that has expired
/// finds nothing, also when its place has been given to another thing.
#[derive(Clone, Debug)]
pub struct Shelf<T> {
    places: Rows<Place<T>>,
    free: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Place<T> {
    /// How often the place was given away: the upper half of the number of what stands there.
    round: u32,
    thing: Option<Box<T>>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { places: Rows::default(), free: Vec::new() }
    }
}

impl<T> Shelf<T> {
    /// Puts a thing on the shelf; its number is never 0.
    pub fn put(&mut self, thing: T) -> u64 {
        let empty = Place { round: 0, thing: None };
        let at = self.free.pop().unwrap_or_else(|| self.places.push(empty) as u32);
        let Some(place) = self.places.get_mut(at as usize) else { return 0 };
        // After 4 billion things in one place a number comes again: nobody remembers the first.
        place.round = place.round.wrapping_add(1).max(1);
        place.thing = Some(Box::new(thing));
        u64::from(place.round) << 32 | u64::from(at)
    }

    /// The thing with this number.
    pub fn get(&self, number: u64) -> Option<&T> {
        let place = self.places.get(number as u32 as usize)?;
        place.thing.as_deref().filter(|_| u64::from(place.round) == number >> 32)
    }

    /// The thing with this number, to be changed.
    pub fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let place = self.places.get_mut(number as u32 as usize)?;
        place.thing.as_deref_mut().filter(|_| u64::from(place.round) == number >> 32)
    }

    /// What stands in a place, with its number, whatever that is: the place is the lower half of it.
    pub fn at(&self, place: u32) -> Option<(u64, &T)> {
        let Place { round, thing } = self.places.get(place as usize)?;
        let number = u64::from(*round) << 32 | u64::from(place);
        thing.as_deref().map(|thing| (number, thing))
    }

    /// Takes a thing from the shelf.
    pub fn take(&mut self, number: u64) -> Option<T> {
        let at = number as u32;
        let place = self.places.get_mut(at as usize)?;
        if u64::from(place.round) != number >> 32 {
            return None;
        }
        let thing = place.thing.take()?;
        self.free.push(at);
        Some(*thing)
    }

    /// Drops a thing where it stands. False when it is not there.
    pub fn clear(&mut self, number: u64) -> bool {
        let at = number as u32;
        let place = self.places.get_mut(at as usize);
        let Some(place) = place.filter(|place| u64::from(place.round) == number >> 32) else {
            return false;
        };
        let was_there = place.thing.take().is_some();
        self.free.extend(was_there.then_some(at));
        was_there
    }

    /// All things, in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.behind(0).filter_map(|place| place.thing.as_deref())
    }

    /// The things behind the place of this number (none: all), each with its own, in the order of their places.
    pub fn behind(&self, number: Option<u64>) -> impl Iterator<Item = (u64, &T)> {
        let first = number.map_or(0, |number| (number as u32 as usize).saturating_add(1));
        self.places.behind(first).zip(first..).filter_map(|(place, at)| {
            let number = u64::from(place.round) << 32 | at as u64;
            place.thing.as_deref().map(|thing| (number, thing))
        })
    }

    /// The things in so many places behind that of this number (none: from the first on), each with its own; and the number behind which the places go on,
    /// when there are more.
    pub fn stretch(
        &self,
        number: Option<u64>,
        places: usize,
    ) -> (impl Iterator<Item = (u64, &T)>, Option<u64>) {
        let first = number.map_or(0, |number| (number as u32 as usize).saturating_add(1));
        let end = first.saturating_add(places.max(1));
        let things =
            self.behind(number).take_while(move |(number, _)| (*number as u32 as usize) < end);
        (things, (end < self.places.len()).then(|| end as u64 - 1))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_finds_its_thing_and_never_another() {
        let mut shelf = Shelf::default();
        let (a, b) = (shelf.put('a'), shelf.put('b'));
        assert_eq!((shelf.get(a), shelf.get(b), shelf.len()), (Some(&'a'), Some(&'b'), 2));
        assert_eq!((shelf.at(a as u32), shelf.at(9)), (Some((a, &'a')), None));
        assert_eq!((shelf.take(a), shelf.take(a), shelf.get(a)), (Some('a'), None, None));
        assert_eq!(shelf.at(a as u32), None);
        assert!(!shelf.clear(a));
        let c = shelf.put('c');
        assert!(shelf.get(a).is_none() && shelf.get_mut(a).is_none() && shelf.take(a).is_none());
        *shelf.get_mut(c).unwrap() = 'd';
        assert_eq!(shelf.iter().collect::<String>(), "db");
        assert!(shelf.behind(None).eq([(c, &'d'), (b, &'b')]));
        assert!(shelf.behind(Some(a)).eq([(b, &'b')]) && shelf.behind(Some(b)).next().is_none());
        let stretch = |number, places| {
            let (things, next) = shelf.stretch(number, places);
            (things.map(|(_, thing)| *thing).collect::<String>(), next)
        };
        assert_eq!(stretch(None, 1), ("d".into(), Some(0)));
        assert_eq!(
            (stretch(Some(0), 1), stretch(None, 9)),
            (("b".into(), None), ("db".into(), None))
        );
        let e = shelf.put('e');
        assert!(shelf.clear(e) && !shelf.clear(e) && shelf.len() == 2 && shelf.put('f') != e);
        assert!(a != 0 && b != 0 && c != a && !shelf.is_empty() && shelf.get(0).is_none());
    }
}
