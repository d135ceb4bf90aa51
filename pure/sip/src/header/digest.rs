//! Challenges, credentials and what comes back: WWW-Authenticate, Authorization, Authentication-Info and the proxies' three (RFC 3261 §20.6, §20.7, §20.27, §20.28, §20.44; RFC 7616 §3.3–§3.5; RFC 7615).

use std::borrow::Cow;

use super::Header;
use crate::octets::find;
use crate::scan::{Scan, ascii, is_token, unquote};
use crate::{Name, ParseError, limits};

/// A scheme and its parameters: `Digest realm="biloxi.example", nonce="…"`. Commas separate parameters, never headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthParams<'a> {
    /// `Digest`, or one that we do not know; empty in an Authentication-Info, which has none.
    pub scheme: &'a str,
    text: &'a [u8],
}

impl<'a> AuthParams<'a> {
    fn read(value: &'a [u8], what: &'static str) -> Result<Self, ParseError> {
        let (scheme, scan) = Self::scheme(value, what)?;
        Self::pairs(scheme, scan)
    }

    /// What stands in credentials, read no further than its scheme: who [picks](Self::pick) from it learns what is wrong with the rest.
    ///
    /// # Errors
    /// There is no scheme.
    pub fn begun(value: &'a [u8]) -> Result<Self, ParseError> {
        let (scheme, scan) = Self::scheme(value, "credentials")?;
        Ok(Self { scheme, text: scan.rest() })
    }

    /// The scheme, and what stands behind it.
    fn scheme(value: &'a [u8], what: &'static str) -> Result<(&'a str, Scan<'a>), ParseError> {
        let mut scan = Scan::new(value, what);
        scan.skip_blanks();
        let scheme = scan.token()?;
        scan.skip_blanks();
        Ok((scheme, scan))
    }

    /// An Authentication-Info: at least one parameter.
    fn info(value: &'a [u8], what: &'static str) -> Result<Self, ParseError> {
        let mut scan = Scan::new(value, what);
        scan.skip_blanks();
        if scan.rest().is_empty() { Err(scan.error()) } else { Self::pairs("", scan) }
    }

    fn pairs(scheme: &'a str, mut scan: Scan<'a>) -> Result<Self, ParseError> {
        scan.skip_blanks();
        let params = Self { scheme, text: scan.rest() };
        while !scan.rest().is_empty() {
            pair(&mut scan)?;
        }
        Ok(params)
    }

    /// True for `Digest`.
    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("Digest")
    }

    /// True for `Bearer` (RFC 8898 §4).
    pub fn is_bearer(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("Bearer")
    }

    /// All parameters, in order; values as written.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let mut scan = Scan::new(self.text, "auth-param");
        let next = move || if scan.rest().is_empty() { None } else { pair(&mut scan).ok() };
        let all = std::iter::from_fn(next).take(limits::PARAMS);
        all.filter_map(|(name, value)| Some((ascii(name)?, value)))
    }

    /// The first parameter of each of these names, as written: all of them found in one reading.
    ///
    /// # Errors
    /// Something that is no parameter.
    pub fn pick<const N: usize>(
        &self,
        names: [&str; N],
    ) -> Result<[Option<&'a [u8]>; N], ParseError> {
        let (mut found, mut scan) = ([None; N], Scan::new(self.text, "auth-param"));
        for nth in 0.. {
            if scan.rest().is_empty() {
                break;
            }
            let (name, value) = pair(&mut scan)?;
            let same = |(known, place): &(&&str, &mut Option<&'a [u8]>)| {
                place.is_none() && known.as_bytes().eq_ignore_ascii_case(name)
            };
            let place = names.iter().zip(&mut found).find(same).filter(|_| nth < limits::PARAMS);
            place.into_iter().for_each(|(_, place)| *place = Some(value));
        }
        Ok(found)
    }

    /// A parameter without quotes and escapes: phones quote what needs none, and the other way round.
    pub fn get(&self, name: &str) -> Option<Vec<u8>> {
        self.iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| unquote(value))
    }

    /// The same, as text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(|value| String::from_utf8(value).ok())
    }

    fn write(&self, out: &mut Vec<u8>) {
        if !self.scheme.is_empty() {
            out.extend_from_slice(self.scheme.as_bytes());
            out.push(b' ');
        }
        out.extend_from_slice(self.text);
    }
}

