//! `Index`: from the hash of a thing to its place, in as little room as it can be, and mostly with one look at memory.
//!
//! It is many small tables, so that one that grows is moved in no time. A table is rows as long as a line of the cache: in each stand places, and an octet of the
//! hash of each, its mark. Whose a place is stands there.

/// Places by the hash of what is there.
#[derive(Debug)]
pub struct Index {
    tables: Box<[Table]>,
    count: usize,
}

/// How many tables: as many as an octet has values.
const TABLES: usize = 256;

impl Default for Index {
    fn default() -> Self {
        Self { tables: std::iter::repeat_with(Table::default).take(TABLES).collect(), count: 0 }
    }
}

impl Index {
    /// The place under a hash that `is_it`.
    pub fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let table = self.tables.get(table(hash))?;
        let (row, slot) = table.find(hash, is_it)?;
        table.rows.get(row)?.places.get(slot).copied()
    }

    /// Puts a place under a hash, where it is not yet; `hash_of` tells that of any other.
    pub fn insert(&mut self, hash: u64, place: u32, hash_of: impl Fn(u32) -> u64) {
        if let Some(table) = self.tables.get_mut(table(hash)) {
            table.grow(hash_of);
            table.insert(hash, place);
            self.count += 1;
        }
    }

    /// Takes a place under a hash away.
    pub fn remove(&mut self, hash: u64, place: u32) {
        let table = self.tables.get_mut(table(hash));
        self.count -= usize::from(table.is_some_and(|table| table.remove(hash, place)));
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// True when there is none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// One of the tables. What finds its row full stands in the first one behind it that is not.
#[derive(Debug, Default)]
struct Table {
    rows: Box<[Row]>,
    count: usize,
}

/// A line of the cache.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Row {
    /// An octet for each place: nothing is there where it is 0.
    marks: u128,
    places: [u32; PLACES],
    /// How many have found it full, and stand behind it.
    passed: u32,
}

/// As many as there is room for beside the rest of a row.
const PLACES: usize = 11;

impl Table {
    fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<(usize, usize)> {
        let mut at = self.row(hash);
        // All rows may have been full at one time or another.
        for _ in 0..self.rows.len() {
            let row = self.rows.get(at)?;
            let is_there = |slot: &usize| row.places.get(*slot).copied().is_some_and(&is_it);
            if let Some(slot) = row.marked(mark(hash)).find(is_there) {
                return Some((at, slot));
            }
            if row.passed == 0 {
                break;
            }
            at = self.behind(at);
        }
        None
    }

    /// There is room.
    fn insert(&mut self, hash: u64, place: u32) {
        let mut at = self.row(hash);
        while let Some(row) = self.rows.get_mut(at) {
            if row.put(mark(hash), place) {
                self.count += 1;
                return;
            }
            row.passed += 1;
            at = self.behind(at);
        }
    }

    /// True when it was there. What had become a long table is given back when nothing is left.
    fn remove(&mut self, hash: u64, place: u32) -> bool {
        let Some((found, slot)) = self.find(hash, |other| other == place) else { return false };
        let mut at = self.row(hash);
        while at != found {
            self.rows.get_mut(at).into_iter().for_each(|row| row.passed -= 1);
            at = self.behind(at);
        }
        self.rows.get_mut(found).into_iter().for_each(|row| row.marks &= !(0xff << (8 * slot)));
        self.count -= 1;
        if self.count == 0 && self.rows.len() > 1 {
            self.rows = Box::default();
        }
        true
    }

    /// Makes room for one more: a seventh of all places is never taken, so that few go on to another row.
    fn grow(&mut self, hash_of: impl Fn(u32) -> u64) {
        if self.count < self.rows.len() * PLACES * 6 / 7 {
            return;
        }
        let rows = (self.rows.len() + self.rows.len().div_ceil(2)).max(1);
        let mut wider = Self { rows: vec![Row::default(); rows].into(), count: 0 };
        for row in &self.rows {
            let taken = row
                .places
                .iter()
                .enumerate()
                .filter(|(slot, _)| row.marks >> (8 * slot) & 0xff != 0);
            taken.for_each(|(_, place)| wider.insert(hash_of(*place), *place));
        }
        *self = wider;
    }

    /// The first row for a hash.
    const fn row(&self, hash: u64) -> usize {
        let part = mixed(hash) >> 24 & 0xffff_ffff;
        ((part * self.rows.len() as u64) >> 32) as usize
    }

    const fn behind(&self, row: usize) -> usize {
        if row + 1 < self.rows.len() { row + 1 } else { 0 }
    }
}

impl Row {
    /// Where this mark stands.
    fn marked(&self, mark: u8) -> impl Iterator<Item = usize> {
        const LOW: u128 = u128::MAX / 0xff * 0x7f;
        // An octet that is 0 once the mark is taken from all, and no other, has its highest bit here.
        let other = self.marks ^ (u128::MAX / 0xff * u128::from(mark));
        let mut same = !(((other & LOW) + LOW) | other | LOW);
        std::iter::from_fn(move || {
            let slot = same.trailing_zeros() as usize / 8;
            same &= same.wrapping_sub(1);
            (slot < PLACES).then_some(slot)
        })
    }

