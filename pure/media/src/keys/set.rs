//! `KeySet`: which of the sixteen keys the other side can take as events (RFC 4733 §2.4.1).

/// Some of the sixteen keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySet(u16);

impl Default for KeySet {
    /// All of them: so it is when the other side does not say (RFC 4733 §2.5.1.1).
    fn default() -> Self {
        Self(u16::MAX)
    }
}

impl KeySet {
    /// From the parameter of telephone-event in SDP, such as `0-15`, `0-11,16` or `events=0-11`. What is no number is passed over.
    pub fn read(parameter: &str) -> Self {
        let list = parameter.trim();
        let list = list.strip_prefix("events=").unwrap_or(list);
        let keys = list.split(',').filter_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            Some(first.trim().parse::<u8>().ok()?..=last.trim().parse::<u8>().ok()?)
        });
        let has = |code: &u8| keys.clone().any(|range| range.contains(code));
        Self((0..16).filter(has).fold(0, |keys, code| keys | 1 << code))
    }

    /// True when the key with this event code is one of them.
    pub(crate) const fn has(self, code: u8) -> bool {
        code < 16 && self.0 & (1 << code) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_ranges_are_read() {
        assert_eq!(KeySet::read("0-15"), KeySet::default());
        assert_eq!(KeySet::read("events=0-9, 11 ,16,200-210"), KeySet(0b1011_1111_1111));
        assert_eq!(KeySet::read("3"), KeySet(8));
        for nothing in ["", "none", "-", "5-", "9-2", "256", "16"] {
            assert_eq!(KeySet::read(nothing), KeySet(0), "{nothing}");
        }
    }
}
