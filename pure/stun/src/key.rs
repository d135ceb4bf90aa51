//! The key of a long-term credential (RFC 8489 §9.2.2).

use md5::{Digest as _, Md5};

/// `MD5(username ":" realm ":" password)`, as every TURN server takes it. A realm and a password that are not ASCII are used as they are.
pub fn long_term_key(username: &str, realm: &str, password: &str) -> [u8; 16] {
    Md5::digest(format!("{username}:{realm}:{password}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 8489 §9.2.2.
    #[test]
    fn the_example_of_the_rfc_comes_out() {
        let key = long_term_key("user", "realm", "pass");
        assert_eq!(key, *b"\x84\x93\xfb\xc5\x3b\xa5\x82\xfb\x4c\x04\x4c\x45\x6b\xdc\x40\xeb");
    }
}
