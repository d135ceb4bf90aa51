//! `Table`: rows of a database, however they were written down: as CSV, as a dump in SQL, as an SQLite file.

use std::io;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::{octets_of, sql};

/// The rows of a table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    /// The names of its columns, in lower case.
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
    /// What could not be read: where, and what.
    pub(super) faults: Vec<(String, String)>,
}

/// A row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// File and line, or row.
    pub(super) place: String,
    /// Nothing where there is none.
    pub(super) cells: Vec<Option<String>>,
}

impl Table {
    /// Reads a table of this name.
    ///
    /// # Errors
    /// When the file cannot be read, or has no such table.
    pub(super) fn read(path: &Path, table: &str) -> io::Result<Self> {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into());
        let octets = octets_of(path)?;
        if octets.starts_with(SQLITE) {
            drop(octets);
            return of_sqlite(path, &name, table).map_err(io::Error::other);
        }
        let text = String::from_utf8_lossy(&octets);
        let is_dump =
            ["INSERT INTO", "CREATE TABLE", "COPY "].iter().any(|word| text.contains(word));
        let read = if is_dump { sql::read(&text, &name, table) } else { of_csv(&text, &name) };
        if read.columns.is_empty() {
            let what = format!(
                "there is no table `{table}` in it: CSV with a first line of names, a dump in SQL, or an SQLite file"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(read)
    }

    /// A cell of a row by the name of its column; nothing when it is empty.
    pub(super) fn get<'a>(&self, row: &'a Row, column: &str) -> Option<&'a str> {
        let at = self.columns.iter().position(|known| known == column)?;
        row.cells.get(at)?.as_deref().filter(|cell| !cell.is_empty())
    }
}

/// How an SQLite file begins.
const SQLITE: &[u8] = b"SQLite format 3\0";

fn of_sqlite(path: &Path, name: &str, table: &str) -> rusqlite::Result<Table> {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = database.prepare(&format!("SELECT * FROM \"{table}\""))?;
    let columns: Vec<_> = statement.column_names().map(|name| name.to_ascii_lowercase()).collect();
    let mut read = Table { columns, ..Table::default() };
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let cell = |at| {
            row.get_ref(at).ok().and_then(|value| match value {
                ValueRef::Null => None,
                ValueRef::Integer(number) => Some(number.to_string()),
                ValueRef::Real(number) => Some(number.to_string()),
                ValueRef::Text(text) | ValueRef::Blob(text) => {
                    Some(String::from_utf8_lossy(text).into_owned())
                }
            })
        };
        let cells = (0..read.columns.len()).map(cell).collect();
        let place = format!("{name}: row {}", read.rows.len() + 1);
        read.rows.push(Row { place, cells });
    }
    Ok(read)
}

/// CSV whose first line names the columns; between them stands what that line has between its names.
fn of_csv(text: &str, name: &str) -> Table {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let counted = |mark: &char| first.matches(*mark).count();
    let between = [',', '\t', ';', '|'].into_iter().max_by_key(counted).unwrap_or(',');
    let mut lines = Lines { rest: text, between, line: 1 };
    let Some((_, head)) = lines.next() else { return Table::default() };
    let columns: Vec<_> = head.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    if !columns.iter().any(|name| name == "username") {
        return Table::default();
    }
    let mut table = Table { columns, ..Table::default() };
    for (line, cells) in lines {
        let place = format!("{name}:{line}");
        if cells.len() == table.columns.len() {
            // `mysql --batch` writes NULL for nothing.
            let cell = |cell: String| Some(cell).filter(|cell| cell != "NULL" && cell != "\\N");
            table.rows.push(Row { place, cells: cells.into_iter().map(cell).collect() });
        } else if cells.iter().any(|cell| !cell.is_empty()) {
            let what = format!(
                "{} columns, and the first line names {}",
                cells.len(),
                table.columns.len()
            );
            table.faults.push((place, what));
        }
    }
    table
}

/// The lines of a CSV: where each begins, and its cells (RFC 4180).
struct Lines<'a> {
    rest: &'a str,
    between: char,
    line: usize,
}

impl Iterator for Lines<'_> {
    type Item = (usize, Vec<String>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let (mut cells, mut cell, mut quoted, begun) =
            (Vec::new(), String::new(), false, self.line);
        let mut end = self.rest.len();
        let mut octets = self.rest.char_indices().peekable();
        while let Some((at, c)) = octets.next() {
            self.line += usize::from(c == '\n');
            match c {
                '"' if quoted && octets.peek().is_some_and(|(_, next)| *next == '"') => {
                    cell.push('"');
                    octets.next();
                }
                '"' if quoted || cell.is_empty() => quoted = !quoted,
                '\n' if !quoted => {
                    end = at + 1;
                    break;
                }
                '\r' if !quoted => {}
                c if c == self.between && !quoted => cells.push(std::mem::take(&mut cell)),
                c => cell.push(c),
            }
        }
        cells.push(cell);
        self.rest = self.rest.get(end..).unwrap_or_default();
        Some((begun, cells))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_line_ends_and_other_marks_are_read() {
        let table = of_csv(
            "username;domain;password\n101;a.test;\"x;\"\"y\nz\"\r\n102;a.test\n103;;NULL\n",
            "s.csv",
        );
        assert_eq!(table.columns, ["username", "domain", "password"]);
        let [first, third] = &table.rows[..] else { panic!("{table:?}") };
        assert_eq!((table.get(first, "password"), &*first.place), (Some("x;\"y\nz"), "s.csv:2"));
        assert_eq!((table.get(third, "password"), table.get(third, "domain")), (None, None));
        assert_eq!((&*third.place, &*table.faults[0].0), ("s.csv:5", "s.csv:4"));
    }
}
