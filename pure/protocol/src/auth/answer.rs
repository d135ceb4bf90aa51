//! `Answers`: the client's side of digest (RFC 7616 §3.4, RFC 8760 §2.4, RFC 3261 §22.2, §22.3) and of tokens (RFC 8898 §2.1).
//!
//! A 401 or 407 teaches a challenge for each realm that asks; from then on every request carries an answer, with the next
//! nonce count, until the server wants another nonce. One `Answers` belongs to one dialog or to one registration: what a
//! proxy asked in one dialog is not told to others (RFC 3261 §22.3).
//!
//! Where a token and digest are asked for in one realm, the token is shown, if there is one that may be and that was not refused; else
//! digest answers. It is shown only to who asks for one of the server that it is from, and, unless it is encrypted, only by a guarded way:
//! by TLS to a server of our own, and in a REGISTER, which that one does not pass on ([`Tries::goes`]). Whoever reads a token on its way can use it.

use std::fmt;

use machine::Dice;
use sip::header::{AuthParams, AuthenticationInfo, ProxyAuthenticationInfo};
use sip::{Message, Name};

use super::challenge::Names;
use super::credentials::Credentials;
use super::demand::{Demand, Protection, Side, TokenDemand};
use super::digest::{Asked, Ha1, Qop, answer, matches, response};
use super::token::{self, Token, Tokens, Value};
use crate::limits;

/// What was asked of us, and how to answer it.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    credentials: Vec<Credentials>,
    known: Vec<Known>,
    tokens: Tokens,
    /// Where a token is shown with each request.
    shown: Vec<TokenDemand>,
}

/// A challenge that we answer with each request.
#[derive(Clone, Debug)]
struct Known {
    demand: Demand,
    user: Box<str>,
    ha1: Ha1,
    /// Ours; the same for the life of the nonce, as `-sess` wants it.
    cnonce: String,
    count: u32,
    /// The Request-URI that was answered for last: a server that proves itself hashes it.
    uri: String,
}

/// How often one request has been answered for. A new one for each request that is new to its sender, not for its repeats.
#[derive(Clone, Debug, Default)]
pub struct Tries {
    answered: Vec<(Side, String)>,
    rounds: usize,
    /// Who saw it where it went.
    sight: Sight,
    /// Tokens that it has shown already.
    carried: Vec<(Name, Value)>,
}

/// Who sees a token on its way (RFC 8898 §2.1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sight {
    /// Whoever: only an encrypted one may go there.
    #[default]
    Open,
    /// A server of our own alone, by TLS.
    Guarded,
}

impl Tries {
    /// The request goes out so, by such a way.
    pub fn goes(&mut self, request: &Message, sight: Sight) {
        self.sight = sight;
        for token in token::shown(request) {
            if !self.carried.contains(&token) {
                self.carried.push(token);
            }
        }
    }
}

/// Why a request will not be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// No challenge is there that we understand: no digest, or only algorithms that we do not know.
    NotUnderstood,
    /// We have nothing for this realm.
    NoCredentials {
        /// The realm, as the server wrote it.
        realm: String,
    },
    /// Our answer was refused, and not for the age of its nonce: the password is wrong.
    Refused {
        /// The realm, as the server wrote it.
        realm: String,
        /// The user name that we gave.
        user: String,
    },
    /// The server calls each nonce of its own stale.
    Endless,
    /// A token is wanted from a server that we do not trust, for we have none of it (RFC 8898 §2.1.1).
    Untrusted {
        /// The authorization server, as the challenge wrote it.
        server: String,
    },
    /// Our token is not encrypted, and others would see it on this way (RFC 8898 §2.1.2).
    Unguarded,
    /// Our token was refused.
    TokenRefused {
        /// Why, as the server wrote it (RFC 6750 §3.1).
        error: Option<String>,
    },
}

impl fmt::Display for GiveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUnderstood => {
                f.write_str("the server asks for a login that we do not know how to give")
            }
            Self::NoCredentials { realm } => write!(f, "no password is set for realm \"{realm}\""),
            Self::Refused { realm, user } => {
                write!(f, "wrong user name or password for realm \"{realm}\" (user {user})")
            }
            Self::Untrusted { server } => {
                write!(f, "the server wants a token of {server:?}, which is not trusted")
            }
            Self::Unguarded => f.write_str(
                "the token is not encrypted: it is shown by TLS to the own server alone",
            ),
            Self::TokenRefused { error } => {
                let why = error.as_deref().unwrap_or("no reason is given");
                write!(f, "its token is not accepted: {}", why.escape_debug())
            }
            Self::Endless => f.write_str("the server asks again and again for a new login"),
        }
    }
}

impl Answers {
    /// With these credentials, and nothing asked yet.
    pub fn new(credentials: Vec<Credentials>) -> Self {
        Self { credentials, ..Self::default() }
    }

