//! What somebody understands, with a preference `q`: Accept-Encoding, Accept-Language (RFC 3261 §20.2, §20.3).

use super::family::with_params;

with_params! {
    /// A coding that the sender can unpack; `*` for any.
    AcceptEncoding {
        /// `gzip`, `identity`, `*` …
        coding: &'a str
    },
    /// A language that the person prefers; `*` for any.
    AcceptLanguage {
        /// `da`, `en-gb`, `*` …
        range: &'a str
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        let coding = AcceptEncoding::parse(b"gzip").unwrap();
        assert_eq!((coding.coding, coding.params.q()), ("gzip", 1000));
        let language = AcceptLanguage::parse(b"en-gb;q=0.8").unwrap();
        assert_eq!((language.range, language.params.q()), ("en-gb", 800));
    }
}
