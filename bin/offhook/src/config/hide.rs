//! What of an offending line may be shown: keys always, values of keys that hold no secret, and the mistake itself when
//! it cannot be one.

use std::ops::Range;

use super::SECTIONS;
use super::key::Key;

/// The octets of `line` from which on it must not be shown.
///
/// The line may be garbled, or its key misspelled: what is not known to be harmless is taken for a secret.
pub(super) fn hidden_from(line: &str) -> usize {
    let heading = line.trim();
    if heading.starts_with('[')
        && heading.ends_with(']')
        && heading.chars().all(|c| is_key(c) || "[] .".contains(c))
    {
        return line.len();
    }
    suspicious(line).unwrap_or(line.len()).min(unknown_value(line))
}

/// The end of the first word that smells of a secret, however its key is spelled.
fn suspicious(line: &str) -> Option<usize> {
    let lower = line.to_ascii_lowercase();
    let word = ["pass", "pwd", "secret", "ha1", "md5", "sha", "redis"]
        .iter()
        .filter_map(|word| lower.find(word))
        .min()?;
    let rest = line.get(word..)?;
    Some(word + rest.find(|c: char| !is_key(c)).unwrap_or(rest.len()))
}

/// Where the value of the first unknown key begins; a line without a key is one value.
fn unknown_value(line: &str) -> usize {
    let comment = line.trim_start().starts_with('#');
    let mut keys = equal_signs(line).peekable();
    if comment || keys.peek().is_none() {
        let first = line.trim_start();
        let word = first.find(|c: char| !is_key(c)).unwrap_or(first.len());
        let known = first.get(..word).is_some_and(is_public) && !comment;
        return if known {
            line.len()
        } else {
            line.len() - first.len() + if comment { 1 } else { 0 }
        };
    }
    keys.find(|at| !line.get(..*at).is_some_and(ends_with_public_key))
        .map_or(line.len(), |at| at + 1)
}

/// The places of `=`, outside of quotes if every quote is closed.
fn equal_signs(line: &str) -> impl Iterator<Item = usize> {
    let closed = line.matches('"').count().is_multiple_of(2) && !line.contains(['\'', '\\']);
    let mut quoted = false;
    line.char_indices().filter_map(move |(at, c)| {
        quoted ^= closed && c == '"';
        (c == '=' && !quoted).then_some(at)
    })
}

fn ends_with_public_key(before: &str) -> bool {
    let key = before.trim_end();
    let start = key.rfind(|c: char| !is_key(c) && c != '.').map_or(0, |at| at + 1);
    key.get(start..).is_some_and(|key| key.split('.').all(is_public))
}

fn is_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

fn is_public(word: &str) -> bool {
    fn among(keys: &[Key], word: &str) -> bool {
        keys.iter().any(|key| !key.secret && (key.name == word || among(key.keys, word)))
    }
    !word.is_empty()
        && SECTIONS.iter().any(|section| section.name == word || among(section.keys, word))
}

/// May the marked part of a line be shown wherever it stands?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marked {
    Shown,
    Hidden,
}

/// `line` as it is printed: what is hidden becomes one `…`, what would upset a terminal a dot. `marked` (octets of the
/// line) moves along; what of it may be shown is shown.
pub(super) fn printed(
    line: &str,
    marked: Range<usize>,
    mistake: Marked,
    limit: usize,
) -> (String, Range<usize>) {
    let hidden = hidden_from(line);
    let shown = |at: usize| at < hidden || mistake == Marked::Shown && marked.contains(&at);
    let first = line.char_indices().take_while(|(at, _)| *at < marked.start).count();
    // A long line is shown from shortly before the mistake.
    let skipped = if first < limit { 0 } else { first - limit / 2 };
    let mut text = String::new();
    let mut width = 0_usize;
    let (mut start, mut end) = (None, 0);
    for (at, c) in line.char_indices().skip(skipped) {
        if width >= limit {
            break;
        }
        let c = match c {
            _ if !shown(at) => '…',
            '\t' => ' ',
            c if crate::log::upsets(c) => '·',
            c => c,
        };
        let again = c == '…' && text.ends_with('…');
        if !again {
            text.push(c);
            width += 1;
        }
        if marked.contains(&at) {
            start.get_or_insert(width - 1);
            end = width;
        }
    }
    let start = start.unwrap_or(width);
    (text, start..end.max(start + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        printed(line, 0..0, Marked::Hidden, 120).0
    }

    #[test]
    fn public_values_are_shown() {
        for line in [
            "[[extension]]",
            "domains = [\"example.test\"]",
            "listen.udp = \"127.0.0.1:5060\"",
            "expires = { min = 60, default = 3600 }",
            "to = \"sip:192.0.2.7:5060;transport=tcp\"",
            "match = { domain = \"other.test\" }",
            "name = \"Front desk\"",
        ] {
            assert_eq!(shown(line), line);
        }
    }

    #[test]
    fn secrets_and_what_may_be_one_are_not() {
        for (line, expected) in [
            ("password = \"geheim\"", "password…"),
            ("pasword = \"geheim\"", "pasword =…"),
            ("pwd \"geheim\"", "…"),
            ("\"password\" = \"geheim\"", "\"password…"),
            ("ha1 = { md5 = \"geheim\" }", "ha1…"),
            ("number = \"101\" password = \"geheim\"", "number = \"101\" password…"),
            ("number = \"101, key = \"geheim\"", "number = \"101, key =…"),
            ("geheim\"", "…"),
            ("# geheim", "#…"),
            ("url = \"redis://:geheim@192.0.2.1\"", "url =…"),
        ] {
            assert_eq!(shown(line), expected);
        }
    }

    #[test]
    fn the_mistake_is_shown_in_a_hidden_line_and_marked() {
        let line = "extension = [{ numbr = \"1\", password = \"x\" }]";
        assert_eq!(
            printed(line, 15..20, Marked::Shown, 120),
            ("extension = [{ numbr =…".into(), 15..20)
        );
        let line = "  \"127.0.0.1\",";
        assert_eq!(printed(line, 2..13, Marked::Shown, 120), ("  \"127.0.0.1\"…".into(), 2..13));
    }

    #[test]
    fn a_long_line_is_shown_around_its_mistake() {
        let line = format!("name = \"{}!{}\"", "a".repeat(500), "b".repeat(500));
        let (text, marked) = printed(&line, 508..509, Marked::Shown, 40);
        assert_eq!(text, format!("{}!{}", "a".repeat(20), "b".repeat(19)));
        assert_eq!(marked, 20..21);
    }
}
