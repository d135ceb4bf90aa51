//! `Landed`: a batch as it lies in the file. Each is read by itself: where the disk has lost one, the others are there.

use rusqlite::{Connection, Error};

use crate::batch::{Entry, entries};

/// A batch.
#[derive(Debug)]
pub(crate) struct Landed {
    /// The life that has written it.
    pub(crate) session: i64,
    count: u32,
    octets: Vec<u8>,
}

impl Landed {
    pub(crate) fn read(connection: &Connection, number: i64) -> rusqlite::Result<Self> {
        connection.query_row(WHOLE, [number], |row| {
            Ok(Self { session: row.get(0)?, count: row.get(1)?, octets: row.get(2)? })
        })
    }

    /// Its records, but for those whose octets are not what was written.
    pub(crate) fn good(&self) -> impl Iterator<Item = Entry<'_>> {
        entries(&self.octets).flatten()
    }

    /// How many these are.
    pub(crate) fn damaged(&self) -> u64 {
        let good = u64::try_from(self.good().count()).unwrap_or(u64::MAX);
        u64::from(self.count).saturating_sub(good)
    }
}

/// The numbers of all batches, from the oldest on; and what has kept us from reading them, if anything has.
pub(crate) fn numbers(connection: &Connection) -> (Vec<i64>, Option<Error>) {
    let (mut numbers, fault) = until_it_fails(connection, UPWARDS);
    if fault.is_some() {
        // What stands behind the place that cannot be read is found from the other end.
        let (behind, _) = until_it_fails(connection, DOWNWARDS);
        // There are no gaps: those between may be read by themselves.
        if let (Some(last), Some(next)) = (numbers.last(), behind.last()) {
            numbers.extend((last.saturating_add(1)..*next).take(MOST));
        }
        numbers.extend(behind.iter().rev());
    }
    (numbers, fault)
}

/// How many records a batch has that cannot be read, when at least that can be.
pub(crate) fn count(connection: &Connection, number: i64) -> Option<u32> {
    connection.query_row(COUNT, [number], |row| row.get(0)).ok()
}

fn until_it_fails(connection: &Connection, all: &str) -> (Vec<i64>, Option<Error>) {
    let mut numbers = Vec::new();
    let mut read = || {
        let mut rows = connection.prepare(all)?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            numbers.push(row.get(0)?);
        }
        Ok(())
    };
    let fault = read().err();
    (numbers, fault)
}

const UPWARDS: &str = "SELECT number FROM batch ORDER BY number";

const DOWNWARDS: &str = "SELECT number FROM batch ORDER BY number DESC";

const WHOLE: &str = "SELECT session, count, records FROM batch WHERE number = ?1";

const COUNT: &str = "SELECT count FROM batch WHERE number = ?1";

/// Batches that are looked for between two others: more than ever lie there. A number that the disk has changed may be any.
const MOST: usize = 100_000;
