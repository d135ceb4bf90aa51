//! `Domain`: a name in the DNS, ready to be compared (RFC 1035 §2.3, RFC 4343).

use std::fmt;

/// A name in the DNS: lower case, no dot at its end, never empty.
///
/// Letters, digits, hyphens and underscores only: other octets cannot stand in a SIP URI either, and a terminal that shows them
/// would do what strangers want.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(Box<str>);

/// RFC 1035 §2.3.4: 255 octets on the wire are 253 written ones.
const LONGEST: usize = 253;
/// RFC 1035 §2.3.4.
const LONGEST_LABEL: usize = 63;

impl Domain {
    /// Reads a name; `None` when it is none.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let fits = |label: &str| {
            (1..=LONGEST_LABEL).contains(&label.len())
                && label
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
        };
        let good = text.len() <= LONGEST && text.split('.').all(fits);
        good.then(|| Self(text.to_ascii_lowercase().into()))
    }

    /// The name below this one, as `_sip._udp` below a domain; `None` when it would be too long.
    pub fn below(&self, prefix: &str) -> Option<Self> {
        Self::of(&format!("{prefix}.{self}"))
    }

    /// The name, lower case, without a dot at its end.
    pub const fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_last_dot() {
        assert_eq!(Domain::of("Example.TEST."), Domain::of("example.test"));
        assert_eq!(
            Domain::of("example.test").unwrap().below("_sip._udp").unwrap().as_str(),
            "_sip._udp.example.test"
        );
    }

    #[test]
    fn what_cannot_be_asked_for_is_no_name() {
        let long = format!("{}.example", "a".repeat(64));
        let longer = "abcdefg.".repeat(32) + "ab";
        for bad in ["", ".", "a..b", ".a", "a b", "a\0b", "é.example", "a/b", &long, &longer] {
            assert_eq!(Domain::of(bad), None, "{bad}");
        }
        assert!(Domain::of(&("abcdefg.".repeat(31) + "abcde")).is_some());
    }
}
