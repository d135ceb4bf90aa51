//! Tells code from comments and strings (The Rust Reference, "Tokens"), keeping every octet in its place.

/// What the scanner stands in.
#[derive(Clone, Copy)]
enum Within {
    Code,
    LineComment,
    /// Rust's block comments nest.
    BlockComment(usize),
    /// `"…"`, with escapes.
    Text,
    /// `r##"…"##`, with the number of `#`.
    RawText(usize),
}

/// The text with comments and the insides of strings blanked, and the text with everything but comments blanked.
pub(super) fn split(text: &str) -> (String, String) {
    let mut scanner = Scanner { rest: text.as_bytes(), code: Vec::new(), comments: Vec::new() };
    let mut within = Within::Code;
    while !scanner.rest.is_empty() {
        within = scanner.step(within);
    }
    let readable = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (readable(scanner.code), readable(scanner.comments))
}

struct Scanner<'a> {
    rest: &'a [u8],
    code: Vec<u8>,
    comments: Vec<u8>,
}

/// Which of the two texts keeps an octet.
#[derive(Clone, Copy)]
enum Keep {
    Code,
    Comment,
    Neither,
}

impl Scanner<'_> {
    /// Moves `count` octets, and answers where the scanner stands then.
    fn take(&mut self, count: usize, keep: Keep, then: Within) -> Within {
        let (taken, rest) = self.rest.split_at_checked(count).unwrap_or((self.rest, &[]));
        for byte in taken {
            let blank = if *byte == b'\n' { b'\n' } else { b' ' };
            self.code.push(if matches!(keep, Keep::Code) { *byte } else { blank });
            self.comments.push(if matches!(keep, Keep::Comment) { *byte } else { blank });
        }
        self.rest = rest;
        then
    }

    fn step(&mut self, within: Within) -> Within {
        match (within, self.rest) {
            (Within::Code, _) => self.step_in_code(),
            (Within::LineComment, [b'\n', ..]) => self.take(1, Keep::Code, Within::Code),
            (Within::LineComment, _) => self.take(1, Keep::Comment, within),
            (Within::BlockComment(depth), [b'/', b'*', ..]) => {
                self.take(2, Keep::Comment, Within::BlockComment(depth + 1))
            }
            (Within::BlockComment(1), [b'*', b'/', ..]) => {
                self.take(2, Keep::Comment, Within::Code)
            }
            (Within::BlockComment(depth), [b'*', b'/', ..]) => {
                self.take(2, Keep::Comment, Within::BlockComment(depth - 1))
            }
            (Within::BlockComment(_), _) => self.take(1, Keep::Comment, within),
            (Within::Text, [b'\\', ..]) => self.take(2, Keep::Neither, within),
            (Within::Text, [b'"', ..]) => self.take(1, Keep::Code, Within::Code),
            (Within::RawText(hashes), [b'"', tail @ ..]) if starts_with_hashes(tail, hashes) => {
                self.take(1 + hashes, Keep::Code, Within::Code)
            }
            (Within::Text | Within::RawText(_), _) => self.take(1, Keep::Neither, within),
        }
    }

    fn step_in_code(&mut self) -> Within {
        match self.rest {
            [b'/', b'/', ..] => self.take(2, Keep::Comment, Within::LineComment),
            [b'/', b'*', ..] => self.take(2, Keep::Comment, Within::BlockComment(1)),
            [b'"', ..] => {
                let opened = raw_hashes(&self.code).map_or(Within::Text, Within::RawText);
                self.take(1, Keep::Code, opened)
            }
            [b'\'', b'\\', _, tail @ ..] => {
                let inside = tail.iter().take_while(|byte| **byte != b'\'').count();
                self.take(inside + 4, Keep::Neither, Within::Code)
            }
            [b'\'', first, ..] => {
                let width = char_width(*first);
                let closed = self.rest.get(1 + width) == Some(&b'\'');
                // 'a' is a character; in 'a: the quote belongs to a lifetime.
                if closed {
                    self.take(width + 2, Keep::Neither, Within::Code)
                } else {
                    self.take(1, Keep::Code, Within::Code)
                }
            }
            _ => self.take(1, Keep::Code, Within::Code),
        }
    }
}

fn starts_with_hashes(tail: &[u8], hashes: usize) -> bool {
    tail.iter().take(hashes).filter(|byte| **byte == b'#').count() == hashes
}

/// The number of `#` when the code before a `"` ends in `r##`, `br##` or `cr##`.
fn raw_hashes(before: &[u8]) -> Option<usize> {
    let hashes = before.iter().rev().take_while(|byte| **byte == b'#').count();
    let mut back = before.iter().rev().skip(hashes).copied();
    let is_name = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    if back.next() != Some(b'r') {
        return None;
    }
    match back.next() {
        Some(b'b' | b'c') => !is_name(back.next()),
        other => !is_name(other),
    }
    .then_some(hashes)
}

/// Octets of a character by its first (RFC 3629 §3).
fn char_width(first: u8) -> usize {
    match first {
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xFF => 4,
        _ => 1,
    }
}
