//! `Rewrite`: what becomes of a number on its way: `0` off, `+49` in front, or a pattern.

use super::Pattern;

/// What becomes of a number: digits come off, then a pattern is replaced, then digits come in front.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewrite {
    /// So many characters come off its beginning.
    pub strip: usize,
    /// The first place that fits is replaced; `$1` is what stood in its first parentheses.
    pub replace: Option<(Pattern, Box<str>)>,
    /// This comes in front.
    pub prepend: Box<str>,
}

impl Rewrite {
    /// The number as it goes on. One that is too short to be stripped has nothing left.
    pub fn apply(&self, number: &str) -> String {
        let rest = match number.char_indices().nth(self.strip) {
            Some((at, _)) => number.get(at..).unwrap_or_default(),
            None => "",
        };
        let middle = match &self.replace {
            Some((pattern, by)) => pattern.replace(rest, by),
            None => rest.into(),
        };
        format!("{}{middle}", self.prepend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::Case;

    #[test]
    fn off_then_changed_then_in_front() {
        let replace = |pattern: &str, by: &str| {
            Some((Pattern::new(pattern, Case::Counts).unwrap(), Box::from(by)))
        };
        for (strip, pattern, prepend, number, result) in [
            (1, None, "+49", "030123", "+4930123"),
            (0, None, "", "030123", "030123"),
            (2, None, "+", "004420", "+4420"),
            (9, None, "+", "0044", "+"),
            (0, replace("^00", "+"), "", "004420", "+4420"),
            (0, replace("^0([1-9].*)$", "+49$1"), "", "030123", "+4930123"),
            (1, replace("^(.)(.)", "$2$1"), "x", "012", "x21"),
            (0, replace("^9", "${0}1"), "", "95", "915"),
            (0, replace("nothing", "x"), "", "12", "12"),
            (1, None, "", "é1", "1"),
        ] {
            let rewrite = Rewrite { strip, replace: pattern, prepend: prepend.into() };
            assert_eq!(rewrite.apply(number), result, "{rewrite:?}");
        }
    }
}
