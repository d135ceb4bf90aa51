//! `Routes`: the proxies that a dialog's requests pass, and how that shapes a request (RFC 3261 §12.2.1.1, §16.12).

use sip::header::NameAddr;
use sip::{Draft, Message, Method, Name, Uri};

/// The route set: Route values as they will be written, nearest proxy first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes(Vec<Box<[u8]>>);

impl Routes {
    /// One proxy, given as a URI: the pre-existing route set of a configured outbound proxy (RFC 3261 §8.1.2).
    pub fn through(uri: &[u8]) -> Self {
        Self(vec![[b"<", uri, b">"].concat().into()])
    }

    /// As they are to be written.
    pub fn written(routes: &[&[u8]]) -> Self {
        Self(routes.iter().map(|route| (*route).into()).collect())
    }

    /// A callee's: the Record-Routes of the request, in order (RFC 3261 §12.1.1).
    pub fn of_request(request: &Message) -> Self {
        Self(request.elements(Name::RecordRoute).map(Into::into).collect())
    }

    /// A caller's: the Record-Routes of the response, in reverse order (RFC 3261 §12.1.2).
    pub fn of_response(response: &Message) -> Self {
        let mut routes = Self::of_request(response);
        routes.0.reverse();
        routes
    }

    /// True when requests go directly to their target.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The URI of the nearest proxy.
    pub fn first_uri(&self) -> Option<&[u8]> {
        uri_of(self.0.first()?)
    }

    /// Begins a request to `target` by these proxies: Request-URI and Routes, also for a strict router (RFC 3261 §12.2.1.1).
    pub fn begin(&self, method: Method<'_>, target: &[u8]) -> Draft {
        let target = for_request_uri(target);
        let Some((first, rest)) = self.0.split_first() else {
            return Draft::request(method, &target);
        };
        if is_loose(first) {
            let draft = Draft::request(method, &target);
            return self.0.iter().fold(draft, |draft, route| draft.raw(Name::Route, route));
        }
        let first = for_request_uri(uri_of(first).unwrap_or(first));
        let draft = Draft::request(method, &first);
        let draft = rest.iter().fold(draft, |draft, route| draft.raw(Name::Route, route));
        draft.raw(Name::Route, &[b"<", &*target, b">"].concat())
    }
}

fn uri_of(route: &[u8]) -> Option<&[u8]> {
    NameAddr::read(route, "Route").ok().map(|route| route.uri)
}

fn is_loose(route: &[u8]) -> bool {
    let uri = uri_of(route).and_then(|uri| Uri::parse(uri).ok());
    uri.is_some_and(|uri| uri.sip().is_some_and(sip::uri::SipUri::is_loose))
}

/// A URI as it may stand in a Request-URI: without a `method` parameter and without headers (RFC 3261 §19.1.1, table 1).
pub fn for_request_uri(uri: &[u8]) -> Vec<u8> {
    let Ok(Uri::Sip(read)) = Uri::parse(uri) else { return uri.to_vec() };
    let method = read.params.iter().any(|param| param.name.eq_ignore_ascii_case("method"));
    if !method && read.headers.is_none() {
        return uri.to_vec();
    }
    let kept = read.params.iter().filter(|param| !param.name.eq_ignore_ascii_case("method"));
    let params = kept.fold(Vec::new(), |mut params, param| {
        params.push(b';');
        params.extend_from_slice(param.name.as_bytes());
        if let Some(value) = param.value {
            params.push(b'=');
            params.extend_from_slice(value);
        }
        params
    });
    let stripped = sip::uri::SipUri { params: sip::Params::new(&params), headers: None, ..read };
    let mut out = Vec::with_capacity(uri.len());
    stripped.write(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_stand_in_a_request_uri_is_taken_away() {
        for (from, to) in [
            ("sip:b@h;method=INVITE;x=1?subject=y", "sip:b@h;x=1"),
            ("sip:b@h;lr;transport=tcp", "sip:b@h;lr;transport=tcp"),
            ("tel:+1234", "tel:+1234"),
        ] {
            assert_eq!(for_request_uri(from.as_bytes()), to.as_bytes());
        }
    }
}
