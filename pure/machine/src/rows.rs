//! `Rows`: a table that grows by a row at a time, so nothing that is there is ever moved.

/// Things in the order in which they came.
#[derive(Clone, Debug)]
pub struct Rows<T> {
    rows: Vec<Vec<T>>,
}

/// Things of a row.
const ROW: usize = 1024;

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { rows: Vec::new() }
    }
}

impl<T> Rows<T> {
    /// The thing in a place.
    pub fn get(&self, at: usize) -> Option<&T> {
        self.rows.get(at / ROW)?.get(at % ROW)
    }

    /// The thing in a place, to be changed.
    pub fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.rows.get_mut(at / ROW)?.get_mut(at % ROW)
    }

    /// Puts a thing behind all others; its place.
    pub fn push(&mut self, thing: T) -> usize {
        let at = self.len();
        if at.is_multiple_of(ROW) {
            // Who has few things has a short row, which moves while it grows.
            let room = if at == 0 { 0 } else { ROW };
            self.rows.push(Vec::with_capacity(room));
        }
        if let Some(last) = self.rows.last_mut() {
            last.push(thing);
        }
        at
    }

    /// The things from a place on.
    pub fn behind(&self, from: usize) -> impl Iterator<Item = &T> {
        self.rows.iter().skip(from / ROW).flatten().skip(from % ROW)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.last().map_or(0, |last| (self.rows.len() - 1) * ROW + last.len())
    }

    /// True when there is none.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_follows_another() {
        let mut rows = Rows::default();
        assert!(rows.is_empty() && rows.get(0).is_none());
        for thing in 0..2 * ROW + 1 {
            assert_eq!((rows.len(), rows.push(thing)), (thing, thing));
        }
        assert!(
            (0..rows.len()).all(|at| rows.get(at) == Some(&at))
                && rows.get_mut(2 * ROW + 1).is_none()
        );
        for from in [0, 1, ROW - 1, ROW, 2 * ROW, 2 * ROW + 1, 9 * ROW] {
            assert!(rows.behind(from).eq((from..=2 * ROW).collect::<Vec<_>>().iter()), "{from}");
        }
    }
}
