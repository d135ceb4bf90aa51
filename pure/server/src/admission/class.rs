//! `Class`: which requests go before others when there is too much to do (RFC 7339 §5.10.1).

use sip::header::To;
use sip::uri::{SipUri, unescape};
use sip::{Message, Method, Name, Uri};

use crate::house::House;
use crate::proxy::shows_pass;

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
            // Anybody can write a tag; a subscription to us has no pass of ours.
            return if shows_pass(house, request) { Self::Within } else { Self::Known };
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
    let is_named = |number: &[u8]| {
        let numbers = &house.settings.overload.emergency;
        numbers.iter().any(|known| known.as_bytes() == number)
    };
    match Uri::parse(uri) {
        Ok(Uri::Sip(SipUri { user: Some(user), .. })) => {
            // A number may have parameters of its own (RFC 3261 §19.1.6).
            is_named(&unescape(user.split(|octet| *octet == b';').next().unwrap_or_default()))
        }
        Ok(Uri::Tel(tel)) => is_named(tel.digits().as_bytes()),
        Ok(Uri::Other(..)) => {
            let head = uri.get(..SOS.len()).unwrap_or_default();
            let next = uri.get(SOS.len());
            head.eq_ignore_ascii_case(SOS) && matches!(next, None | Some(b'.'))
        }
        _ => false,
    }
}

const SOS: &[u8] = b"urn:service:sos";

#[cfg(test)]
mod tests {
    use machine::Dice;

    use super::*;
    use crate::settings::{Overload, Settings};

    /// The driver reads them in whatever letters they are written; here they must not be taken for anything else.
    #[test]
    fn a_call_for_help_is_one_however_it_is_written() {
        let emergency = vec!["112".into()];
        let overload = Overload { emergency, ..Overload::default() };
        let settings = Settings { overload, ..Settings::of("h", Vec::new()) };
        let house = House::new(settings, &mut Dice::new(1));
        let class = |uri: &str| {
            let text = format!("INVITE {uri} SIP/2.0\r\n\r\n");
            Class::of(&house, &Message::parse(text).unwrap(), Whence::Anywhere)
        };
        for help in [
            "sip:112@h",
            "SIPS:112:pw@h:5061;transport=tcp",
            "sip:112;phone-context=x@h",
            "sip:%31%312@h",
            "tel:112",
            "tel:1-1-2;phone-context=h",
            "urn:service:sos",
            "URN:service:SOS.fire",
        ] {
            assert_eq!(class(help), Class::Emergency, "{help}");
        }
        for other in ["sip:1120@h", "sip:h", "tel:113;phone-context=h", "urn:service:sosa", "x:112"]
        {
            assert_eq!(class(other), Class::New, "{other}");
        }
    }
}