    /// With these tokens too.
    #[must_use]
    pub fn with_tokens(self, tokens: Tokens) -> Self {
        Self { tokens, ..self }
    }

    /// Another token in the place of that of the same server: from now on it is shown.
    pub fn renew(&mut self, token: &Token) {
        self.tokens.put(token.clone());
    }

    /// The same credentials for another dialog, which has not been asked anything.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self::new(self.credentials.clone()).with_tokens(self.tokens.clone())
    }

    /// Learns the challenges of a 401 or 407. `Ok` when the request should be tried again, with [`Answers::rows`]. Of several
    /// challenges of one realm the strongest counts; realms for which we have nothing are passed over as long as another can be
    /// answered.
    pub fn learn(
        &mut self,
        response: &Message,
        tries: &mut Tries,
        dice: &mut Dice,
    ) -> Result<(), GiveUp> {
        let (shows, refused) = self.choose_tokens(response, tries);
        let same = |demand: &Demand, show: &TokenDemand| {
            show.side == demand.side && show.realm == demand.realm
        };
        let mut demands = Demand::all(response);
        demands.retain(|demand| !shows.iter().any(|show| same(demand, show)));
        let chosen = self.choose(&demands);
        if chosen.is_empty() && shows.is_empty() {
            let digest = demands.into_iter().next();
            let digest = digest.map(|demand| GiveUp::NoCredentials { realm: demand.realm });
            // Who has no token at all lacks a password, if that would do.
            let (first, second) =
                if self.tokens.is_empty() { (digest, refused) } else { (refused, digest) };
            return Err(first.or(second).unwrap_or(GiveUp::NotUnderstood));
        }
        for (demand, credentials) in &chosen {
            let before = tries
                .answered
                .iter()
                .any(|(side, realm)| *side == demand.side && *realm == demand.realm);
            if before && !demand.stale {
                let (realm, user) = (demand.realm.clone(), credentials.user().to_owned());
                return Err(GiveUp::Refused { realm, user });
            }
        }
        tries.rounds += 1;
        if tries.rounds > limits::ANSWERS {
            return Err(GiveUp::Endless);
        }
        for show in shows {
            self.known.retain(|known| !same(&known.demand, &show));
            self.shown.retain(|old| old.side != show.side || old.realm != show.realm);
            if self.shown.len() < limits::REALMS {
                self.shown.push(show);
            }
        }
        for (demand, credentials) in chosen {
            self.shown.retain(|show| !same(&demand, show));
            tries.answered.push((demand.side, demand.realm.clone()));
            self.keep(demand, &credentials, dice);
        }
        Ok(())
    }

    /// The demands that a token answers, and why the first of the others is not answered.
    fn choose_tokens(
        &self,
        response: &Message,
        tries: &Tries,
    ) -> (Vec<TokenDemand>, Option<GiveUp>) {
        let (mut shows, mut refused) = (Vec::new(), None);
        for demand in TokenDemand::all(response).into_iter().take(limits::REALMS) {
            match self.may_show(&demand, tries) {
                Ok(()) => shows.push(demand),
                Err(why) => refused = refused.or(Some(why)),
            }
        }
        (shows, refused)
    }

    fn may_show(&self, demand: &TokenDemand, tries: &Tries) -> Result<(), GiveUp> {
        let untrusted = || GiveUp::Untrusted { server: demand.server.clone() };
        let token = self.tokens.of(&demand.server).ok_or_else(untrusted)?;
        if tries.sight == Sight::Open && !token.is_encrypted() {
            return Err(GiveUp::Unguarded);
        }
        let carried =
            |(name, value): &(Name, Value)| *name == demand.side.header() && *value == token.value;
        if tries.carried.iter().any(carried) {
            return Err(GiveUp::TokenRefused { error: demand.error.clone() });
        }
        Ok(())
    }

    /// For each side and realm the strongest demand that we have credentials for.
    fn choose(&self, demands: &[Demand]) -> Vec<(Demand, Credentials)> {
        let mut chosen: Vec<(Demand, Credentials)> = Vec::new();
        for demand in demands.iter().take(limits::REALMS) {
            let fitting = self.credentials.iter().filter(|own| own.fits(&demand.realm).is_some());
            let Some(own) = fitting.max_by_key(|own| own.fits(&demand.realm)) else { continue };
            let same = |(other, _): &&mut (Demand, Credentials)| {
                other.side == demand.side && other.realm == demand.realm
            };
            match chosen.iter_mut().find(same) {
                Some((other, _)) if other.algorithm < demand.algorithm => *other = demand.clone(),
                Some(_) => {}
                None => chosen.push((demand.clone(), own.clone())),
            }
        }
        chosen
    }

    fn keep(&mut self, demand: Demand, own: &Credentials, dice: &mut Dice) {
        self.known
            .retain(|known| known.demand.side != demand.side || known.demand.realm != demand.realm);
        if self.known.len() >= limits::REALMS {
            self.known.remove(0);
        }
        let ha1 = Ha1::of(demand.algorithm, &own.user, &demand.realm, &own.password);
        let cnonce = format!("{:016x}", dice.roll());
        let (user, uri) = (own.user.clone(), String::new());
        self.known.push(Known { demand, user, ha1, cnonce, count: 0, uri });
    }

    /// Takes over the nonce that a 2xx wants us to use next, so that we need not be asked again (RFC 7616 §3.5). One who proves to
    /// know our password, and does not, is not believed.
    pub fn informed(&mut self, response: &Message) {
        let infos = [
            (Side::Server, response.get::<AuthenticationInfo>().map(|info| info.0)),
            (Side::Proxy, response.get::<ProxyAuthenticationInfo>().map(|info| info.0)),
        ];
        for (side, info) in infos {
            let Some(info) = info else { continue };
            // It names no realm: with several of one side nobody knows whose it is.
            let mut meant = self.known.iter_mut().filter(|known| known.demand.side == side);
            if let (Some(known), None) = (meant.next(), meant.next()) {
                known.informed(&info, response.body());
            }
        }
    }

    /// The rows that answer everything that was asked so far, for one request: its method, its Request-URI, its body. Each call
    /// counts the nonces up, so each request needs its own.
    pub fn rows(&mut self, method: &str, uri: &[u8], body: &[u8]) -> Vec<(Name, Vec<u8>)> {
        let uri = String::from_utf8_lossy(uri);
        let digests = self.known.iter_mut().map(|known| known.answer(method, &uri, body));
        let mut rows: Vec<_> = digests.collect();
        for show in &self.shown {
            let Some(token) = self.tokens.of(&show.server) else { continue };
            let row = (show.side.header(), token.value.row());
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        rows
    }
}

