//! `Token`: what an authorization server has given us to show instead of a password (RFC 8898, RFC 6750), and `Tokens`, those that we hold.

use std::fmt;

use sip::{Malformed, Message, Name};

/// An access token, and the server that it is from. Its value never shows in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    pub(super) value: Value,
    server: Box<str>,
}

/// What makes a token a token: whoever has it is let in.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Value(Box<str>);

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadToken {
    /// No `b64token` (RFC 6750 §2.1), or a longer one than any request has room for.
    Value,
    /// Not an https URI (RFC 8898 §4).
    Server,
}

impl fmt::Display for BadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "no token: letters, digits and -._~+/ with = at the end alone",
            Self::Server => "the server that a token is from looks like https://login.example.test",
        })
    }
}

impl std::error::Error for BadToken {}

impl Token {
    /// A token, and the https URI of the authorization server that it is from: who asks for one of that server is trusted with it (RFC 8898 §2.1.1).
    pub fn new(value: &str, server: &str) -> Result<Self, BadToken> {
        let value = Value::read(value).ok_or(BadToken::Value)?;
        let https = server.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"));
        let host = server.get(8..).is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
        let plain = server.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'"');
        if !(https && host && plain) {
            return Err(BadToken::Server);
        }
        Ok(Self { value, server: server.into() })
    }

    /// The authorization server that it is from.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// True for an encrypted JWT (RFC 7516 §7.1): five parts, of which the key alone may be empty. Only who holds the key can read what it says,
    /// so it may pass proxies (RFC 8898 §2.1.2). Whoever reads it can show it all the same, as long as it holds.
    pub fn is_encrypted(&self) -> bool {
        self.value.is_encrypted()
    }

    /// True when it is from the server that a challenge names; a slash at the end makes no other server of it.
    pub(super) fn is_from(&self, server: &str) -> bool {
        self.server.trim_end_matches('/') == server.trim_end_matches('/')
    }
}

impl Value {
    /// RFC 6750 §2.1: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
    fn read(text: &str) -> Option<Self> {
        let known = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~+/".contains(&octet);
        let body = text.trim_end_matches('=');
        let fits = !body.is_empty() && text.len() <= LONGEST && body.bytes().all(known);
        fits.then(|| Self(text.into()))
    }

    fn is_encrypted(&self) -> bool {
        let parts: Vec<_> = self.0.split('.').collect();
        let base64url = |part: &&str| {
            part.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet))
        };
        let [head, _, vector, text, tag] = parts[..] else { return false };
        parts.iter().all(base64url) && [head, vector, text, tag].iter().all(|part| !part.is_empty())
    }

    /// The value of the header that shows it (RFC 8898 §4).
    pub(super) fn row(&self) -> Vec<u8> {
        format!("Bearer {}", self.0).into_bytes()
    }

    /// The token that such a value shows.
    fn shown(row: &[u8]) -> Option<Self> {
        let (scheme, token) = std::str::from_utf8(row).ok()?.trim().split_once(' ')?;
        scheme.eq_ignore_ascii_case("Bearer").then(|| Self::read(token.trim())).flatten()
    }
}

/// The tokens that a request shows.
pub(super) fn shown(request: &Message) -> impl Iterator<Item = (Name, Value)> {
    let rows = |name: Name| request.rows(name).filter_map(Value::shown).map(move |it| (name, it));
    [Name::Authorization, Name::ProxyAuthorization].into_iter().flat_map(rows)
}

/// The request without the tokens that only who is trusted may see; nothing, when there are none in it.
///
/// # Errors
/// They cannot be taken off.
pub fn without_tokens(request: &Message) -> Result<Option<Message>, Malformed> {
    if shown(request).all(|(_, value)| value.is_encrypted()) {
        return Ok(None);
    }
    let mut edit = request.edit();
    for name in [Name::Authorization, Name::ProxyAuthorization] {
        edit.remove_all(name);
        let open = |row: &&[u8]| Value::shown(row).is_none_or(|value| value.is_encrypted());
        for row in request.rows(name).filter(open) {
            edit.append_raw(name.as_str(), row);
        }
    }
    edit.finish().map(Some)
}

/// The tokens of an account, one of each server.
#[derive(Clone, Debug, Default)]
pub struct Tokens(Vec<Token>);

impl Tokens {
    /// One more, or a new one in the place of that of the same server.
    pub fn put(&mut self, token: Token) {
        self.0.retain(|old| !old.is_from(&token.server));
        self.0.push(token);
    }

    /// The one of this server.
    pub(super) fn of(&self, server: &str) -> Option<&Token> {
        self.0.iter().find(|token| token.is_from(server))
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(from {})", self.server)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(hidden)")
    }
}

/// Octets of a token: with more, no request has room for the rest.
const LONGEST: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_token_says_why_and_what_is_one_does_not_show() {
        let server = "https://login.example.test";
        for bad in ["", "=", "a b", "a=b", "a\r\nX: y", "a,b", "\u{e4}"] {
            assert_eq!(Token::new(bad, server), Err(BadToken::Value), "{bad:?}");
        }
        for bad in ["", "https://", "http://login.example.test", "https:///x", "https://a b"] {
            assert_eq!(Token::new("a", bad), Err(BadToken::Server), "{bad:?}");
        }
        let mut tokens = Tokens::default();
        tokens.put(Token::new("s3cret~+/-._==", server).unwrap());
        assert_eq!(format!("{tokens:?}"), "Tokens([Token(from https://login.example.test)])");
        assert!(tokens.of("https://login.example.test/").is_some());
        assert!(tokens.of("https://login.example.test.evil").is_none());
    }

    #[test]
    fn a_request_that_others_see_goes_without_open_tokens_and_keeps_the_rest() {
        let request =
            |rows: &str| Message::parse(format!("BYE sip:b@h SIP/2.0\r\n{rows}\r\n")).unwrap();
        let sealed = "Authorization: bearer e30..b.c.d\r\nAuthorization: Digest realm=\"r\"\r\n";
        assert!(without_tokens(&request(sealed)).unwrap().is_none());
        let open = "Authorization: Bearer s3cret\r\nProxy-Authorization: BEARER  s3cret\r\n";
        let bare = without_tokens(&request(&[open, sealed].concat())).unwrap().unwrap();
        let rows: Vec<_> = bare.rows(Name::Authorization).collect();
        assert_eq!(rows, [&b"bearer e30..b.c.d"[..], b"Digest realm=\"r\""]);
        assert_eq!(bare.rows(Name::ProxyAuthorization).count(), 0);
    }

    #[test]
    fn five_parts_are_an_encrypted_token() {
        let is = |value| Token::new(value, "https://h").unwrap().is_encrypted();
        assert!(is("e30.a-_.b.c.d") && is("e30..b.c.d"));
        for not in ["e30.a.b", "e30.a.b.c.d.e", "e30.a.b.c.", ".a.b.c.d", "e30.a~.b.c.d"] {
            assert!(!is(not), "{not}");
        }
    }
}
