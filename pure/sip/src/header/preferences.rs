//! Which of the callee's phones the caller wants: Accept-Contact, Reject-Contact (RFC 3841 §9.2, §9.3).

use super::family::with_params;

with_params! {
    /// Features that the phone should have.
    AcceptContact {
        /// `*`
        any: &'a str
    },
    /// Features that the phone should not have.
    RejectContact {
        /// `*`
        any: &'a str
    },
}

impl AcceptContact<'_> {
    /// `require`: a phone that does not match is not called.
    pub fn is_required(&self) -> bool {
        self.params.has("require")
    }

    /// `explicit`: a phone that does not say that it has the feature counts as one that has not.
    pub fn is_explicit(&self) -> bool {
        self.params.has("explicit")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    #[test]
    fn features_are_parameters() {
        let value = AcceptContact::parse(br#"*;mobility="fixed,x";explicit;require"#).unwrap();
        assert!(value.is_required() && value.is_explicit());
        assert_eq!(value.params.unquoted("mobility").unwrap(), b"fixed,x");
        assert!(!AcceptContact::parse(b"*;video").unwrap().is_required());
    }
}
