//! `Account`: who the phone is, where its server is, and how it proves itself.

use std::fmt;

use connectivity::Servers;
use media::{Codec, Opus, Signals};
use protocol::Transport;
use protocol::auth::{Answers, Credentials, Token, Tokens};
use protocol::locate::Scheme;
use sip::uri::HostPort;
use sip::{Draft, Name, ParseError, Uri};

use crate::sound::{EarlyMedia, Srtp};
use crate::transfer::Referrals;
use crate::{abilities, limits};

/// Who the phone is: an address of record (RFC 3261 §6) and what goes with it.
///
/// ```
/// use offhook_phone::Account;
/// let account = Account::new("sip:101@example.test").unwrap().password("secret").server("192.0.2.1:5060").unwrap();
/// assert_eq!(account.address(), "sip:101@example.test");
/// ```
#[derive(Clone, Debug)]
pub struct Account {
    pub(crate) scheme: Scheme,
    pub(crate) user: Box<str>,
    pub(crate) domain: Box<str>,
    pub(crate) name: Option<Box<str>>,
    pub(crate) credentials: Vec<Credentials>,
    pub(crate) tokens: Tokens,
    pub(crate) server: Option<Server>,
    pub(crate) proxy: Option<Box<[u8]>>,
    pub(crate) transport: Transport,
    pub(crate) expires: u32,
    pub(crate) srtp: Srtp,
    pub(crate) ice: Ice,
    /// What it speaks, most wanted first; never empty.
    pub(crate) codecs: Vec<Codec>,
    pub(crate) session: u32,
    pub(crate) changes: Changes,
    pub(crate) referrals: Referrals,
    pub(crate) shown_to: Vec<Box<[u8]>>,
    pub(crate) signals: Signals,
    pub(crate) early_media: EarlyMedia,
    pub(crate) instance: Option<Box<str>>,
    pub(crate) flows: Vec<Box<[u8]>>,
    pub(crate) outbound: bool,
    pub(crate) temporary: bool,
    pub(crate) software: Box<str>,
}

/// Whether a way to the other side is looked for (ICE, RFC 8445): through NATs, and around what does not carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Ice {
    /// It is not: sound goes where the description says, and to where it comes from.
    Off,
    /// When the other side wants it, as browsers do.
    #[default]
    Welcome,
    /// In each call, with the help of these.
    On(Servers),
}

/// How a call that stands is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changes {
    Reinvite,
    Update,
}

/// Where the server of the account is, when it is not where the domain's name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: Box<str>,
    pub(crate) port: Option<u16>,
}

/// What is wrong with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadAccount {
    /// No URI.
    Uri(ParseError),
    /// Not `sip:user@domain`.
    NotAnAddress,
    /// No `host` or `host:port`.
    Server(ParseError),
    /// We do not speak it.
    Codec(Box<str>),
    /// Without any codec nobody is heard.
    NoCodec,
}

impl fmt::Display for BadAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uri(error) => write!(f, "the address of the account is no SIP address: {error}"),
            Self::NotAnAddress => {
                f.write_str("the address of an account looks like sip:101@example.test")
            }
            Self::Codec(name) => {
                let known: Vec<_> = CODECS.iter().map(|codec| codec.name()).collect();
                write!(f, "{name:?} is no codec of this phone; it has {}", known.join(", "))
            }
            Self::NoCodec => f.write_str("an account has one codec at least"),
            Self::Server(error) => {
                write!(f, "the server looks like 192.0.2.1:5060 or sip.example.test: {error}")
            }
        }
    }
}

impl std::error::Error for BadAccount {}

