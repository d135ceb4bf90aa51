//! `Content-Disposition`: what a body is for, and whether it may be passed over (RFC 3261 §20.11).

use super::family::with_params;

with_params! {
    /// `session`, `render`, `icon`, `alert`, `early-session` …, and its `handling`.
    ContentDisposition {
        /// What it is for.
        kind: &'a str
    },
}

/// What must happen when a body cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    /// Pass over it.
    Optional,
    /// Answer 415.
    Required,
}

impl ContentDisposition<'_> {
    /// `handling`; required unless it says `optional`.
    pub fn handling(&self) -> Handling {
        match self.params.text("handling") {
            Some(word) if word.eq_ignore_ascii_case("optional") => Handling::Optional,
            _ => Handling::Required,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    #[test]
    fn a_body_is_required_unless_it_says_otherwise() {
        let handling =
            |text: &'static str| ContentDisposition::parse(text.as_bytes()).unwrap().handling();
        assert_eq!(handling("session"), Handling::Required);
        assert_eq!(handling("session;handling=REQUIRED"), Handling::Required);
        assert_eq!(handling("session ; Handling = Optional"), Handling::Optional);
        assert_eq!(handling("render;handling=whatever"), Handling::Required);
    }
}
