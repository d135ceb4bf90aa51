//! `Dialled`: the number or name that a URI asks for (RFC 3966; RFC 3261 §19.1.6 for `user=phone`).

use sip::uri::{Host, SipUri, TelUri, escape_user, unescape};
use sip::{Param, Params, Uri};

/// What was dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dialled {
    /// The number without visual separators, or the name, unescaped.
    pub(crate) user: Box<[u8]>,
    /// How it was written.
    pub(crate) form: Form,
}

/// How something is dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A name, or a number that nobody calls one.
    Name,
    /// A telephone number: `tel:`, or `user=phone`. With the parameters that go on with it: `;isub=…`, `;ext=…`.
    Phone(Box<[u8]>),
}

/// In whose numbering plan a local number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context<'a> {
    /// It is not said, or the number is global, or the plan is a country's.
    Anybody,
    /// This domain's.
    Domain(Host<'a>),
    /// Somebody's that nobody can read.
    Unreadable,
}

impl Dialled {
    /// What a SIP URI asks for; `None` for one without a user.
    pub(crate) fn of_sip(uri: &SipUri<'_>) -> Option<Self> {
        let user = uri.user?;
        let phone = uri.params.text("user").is_some_and(|user| user.eq_ignore_ascii_case("phone"));
        let plain = || Self { user: unescape(user).into(), form: Form::Name };
        if !phone {
            return Some(plain());
        }
        let tel = [b"tel:", user].concat();
        match Uri::parse(&tel) {
            Ok(Uri::Tel(tel)) => Some(Self::of_tel(&tel)),
            _ => Some(plain()),
        }
    }

    /// What a tel URI asks for.
    pub(crate) fn of_tel(uri: &TelUri<'_>) -> Self {
        let mut params = Vec::new();
        let kept = |param: &Param<'_>| !param.name.eq_ignore_ascii_case("phone-context");
        uri.params.iter().filter(kept).for_each(|param| param.write(&mut params));
        Self { user: uri.digits().into_bytes().into(), form: Form::Phone(params.into()) }
    }

    /// The same number at another place (§19.1.6: a number stays one that is called so).
    pub(crate) fn at(&self, user: &str, place: &SipUri<'_>) -> Vec<u8> {
        let mut user = escape_user(user.as_bytes());
        let mut params = place.params.as_bytes().to_vec();
        if let Form::Phone(more) = &self.form {
            user.extend_from_slice(more);
            if !place.params.has("user") {
                params.extend_from_slice(b";user=phone");
            }
        }
        let mut uri = Vec::with_capacity(user.len().saturating_add(64));
        let place =
            SipUri { user: Some(&user), password: None, params: Params::new(&params), ..*place };
        place.write(&mut uri);
        uri
    }
}

/// In whose numbering plan a number is (RFC 3966 §5.1.5).
pub(crate) fn context<'a>(uri: &TelUri<'a>) -> Context<'a> {
    match uri.params.text("phone-context") {
        _ if uri.is_global() => Context::Anybody,
        None => Context::Anybody,
        Some(country) if country.starts_with('+') => Context::Anybody,
        Some(domain) => Host::parse(domain.as_bytes()).map_or(Context::Unreadable, Context::Domain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialled(text: &str) -> Dialled {
        match Uri::parse(text.as_bytes()).unwrap() {
            Uri::Sip(uri) => Dialled::of_sip(&uri).unwrap(),
            Uri::Tel(uri) => Dialled::of_tel(&uri),
            Uri::Other(..) => panic!("{text}"),
        }
    }

    #[test]
    fn trap_53_a_number_is_the_same_however_it_is_written() {
        for (text, user, form) in [
            ("sip:%6201@h", "b01", Form::Name),
            ("sip:+1-201-555-0123@h", "+1-201-555-0123", Form::Name),
            ("sip:+1-201-555-0123@h;user=phone", "+12015550123", Form::Phone([].into())),
            ("tel:+1(201)555.0123;isub=7", "+12015550123", Form::Phone(b";isub=7"[..].into())),
            (
                "sip:7042;phone-context=h;ext=1@h;user=PHONE",
                "7042",
                Form::Phone(b";ext=1"[..].into()),
            ),
            ("sip:alice@h;user=phone", "alice", Form::Name),
            ("sip:alice@h;user=ip", "alice", Form::Name),
        ] {
            let found = dialled(text);
            assert_eq!((&*found.user, found.form), (user.as_bytes(), form), "{text}");
        }
    }

    #[test]
    fn a_number_stays_a_number_at_another_place() {
        let place = |text: &'static str| match Uri::parse(text.as_bytes()).unwrap() {
            Uri::Sip(uri) => uri,
            _ => panic!("{text}"),
        };
        let at = |text: &str, host| {
            let dialled = dialled(text);
            let user = String::from_utf8(dialled.user.to_vec()).unwrap();
            String::from_utf8(dialled.at(&user, &place(host))).unwrap()
        };
        assert_eq!(
            at("tel:+49-30", "sip:gw.test;transport=tcp"),
            "sip:+4930@gw.test;transport=tcp;user=phone"
        );
        assert_eq!(at("tel:+4930;isub=7", "sip:x@gw.test"), "sip:+4930;isub=7@gw.test;user=phone");
        assert_eq!(at("sip:9%2331@h", "sip:gw.test:5070"), "sip:9%2331@gw.test:5070");
    }

    #[test]
    fn a_local_number_is_somebodys() {
        let of = |text: &'static str| match Uri::parse(text.as_bytes()).unwrap() {
            Uri::Tel(uri) => context(&uri),
            _ => panic!("{text}"),
        };
        assert_eq!(of("tel:7042;phone-context=a.test"), Context::Domain(Host::Name("a.test")));
        assert_eq!(of("tel:7042;phone-context=+1914"), Context::Anybody);
        assert_eq!(of("tel:7042;phone-context=a..b"), Context::Unreadable);
        assert_eq!(
            (of("tel:7042"), of("tel:+7042;phone-context=a.test")),
            (Context::Anybody, Context::Anybody)
        );
    }
}