impl Account {
    /// An account by its address of record, `sip:user@domain`. Without more, its server is where the domain's name points.
    pub fn new(address: &str) -> Result<Self, BadAccount> {
        let uri = Uri::parse(address.as_bytes()).map_err(BadAccount::Uri)?;
        let Uri::Sip(uri) = uri else { return Err(BadAccount::NotAnAddress) };
        let user = uri.user.and_then(|user| std::str::from_utf8(user).ok());
        let transport = uri.transport().and_then(Transport::of);
        let (scheme, usual) = match uri.secure {
            true => (Scheme::Sips, Transport::Tls),
            false => (Scheme::Sip, Transport::Udp),
        };
        Ok(Self {
            user: user.ok_or(BadAccount::NotAnAddress)?.into(),
            domain: uri.hostport().to_string().into(),
            name: None,
            credentials: Vec::new(),
            tokens: Tokens::default(),
            server: None,
            proxy: None,
            scheme,
            transport: transport.unwrap_or(usual),
            expires: limits::EXPIRES,
            srtp: Srtp::default(),
            ice: Ice::default(),
            codecs: CODECS.to_vec(),
            session: protocol::session::USUAL,
            changes: Changes::Reinvite,
            referrals: Referrals::default(),
            shown_to: Vec::new(),
            signals: Signals::Silent,
            early_media: EarlyMedia::First,
            instance: None,
            flows: Vec::new(),
            outbound: false,
            temporary: false,
            software: abilities::NAME.into(),
        })
    }

    /// With a password, for any realm; the user name is the address's.
    #[must_use]
    pub fn password(self, password: &str) -> Self {
        let user = String::from_utf8_lossy(&sip::uri::unescape(self.user.as_bytes())).into_owned();
        self.login(Credentials::for_any_realm(&user, password))
    }

    /// With credentials of another user name, or for one realm; may be said more than once.
    #[must_use]
    pub fn login(mut self, credentials: Credentials) -> Self {
        self.credentials.push(credentials);
        self
    }

    /// With a token of an authorization server (RFC 8898), shown instead of a password to who asks for one of that server: by TLS to the account's
    /// own server or proxy alone, unless it is encrypted. May be said more than once, for several servers;
    /// [`Phone::renew_token`](crate::Phone::renew_token) puts another in its place.
    #[must_use]
    pub fn token(mut self, token: Token) -> Self {
        self.tokens.put(token);
        self
    }

    /// What proves who we are, to whoever has not asked yet.
    pub(crate) fn answers(&self) -> Answers {
        Answers::new(self.credentials.clone()).with_tokens(self.tokens.clone())
    }