    /// False when it is full.
    fn put(&mut self, mark: u8, place: u32) -> bool {
        let Some(slot) = self.marked(0).next() else { return false };
        self.marks |= u128::from(mark) << (8 * slot);
        self.places.get_mut(slot).into_iter().for_each(|at| *at = place);
        true
    }
}

/// Which table.
const fn table(hash: u64) -> usize {
    (mixed(hash) >> 56) as usize % TABLES
}

/// An octet of a hash; never 0.
const fn mark(hash: u64) -> u8 {
    let mark = (mixed(hash) >> 16) as u8;
    if mark == 0 { 1 } else { mark }
}

/// Numbers that follow one another are as good as thrown.
const fn mixed(hash: u64) -> u64 {
    hash.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_found_and_counted_once() {
        let mut index = Index::default();
        // Two by two they have one hash.
        let hash = |number: u32| u64::from(number / 2);
        let find = |index: &Index, number| index.find(hash(number), |place| place == number);
        for number in 0..5000 {
            index.insert(hash(number), number, hash);
        }
        assert!(!index.is_empty() && index.len() == 5000);
        assert!((0..5000).all(|number| find(&index, number) == Some(number)));
        for number in (0..5000).step_by(2).chain([0]) {
            index.remove(hash(number), number);
        }
        assert_eq!(index.len(), 2500);
        assert!((0..5000).all(|number| find(&index, number).is_some() == (number % 2 == 1)));
    }

    /// Counts anew, for each row, how many have found it full and stand behind it.
    fn is_counted_right(table: &Table, hash: impl Fn(u32) -> u64) -> bool {
        let mut passed = vec![0; table.rows.len()];
        let rows = table.rows.iter().enumerate();
        let places = rows.flat_map(|(found, row)| {
            let taken = |slot: &usize| row.marks >> (8 * slot) & 0xff != 0;
            (0..PLACES).filter(taken).map(move |slot| (found, row.places[slot]))
        });
        for (found, place) in places {
            let behind = |at: &usize| Some(table.behind(*at));
            let on_the_way = std::iter::successors(Some(table.row(hash(place))), behind);
            on_the_way.take_while(|at| *at != found).for_each(|at| passed[at] += 1);
        }
        table.rows.iter().map(|row| row.passed).eq(passed)
    }

    /// Puts in what is not there, takes away what is, as dice say; looks for everything all the time. Everything has one of so many hashes.
    fn comes_and_goes(hashes: &[u64]) {
        let mut dice = crate::Dice::new(hashes.len() as u128);
        let (mut index, mut there) = (Index::default(), std::collections::BTreeSet::new());
        let hash = |place: u32| hashes[place as usize % hashes.len()];
        let find = |index: &Index, place| index.find(hash(place), |it| it == place);
        // First many, then few that come again and again.
        for most in [4000; 3000].into_iter().chain([300; 3000]) {
            let place = dice.below(most) as u32;
            let was_there = there.remove(&place);
            assert_eq!(find(&index, place), was_there.then_some(place));
            if was_there {
                index.remove(hash(place), place);
                index.remove(hash(place), place);
            } else {
                there.insert(place);
                index.insert(hash(place), place, hash);
            }
            assert_eq!(index.len(), there.len());
        }
        assert!(index.tables.iter().all(|table| is_counted_right(table, hash)));
        assert!(there.iter().all(|place| find(&index, *place) == Some(*place)));
        there.iter().for_each(|place| index.remove(hash(*place), *place));
        let is_empty = |table: &Table| match &*table.rows {
            [] => true,
            [row] => row.marks == 0 && row.passed == 0,
            _ => false,
        };
        assert!(index.is_empty() && index.tables.iter().all(is_empty));
    }

    /// So many hashes, all of one table.
    fn of_one_table(count: usize) -> Vec<u64> {
        let mut dice = crate::Dice::new(7);
        let thrown = std::iter::repeat_with(|| dice.roll());
        thrown.filter(|hash| table(*hash) == 0).take(count).collect()
    }

    #[test]
    fn what_is_there_is_what_was_put_in_and_not_taken_away() {
        comes_and_goes(&[1]);
        comes_and_goes(&of_one_table(2));
        comes_and_goes(&of_one_table(3000));
        comes_and_goes(&(0..1 << 20).collect::<Vec<_>>());
    }

    /// Of 10 to 40 in one table the oldest goes when one comes: its rows have all been full sooner or later.
    #[test]
    fn what_is_not_there_is_not_looked_for_for_ever() {
        let hashes = of_one_table(20_000);
        for live in 10..40 {
            let mut index = Index::default();
            for (nth, hash) in hashes.iter().enumerate() {
                assert_eq!(index.find(*hash, |place| place == nth as u32), None);
                index.insert(*hash, nth as u32, |place| hashes[place as usize]);
                let oldest = nth.checked_sub(live);
                oldest.into_iter().for_each(|oldest| index.remove(hashes[oldest], oldest as u32));
            }
            assert_eq!(index.len(), live);
            assert!(is_counted_right(&index.tables[0], |place| hashes[place as usize]));
        }
    }
}
