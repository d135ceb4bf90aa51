//! How long a session lives without a refresh: Session-Expires, Min-SE (RFC 4028 §4, §5).

use super::family::with_params;

with_params! {
    /// How long the session lives, and who refreshes it.
    SessionExpires {
        /// Seconds.
        seconds: u32
    },
    /// The shortest time that somebody on the way takes.
    MinSe {
        /// Seconds.
        seconds: u32
    },
}

/// Who sends the refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresher {
    /// The side that sent this request.
    Uac,
    /// The side that answers it.
    Uas,
}

impl SessionExpires<'_> {
    /// `refresher`, when it is chosen.
    pub fn refresher(&self) -> Option<Refresher> {
        let word = self.params.text("refresher")?;
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        if is("uac") {
            return Some(Refresher::Uac);
        }
        is("uas").then_some(Refresher::Uas)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    #[test]
    fn interval_and_refresher_are_read() {
        let value = SessionExpires::parse(b"4000 ;Refresher = UAC").unwrap();
        assert_eq!((value.seconds, value.refresher()), (4000, Some(Refresher::Uac)));
        assert_eq!(SessionExpires::parse(b"90;refresher=x").unwrap().refresher(), None);
        assert_eq!(MinSe::parse(b"90;x=1").unwrap().seconds, 90);
        assert!(SessionExpires::parse(b";refresher=uac").is_err());
        assert!(MinSe::parse(b"4294967296").is_err());
    }
}
