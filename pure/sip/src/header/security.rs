//! Agreeing on how the first hop is protected: Security-Client, Security-Server, Security-Verify (RFC 3329 §2.2).

use super::family::with_params;

with_params! {
    /// A mechanism that the client can use.
    SecurityClient {
        /// `tls`, `digest`, `ipsec-3gpp` …
        mechanism: &'a str
    },
    /// A mechanism that the server can use, with its preference `q`.
    SecurityServer {
        /// `tls`, `digest`, `ipsec-3gpp` …
        mechanism: &'a str
    },
    /// What the server said, sent back, so that it can see whether somebody changed it.
    SecurityVerify {
        /// `tls`, `digest`, `ipsec-3gpp` …
        mechanism: &'a str
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    #[test]
    fn the_example_of_the_rfc_is_read() {
        let value = SecurityServer::parse(b"ipsec-ike;q=0.1").unwrap();
        assert_eq!((value.mechanism, value.params.q()), ("ipsec-ike", 100));
    }
}
