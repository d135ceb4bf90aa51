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

    /// Hexadecimal digits of a hash.
    const fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha256 | Self::Sha512_256 => MOST,
        }
    }

    /// The hash that can stand for a user's name, so that it does not travel in the open (RFC 7616 §3.4.4).
    pub fn user_hash(self, user: &str, realm: &str) -> String {
        self.hash(&[user.as_bytes(), realm.as_bytes()]).text()
    }

    /// The hash of parts with colons between.
    fn hash(self, parts: &[&[u8]]) -> Digits {
        let mut room = [0; ROOM];
        match gathered(parts, &mut room) {
            Some(text) => self.hash_of(text),
            None => self.hash_of(&parts.join(&b':')),
        }
    }

    fn hash_of(self, text: &[u8]) -> Digits {
        match self {
            Self::Md5 => Digits::of(self, &Md5::digest(text)),
            Self::Sha256 => Digits::of(self, &Sha256::digest(text)),
            Self::Sha512_256 => Digits::of(self, &Sha512_256::digest(text)),
        }
    }
}

/// Parts with colons between, when there is room for them.
fn gathered<'a>(parts: &[&[u8]], room: &'a mut [u8; ROOM]) -> Option<&'a [u8]> {
    let mut used = 0_usize;
    for part in parts {
        let end = used.checked_add(part.len())?;
        let [text @ .., colon] = room.get_mut(used..=end)? else { return None };
        text.copy_from_slice(part);
        *colon = b':';
        used = end.saturating_add(1);
    }
    room.get(..used.checked_sub(1)?)
}

/// What is hashed for a request, mostly.
const ROOM: usize = 256;

/// A hash in lower-case hexadecimal: it is hashed again as it is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Digits {
    digits: [u8; MOST],
    algorithm: Algorithm,
}

impl Digits {
    fn of(algorithm: Algorithm, hash: &[u8]) -> Self {
        let mut digits = [0; MOST];
        put_digits(hash, &mut digits);
        Self { digits, algorithm }
    }

    pub(super) fn octets(&self) -> &[u8] {
        self.digits.get(..self.algorithm.digits()).unwrap_or_default()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(self.octets()).into_owned()
    }
}

/// Hexadecimal digits of the longest hash.
const MOST: usize = 64;

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
    let from = text.len();
    text.resize(from.saturating_add(octets.len().saturating_mul(2)), b'0');
    put_digits(octets, text.get_mut(from..).unwrap_or_default());
}

/// A number in hexadecimal: sixteen digits.
pub fn hex_digits(number: u64) -> [u8; 16] {
    let mut digits = [0; 16];
    put_digits(&number.to_be_bytes(), &mut digits);
    digits
}

/// Two digits for each octet, as far as there is room.
fn put_digits(octets: &[u8], digits: &mut [u8]) {
    let (pairs, _) = digits.as_chunks_mut::<2>();
    for (pair, octet) in pairs.iter_mut().zip(octets) {
        *pair = [digit(octet >> 4), digit(octet & 15)];
    }
}

/// A hexadecimal digit.
const fn digit(half: u8) -> u8 {
    if half < 10 { b'0'.wrapping_add(half) } else { b'W'.wrapping_add(half) }
}

/// H(username:realm:password): all that a server needs to keep. It never shows in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1(Digits);

impl Ha1 {
    /// From a password.
    pub fn of(algorithm: Algorithm, user: &str, realm: &str, password: &str) -> Self {
        Self(algorithm.hash(&[user.as_bytes(), realm.as_bytes(), password.as_bytes()]))
    }

    /// The hash of nobody: what a server computes with when it does not know a user. It is as long as that of somebody: hashing takes as long.
    pub(super) const fn nobody(algorithm: Algorithm) -> Self {
        Self(Digits { digits: [b'0'; MOST], algorithm })
    }

    /// From its hexadecimal digits; `None` when they are not as many as the algorithm makes.
    pub fn from_hex(algorithm: Algorithm, digits: &str) -> Option<Self> {
        let length = algorithm.digits();
        let mut known = [0; MOST];
        known
            .get_mut(..length)
            .filter(|_| digits.len() == length)?
            .copy_from_slice(digits.as_bytes());
        known.make_ascii_lowercase();
        let fits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        fits.then_some(Self(Digits { digits: known, algorithm }))
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
    answer(ha1, asked).text()
}

/// The same, to be compared.
pub(super) fn answer(ha1: &Ha1, asked: &Asked<'_>) -> Digits {
    let Asked { algorithm, method, .. } = *asked;
    let [uri, nonce, nc, cnonce] =
        [asked.uri, asked.nonce, asked.nc, asked.cnonce].map(str::as_bytes);
    let (ha1, method) = (ha1.0.octets(), method.as_bytes());
    let session = asked.session.then(|| algorithm.hash(&[ha1, nonce, cnonce]));
    let ha1 = session.as_ref().map_or(ha1, Digits::octets);
    let (ha2, qop) = match asked.qop {
        Qop::Absent => {
            let ha2 = algorithm.hash(&[method, uri]);
            return algorithm.hash(&[ha1, nonce, ha2.octets()]);
        }
        Qop::Auth => (algorithm.hash(&[method, uri]), &b"auth"[..]),
        Qop::AuthInt(body) => {
            let body = algorithm.hash(&[body]);
            (algorithm.hash(&[method, uri, body.octets()]), &b"auth-int"[..])
        }
    };
    algorithm.hash(&[ha1, nonce, nc, cnonce, qop, ha2.octets()])
}

/// True when a response is the right one; takes as long for a wrong one. The case of its digits does not count.
pub fn matches(expected: &[u8], given: &str) -> bool {
    let mut digits = [0; 64];
    let Some(digits) = digits.get_mut(..given.len()) else { return false };
    digits.copy_from_slice(given.as_bytes());
    digits.make_ascii_lowercase();
    expected.ct_eq(digits).into()
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

    /// Who chooses how long its own part is learns nothing: what is hashed for nobody is as long as for somebody.
    #[test]
    fn to_hash_for_nobody_takes_as_long_as_for_somebody() {
        for (algorithm, _) in TABLE {
            let somebody = Ha1::of(algorithm, "101", "r", "secret");
            let lengths = [Ha1::nobody(algorithm), somebody].map(|ha1| ha1.0.octets().len());
            assert_eq!(lengths[0], lengths[1], "{algorithm:?}");
        }
    }

    #[test]
    fn a_right_answer_matches_in_any_case_and_a_wrong_one_never() {
        assert!(matches(b"00ff", "00FF"));
        assert!(!matches(b"00ff", "00fe") && !matches(b"00ff", "00f") && !matches(b"00ff", ""));
        assert!(!matches(b"00ff", &"00ff".repeat(17)));
    }

    /// Proves nothing new, but that it does not matter how long the parts are.
    #[test]
    fn what_has_no_room_is_hashed_all_the_same() {
        for length in [1, 100, 126, 127, 128, 1000] {
            let parts = [vec![b'a'; length], vec![b'b'; length]];
            let parts = [&parts[0][..], &parts[1]];
            let whole = Algorithm::Md5.hash_of(&parts.join(&b':'));
            assert_eq!(Algorithm::Md5.hash(&parts).octets(), whole.octets(), "{length}");
        }
    }
}
