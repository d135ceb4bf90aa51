//! The gate: who is it? Digest for the methods that the settings name (RFC 3261 §22, RFC 7616, RFC 8760).
//!
//! Nothing is kept of a request before it has passed. Known and unknown users get the same answer after the same work.

mod quirk;

use machine::Dice;
use protocol::Fault;
use protocol::auth::{Challenge, Claim, Nonces, Verdict, Why};
use sip::header::{AuthParams, Authorization, Contact, From, ProxyAuthorization, To};
use sip::uri::{SipUri, unescape};
use sip::{Bytes, Draft, Message, Method, Name, Status, Uri};

use crate::gruu::Aim;
use crate::settings::Settings;
use crate::turn::Turn;

/// Knows its nonces again.
#[derive(Debug)]
pub(crate) struct Gate {
    nonces: Nonces,
}

/// As what we ask: the answer comes in another header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// The request is for us: 401.
    Server,
    /// The request passes through us: 407.
    Proxy,
}

/// Why somebody does not pass.
#[derive(Debug)]
pub(crate) enum No {
    /// A challenge, and what is wrong with the credentials that came; nothing, when none came or their nonce was old.
    Challenge(Bytes, Status, Option<&'static str>),
    /// Known, and not allowed.
    Fault(Fault),
}

impl Gate {
    pub(crate) fn new(settings: &Settings, dice: &mut Dice) -> Self {
        Self { nonces: Nonces::new(settings.nonce_life, dice) }
    }

    /// Lets a request pass whose credentials are right, and whose From (and To, for a REGISTER) belongs to them.
    pub(crate) fn ask(
        &mut self,
        turn: &mut Turn<'_>,
        request: &Message,
        asker: Asker,
    ) -> Result<(), No> {
        let Some(claim) = claim(turn, request, asker) else {
            return Err(self.challenge(turn, request, asker, (Why::WhoIsIt, None)));
        };
        let ha1 = turn.house.ha1(claim.username.as_bytes(), claim.algorithm);
        let method = request.method().map_or("", Method::as_str);
        let verdict = claim.judge(turn.now, &mut self.nonces, (method, request.body()), ha1);
        match verdict {
            Verdict::Right if !same_place(turn, &claim.uri, request) => {
                let why = (Why::WhoIsIt, Some("Credentials Are for Another Request-URI"));
                Err(self.challenge(turn, request, asker, why))
            }
            Verdict::Right if !owns(turn, request, claim.username.as_bytes()) => {
                Err(No::Fault(Fault::WrongIdentity))
            }
            Verdict::Right => Ok(()),
            Verdict::Stale => Err(self.challenge(turn, request, asker, (Why::Stale, None))),
            Verdict::Wrong => {
                let known = turn.house.knows(claim.username.as_bytes());
                let why = if known { "Wrong Password" } else { "Unknown User" };
                Err(self.challenge(turn, request, asker, (Why::WhoIsIt, Some(why))))
            }
        }
    }

    fn challenge(
        &self,
        turn: &mut Turn<'_>,
        request: &Message,
        asker: Asker,
        why: (Why, Option<&'static str>),
    ) -> No {
        let (status, name) = match asker {
            Asker::Server => (Status::UNAUTHORIZED, Name::WwwAuthenticate),
            Asker::Proxy => (Status::PROXY_AUTHENTICATION_REQUIRED, Name::ProxyAuthenticate),
        };
        let nonce = self.nonces.throw(turn.now, turn.dice);
        let settings = &turn.house.settings;
        let tag = turn.house.tag(request);
        let mut draft = Draft::reply_tagged(request, status, status.phrase(), &tag);
        for algorithm in quirk::offered(request, &turn.house.algorithms) {
            let challenge = Challenge {
                realm: &settings.realm,
                nonce: &nonce,
                algorithm,
                why: why.0,
                protection: settings.protection,
            };
            draft = draft.raw(name, challenge.value().as_bytes());
        }
        No::Challenge(draft.wire(), status, why.1)
    }
}

/// The credentials for our realm, when there are any.
fn claim(turn: &Turn<'_>, request: &Message, asker: Asker) -> Option<Claim> {
    let realm = &*turn.house.settings.realm;
    let read = |params: &AuthParams<'_>| Claim::read(params, realm);
    match asker {
        Asker::Server => request.all::<Authorization>().flatten().find_map(|h| read(&h.0)),
        Asker::Proxy => request.all::<ProxyAuthorization>().flatten().find_map(|h| read(&h.0)),
    }
}

/// True when the URI that was hashed leads to the same place as the Request-URI. Phones write parameters into one and not into the
/// other; another user or another host would be somebody else's request with stolen credentials.
fn same_place(turn: &Turn<'_>, hashed: &str, request: &Message) -> bool {
    let asked = request.request_uri().unwrap_or_default();
    if hashed.as_bytes() == asked {
        return true;
    }
    let (Ok(Uri::Sip(hashed)), Ok(Uri::Sip(asked))) =
        (Uri::parse(hashed.as_bytes()), Uri::parse(asked))
    else {
        return false;
    };
    let ours = |uri: &SipUri<'_>| turn.house.is_ours(uri);
    hashed.user.map(unescape) == asked.user.map(unescape)
        && (hashed.host == asked.host || ours(&hashed) && ours(&asked))
}

/// True when the names in a request belong to the user that was proven (trap 36). Who hides its name
/// (`anonymous@anonymous.invalid`, RFC 3323 §4.1) claims nobody's. A REGISTER may be for somebody else whom its sender may register
/// (§10.2).
fn owns(turn: &Turn<'_>, request: &Message, user: &[u8]) -> bool {
    let named = |uri: &[u8]| match Uri::parse(uri) {
        Ok(Uri::Sip(sip)) if turn.house.is_ours(&sip) => sip.user.map(unescape),
        _ => None,
    };
    let names = |uri: &[u8]| named(uri).is_some_and(|name| name == user);
    let register = request.method() == Some(Method::Register);
    let hidden = |uri: &[u8]| match Uri::parse(uri) {
        Ok(Uri::Sip(sip)) => sip.host.to_string().eq_ignore_ascii_case("anonymous.invalid"),
        _ => false,
    };
    let from =
        request.get::<From>().is_some_and(|from| names(from.uri) || !register && hidden(from.uri));
    let registers = |whom: &[u8]| {
        let may = turn.house.user(user).map_or(&[][..], |user| &user.may_register);
        whom == user || may.iter().any(|may| may.as_bytes() == whom)
    };
    let to = || request.get::<To>().and_then(|to| named(to.uri)).is_some_and(|to| registers(&to));
    from && if register { to() } else { owns_contact(turn, request, user) }
}

/// Who gives a GRUU of ours as its address gives its own (RFC 5627 §6.2).
fn owns_contact(turn: &Turn<'_>, request: &Message, user: &[u8]) -> bool {
    let contact = request.get::<Contact>();
    let address = contact.as_ref().and_then(|contact| contact.address());
    match address.and_then(|address| address.parsed().ok()).map(|uri| Aim::of(&uri, turn.house)) {
        Some(Aim::Phone(phone)) => *phone.aor == *user,
        _ => true,
    }
}

/// True when the From names one of our domains.
pub(crate) fn claims_to_be_ours(turn: &Turn<'_>, request: &Message) -> bool {
    request.get::<From>().is_some_and(
        |from| matches!(Uri::parse(from.uri), Ok(Uri::Sip(sip)) if turn.house.is_ours(&sip)),
    )
}
