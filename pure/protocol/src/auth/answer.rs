//! `Answers`: the client's side of digest (RFC 7616 §3.4, RFC 8760 §2.4, RFC 3261 §22.2, §22.3).
//!
//! A 401 or 407 teaches a challenge for each realm that asks; from then on every request carries an answer, with the next
//! nonce count, until the server wants another nonce. One `Answers` belongs to one dialog or to one registration: what a
//! proxy asked in one dialog is not told to others (RFC 3261 §22.3).

use std::fmt;

use machine::Dice;
use sip::header::{AuthParams, AuthenticationInfo, ProxyAuthenticationInfo};
use sip::{Message, Name};

use super::challenge::Names;
use super::credentials::Credentials;
use super::demand::{Demand, Protection, Side};
use super::digest::{Asked, Ha1, Qop, answer, matches, response};
use crate::limits;

/// What was asked of us, and how to answer it.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    credentials: Vec<Credentials>,
    known: Vec<Known>,
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
            Self::Endless => f.write_str("the server asks again and again for a new login"),
        }
    }
}

impl Answers {
    /// With these credentials, and nothing asked yet.
    pub fn new(credentials: Vec<Credentials>) -> Self {
        Self { credentials, known: Vec::new() }
    }

    /// The same credentials for another dialog, which has not been asked anything.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self::new(self.credentials.clone())
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
        let demands = Demand::all(response);
        let chosen = self.choose(&demands);
        if chosen.is_empty() {
            return Err(demands.into_iter().next().map_or(GiveUp::NotUnderstood, |demand| {
                GiveUp::NoCredentials { realm: demand.realm }
            }));
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
        for (demand, credentials) in chosen {
            tries.answered.push((demand.side, demand.realm.clone()));
            self.keep(demand, &credentials, dice);
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
        self.known.iter_mut().map(|known| known.answer(method, &uri, body)).collect()
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