impl Known {
    fn informed(&mut self, info: &AuthParams<'_>, body: &[u8]) {
        // The key of a `-sess` variant holds the nonce that the session began with (RFC 7616 §3.4.2).
        let Some(next) = info.text("nextnonce").filter(|_| !self.demand.session) else { return };
        let proves = |proof: String| {
            let nc = format!("{:08x}", self.count);
            let qop = match self.demand.protection {
                Protection::Absent => Qop::Absent,
                Protection::Auth => Qop::Auth,
                Protection::AuthInt => Qop::AuthInt(body),
            };
            let asked = Asked {
                algorithm: self.demand.algorithm,
                session: false,
                method: "",
                uri: &self.uri,
                nonce: &self.demand.nonce,
                nc: &nc,
                cnonce: &self.cnonce,
                qop,
            };
            matches(answer(&self.ha1, &asked).octets(), &proof)
        };
        if info.text("rspauth").is_none_or(proves) {
            self.demand.nonce = next;
            self.count = 0;
        }
    }

    fn answer(&mut self, method: &str, uri: &str, body: &[u8]) -> (Name, Vec<u8>) {
        self.count = self.count.saturating_add(1);
        uri.clone_into(&mut self.uri);
        let demand = &self.demand;
        let nc = format!("{:08x}", self.count);
        let (qop, qop_token) = match demand.protection {
            Protection::Absent => (Qop::Absent, None),
            Protection::Auth => (Qop::Auth, Some("auth")),
            Protection::AuthInt => (Qop::AuthInt(body), Some("auth-int")),
        };
        let (nonce, cnonce) = (&*demand.nonce, &*self.cnonce);
        let (algorithm, session) = (demand.algorithm, demand.session);
        let asked = Asked { algorithm, session, method, uri, nonce, nc: &nc, cnonce, qop };
        let hashed =
            (demand.names == Names::Hashed).then(|| algorithm.user_hash(&self.user, &demand.realm));
        let mut text = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{}\"",
            quoted(hashed.as_deref().unwrap_or(&self.user)),
            quoted(&demand.realm),
            quoted(nonce),
            quoted(uri),
            response(&self.ha1, &asked)
        );
        if let Some(token) = &demand.token {
            text += &format!(", algorithm={token}");
        }
        if let Some(opaque) = &demand.opaque {
            text += &format!(", opaque={}", quoted(opaque));
        }
        if hashed.is_some() {
            text += ", userhash=true";
        }
        if let Some(qop) = qop_token {
            text += &format!(", qop={qop}, nc={nc}, cnonce=\"{cnonce}\"");
        }
        (demand.side.header(), text.into_bytes())
    }
}

/// `quoted-string` (RFC 3261 §25.1): all of it was text before.
fn quoted(text: &str) -> String {
    String::from_utf8_lossy(&sip::quote(text.as_bytes())).into_owned()
}