    /// The hosts that are ours to trust: the domain, its server, the proxies on the way there.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = String> {
        let domain = HostPort::parse(self.domain.as_bytes()).ok().map(|at| at.host.to_string());
        let server = self.server.as_ref().map(|server| server.host.to_string());
        let proxies =
            self.proxy.iter().chain(self.flows.iter()).filter_map(|proxy| {
                Some(Uri::parse(proxy).ok()?.sip()?.hostport().host.to_string())
            });
        domain.into_iter().chain(server).chain(proxies)
    }

    /// With a server at `host` or `host:port`: all requests outside of a call go there.
    pub fn server(mut self, at: &str) -> Result<Self, BadAccount> {
        let HostPort { host, port } = HostPort::parse(at.as_bytes()).map_err(BadAccount::Server)?;
        self.server = Some(Server { host: host.to_string().into(), port });
        Ok(self)
    }

    /// Through an outbound proxy, by a Route (RFC 3261 §8.1.2): `sip:proxy.example.test;lr`.
    pub fn through(mut self, proxy: &str) -> Result<Self, BadAccount> {
        let uri = Uri::parse(proxy.as_bytes()).map_err(BadAccount::Uri)?;
        uri.sip().ok_or(BadAccount::NotAnAddress)?;
        self.proxy = Some(proxy.as_bytes().into());
        Ok(self)
    }

    /// Where its requests go: `host` or `host:port` of its server, else of its domain; with port 5060 when none is said.
    pub fn place(&self) -> String {
        match &self.server {
            Some(Server { host, port }) => format!("{host}:{}", port.unwrap_or(5060)),
            None if HostPort::parse(self.domain.as_bytes()).is_ok_and(|at| at.port.is_some()) => {
                self.domain.to_string()
            }
            None => format!("{}:5060", self.domain),
        }
    }

    /// True when its server is an address and no name: when that one does not answer, there is no other to try (RFC 3263 §4.2).
    pub fn has_one_address(&self) -> bool {
        let host = self.server.as_ref().map_or(&*self.domain, |server| &server.host);
        let host = HostPort::parse(host.as_bytes()).map(|place| place.host);
        self.proxy.is_none() && self.flows.is_empty() && host.is_ok_and(|host| host.ip().is_some())
    }

    /// By this transport. Large requests go by TCP instead of UDP (RFC 3261 §18.1.1). By WebSocket everything goes over one connection to the
    /// server, or to the outbound proxy.
    #[must_use]
    pub const fn by(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// Whether others may hear its calls on their way; [`Srtp::Welcome`] when nothing is said.
    #[must_use]
    pub const fn srtp(mut self, srtp: Srtp) -> Self {
        self.srtp = srtp;
        self
    }

    /// With these codecs and no others, most wanted first: `opus`, `G722`, `PCMA`, `PCMU`, as SDP calls them.
    pub fn codecs<'a>(
        mut self,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, BadAccount> {
        let named = |name| Codec::named(name).ok_or_else(|| BadAccount::Codec(Box::from(name)));
        let mut codecs: Vec<Codec> = Vec::new();
        for name in names {
            let codec = named(name)?;
            if !codecs.contains(&codec) {
                codecs.push(codec);
            }
        }
        if codecs.is_empty() {
            return Err(BadAccount::NoCodec);
        }
        self.codecs = codecs;
        Ok(self)
    }

    /// With a name that the other side's display shows.
    #[must_use]
    pub fn display_name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Registered for so many seconds at a time; the registrar has the last word.
    #[must_use]
    pub const fn expires(mut self, seconds: u32) -> Self {
        self.expires = seconds;
        self
    }

    /// Calls that nobody refreshes for so many seconds end by themselves, where the other side knows session timers (RFC 4028). The RFC recommends
    /// 1800, and 90 is the least.
    #[must_use]
    pub const fn session_expires(mut self, seconds: u32) -> Self {
        self.session = seconds;
        self
    }

    /// Holds and resumes by UPDATE where the other side takes it (RFC 3311), and not by INVITE, which the RFC recommends.
    #[must_use]
    pub const fn changes_by_update(mut self) -> Self {
        self.changes = Changes::Update;
        self
    }

    /// What is done when the other side of a call asks us to call somebody else (RFC 3515). Unless said otherwise, the program is asked: such a
    /// call is made in the name of the account, and at its cost.
    #[must_use]
    pub const fn referrals(mut self, referrals: Referrals) -> Self {
        self.referrals = referrals;
        self
    }

    /// Lets the owner hear that it rings there (until something comes from there), that they are busy or cannot be reached, and that somebody else
    /// calls. For people at a handset; a program is better told by events.
    #[must_use]
    pub const fn signals(mut self, signals: Signals) -> Self {
        self.signals = signals;
        self
    }

    /// Whom the owner hears while a call rings in many places.
    #[must_use]
    pub const fn early_media(mut self, which: EarlyMedia) -> Self {
        self.early_media = which;
        self
    }

    /// Who may watch the calls of this phone ([`Package::Dialogs`](crate::packages::Package::Dialogs), RFC 4235) and join them: a secretary, the desk
    /// next to it. Nobody, unless said otherwise: other phones of the same address (§3.6) neither, until it is listed too. They are known by their
    /// From, so list only whom the server looks at before it passes them on (and where it says who it is in P-Asserted-Identity, it must be one of
    /// these, RFC 3325), or, without a server, who comes from the very address in its URI; by UDP that proves what your network proves. A call may be
    /// taken over by them, by whom our server lets through, and by whom the other side has sent: so transfers go (RFC 5589 §7). `102` is
    /// somebody of the account's domain.
    #[must_use]
    pub fn shows_calls(mut self, to: &[&str]) -> Self {
        let whole = |who: &&str| match (who.contains(':'), who.contains('@')) {
            (true, _) => (*who).to_owned(),
            (false, true) => format!("{}:{who}", self.scheme()),
            (false, false) => format!("{}:{who}@{}", self.scheme(), self.domain),
        };
        self.shown_to = to.iter().map(|who| whole(who).into_bytes().into()).collect();
        self
    }

    /// True for somebody who may.
    pub(crate) fn shows_calls_to(&self, uri: &[u8]) -> bool {
        self.shown_to.iter().any(|known| crate::friends::is_same(known, uri))
    }

    /// Who helps to find a way to the other side.
    pub(crate) fn servers(&self) -> Servers {
        match &self.ice {
            Ice::On(servers) => servers.clone(),
            Ice::Off | Ice::Welcome => Servers::default(),
        }
    }

    /// Under another name for the software in User-Agent and Server (RFC 3261 §20.41); an empty one is not said at all.
    #[must_use]
    pub fn user_agent(mut self, name: &str) -> Self {
        self.software = name.into();
        self
    }

    /// The draft with what the software calls itself, in User-Agent or Server.
    pub(crate) fn sign(&self, draft: Draft, name: Name) -> Draft {
        if self.software.is_empty() { draft } else { draft.raw(name, self.software.as_bytes()) }
    }

    /// Whether a way to whoever is called is looked for (ICE, RFC 8445).
    #[must_use]
    pub fn ice(mut self, ice: Ice) -> Self {
        self.ice = ice;
        self
    }

    /// With an instance id for `+sip.instance` (RFC 5626 §4.1): `urn:uuid:…`, the same after a restart.
    #[must_use]
    pub fn instance(mut self, urn: &str) -> Self {
        self.instance = Some(urn.into());
        self
    }

    /// Registered by a flow that is kept open and watched (RFC 5626), to the server or the outbound proxy. Without an [`instance`](Self::instance)
    /// it has no effect: the registrar has to know whose flow it is.
    #[must_use]
    pub const fn outbound(mut self) -> Self {
        self.outbound = true;
        self
    }

    /// Registered by one more flow, through this proxy (`sip:proxy.example.test;lr`): said twice, the phone is reached by two, and loses no call
    /// when one of them fails (RFC 5626 §4.2.1). At most [`limits::FLOWS`] count. Requests go by the first that stands.
    pub fn flow(mut self, proxy: &str) -> Result<Self, BadAccount> {
        let uri = Uri::parse(proxy.as_bytes()).map_err(BadAccount::Uri)?;
        uri.sip().ok_or(BadAccount::NotAnAddress)?;
        if self.flows.len() < limits::FLOWS {
            self.flows.push(proxy.as_bytes().into());
        }
        self.outbound = true;
        Ok(self)
    }

    /// Whoever we talk with learns an address of this phone that does not say whose it is, where the registrar has given us one (RFC 5627 §3.1.2).
    #[must_use]
    pub const fn temporary_address(mut self) -> Self {
        self.temporary = true;
        self
    }

    /// Whether flows are asked for.
    pub(crate) const fn keeps_flows(&self) -> bool {
        self.outbound && self.instance.is_some()
    }

    /// The address of record.
    pub fn address(&self) -> String {
        format!("{}:{}@{}", self.scheme(), self.user, self.domain)
    }

    /// The same address with TLS on every hop.
    pub(crate) fn secure(&self) -> String {
        format!("sips:{}@{}", self.user, self.domain)
    }

    /// The scheme of our addresses: with `sips` nothing goes but by TLS (RFC 3261 §26.2.2).
    pub(crate) const fn scheme(&self) -> &'static str {
        match self.scheme {
            Scheme::Sip => "sip",
            Scheme::Sips => "sips",
        }
    }

    /// How requests go to the server.
    pub const fn transport(&self) -> Transport {
        match (self.scheme, self.transport) {
            (Scheme::Sips, Transport::Udp | Transport::Tcp) => Transport::Tls,
            (Scheme::Sips, Transport::Ws) => Transport::Wss,
            (_, transport) => transport,
        }
    }

    /// The address of record as it stands in From: with the display name.
    pub(crate) fn name_addr(&self) -> String {
        let address = self.address();
        match &self.name {
            Some(name) => {
                let name =
                    name.replace('\\', "\\\\").replace('"', "\\\"").replace(['\r', '\n'], " ");
                format!("\"{name}\" <{address}>")
            }
            None => format!("<{address}>"),
        }
    }
}