/// The meaning of a value as written, when it is text: without quotes and escapes.
pub fn plain(value: &[u8]) -> Option<Cow<'_, str>> {
    let inner = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    match inner {
        Some(inner) if find(b'\\', inner).is_some() => {
            String::from_utf8(unquote(value)).ok().map(Cow::Owned)
        }
        inner => std::str::from_utf8(inner.unwrap_or(value)).ok().map(Cow::Borrowed),
    }
}

/// `nc`: eight hexadecimal digits.
pub fn nonce_count(digits: &str) -> Option<u32> {
    let digits = Some(digits).filter(|digits| digits.len() == 8)?;
    u32::from_str_radix(digits, 16).ok()
}

/// `name = value`, and the comma behind it.
fn pair<'a>(scan: &mut Scan<'a>) -> Result<(&'a [u8], &'a [u8]), ParseError> {
    let name = scan.take_while(is_token);
    if name.is_empty() || !scan.eat_spaced(b'=') {
        return Err(scan.error());
    }
    let value = match scan.peek() {
        Some(b'"') => scan.quoted()?,
        _ => scan.take_while(|octet| octet != b',' && octet > b' '),
    };
    scan.skip_blanks();
    if !scan.rest().is_empty() && !scan.eat_spaced(b',') {
        return Err(scan.error());
    }
    Ok((name, value))
}

macro_rules! auth_headers {
    ($($(#[$doc:meta])* $header:ident $read:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $header<'a>(pub AuthParams<'a>);

        impl<'a> Header<'a> for $header<'a> {
            const NAME: Name = Name::$header;

            fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
                AuthParams::$read(value, Name::$header.as_str()).map(Self)
            }

            fn write(&self, out: &mut Vec<u8>) {
                self.0.write(out);
            }
        }
    )*};
}

auth_headers! {
    /// A server asks who it is (401).
    WwwAuthenticate read,
    /// A proxy asks who it is (407).
    ProxyAuthenticate read,
    /// The answer for a server.
    Authorization read,
    /// The answer for a proxy.
    ProxyAuthorization read,
    /// A server shows that it knows the password too, and names the next nonce.
    AuthenticationInfo info,
    /// The same from a proxy.
    ProxyAuthenticationInfo info,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: rfc3261-7.3.1-3.
    #[test]
    fn trap_22_commas_are_parameters_and_quotes_are_optional() {
        let value =
            br#"digest username = "a\"b", realm="x, y",qop=auth , NC=0000000a,uri="sip:a@b;x=1""#;
        let Authorization(params) = Authorization::parse(value).unwrap();
        assert!(params.is_digest());
        assert_eq!(params.text("username").unwrap(), "a\"b");
        assert_eq!(params.text("Realm").unwrap(), "x, y");
        assert_eq!(params.text("qop").unwrap(), "auth");
        assert_eq!(params.text("nc").as_deref().and_then(nonce_count), Some(10));
        assert_eq!(
            Authorization::parse(Authorization(params).text().as_bytes()).unwrap().0.iter().count(),
            5
        );
    }

    #[test]
    fn an_authentication_info_has_no_scheme() {
        let value = br#"nextnonce="47364c23432d2e131a5fb210812c", qop=auth,nc=00000001"#;
        let info = AuthenticationInfo::parse(value).unwrap();
        assert_eq!(info.0.text("nextnonce").unwrap(), "47364c23432d2e131a5fb210812c");
        assert_eq!(info.text().as_bytes(), value);
        assert!(AuthenticationInfo::parse(b"").is_err());
        assert!(AuthenticationInfo::parse(b"Digest a=b").is_err());
    }

    #[test]
    fn what_is_no_parameter_is_an_error() {
        let picked = |value| {
            AuthParams::begun(value).and_then(|begun: AuthParams<'_>| begun.pick(["a", "B"]))
        };
        assert_eq!(picked(b"Digest b=1, A = \"2\",a=3"), Ok([Some(&b"\"2\""[..]), Some(b"1")]));
        for bad in ["", "Digest a", "Digest a=\"b", "Digest a=b c=d", "Digest =b"] {
            assert!(picked(bad.as_bytes()).is_err(), "{bad}");
            assert!(Authorization::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert_eq!((nonce_count("1"), nonce_count("0000000\u{e9}")), (None, None));
    }
}
