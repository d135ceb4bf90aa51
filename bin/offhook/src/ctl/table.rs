//! `Table`: columns for people, wide enough for what is in them.

use serde_json::Value;

use crate::log::upsets;

/// Rows of cells under a heading.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(heading: &[&str]) -> Self {
        Self { rows: vec![heading.iter().map(|cell| cell.to_uppercase()).collect()] }
    }

    /// A row without a heading above it.
    pub(super) const fn bare() -> Self {
        Self { rows: Vec::new() }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into_iter().map(|cell| tame(&cell)).collect());
    }

    /// The table as text: columns are two blanks apart, the last one is as long as it is.
    pub(super) fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            text.extend([cells.collect::<Vec<_>>().join("  ").trim_end(), "\n"]);
        }
        text
    }
}

/// What a peer wrote may hold what drives a terminal.
fn tame(cell: &str) -> String {
    let tamed = |c: char| if upsets(c) { '\u{fffd}' } else { c };
    if cell.is_empty() { "-".into() } else { cell.chars().map(tamed).collect() }
}

/// A value of JSON as people write it; a dash for nothing.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".into(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// A part of an object as people write it.
pub(super) fn part(object: &Value, name: &str) -> String {
    shown(object.get(name).unwrap_or(&Value::Null))
}

/// A number of seconds as people say it: `2d 3h`, `5m 10s`.
pub(super) fn lasting(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let first = units.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(units.len() - 1);
    let parts = units.iter().enumerate().skip(first).take(2).filter_map(|(place, (unit, name))| {
        let longer = units.get(place.wrapping_sub(1)).map_or(u64::MAX, |(longer, _)| *longer);
        let count = seconds % longer / unit;
        (count > 0 || place == first).then(|| format!("{count}{name}"))
    });
    parts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must() {
        let mut table = Table::new(&["user", "contact"]);
        table.row(["101".into(), "sip:101@h".into()]);
        table.row(["4711-12".into(), "a\u{1b}[31m\u{202e}".into()]);
        table.row([String::new(), "z".into()]);
        assert_eq!(
            table.text(),
            "USER     CONTACT\n101      sip:101@h\n4711-12  a\u{fffd}[31m\u{fffd}\n-        z\n"
        );
    }

    #[test]
    fn times_are_as_people_say_them() {
        let said = [0, 59, 60, 61, 3_600, 3_661, 90_000, 86_399].map(lasting);
        assert_eq!(said, ["0s", "59s", "1m", "1m 1s", "1h", "1h 1m", "1d 1h", "23h 59m"]);
    }
}
