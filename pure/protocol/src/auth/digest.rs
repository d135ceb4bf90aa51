//! The digest itself: algorithms, the user's hash, the response (RFC 7616 §3.4.1).

use std::fmt;

use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};
use subtle::ConstantTimeEq as _;

/// A hash that digest can use (RFC 7616 §3.3, RFC 8760 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// Weak, and what most phones know.
    Md5,
    /// What RFC 8760 wants first.
    Sha256,
    /// SHA-512 truncated by FIPS 180-4, not by cutting.
    Sha512_256,
}

impl Algorithm {
    /// Reads the token; `None` for one that we do not know. The second value is true for a `-sess` variant.
    pub fn of(token: &str) -> Option<(Self, bool)> {
        let (name, sess) =
            match token.len().checked_sub(5).and_then(|at| token.split_at_checked(at)) {
                Some((name, tail)) if tail.eq_ignore_ascii_case("-sess") => (name, true),
                _ => (token, false),
            };
        let found = TABLE.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
        found.map(|(algorithm, _)| (*algorithm, sess))
    }

    /// The token.
    pub fn token(self) -> &'static str {
        TABLE.iter().find(|(algorithm, _)| *algorithm == self).map_or("MD5", |(_, token)| *token)
    }

    /// The hash that can stand for a user's name, so that it does not travel in the open (RFC 7616 §3.4.4).
    pub fn user_hash(self, user: &str, realm: &str) -> String {
        self.hash(&[user.as_bytes(), realm.as_bytes()])
    }

    /// The hash of parts with colons between, in lower-case hexadecimal.
    fn hash(self, parts: &[&[u8]]) -> String {
        let text = parts.join(&b':');
        match self {
            Self::Md5 => hex(&Md5::digest(text)),
            Self::Sha256 => hex(&Sha256::digest(text)),
            Self::Sha512_256 => hex(&Sha512_256::digest(text)),
        }
    }
}

const TABLE: [(Algorithm, &str); 3] = [
    (Algorithm::Md5, "MD5"),
    (Algorithm::Sha256, "SHA-256"),
    (Algorithm::Sha512_256, "SHA-512-256"),
];

/// Octets in lower-case hexadecimal.
pub fn hex(octets: &[u8]) -> String {
    let mut text = Vec::with_capacity(octets.len().saturating_mul(2));
    write_hex(octets, &mut text);
    // Digits are ASCII.
    String::from_utf8(text).unwrap_or_default()
}

/// The same, written behind what is there.
pub fn write_hex(octets: &[u8], text: &mut Vec<u8>) {
    let digit =
        |half: u8| if half < 10 { b'0'.wrapping_add(half) } else { b'W'.wrapping_add(half) };
    let from = text.len();
    text.resize(from.saturating_add(octets.len().saturating_mul(2)), b'0');
    let (pairs, _) = text.get_mut(from..).unwrap_or_default().as_chunks_mut::<2>();
    for (pair, octet) in pairs.iter_mut().zip(octets) {
        *pair = [digit(octet >> 4), digit(octet & 15)];
    }
}

/// H(username:realm:password): all that a server needs to keep. Its text never shows in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1(String);

impl Ha1 {
    /// From a password.
    pub fn of(algorithm: Algorithm, user: &str, realm: &str, password: &str) -> Self {
        Self(algorithm.hash(&[user.as_bytes(), realm.as_bytes(), password.as_bytes()]))
    }

    /// The hash of nobody: what a server computes with when it does not know a user.
    pub(super) fn nobody() -> Self {
        Self("0".repeat(64))
    }

    /// From its hexadecimal digits; `None` when they are not as many as the algorithm makes.
    pub fn from_hex(algorithm: Algorithm, digits: &str) -> Option<Self> {
        let length = if algorithm == Algorithm::Md5 { 32 } else { 64 };
        let fits = digits.len() == length && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        fits.then(|| Self(digits.to_ascii_lowercase()))
    }
}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ha1(…)")
    }
}

/// Quality of protection (RFC 7616 §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qop<'a> {
    /// None named: as RFC 2069 had it. For clients of old servers only.
    Absent,
    /// `auth`: method and URI are protected.
    Auth,
    /// `auth-int`: this body too.
    AuthInt(&'a [u8]),
}

/// What the response answers: everything but who.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The hash.
    pub algorithm: Algorithm,
    /// True for the `-sess` variants, whose A1 holds the nonces too.
    pub session: bool,
    /// The request's method.
    pub method: &'a str,
    /// The `uri` parameter, as written.
    pub uri: &'a str,
    /// The server's nonce.
    pub nonce: &'a str,
    /// The `nc` parameter, as written.
    pub nc: &'a str,
    /// The client's nonce.
    pub cnonce: &'a str,
    /// What is protected.
    pub qop: Qop<'a>,
}

/// The `response` parameter (RFC 7616 §3.4.1), in hexadecimal.
pub fn response(ha1: &Ha1, asked: &Asked<'_>) -> String {
    let Asked { algorithm, method, uri, nonce, nc, cnonce, .. } = *asked;
    let ha1 = if asked.session {
        algorithm.hash(&[ha1.0.as_bytes(), nonce.as_bytes(), cnonce.as_bytes()])
    } else {
        ha1.0.clone()
    };
    let (ha2, qop) = match asked.qop {
        Qop::Absent => {
            let ha2 = algorithm.hash(&[method.as_bytes(), uri.as_bytes()]);
            return algorithm.hash(&[ha1.as_bytes(), nonce.as_bytes(), ha2.as_bytes()]);
        }
        Qop::Auth => (algorithm.hash(&[method.as_bytes(), uri.as_bytes()]), "auth"),
        Qop::AuthInt(body) => {
            let body = algorithm.hash(&[body]);
            (algorithm.hash(&[method.as_bytes(), uri.as_bytes(), body.as_bytes()]), "auth-int")
        }
    };
    let parts = [&*ha1, nonce, nc, cnonce, qop, &*ha2].map(str::as_bytes);
    algorithm.hash(&parts)
}

/// True when a response is the right one; takes as long for a wrong one. The case of its digits does not count.
pub fn matches(expected: &str, given: &str) -> bool {
    expected.as_bytes().ct_eq(given.to_ascii_lowercase().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_in_any_case() {
        assert_eq!(Algorithm::of("md5-SESS"), Some((Algorithm::Md5, true)));
        assert_eq!(Algorithm::of("sha-512-256"), Some((Algorithm::Sha512_256, false)));
        assert_eq!(Algorithm::of("SHA256"), None);
        assert_eq!(Algorithm::of("é-sess"), None);
    }

    #[test]
    fn a_hash_is_not_shown_and_its_length_counts() {
        let ha1 = Ha1::of(Algorithm::Md5, "Mufasa", "r", "secret");
        assert_eq!(format!("{ha1:?}"), "Ha1(…)");
        assert!(Ha1::from_hex(Algorithm::Sha256, &"a".repeat(32)).is_none());
        assert!(Ha1::from_hex(Algorithm::Md5, &"A".repeat(32)).is_some());
    }

    #[test]
    fn a_right_answer_matches_in_any_case_and_a_wrong_one_never() {
        assert!(matches("00ff", "00FF"));
        assert!(!matches("00ff", "00fe") && !matches("00ff", "00f") && !matches("00ff", ""));
    }
}
