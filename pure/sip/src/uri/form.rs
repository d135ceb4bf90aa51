//! The request that a SIP URI asks for: from a card, a web page, a Refer-To, a 3xx (RFC 3261 §19.1.5).

use super::{SipUri, unescape};
use crate::header::rewrite;
use crate::scan::is_token;
use crate::{Method, Name, Param, ParseError};

/// What the request would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formed<'a> {
    /// The `method` parameter, or INVITE.
    pub method: Method<'a>,
    /// The Request-URI: all parameters but `method`, and no headers.
    pub uri: Vec<u8>,
    /// Headers that the URI may ask for, with its words for the names, and readable values without line ends.
    pub headers: Vec<(String, Vec<u8>)>,
    /// `body`
    pub body: Option<Vec<u8>>,
}

impl<'a> SipUri<'a> {
    /// The request that the URI asks for. Headers that would lie about us, or take the request elsewhere, are passed over
    /// in silence. An error when it cannot be a valid request, or when it requires an extension that is not among
    /// `supported`: then nothing may be sent. The octet of an error counts from the `?`.
    pub fn form(&self, supported: &[&str]) -> Result<Formed<'a>, ParseError> {
        let error = |at| ParseError { what: "header in a URI", at };
        let asked = self.params.text("method");
        let method = asked.map_or(Method::Invite, Method::of);
        if !method.as_str().bytes().all(is_token) || asked == Some("") {
            return Err(ParseError { what: "method in a URI", at: 0 });
        }
        let mut formed = Formed { method, uri: self.target(), headers: Vec::new(), body: None };
        let mut at = 1;
        for header in self.headers.unwrap_or_default().split(|octet| *octet == b'&') {
            formed.add(header, supported).ok_or(error(at))?;
            at += header.len() + 1;
        }
        if formed.body.is_none() {
            formed.headers.retain(|(name, _)| Name::of(name.as_bytes()) != Name::ContentType);
        }
        Ok(formed)
    }

    /// The URI without `method` and headers.
    fn target(&self) -> Vec<u8> {
        let mut uri = Vec::new();
        Self { params: crate::Params::default(), headers: None, ..*self }.write(&mut uri);
        let kept = |param: &Param<'_>| !param.name.eq_ignore_ascii_case("method");
        for Param { name, value } in self.params.iter().filter(kept) {
            uri.push(b';');
            uri.extend_from_slice(name.as_bytes());
            if let Some(value) = value {
                uri.push(b'=');
                uri.extend_from_slice(value);
            }
        }
        uri
    }
}

impl Formed<'_> {
    /// One `hname=hvalue`; `None` when it makes the request invalid.
    fn add(&mut self, header: &[u8], supported: &[&str]) -> Option<()> {
        if header.is_empty() {
            return Some(());
        }
        let equals = header.iter().position(|octet| *octet == b'=')?;
        let (name, value) = header.split_at_checked(equals)?;
        let name = String::from_utf8(unescape(name).into_owned()).ok()?;
        let value = unescape(value.get(1..)?).into_owned();
        if name.eq_ignore_ascii_case("body") {
            self.body = Some(value);
            return Some(());
        }
        let plain = !name.is_empty() && name.bytes().all(is_token);
        if !plain || value.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
            return None;
        }
        let known = Name::of(name.as_bytes());
        if NOT_HONOURED.contains(&known) {
            return Some(());
        }
        let readable = rewrite(known, &value).is_none_or(|written| written.is_ok());
        let understood = |tag: &str| supported.iter().any(|own| own.eq_ignore_ascii_case(tag));
        let requires = matches!(known, Name::Require | Name::ProxyRequire);
        let tags = value.split(|octet| *octet == b',').map(|tag| tag.trim_ascii());
        if requires {
            let all = tags.map(std::str::from_utf8).all(|tag| tag.is_ok_and(understood));
            return all.then(|| self.headers.push((name, value)));
        }
        readable.then(|| self.headers.push((name, value)))
    }
}

/// Headers that a URI may ask for in vain: those that say who we are, where we are and what we can do, that route, and that
/// describe a body which we do not look into (RFC 3261 §19.1.5).
const NOT_HONOURED: [Name; 29] = [
    Name::From,
    Name::CallId,
    Name::CSeq,
    Name::Via,
    Name::RecordRoute,
    Name::Route,
    Name::Path,
    Name::MaxForwards,
    Name::Accept,
    Name::AcceptEncoding,
    Name::AcceptLanguage,
    Name::Allow,
    Name::Contact,
    Name::Organization,
    Name::Supported,
    Name::UserAgent,
    Name::ContentDisposition,
    Name::ContentEncoding,
    Name::ContentLanguage,
    Name::ContentLength,
    Name::Date,
    Name::MimeVersion,
    Name::Timestamp,
    Name::Authorization,
    Name::ProxyAuthorization,
    Name::PAssertedIdentity,
    Name::PPreferredIdentity,
    Name::Identity,
    Name::Diversion,
];

/// Writes a header's name or value so that it can stand in a URI (`hname`, `hvalue`): everything but unreserved octets and
/// those that have no meaning there is escaped (RFC 3261 §19.1.2).
pub fn escape_header(text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len() * 2);
    for octet in text {
        let plain = octet.is_ascii_alphanumeric()
            || matches!(octet, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')')
            || matches!(octet, b'[' | b']' | b'/' | b'?' | b':' | b'+' | b'$');
        if plain {
            escaped.push(*octet);
        } else {
            escaped.extend_from_slice(format!("%{octet:02X}").as_bytes());
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Uri;
    use crate::header::Replaces;
    use crate::{Header, header::CallWord};

    fn form(uri: &str) -> Result<Formed<'_>, ParseError> {
        Uri::parse(uri.as_bytes()).unwrap().sip().unwrap().form(&["replaces"])
    }

    #[test]
    fn a_replaces_stands_in_a_uri_and_comes_out_again() {
        let replaces = Replaces {
            call_id: CallWord(b"7@192.0.2.1"),
            to_tag: "a",
            from_tag: "b",
            early_only: true,
        };
        let text = escape_header(replaces.text().as_bytes());
        let uri = format!(
            "sip:bob@h;transport=tcp?Replaces={}&Require=replaces",
            String::from_utf8(text).unwrap()
        );
        let formed = form(&uri).unwrap();
        assert_eq!(formed.uri, b"sip:bob@h;transport=tcp");
        let expected = ("Replaces".to_owned(), replaces.text().into_bytes());
        assert_eq!(formed.headers.first(), Some(&expected));
        assert_eq!(formed.headers.len(), 2);
    }

    #[test]
    fn an_error_counts_from_the_question_mark() {
        assert_eq!(form("sip:b@h?a=1&b").unwrap_err().at, 5);
        assert_eq!(form("sip:b@h?%00=1").unwrap_err().at, 1);
        assert_eq!(form("sip:b@h;method=A%42").unwrap().method, Method::Other("A%42"));
        assert!(form("sip:b@h;method=").is_err());
    }
}
