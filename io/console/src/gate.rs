//! `Gate`: who may ask. A browser that was lured here may not, whoever sits before it.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{StatusCode, Uri};
use subtle::ConstantTimeEq as _;

use crate::answer::Refusal;

/// Which way somebody came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By TCP: any process of the machine, any page in its browser, or the whole network.
    Tcp(IpAddr),
    /// By the socket in the file system: the kernel has looked at its permissions.
    File,
}

/// Who may ask by TCP.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Guests {
    /// What they must know; none: everybody may ask who can connect.
    pub token: Option<Box<str>>,
    /// The names by which they may call the console, besides `localhost` and addresses (they cannot be forged by a DNS).
    pub hosts: Vec<Box<str>>,
}

impl fmt::Debug for Guests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guests").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

/// Lets guests in; whom, can change while it stands.
#[derive(Clone, Debug)]
pub struct Gate(Arc<RwLock<Guests>>);

impl Gate {
    pub(crate) fn new(guests: Guests) -> Self {
        Self(Arc::new(RwLock::new(guests)))
    }

    /// Lets these in from now on, and no others. Streams that have begun go on.
    pub fn renew(&self, guests: Guests) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = guests;
    }

    /// May this be asked?
    pub(crate) fn admits(&self, way: Way, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        if way == Way::File {
            return Ok(());
        }
        let host = host(uri, headers)?;
        same_origin(host, headers)?;
        let guests = self.0.read().unwrap_or_else(PoisonError::into_inner);
        guests.know(host)?;
        guests.have_token(headers)
    }
}

impl Guests {
    /// Against DNS rebinding: a page of a stranger's domain, whose name suddenly leads here, says that name. An address in the place of the
    /// name was not looked up anywhere.
    fn know(&self, host: &str) -> Result<(), Refusal> {
        let name = without_port(host);
        let is_address = name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        let ours = || self.hosts.iter().any(|ours| ours.eq_ignore_ascii_case(name));
        if is_address || name.eq_ignore_ascii_case("localhost") || ours() {
            return Ok(());
        }
        let what = format!("`{}` is not a name of this console", name.escape_debug());
        let hint = "ask by its address, or add the name to [console] hosts";
        Err(Refusal::new(StatusCode::FORBIDDEN, "foreign_host", what).hint(hint))
    }

    fn have_token(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(token) = &self.token else { return Ok(()) };
        let refuse = |what: &str| {
            let hint =
                "send `Authorization: Bearer TOKEN`, with the token of the config's [console]";
            Refusal::new(StatusCode::UNAUTHORIZED, "token", what).hint(hint).with(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"offhook\""),
            )
        };
        let given = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
        let given = given.ok_or_else(|| refuse("a token is needed"))?;
        let (scheme, given) = given.split_at_checked(7).unwrap_or_default();
        let right = given.trim_ascii().ct_eq(token.as_bytes());
        if scheme.eq_ignore_ascii_case(b"bearer ") && bool::from(right) {
            Ok(())
        } else {
            Err(refuse("that is not the token"))
        }
    }
}

/// Whom it wants to ask. Two names, or none, are a trick (RFC 9112 §3.2).
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Result<&'a str, Refusal> {
    let mut named = headers.get_all(header::HOST).iter();
    let (host, another) = (named.next(), named.next());
    let host = host.and_then(|host| host.to_str().ok()).filter(|_| another.is_none());
    match (uri.authority(), host) {
        (Some(authority), Some(_)) => Ok(authority.as_str()),
        (None, Some(host)) => Ok(host),
        (_, None) => Err(Refusal::bad("host", "a request has one Host")),
    }
}

/// A page of elsewhere may send requests here, though it cannot read the answers: a browser says where the page is from.
fn same_origin(host: &str, headers: &HeaderMap) -> Result<(), Refusal> {
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    let same = |origin: &str| {
        let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host))
    };
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    let foreign = site.is_some_and(|site| site != b"same-origin" && site != b"none");
    if origin.is_none_or(same) && !foreign {
        return Ok(());
    }
    let what = "pages of other sites may not ask here";
    Err(Refusal::new(StatusCode::FORBIDDEN, "foreign_origin", what))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderName;

    use super::*;

    fn asked(gate: &Gate, fields: &[(&str, &str)]) -> Result<(), &'static str> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let uri = Uri::from_static("/api/v1/status");
        gate.admits(Way::Tcp([127, 0, 0, 1].into()), &uri, &headers).map_err(|refusal| refusal.code)
    }

    fn gate(token: Option<&str>) -> Gate {
        let hosts = vec!["pbx.example.test".into()];
        Gate::new(Guests { token: token.map(Into::into), hosts })
    }

    #[test]
    fn a_token_is_not_shown_and_can_change() {
        let gate = gate(Some("open sesame"));
        assert!(!format!("{gate:?}").contains("sesame"));
        let with = |token: &str| {
            asked(&gate, &[("host", "localhost"), ("authorization", &format!("Bearer {token}"))])
        };
        assert_eq!((with("open sesame"), with("other")), (Ok(()), Err("token")));
        gate.renew(Guests { token: Some("other".into()), hosts: Vec::new() });
        assert_eq!((with("open sesame"), with("other")), (Err("token"), Ok(())));
        assert_eq!(asked(&gate, &[("host", "pbx.example.test")]), Err("foreign_host"));
    }

    #[test]
    fn it_knows_its_names() {
        let open = gate(None);
        for host in [
            "127.0.0.1:8060",
            "[::1]:8060",
            "[::1]",
            "localhost",
            "LOCALHOST:1",
            "pbx.example.test",
        ] {
            assert_eq!(asked(&open, &[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil",
            "",
            "pbx.example.test.",
            "a@127.0.0.1",
        ] {
            assert_eq!(asked(&open, &[("host", host)]), Err("foreign_host"), "{host}");
        }
        assert_eq!(asked(&open, &[]), Err("host"));
        assert_eq!(asked(&open, &[("host", "127.0.0.1"), ("host", "evil")]), Err("host"));
    }

    #[test]
    fn pages_of_others_are_sent_away() {
        let open = gate(None);
        let asked =
            |name: &str, value: &str| asked(&open, &[("host", "127.0.0.1:8060"), (name, value)]);
        for origin in ["http://evil.example", "null", "", "http://127.0.0.1:8061", "127.0.0.1:8060"]
        {
            assert_eq!(asked("origin", origin), Err("foreign_origin"), "{origin}");
        }
        assert_eq!(asked("origin", "http://127.0.0.1:8060"), Ok(()));
        assert_eq!(asked("sec-fetch-site", "cross-site"), Err("foreign_origin"));
        assert_eq!(asked("sec-fetch-site", "none"), Ok(()));
    }

    #[test]
    fn the_token_must_be_right() {
        let shut = gate(Some("s3cret"));
        let asked = |value: &str| asked(&shut, &[("host", "localhost"), ("authorization", value)]);
        assert_eq!(asked("Bearer s3cret"), Ok(()));
        assert_eq!(asked("bearer  s3cret "), Ok(()));
        for wrong in
            ["Bearer s3cre", "Bearer s3cretx", "Bearer ", "Bearer", "Basic s3cret", "s3cret", ""]
        {
            assert_eq!(asked(wrong), Err("token"), "{wrong}");
        }
        assert_eq!(super::tests::asked(&shut, &[("host", "localhost")]), Err("token"));
        let uri = Uri::from_static("/");
        assert!(shut.admits(Way::File, &uri, &HeaderMap::new()).is_ok());
    }
}
