//! What a server asks: the value of WWW-Authenticate or Proxy-Authenticate (RFC 7616 §3.3, RFC 8760 §2.3).

use super::Algorithm;

/// A challenge for one algorithm. A server that knows several sends one each, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// What the password belongs to.
    pub realm: &'a str,
    /// One of our [`Nonces`](super::Nonces).
    pub nonce: &'a str,
    /// The hash.
    pub algorithm: Algorithm,
    /// Why we ask.
    pub why: Why,
    /// What may be protected.
    pub protection: Protection,
    /// How names and passwords are written before they are hashed.
    pub charset: Charset,
    /// Whether the user's name should come as a hash.
    pub names: Names,
}

/// Why a server asks who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// No answer was there, or a wrong one.
    WhoIsIt,
    /// The answer was right, but its nonce is spent: the client need not ask its user again.
    Stale,
}

/// What a server offers to protect. Answers of both kinds are understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protection {
    /// `auth`: method and URI.
    #[default]
    Request,
    /// `auth,auth-int`: the body too, for who likes. Some phones do not understand a list.
    RequestOrBody,
}

/// How names and passwords are written before they are hashed (RFC 7616 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Charset {
    /// Nothing is said: with ASCII alone there is nothing to say, and the less stands in a challenge, the fewer phones stumble.
    #[default]
    Unsaid,
    /// `UTF-8`.
    Utf8,
}

/// How the user's name should come back (RFC 7616 §3.4.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Names {
    /// As it is: the From says it anyway.
    #[default]
    Plain,
    /// As a hash, from who knows how to make it.
    Hashed,
}

impl Challenge<'_> {
    /// The header's value.
    pub fn value(&self) -> String {
        let mut text = Vec::new();
        self.write(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Writes the header's value.
    pub fn write(&self, out: &mut Vec<u8>) {
        let Self { realm, nonce, algorithm, why, protection, charset, names } = *self;
        let qop = match protection {
            Protection::Request => "auth",
            Protection::RequestOrBody => "auth,auth-int",
        };
        let algorithm = algorithm.token();
        let stale = if why == Why::Stale { ", stale=true" } else { "" };
        let charset = if charset == Charset::Utf8 { ", charset=\"UTF-8\"" } else { "" };
        let names = if names == Names::Hashed { ", userhash=true" } else { "" };
        let who = ["Digest realm=\"", realm, "\", nonce=\"", nonce, "\", algorithm=", algorithm];
        let how = [", qop=\"", qop, "\"", stale, charset, names];
        for part in who.into_iter().chain(how) {
            out.extend_from_slice(part.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use sip::Header as _;
    use sip::header::WwwAuthenticate;

    use super::*;

    #[test]
    fn what_is_asked_reads_back() {
        let challenge = Challenge {
            realm: "example.test",
            nonce: "n",
            algorithm: Algorithm::Sha256,
            why: Why::Stale,
            protection: Protection::RequestOrBody,
            charset: Charset::Utf8,
            names: Names::Hashed,
        };
        let value = challenge.value();
        let WwwAuthenticate(params) = WwwAuthenticate::parse(value.as_bytes()).unwrap();
        assert!(params.is_digest());
        for (name, expected) in [
            ("realm", "example.test"),
            ("nonce", "n"),
            ("algorithm", "SHA-256"),
            ("qop", "auth,auth-int"),
            ("stale", "true"),
            ("charset", "UTF-8"),
            ("userhash", "true"),
        ] {
            assert_eq!(params.text(name).as_deref(), Some(expected));
        }
        let first = Challenge {
            why: Why::WhoIsIt,
            protection: Protection::Request,
            charset: Charset::Unsaid,
            names: Names::Plain,
            ..challenge
        };
        let value = first.value();
        assert!(value.ends_with("algorithm=SHA-256, qop=\"auth\""), "{value}");
    }
}
