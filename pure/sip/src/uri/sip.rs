//! `SipUri`: `sip:user:password@host:port;parameters?headers` (RFC 3261 §19.1.1).

use std::borrow::Cow;

use super::Uri;
use super::host::{Host, HostPort};
use crate::octets::{find, find_light};
use crate::scan::{Scan, is_lenient_user};
use crate::{Params, ParseError};

/// A SIP or SIPS URI, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SipUri<'a> {
    /// True for `sips:`.
    pub secure: bool,
    /// The user part, still escaped.
    pub user: Option<&'a [u8]>,
    /// The password, still escaped. Nobody should send one.
    pub password: Option<&'a [u8]>,
    /// Where it points.
    pub host: Host<'a>,
    /// The port, when one is written.
    pub port: Option<u16>,
    /// `;transport=…;lr…`
    pub params: Params<'a>,
    /// What follows `?`, as written.
    pub headers: Option<&'a [u8]>,
}

impl<'a> SipUri<'a> {
    /// A URI of a host alone.
    pub const fn of(host: HostPort<'a>) -> Self {
        let HostPort { host, port } = host;
        Self {
            secure: false,
            user: None,
            password: None,
            host,
            port,
            params: Params::new(b""),
            headers: None,
        }
    }

    /// Reads what follows `sip:` or `sips:`.
    pub(super) fn read(scheme: Scheme, mut scan: Scan<'a>) -> Result<Self, ParseError> {
        let secure = scheme == Scheme::Sips;
        let (user, password) = userinfo(&mut scan)?;
        let HostPort { host, port } = hostport(&mut scan)?;
        // What was read so far has no blanks; what follows must have none either.
        let from = scan.at();
        if let Some(light) = find_light(scan.rest()) {
            return Err(scan.error().shifted(light));
        }
        if scan.peek() == Some(b';') {
            scan.take_until(b'?');
        }
        let params = Params::new(scan.since(from));
        let headers = scan.eat(b'?').then(|| scan.take_rest());
        Ok(Self { secure, user, password, host, port, params, headers })
    }

    /// Where it points.
    pub const fn hostport(&self) -> HostPort<'a> {
        HostPort { host: self.host, port: self.port }
    }

    /// The `transport` parameter.
    pub fn transport(&self) -> Option<&'a str> {
        self.params.text("transport")
    }

    /// True for a loose router (RFC 3261 §16.12); `lr=on` and `lr=true` occur and mean the same.
    pub fn is_loose(&self) -> bool {
        self.params.has("lr")
    }

    /// Writes it.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.secure { b"sips:" } else { b"sip:" });
        if let Some(user) = self.user {
            out.extend_from_slice(user);
            if let Some(password) = self.password {
                out.push(b':');
                out.extend_from_slice(password);
            }
            out.push(b'@');
        }
        self.hostport().write(out);
        out.extend_from_slice(self.params.as_bytes());
        if let Some(headers) = self.headers {
            out.push(b'?');
            out.extend_from_slice(headers);
        }
    }
}

/// A URI as it may be shown: nobody should write a password into one, and some do (RFC 3261 §19.1.1).
pub fn without_password(uri: &[u8]) -> Cow<'_, [u8]> {
    // Most have one colon before the `@`, that of the scheme.
    let user = find(b'@', uri).and_then(|at| uri.get(..at)).unwrap_or_default();
    let behind_scheme = find(b':', user).and_then(|at| user.get(at + 1..)).unwrap_or_default();
    if find(b':', behind_scheme).is_none() {
        return uri.into();
    }
    match Uri::parse(uri) {
        Ok(Uri::Sip(sip)) if sip.password.is_some() => {
            let mut shown = Vec::new();
            SipUri { password: None, ..sip }.write(&mut shown);
            shown.into()
        }
        _ => uri.into(),
    }
}

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Sip,
    Sips,
}

type Userinfo<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// `[ user [ ":" password ] "@" ]`: there when an `@` comes before anything that cannot stand in it.
fn userinfo<'a>(scan: &mut Scan<'a>) -> Result<Userinfo<'a>, ParseError> {
    if find(b'@', scan.rest()).is_none() {
        return Ok((None, None));
    }
    let mut ahead = *scan;
    let user = ahead.take_while(is_lenient_user);
    let password = ahead.eat(b':').then(|| ahead.take_while(is_lenient_user));
    if !ahead.eat(b'@') {
        return Ok((None, None));
    }
    if user.is_empty() {
        return Err(scan.error());
    }
    *scan = ahead;
    Ok((Some(user), password))
}

/// A hostport without blanks around its colon.
fn hostport<'a>(scan: &mut Scan<'a>) -> Result<HostPort<'a>, ParseError> {
    let host = Host::read(scan)?;
    let port = if scan.eat(b':') { Some(scan.number()?) } else { None };
    match scan.peek() {
        None | Some(b';' | b'?') => Ok(HostPort { host, port }),
        Some(_) => Err(scan.error()),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;
    use crate::Uri;

    #[test]
    fn a_password_is_not_shown() {
        for (uri, shown) in [
            ("sips:alice:secret@h:5061;lr?a=b", "sips:alice@h:5061;lr?a=b"),
            ("sip:alice:@h", "sip:alice@h"),
            ("sip:alice@h", "sip:alice@h"),
            ("tel:+1", "tel:+1"),
        ] {
            assert_eq!(&*without_password(uri.as_bytes()), shown.as_bytes());
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let uris: &[&[u8]] = &[
            b"sip:alice@atlanta.example",
            b"sips:alice:secret@[2001:db8::9]:5061;transport=tcp;lr?subject=x&to=y",
            b"sip:1;a=b?c/d@host.example;maddr=239.255.255.1;ttl=15",
            b"sip:%61lice%40x@192.0.2.1",
            b"sip:host.example:5060",
        ];
        for text in uris {
            let uri = Uri::parse(text).unwrap();
            let mut out = Vec::new();
            uri.write(&mut out);
            assert_eq!(&out, text);
            assert_eq!(Uri::parse(&out), Ok(uri));
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "sip:",
            "sip:@h",
            "sip:a@",
            "sip:a@b c",
            "sip:a@h:70000",
            "sip:a@h:x",
            "sip:a@h>",
            ":a",
            "1a:b",
        ] {
            assert!(Uri::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn trap_19_other_schemes_are_kept() {
        assert_eq!(Uri::parse(b"http://x/y"), Ok(Uri::Other("http", b"http://x/y")));
    }
}
