//! JSON as it is shown: nothing that a stranger has said moves a terminal's cursor, or turns text around.

use std::fmt::Write as _;

use serde_json::Value;

/// A value as JSON on one line, without characters that a terminal would obey.
pub fn shown(value: &Value) -> String {
    let text = value.to_string();
    if !text.contains(upsets) {
        return text;
    }
    let mut shown = String::new();
    for c in text.chars() {
        if upsets(c) {
            // Only strings have such characters, and there an escape is the same (RFC 8259 §7). All are below U+10000; writing into a String cannot fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Could this character move a terminal's cursor, change its colours, or turn text around? Those of C1 can too, and marks of direction.
pub fn upsets(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stranger_s_text_drives_no_terminal_and_stays_what_it_was() {
        let evil = json!({ "sample": "\u{9b}2J\u{1b}[31m\u{7f}\u{202e}gpj\u{2066}\n ä\"", "\u{9b}": [1, null] });
        let text = shown(&evil);
        assert!(!text.contains(upsets), "{text}");
        assert!(text.contains(r#"\u009b2J\u001b[31m\u007f\u202egpj\u2066\n ä"#), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), evil);
        assert_eq!(shown(&json!({ "a": "b" })), r#"{"a":"b"}"#);
    }
}