/// What it speaks when nobody says otherwise: wide sound first.
const CODECS: [Codec; 4] = [
    Codec::Opus(Opus { forward_error_correction: false, discontinuous: false }),
    Codec::G722,
    Codec::Pcma,
    Codec::Pcmu,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_account_says_why() {
        let why = |address: &str| Account::new(address).unwrap_err();
        assert!(matches!(why("101"), BadAccount::Uri(_)));
        assert_eq!(why("tel:+1234"), BadAccount::NotAnAddress);
        assert_eq!(why("sip:example.test"), BadAccount::NotAnAddress);
        let secure = Account::new("sips:a@example.test;transport=tcp").unwrap();
        assert_eq!(
            (secure.transport(), &*secure.address()),
            (Transport::Tls, "sips:a@example.test")
        );
        let good = Account::new("sip:a@b;transport=tcp").unwrap();
        assert_eq!(good.transport, Transport::Tcp);
        assert!(matches!(good.server("a b").unwrap_err(), BadAccount::Server(_)));
    }

    #[test]
    fn codecs_are_known_by_name_and_come_once() {
        let account = Account::new("sip:a@b").unwrap();
        let wanted = account.clone().codecs(["g722", "PCMU", "G722"]).unwrap();
        assert_eq!(wanted.codecs, [Codec::G722, Codec::Pcmu]);
        let why = account.clone().codecs(["PCMA", "G729"]).unwrap_err();
        assert_eq!(
            why.to_string(),
            "\"G729\" is no codec of this phone; it has opus, G722, PCMA, PCMU"
        );
        assert_eq!(account.codecs([]).unwrap_err(), BadAccount::NoCodec);
    }

    #[test]
    fn calls_are_shown_to_whom_is_listed_and_to_nobody_else() {
        let account = Account::new("sip:101@example.test").unwrap();
        assert!(!account.shows_calls_to(b"sip:101@example.test"), "not even to ourselves");
        let account = account.shows_calls(&["102", "bob@other.test", "sip:101@example.test"]);
        for who in ["sip:102@example.test", "sips:bob@other.test", "sip:101@Example.Test"] {
            assert!(account.shows_calls_to(who.as_bytes()), "{who}");
        }
        for who in ["sip:103@example.test", "sip:102@other.test", "tel:102", "102", ""] {
            assert!(!account.shows_calls_to(who.as_bytes()), "{who}");
        }
    }

    #[test]
    fn an_address_has_no_other_behind_it_and_a_name_may() {
        let one = |address: &str| Account::new(address).unwrap().has_one_address();
        assert!(one("sip:101@192.0.2.1:5060") && one("sip:101@[2001:db8::1]"));
        assert!(!one("sip:101@example.test"));
        let named = Account::new("sip:101@example.test").unwrap();
        assert!(named.clone().server("192.0.2.1:5060").unwrap().has_one_address());
        assert!(!named.server("sip.example.test").unwrap().has_one_address());
        let numbered = Account::new("sip:101@192.0.2.1").unwrap();
        assert!(!numbered.through("sip:proxy.example.test;lr").unwrap().has_one_address());
    }

    #[test]
    fn a_display_name_cannot_break_out_of_its_quotes() {
        let account = Account::new("sip:a@b").unwrap().display_name("x\" <sip:evil@c>\r\nVia: y");
        assert_eq!(account.name_addr(), "\"x\\\" <sip:evil@c>  Via: y\" <sip:a@b>");
    }
}
