//! Headers that point to something to hear, see or read: Alert-Info, Call-Info, Error-Info, Geolocation, Identity-Info (RFC 3261 §20.4, §20.9, §20.18; RFC 6442 §4.1; RFC 4474 §9).

use super::family::with_params;

with_params! {
    /// The ring tone that the caller would like.
    AlertInfo {
        /// Where it is.
        uri: &'a [u8]
    },
    /// More about the caller or the callee.
    CallInfo {
        /// Where it is.
        uri: &'a [u8]
    },
    /// More about an error.
    ErrorInfo {
        /// Where it is.
        uri: &'a [u8]
    },
    /// Where the caller is.
    Geolocation {
        /// Where that is written.
        uri: &'a [u8]
    },
    /// The certificate of the signer, in the first form of Identity.
    IdentityInfo {
        /// Where it is.
        uri: &'a [u8]
    },
}

impl<'a> CallInfo<'a> {
    /// `purpose`: `icon`, `info`, `card` or another.
    pub fn purpose(&self) -> Option<&'a str> {
        self.params.text("purpose")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    #[test]
    fn a_uri_stands_in_brackets() {
        let info = CallInfo::parse(b"<http://wwww.example.com/alice/photo.jpg> ;purpose=icon");
        assert_eq!(info.unwrap().purpose(), Some("icon"));
        assert_eq!(info.unwrap().uri, b"http://wwww.example.com/alice/photo.jpg");
        for (bad, at) in [("", 0), ("http://x", 0), ("<http://x", 9), ("<x y>", 1), ("<>", 1)] {
            assert_eq!(CallInfo::parse(bad.as_bytes()).unwrap_err().at, at, "{bad}");
        }
    }
}
