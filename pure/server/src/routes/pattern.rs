//! `Pattern`: a regular expression for numbers. It takes time in proportion to the number, whatever the pattern is.

use std::borrow::Cow;
use std::fmt;

use regex_lite::{Regex, RegexBuilder};

use crate::limits;

/// A regular expression, and how it was written.
#[derive(Clone)]
pub struct Pattern {
    written: Box<str>,
    regex: Regex,
}

/// Whether the case of letters counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// `A` is not `a`.
    Counts,
    /// `A` is `a`.
    DoesNotCount,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(written: &str, case: Case) -> Result<Self, String> {
        if written.len() > limits::PATTERN {
            return Err(format!("is longer than {} octets", limits::PATTERN));
        }
        let regex = RegexBuilder::new(written)
            .case_insensitive(case == Case::DoesNotCount)
            .size_limit(limits::PATTERN_SIZE)
            .nest_limit(limits::PATTERN_NESTS)
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { written: written.into(), regex })
    }

    /// Does it fit?
    pub fn fits(&self, number: &str) -> bool {
        self.regex.is_match(number)
    }

    /// How many groups in parentheses it has.
    pub fn groups(&self) -> usize {
        self.regex.captures_len().saturating_sub(1)
    }

    /// The text with the first place that fits replaced; `$1` or `${1}` is what stood in its first parentheses.
    pub(crate) fn replace<'a>(&self, text: &'a str, by: &str) -> Cow<'a, str> {
        self.regex.replace(text, by)
    }

    /// What stood in each pair of parentheses; the first is the whole.
    pub(crate) fn parts<'a>(&self, text: &'a str) -> Option<Vec<&'a str>> {
        let captures = self.regex.captures(text)?;
        Some(captures.iter().map(|part| part.map_or("", |part| part.as_str())).collect())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.written)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Pattern {}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::new(text, Case::Counts).unwrap()
    }

    #[test]
    fn a_pattern_fits_or_not_and_its_parentheses_are_kept() {
        let local = pattern("^0([1-9][0-9]+)$");
        assert!(local.fits("030123") && !local.fits("0030123") && !local.fits("30"));
        assert_eq!((local.groups(), &*local.replace("030123", "+49$1")), (1, "+4930123"));
    }

    #[test]
    fn what_is_none_or_too_much_is_refused() {
        for bad in
            ["(", "[9-0]", "a{2,1}", "*", &"(".repeat(60), &"a".repeat(300), "(a{1000}){1000}"]
        {
            assert!(Pattern::new(bad, Case::Counts).is_err(), "{bad}");
        }
    }

    /// What costs others minutes: nested repeats over a number that nearly fits.
    #[test]
    fn no_pattern_is_slow() {
        let evil = pattern("^(a+)+$");
        assert!(!evil.fits(&("a".repeat(5_000) + "b")));
    }
}
