//! `Splices`: octets that give way to others, and what becomes of the index: what is known of a message is not read again.

use std::ops::Range;

use memchr::{memchr, memchr2};

use crate::Name;
use crate::core::Core;
use crate::read::{Head, Row, StartLine, blanks, offset};
use crate::row;

/// Changes to a head, in the order in which they were made.
#[derive(Clone, Debug)]
pub(crate) struct Splices {
    all: Vec<Splice>,
    /// What they put in.
    text: Vec<u8>,
}

/// Octets `from..to` of the original give way to `with`, a part of the text.
#[derive(Clone, Debug)]
struct Splice {
    from: usize,
    to: usize,
    with: Range<usize>,
    /// The row that it is, when it is a whole one: its name, and where its colon stands in the text.
    row: Option<(Name, usize)>,
}

impl Splices {
    /// None yet. Room for those of a proxy.
    pub(crate) fn new() -> Self {
        Self { all: Vec::with_capacity(8), text: Vec::new() }
    }

    /// Where the next text begins. Room for all that a proxy writes is made at once, when there is something to write.
    fn begin(&mut self) -> usize {
        if self.text.capacity() == 0 {
            self.text.reserve(256);
        }
        self.text.len()
    }

    /// Octets give way to what `write` writes. Of two changes of the same octets the later counts.
    pub(crate) fn replace(&mut self, place: Range<usize>, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.begin();
        write(&mut self.text);
        self.change(place, start..self.text.len());
    }

    /// Octets go.
    pub(crate) fn remove(&mut self, place: Range<usize>) {
        self.change(place, 0..0);
    }

    fn change(&mut self, place: Range<usize>, with: Range<usize>) {
        let Range { start: from, end: to } = place;
        if from < to {
            self.all.retain(|other| (other.from, other.to) != (from, to));
        }
        self.all.push(Splice { from, to, with, row: None });
    }

    /// A row comes in.
    pub(crate) fn insert(&mut self, at: usize, name: Name, value: impl FnOnce(&mut Vec<u8>)) {
        let start = self.begin();
        row::known(name, &mut self.text, value);
        let row = Some((name, start + name.as_str().len().max(1)));
        self.all.push(Splice { from: at, to: at, with: start..self.text.len(), row });
    }

    /// A row of any name comes in.
    pub(crate) fn insert_named(&mut self, at: usize, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
        let start = self.begin();
        row::row(name, &mut self.text, value);
        let colon = start + name.len().max(1);
        // What was written counts: a name that was none may have become one.
        let name = Name::of(self.text.get(start..colon).unwrap_or_default());
        let row = Some((name, colon));
        self.all.push(Splice { from: at, to: at, with: start..self.text.len(), row });
    }

    /// Content-Length comes in, instead of one that came in before.
    pub(crate) fn measure(&mut self, at: usize, length: usize) {
        self.all.retain(|splice| !matches!(splice.row, Some((Name::ContentLength, _))));
        self.insert(at, Name::ContentLength, |text| row::decimal(length as u64, text));
    }

    /// How many rows come in.
    pub(crate) fn rows(&self) -> usize {
        self.all.iter().filter(|splice| splice.row.is_some()).count()
    }

    /// Puts all in the order of their places. Stable: what was added first at a place stands first there.
    pub(crate) fn sort(&mut self) {
        self.all.sort_by_key(|splice| (splice.from, splice.to));
    }

    /// Those that count: one that begins in octets that are gone already changes nothing any more.
    fn effective(&self) -> impl Iterator<Item = &Splice> {
        let mut at = 0;
        self.all.iter().filter(move |splice| {
            let counts = splice.from >= at;
            at = if counts { splice.to } else { at };
            counts
        })
    }

    fn put(&self, splice: &Splice) -> &[u8] {
        self.text.get(splice.with.clone()).unwrap_or_default()
    }

    /// The head `old` as it is now, and a body behind it. What is not changed is copied once, into room of the right size.
    pub(crate) fn wire(&self, old: &[u8], body: &[u8]) -> Vec<u8> {
        let grown: usize = self.effective().map(|splice| splice.with.len()).sum();
        let gone: usize = self.effective().map(|splice| splice.to - splice.from).sum();
        let length = (old.len() + grown).saturating_sub(gone) + 2 + body.len();
        let mut wire = Vec::with_capacity(length);
        let mut at = 0;
        for splice in self.effective() {
            wire.extend_from_slice(old.get(at..splice.from).unwrap_or_default());
            wire.extend_from_slice(self.put(splice));
            at = splice.to;
        }
        wire.extend_from_slice(old.get(at..).unwrap_or_default());
        wire.extend_from_slice(b"\r\n");
        wire.extend_from_slice(body);
        wire
    }

