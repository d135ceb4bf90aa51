//! `Demand`: a challenge, as the one who is challenged understands it (RFC 7616 §3.3, RFC 8760 §2.4).

use sip::header::{AuthParams, ProxyAuthenticate, WwwAuthenticate};
use sip::{Message, Name};

use super::challenge::Names;
use super::digest::Algorithm;

/// Who challenges: each has its own pair of headers (RFC 3261 §22.2, §22.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The user agent or registrar that was asked.
    Server,
    /// A proxy on the way.
    Proxy,
}

impl Side {
    /// The header that answers it.
    pub(super) const fn header(self) -> Name {
        match self {
            Self::Server => Name::Authorization,
            Self::Proxy => Name::ProxyAuthorization,
        }
    }
}

/// How much of a request the answer must protect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    /// No qop named: as RFC 2069 had it.
    Absent,
    /// Method and URI.
    Auth,
    /// The body too; only when nothing else is offered.
    AuthInt,
}

/// A digest challenge that we can answer, whoever asks.
#[derive(Clone, Debug)]
pub(super) struct Demand {
    pub(super) side: Side,
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) opaque: Option<String>,
    pub(super) algorithm: Algorithm,
    /// True for a `-sess` variant.
    pub(super) session: bool,
    /// The algorithm as written; an old server that names none gets none back.
    pub(super) token: Option<String>,
    pub(super) protection: Protection,
    pub(super) stale: bool,
    /// How the user's name must come (RFC 7616 §3.4.4).
    pub(super) names: Names,
}

impl Demand {
    /// All challenges of a response that are digest and that we know how to answer, in its order.
    pub(super) fn all(response: &Message) -> Vec<Self> {
        all(response, Self::read)
    }

    fn read(side: Side, params: &AuthParams<'_>) -> Option<Self> {
        if !params.is_digest() {
            return None;
        }
        let token = params.text("algorithm");
        let (algorithm, session) = Algorithm::of(token.as_deref().unwrap_or("MD5"))?;
        let protection = protection(params.text("qop").as_deref())?;
        // The session key holds the client's nonce, which may be sent with a qop only (RFC 3261 §22.4).
        if session && protection == Protection::Absent {
            return None;
        }
        let says = |name| params.text(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let stale = says("stale");
        let names = if says("userhash") { Names::Hashed } else { Names::Plain };
        let (realm, nonce) = (params.text("realm")?, params.text("nonce")?);
        let opaque = params.text("opaque");
        Some(Self {
            side,
            realm,
            nonce,
            opaque,
            algorithm,
            session,
            token,
            protection,
            stale,
            names,
        })
    }
}

/// A challenge that a token answers (RFC 8898 §4).
#[derive(Clone, Debug)]
pub(super) struct TokenDemand {
    pub(super) side: Side,
    pub(super) realm: String,
    /// The authorization server whose token is wanted.
    pub(super) server: String,
    /// What was wrong with the one that was shown (RFC 6750 §3.1).
    pub(super) error: Option<String>,
}

impl TokenDemand {
    /// All of a response. One that does not say whose token it wants cannot be answered (RFC 8898 §2.1.1).
    pub(super) fn all(response: &Message) -> Vec<Self> {
        all(response, Self::read)
    }

    fn read(side: Side, params: &AuthParams<'_>) -> Option<Self> {
        if !params.is_bearer() {
            return None;
        }
        let server = params.text("authz_server")?;
        let realm = params.text("realm").unwrap_or_default();
        Some(Self { side, realm, server, error: params.text("error") })
    }
}

/// All challenges of a response of one kind, in its order. A proxy that forked puts those of servers and of proxies into one response (RFC 3261 §22.3),
/// so both headers are read.
fn all<T>(response: &Message, read: impl Fn(Side, &AuthParams<'_>) -> Option<T>) -> Vec<T> {
    let servers = response.all::<WwwAuthenticate>().filter_map(Result::ok);
    let servers = servers.filter_map(|asked| read(Side::Server, &asked.0));
    let proxies = response.all::<ProxyAuthenticate>().filter_map(Result::ok);
    servers.chain(proxies.filter_map(|asked| read(Side::Proxy, &asked.0))).collect()
}

/// `None` for a list that has nothing that we know.
fn protection(list: Option<&str>) -> Option<Protection> {
    let Some(list) = list.filter(|list| !list.trim().is_empty()) else {
        return Some(Protection::Absent);
    };
    let offers = |wanted: &str| list.split(',').any(|qop| qop.trim().eq_ignore_ascii_case(wanted));
    if offers("auth") {
        return Some(Protection::Auth);
    }
    offers("auth-int").then_some(Protection::AuthInt)
}
