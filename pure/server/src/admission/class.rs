//! `Class`: which requests go before others when there is too much to do (RFC 7339 §5.10.1).

use sip::header::To;
use sip::uri::SipUri;
use sip::{Message, Method, Name, Uri};

use crate::house::House;

/// How urgent a request is that is no answer to anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// It begins something.
    New,
    /// It goes on with something: a phone that is known renews its registration, or a caller answers our challenge.
    Known,
    /// Somebody calls for help.
    Emergency,
    /// It belongs to a call that is up, or ends one.
    Within,
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whence {
    /// From where somebody is registered.
    Home,
    /// From anywhere.
    Anywhere,
}

impl Class {
    /// What a request is that comes from where somebody is registered, or nobody is known to be.
    pub(crate) fn of(house: &House, request: &Message, whence: Whence) -> Self {
        let method = request.method();
        if matches!(method, Some(Method::Ack | Method::Cancel)) {
            return Self::Within;
        }
        if request.get::<To>().is_some_and(|to| to.tag().is_some()) {
            // What has our Record-Route passes; a subscription to us has none.
            let within = request.has(Name::Route) || method == Some(Method::Bye);
            return if within { Self::Within } else { Self::Known };
        }
        if method == Some(Method::Invite) && is_emergency(house, request) {
            return Self::Emergency;
        }
        let answers = request.has(Name::Authorization) || request.has(Name::ProxyAuthorization);
        if answers || whence == Whence::Home && method == Some(Method::Register) {
            Self::Known
        } else {
            Self::New
        }
    }
}

/// `urn:service:sos`, and what is below it (RFC 5031 §4.2), or one of the numbers that the operator has named.
fn is_emergency(house: &House, request: &Message) -> bool {
    let Some(uri) = request.request_uri() else { return false };
    let is_urn = uri.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"urn:"));
    if house.settings.overload.emergency.is_empty() && !is_urn {
        return false;
    }
    match Uri::parse(uri) {
        Ok(Uri::Sip(SipUri { user: Some(user), .. })) => {
            let numbers = &house.settings.overload.emergency;
            numbers.iter().any(|number| number.as_bytes() == user)
        }
        Ok(Uri::Other(..)) => {
            let head = uri.get(..SOS.len()).unwrap_or_default();
            let next = uri.get(SOS.len());
            head.eq_ignore_ascii_case(SOS) && matches!(next, None | Some(b'.'))
        }
        _ => false,
    }
}

const SOS: &[u8] = b"urn:service:sos";