    /// The index of what [`wire`](Self::wire) wrote, from that of the original; `end` is where its empty line stood.
    pub(crate) fn head(
        &self,
        (old, known): (&Head, &Core),
        end: usize,
        wire: &[u8],
    ) -> (Head, Core) {
        let mut core = Core::default();
        let mut rows = Vec::with_capacity(old.rows.len() + self.all.len());
        let mut shift = Shift { left: self.effective().peekable(), by: 0 };
        let start = match &old.start {
            StartLine::Request { known, method, uri } => {
                let uri_end = shift.to(uri.end.into(), wire, &mut rows);
                StartLine::Request {
                    known: *known,
                    method: method.clone(),
                    uri: uri.start..offset(uri_end),
                }
            }
            response @ StartLine::Response { .. } => response.clone(),
        };
        for (place, row) in old.rows.iter().enumerate() {
            if shift.is_before_changes(row) {
                core.follow(known, place, rows.len());
                rows.push(shift.moved(row));
                continue;
            }
            let line = shift.to(row.line.into(), wire, &mut rows);
            if shift.is_gone(row) {
                continue;
            }
            let row = shift.row(row, line, wire, &mut rows);
            rows.push(row);
        }
        let end = shift.to(end, wire, &mut rows);
        for (name, _) in self.effective().filter_map(|splice| splice.row) {
            core.forget(name);
        }
        (Head::new(start, rows, end + 2), core)
    }
}

/// How far octets have moved, from the front to the back.
struct Shift<'s, I: Iterator<Item = &'s Splice>> {
    left: std::iter::Peekable<I>,
    by: isize,
}

impl<'s, I: Iterator<Item = &'s Splice>> Shift<'s, I> {
    /// Where an octet of the original is now. Rows that came in before it are written down.
    fn to(&mut self, at: usize, wire: &[u8], rows: &mut Vec<Row>) -> usize {
        while let Some(splice) = self.left.next_if(|splice| splice.to <= at) {
            if let Some((name, colon)) = splice.row {
                let line = splice.from.saturating_add_signed(self.by);
                let colon = line + (colon - splice.with.start);
                let end = line + splice.with.len() - 2;
                rows.push(row_of((name, false), line..end, (colon, colon + 1), wire));
            }
            let gone = (splice.to - splice.from) as isize;
            self.by += splice.with.len() as isize - gone;
        }
        at.saturating_add_signed(self.by)
    }

    /// True for a row that ends before the next splice begins.
    fn is_before_changes(&mut self, row: &Row) -> bool {
        self.left.peek().is_none_or(|splice| splice.from > usize::from(row.end))
    }

    /// A row that has only moved. Heads are shorter than `limits::HEAD`, or the index is thrown away.
    const fn moved(&self, row: &Row) -> Row {
        let by = self.by as i16;
        Row {
            name: row.name,
            line: row.line.wrapping_add_signed(by),
            colon: row.colon.wrapping_add_signed(by),
            value: row.value.wrapping_add_signed(by),
            end: row.end.wrapping_add_signed(by),
            folded: row.folded,
        }
    }

    /// True for a row that the next splice takes away.
    fn is_gone(&mut self, row: &Row) -> bool {
        self.left.peek().is_some_and(|splice| splice.from <= usize::from(row.line))
    }

    /// A row that stays, its value changed.
    fn row(&mut self, old: &Row, line: usize, wire: &[u8], rows: &mut Vec<Row>) -> Row {
        // There may be blanks before a colon, and folds among them, which are none of the value's.
        let [colon, value] =
            [old.colon, old.value].map(|at| usize::from(at).saturating_add_signed(self.by));
        let end = self.to(old.end.into(), wire, rows);
        let text = wire.get(colon..end).unwrap_or_default();
        let behind = text.get(memchr(b':', text).unwrap_or(0)..).unwrap_or_default();
        let folded = memchr2(b'\r', b'\n', behind).is_some();
        row_of((old.name, folded), line..end, (colon, value), wire)
    }
}

/// A row of which its line is known, where its name ends, and where its value begins or the blanks before that.
fn row_of(
    (name, folded): (Name, bool),
    line: Range<usize>,
    (colon, value): (usize, usize),
    wire: &[u8],
) -> Row {
    let value = value + blanks(wire.get(value..line.end).unwrap_or_default());
    Row {
        name,
        line: offset(line.start),
        colon: offset(colon),
        value: offset(value),
        end: offset(line.end),
        folded,
    }
}
