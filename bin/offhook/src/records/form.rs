//! How a record is written: as a line of CSV (RFC 4180), or of JSON (RFC 8259).
//!
//! Most of it was written by strangers. So a line is a line whatever they wrote, text that is no text is escaped, and a spreadsheet takes none
//! of it for a formula.

use std::fmt::Write as _;

use super::field::FIELDS;
use crate::log::upsets;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `"a","b",7`
    Csv,
    /// `{"a":"b","c":7}`
    Json,
}

/// What stands in a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing.
    Absent,
    /// Text without line ends or control characters.
    Text(String),
    /// A number.
    Number(u64),
    /// `yes` or `no`; in JSON `true` or `false`.
    YesNo(bool),
}

impl Value {
    /// Octets of a stranger: a backslash is doubled, and begins what stands for a character that upsets (`\n`, `\u001b`) or for an octet
    /// that is no UTF-8 (`\xff`).
    pub(super) fn of_octets(octets: &[u8]) -> Self {
        if octets.is_empty() {
            return Self::Absent;
        }
        let mut text = String::with_capacity(octets.len());
        for chunk in octets.utf8_chunks() {
            chunk.valid().chars().for_each(|c| push_visible(&mut text, c));
            for octet in chunk.invalid() {
                // Writing into a String cannot fail.
                let _ = write!(text, "\\x{octet:02x}");
            }
        }
        Self::Text(text)
    }
}

fn push_visible(text: &mut String, c: char) {
    match c {
        '\\' => text.push_str("\\\\"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        c if upsets(c) => {
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        }
        c => text.push(c),
    }
}

impl Form {
    /// What stands at the top of a file.
    pub(super) fn head(self) -> String {
        match self {
            Self::Json => String::new(),
            Self::Csv => {
                let names: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
                names.join(",") + "\n"
            }
        }
    }

    /// Adds a line.
    pub(super) fn line(self, page: &mut Vec<u8>, values: &[Value]) {
        match self {
            Self::Csv => {
                let cells: Vec<_> = values.iter().map(cell).collect();
                page.extend_from_slice(cells.join(",").as_bytes());
            }
            Self::Json => {
                let named = FIELDS.iter().map(|field| field.name).zip(values);
                let members: Vec<_> =
                    named.map(|(name, value)| format!("\"{name}\":{}", json(value))).collect();
                page.extend_from_slice(format!("{{{}}}", members.join(",")).as_bytes());
            }
        }
        page.push(b'\n');
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Absent => String::new(),
        Value::Number(number) => number.to_string(),
        Value::YesNo(yes) => if *yes { "yes" } else { "no" }.into(),
        Value::Text(text) => {
            let harmless = if text.starts_with(FORMULA) { "'" } else { "" };
            format!("\"{harmless}{}\"", text.replace('"', "\"\""))
        }
    }
}

/// With these a spreadsheet begins a formula, the wide ones included.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

fn json(value: &Value) -> String {
    match value {
        Value::Absent => "null".into(),
        Value::Number(number) => number.to_string(),
        Value::YesNo(yes) => yes.to_string(),
        Value::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(octets: &[u8]) -> String {
        cell(&Value::of_octets(octets))
    }

    #[test]
    fn a_line_is_a_line_whatever_a_stranger_wrote() {
        let nasty = b"a\r\nb\0c\td\\e\"f,g\x1b[31m\xff\xc3";
        let expected = r#"a\r\nb\u0000c\td\\e""f,g\u001b[31m\xff\xc3"#;
        assert_eq!(csv(nasty), format!("\"{expected}\""));
        let Value::Text(text) = Value::of_octets(nasty) else { panic!() };
        let read: String = serde_json::from_str(&json(&Value::Text(text.clone()))).unwrap();
        assert_eq!(read, text);
        assert_eq!(csv("sip:жук@example.test".as_bytes()), "\"sip:жук@example.test\"");
        assert_eq!(csv("\u{202e}gpj".as_bytes()), "\"\\u202egpj\"");
    }

    #[test]
    fn a_spreadsheet_takes_nothing_for_a_formula() {
        for begin in ["=", "+", "-", "@", "＝", "＋", "－", "＠"] {
            let text = format!("{begin}HYPERLINK(\"http://x\")");
            assert!(csv(text.as_bytes()).starts_with(&format!("\"'{begin}")), "{begin}");
        }
        // A tab or a line end before it is escaped, so it does not begin with them.
        assert_eq!(csv(b"\t=1"), "\"\\t=1\"");
        assert_eq!(csv(b"sip:+4930@example.test"), "\"sip:+4930@example.test\"");
    }

    #[test]
    fn what_is_absent_is_empty_or_null() {
        assert_eq!((cell(&Value::Absent), json(&Value::Absent)), (String::new(), "null".into()));
        assert_eq!(Value::of_octets(b""), Value::Absent);
        assert_eq!(
            (cell(&Value::YesNo(true)), json(&Value::YesNo(true))),
            ("yes".into(), "true".into())
        );
    }
}
