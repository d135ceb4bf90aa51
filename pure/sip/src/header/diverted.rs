//! How a call came to be where it is: Diversion, History-Info (RFC 5806 §4; RFC 7044 §5).

use super::family::addresses;

addresses! {
    /// Whose phone sent the call on, the last first.
    Diversion,
    /// Where a request was sent to, in order.
    HistoryInfo,
}

impl<'a> Diversion<'a> {
    /// `reason`: `user-busy`, `no-answer`, `unconditional` …
    pub fn reason(&self) -> Option<Vec<u8>> {
        self.params.unquoted("reason")
    }

    /// `counter`: how many diversions this entry stands for; 1 when it does not say.
    pub fn counter(&self) -> u32 {
        self.params.number("counter").unwrap_or(1)
    }

    /// `privacy`, as written.
    pub fn privacy(&self) -> Option<&'a [u8]> {
        self.params.get("privacy")
    }
}

impl<'a> HistoryInfo<'a> {
    /// `index`: the place in the tree of targets, `1.2.1`.
    pub fn index(&self) -> Option<&'a str> {
        self.params.text("index")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    #[test]
    fn why_and_where_are_read() {
        let value = Diversion::parse(
            br#""B" <sip:bob@b.example>;reason="user-busy";counter=2;privacy=full"#,
        )
        .unwrap();
        assert_eq!((value.reason().unwrap(), value.counter()), (b"user-busy".to_vec(), 2));
        assert_eq!(value.privacy(), Some(&b"full"[..]));
        let value =
            HistoryInfo::parse(b"<sip:bob@192.0.2.4?Reason=SIP%3Bcause%3D302>;index=1.1;rc=1")
                .unwrap();
        assert_eq!(value.index(), Some("1.1"));
    }
}
