//! `Source`: a Rust file with code and comments told apart, and with its tests and functions found.
//!
//! A plain scanner, not a parser: it knows strings, comments and braces, which is all that the rules need.

mod mask;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

/// One Rust file.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    /// The file as written.
    pub(crate) text: &'a str,
    /// The same, octet for octet, with comments and the insides of strings blanked.
    pub(crate) code: String,
    /// The same with everything but comments blanked.
    pub(crate) comments: String,
    /// Lines that are compiled for tests only.
    tests: Vec<RangeInclusive<usize>>,
    /// `#[cfg(test)] mod name;`: names of files that are tests.
    pub(crate) test_modules: Vec<String>,
}

/// Where a function begins and how long it is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// Lines with code in them, from `fn` to `}`; a comment costs nothing.
    pub(crate) length: usize,
}

impl<'a> Source<'a> {
    /// Reads a file.
    pub(crate) fn read(text: &'a str) -> Self {
        let (code, comments) = mask::split(text);
        let mut source = Self { text, code, comments, tests: Vec::new(), test_modules: Vec::new() };
        source.find_tests();
        source
    }

    /// A file that holds nothing but tests.
    pub(crate) fn all_tests(mut self) -> Self {
        self.tests.push(0..=usize::MAX);
        self
    }

    /// True when line `line` is compiled for tests only.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&line))
    }

    /// Code, line by line, with the line's number.
    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.code.lines())
    }

    /// The functions that have a body.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for at in words(&self.code, "fn") {
            let rest = self.code.get(at + 2..).unwrap_or_default();
            let name: String = rest
                .trim_start()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let Item::Body { end, .. } = item(&self.code, at) else { continue };
            if name.is_empty() {
                continue;
            }
            let body = self.code.get(at..end).unwrap_or_default();
            let length = body.lines().filter(|line| !line.trim().is_empty()).count();
            found.push(Function { name, line: line_of(&self.code, at), length });
        }
        found
    }

    fn find_tests(&mut self) {
        for (at, attribute) in self.code.match_indices("#[") {
            let Some(end) = closing(&self.code, at + 1) else { continue };
            let attribute_text = self.code.get(at..end).unwrap_or(attribute);
            if !matches!(attribute_text, "#[cfg(test)]" | "#[test]")
                && !attribute_text.starts_with("#[cfg(all(test")
            {
                continue;
            }
            match item(&self.code, end) {
                Item::Body { end, .. } => {
                    self.tests.push(line_of(&self.code, at)..=line_of(&self.code, end))
                }
                Item::Line { end } => {
                    let words: Vec<&str> =
                        self.code.get(..end).unwrap_or_default().split_whitespace().collect();
                    if let [.., "mod", name] = words.as_slice() {
                        self.test_modules.push((*name).to_owned());
                    }
                }
                Item::None => {}
            }
        }
    }
}

/// What follows an attribute or a `fn`.
enum Item {
    /// `… { … }`: the octet of the brace and the one after the last.
    Body { end: usize },
    /// `… ;`
    Line { end: usize },
    /// The end of the file came first.
    None,
}

/// The item that begins at `from`, attributes and arguments skipped.
fn item(code: &str, from: usize) -> Item {
    let mut at = from;
    while let Some(byte) = code.as_bytes().get(at) {
        match byte {
            b'(' | b'[' => match closing(code, at) {
                Some(end) => at = end,
                None => return Item::None,
            },
            b'{' => return closing(code, at).map_or(Item::None, |end| Item::Body { end }),
            b';' => return Item::Line { end: at },
            _ => at += 1,
        }
    }
    Item::None
}

/// The octet after the bracket that closes the one at `open`.
pub(crate) fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// The line, counted from 1, of an octet.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// Where `word` stands as a word of its own.
pub(crate) fn words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part_of_a_word =
        |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = at.checked_sub(1).and_then(|before| text.as_bytes().get(before));
        !part_of_a_word(before) && !part_of_a_word(text.as_bytes().get(at + word.len()))
    })
}
