//! `Reason`: why a call was ended or cancelled (RFC 3326 §2).

use super::family::with_params;

with_params! {
    /// `SIP;cause=200;text="Call completed elsewhere"`, `Q.850;cause=16`
    Reason {
        /// Whose causes they are: `SIP`, `Q.850` …
        protocol: &'a str
    },
}

impl Reason<'_> {
    /// `cause`
    pub fn cause(&self) -> Option<u16> {
        self.params.number("cause")
    }

    /// `text`, without quotes and escapes.
    pub fn words(&self) -> Option<String> {
        self.params.unquoted("text").map(|text| String::from_utf8_lossy(&text).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    #[test]
    fn cause_and_words_are_read() {
        let value = Reason::parse(br#"Q.850 ;cause=16 ;text="Terminated; \"bye\"""#).unwrap();
        assert_eq!((value.protocol, value.cause()), ("Q.850", Some(16)));
        assert_eq!(value.words().as_deref(), Some("Terminated; \"bye\""));
        assert_eq!(Reason::parse(b"SIP;cause=x").unwrap().cause(), None);
    }
}
