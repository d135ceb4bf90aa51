//! The gate: who is it? Digest for the methods that the settings name (RFC 3261 §22, RFC 7616, RFC 8760).
//!
//! Nothing is kept of a request before it has passed. Known and unknown users get the same answer after the same work. A nonce is
//! known on every shard; the one that made it is asked whether this use of it is the first.

mod quirk;
mod waiting;

use std::borrow::Cow;
use std::time::Duration;

use machine::{Dice, Time};
use protocol::auth::{
    Algorithm, Challenge, Claim, Counts, Freshness, Ha1, Made, Nonces, Verdict, Why,
};
use protocol::bans::{Offence, Source};
use protocol::{Fault, Flow, Question};
use sip::header::{AuthParams, Contact, From, To};
use sip::uri::{SipUri, unescape};
use sip::{Bytes, Draft, Message, Method, Name, Status, Uri};

use crate::bans::{Bans, Guess, Hearing, Proof};
use crate::gruu::Aim;
use crate::house::House;
use crate::limits;
use crate::settings::Settings;
use crate::turn::Turn;

pub(crate) use waiting::{Visitor, Waiting};

/// Knows its nonces again.
#[derive(Debug)]
pub(crate) struct Gate {
    nonces: Nonces,
    counts: Counts,
    /// Those of all nodes of a cluster.
    anywhere: Option<Anywhere>,
}

/// Nonces that every node of a cluster knows. Which counts were used with them, the store knows that the nodes share.
#[derive(Debug)]
struct Anywhere {
    nonces: Nonces,
    life: Duration,
    /// Until when the store is not asked, because it could not be reached: who asks meanwhile gets a nonce of this node alone.
    alone: Time,
}

/// As what we ask: the answer comes in another header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// The request is for us: 401.
    Server,
    /// The request passes through us: 407.
    Proxy,
}

/// How somebody passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pass {
    /// At once; with what a 2xx of ours will say in its Authentication-Info.
    Now(Option<Box<str>>),
    /// When the shard that made the nonce says that it was not used like this before.
    After(Question, Option<Box<str>>),
}

/// Who passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proven {
    pub(crate) user: Box<[u8]>,
    /// Whether it is where it seems to be.
    pub(crate) proof: Proof,
}

/// Why somebody does not pass.
#[derive(Debug)]
pub(crate) enum No {
    /// A challenge, and what is wrong with the credentials that came; nothing, when none came or their nonce was old.
    Challenge(Bytes, Status, Option<Guess>),
    /// It is not answered at all.
    Silence,
    /// Known, and not allowed.
    Fault(Fault),
}

impl Gate {
    pub(crate) fn new(settings: &Settings, dice: &mut Dice) -> Self {
        let secret = settings.nonce_secret.unwrap_or_else(|| dice.seed());
        let nonces = Nonces::new(secret, settings.shard.number, settings.nonce_life);
        let life = settings.nonce_life;
        let anywhere = settings.cluster.map(|_| Anywhere {
            // What is signed for one purpose is not to be taken for another.
            nonces: Nonces::new(settings.secret.rotate_left(64) ^ APART, ANYWHERE, life),
            life,
            alone: Time::default(),
        });
        Self { nonces, counts: Counts::new(life, dice), anywhere }
    }

    /// The nonces that are handed out now.
    fn current(&self, now: Time) -> &Nonces {
        let anywhere = self.anywhere.as_ref().filter(|anywhere| anywhere.alone <= now);
        anywhere.map_or(&self.nonces, |anywhere| &anywhere.nonces)
    }

    /// The nonces that this one may be of.
    fn whose(&self, now: Time, nonce: &str) -> &Nonces {
        let known = |anywhere: &&Anywhere| anywhere.nonces.look(now, nonce) != Freshness::Foreign;
        self.anywhere.as_ref().filter(known).map_or(&self.nonces, |anywhere| &anywhere.nonces)
    }

    /// The store of the cluster did not say whether a nonce is used for the first time.
    pub(crate) fn left_alone(&mut self, now: Time) {
        if let Some(anywhere) = &mut self.anywhere {
            anywhere.alone = now + ALONE;
        }
    }

    /// Lets a request pass whose credentials are right, and whose From (and To, for a REGISTER) belongs to them; and says whose they are.
    pub(crate) fn ask(
        &mut self,
        turn: &mut Turn<'_>,
        way: (Flow, &Message),
        asker: Asker,
        bans: &mut Bans,
    ) -> Result<(Pass, Proven), No> {
        let (flow, request) = way;
        let Some(claim) = claim(turn, request, asker) else {
            return Err(self.challenge(turn, way, asker, (Why::WhoIsIt, None)));
        };
        let name = turn.house.name_of(&claim);
        let (proof, freshness) = self.proof(turn.now, flow, &claim);
        match bans.hearing(turn, flow, (name, proof)) {
            Hearing::Judge => {}
            Hearing::AskAgain => {
                return Err(self.challenge(turn, way, asker, (Why::WhoIsIt, None)));
            }
            Hearing::Silence => return Err(No::Silence),
        }
        let ha1 = turn.house.ha1(name, claim.algorithm);
        let method = request.method().map_or("", Method::as_str);
        let verdict = claim.judge(freshness, (method, request.body()), ha1);
        match (verdict, ha1) {
            (Verdict::Right(_), _) if !same_place(turn, &claim.uri, request) => {
                Err(No::Fault(Fault::CredentialsElsewhere))
            }
            (Verdict::Right(_), _) if !owns(turn, request, name) => {
                Err(No::Fault(Fault::WrongIdentity))
            }
            (Verdict::Right(made), Some(ha1)) => {
                let info = self.info(turn, (flow, asker), (&claim, made), ha1);
                let pass = self.spend(turn, (&claim, made), info);
                pass.map(|pass| (pass, Proven { user: name.into(), proof }))
                    .ok_or_else(|| self.challenge(turn, way, asker, (Why::Stale, None)))
            }
            (Verdict::Stale, _) => Err(self.challenge(turn, way, asker, (Why::Stale, None))),
            (Verdict::Right(_) | Verdict::Wrong, _) => {
                let known = turn.house.knows(name);
                let offence = if known { Offence::WrongPassword } else { Offence::UnknownUser };
                let guess = Guess { user: name.into(), offence, proof };
                Err(self.challenge(turn, way, asker, (Why::WhoIsIt, Some(guess))))
            }
        }
    }

    /// Does a request answer a question that was sent to where it seems to come from? Whether the answer is right is not looked at.
    pub(crate) fn knows_sender(&self, turn: &Turn<'_>, flow: Flow, request: &Message) -> bool {
        let mut claims = [Asker::Server, Asker::Proxy]
            .into_iter()
            .filter_map(|asker| claim(turn, request, asker));
        claims.any(|claim| self.proof(turn.now, flow, &claim).0 == Proof::Given)
    }

    /// Does whoever sends credentials get what we send to its address? Whoever has a connection does, and whoever knows a nonce that
    /// was lately sent there. And how fresh is that nonce?
    fn proof(&self, now: Time, flow: Flow, claim: &Claim<'_>) -> (Proof, Freshness) {
        let (nonce, _) = claim.count();
        let nonces = self.whose(now, nonce);
        let freshness = nonces.look(now, nonce);
        let reached = flow.transport.is_reliable()
            || nonces.is_for((nonce, freshness), Source::from(flow.peer.ip()));
        (if reached { Proof::Given } else { Proof::Missing }, freshness)
    }

    /// Each use of a nonce opens the gate once.
    fn spend(
        &mut self,
        turn: &Turn<'_>,
        (claim, made): (&Claim<'_>, Made),
        info: Option<Box<str>>,
    ) -> Option<Pass> {
        let (nonce, count) = claim.count();
        let (keeper, at) = (made.keeper, made.at);
        if let Some(anywhere) = self.anywhere.as_ref().filter(|_| keeper == ANYWHERE) {
            // It lives on at a node whose clock is behind.
            let until = at + anywhere.life * 2;
            let question = Question::SpendAnywhere { nonce: nonce.into(), count, until };
            return (anywhere.alone <= turn.now).then_some(Pass::After(question, info));
        }
        if keeper == turn.house.settings.shard.number {
            return self.is_first_use(turn.now, at, (nonce, count)).then_some(Pass::Now(info));
        }
        Some(Pass::After(Question::Spend { keeper, made: at, nonce: nonce.into(), count }, info))
    }

    /// Notes the use of a nonce that was made here; `false` when it was used like this before.
    pub(crate) fn is_first_use(
        &mut self,
        now: Time,
        made: Time,
        (nonce, count): (&str, u32),
    ) -> bool {
        self.counts.spend(now, made, (nonce, count))
    }

    /// A phone that asks again and again is handed the next nonce in time, and need not be refused first. A proxy has no header for
    /// it in RFC 3261.
    fn info(
        &self,
        turn: &mut Turn<'_>,
        (flow, asker): (Flow, Asker),
        (claim, made): (&Claim<'_>, Made),
        ha1: &Ha1,
    ) -> Option<Box<str>> {
        let nonces = self.current(turn.now);
        let due = asker == Asker::Server && nonces.is_middle_aged(turn.now, made.at);
        let whom = flow.peer.ip().into();
        due.then(|| claim.info(ha1, &nonces.throw(turn.now, turn.dice, whom)).into())
    }

    /// The challenge for whoever has shown the right credentials, for a nonce that was used like this before.
    pub(crate) fn stale(&self, turn: &mut Turn<'_>, way: (Flow, &Message), asker: Asker) -> Bytes {
        self.write(turn, way, asker, Why::Stale)
    }

    fn challenge(
        &self,
        turn: &mut Turn<'_>,
        way: (Flow, &Message),
        asker: Asker,
        (why, guess): (Why, Option<Guess>),
    ) -> No {
        No::Challenge(self.write(turn, way, asker, why), asker.status(), guess)
    }

    /// A challenge, with a nonce of ours. To a request that is very short only the strongest: nobody shall send more to others through
    /// us than he could himself.
    fn write(
        &self,
        turn: &mut Turn<'_>,
        (flow, request): (Flow, &Message),
        asker: Asker,
        why: Why,
    ) -> Bytes {
        let nonces = self.current(turn.now);
        let nonce = nonces.throw(turn.now, turn.dice, flow.peer.ip().into());
        let settings = &turn.house.settings;
        let challenge = |algorithm| Challenge {
            realm: &settings.realm,
            nonce: &nonce,
            algorithm,
            why,
            protection: settings.protection,
            charset: turn.house.charset,
            names: settings.names,
        };
        let offered: Vec<_> = quirk::offered(request, &turn.house.algorithms).collect();
        let (status, tag) = (asker.status(), turn.house.tag(request));
        let asking = |offered: &[Algorithm]| {
            let draft = Draft::reply_tagged(request, status, status.phrase(), tag);
            let add = |draft: Draft, algorithm: &Algorithm| {
                draft.written(asker.name(), |text| challenge(*algorithm).write(text))
            };
            offered.iter().fold(draft, add).wire()
        };
        let whole = asking(&offered);
        let most = request.wire().len().saturating_mul(3) / 2 + limits::ANSWER_SPARE;
        if whole.len() > most { asking(offered.get(..1).unwrap_or_default()) } else { whole }
    }
}

/// The keeper that nonces of a whole cluster name: no shard has this number.
const ANYWHERE: u16 = u16::MAX;

/// What makes the key of the cluster's nonces another than that of its seals.
const APART: u128 = 0x6e6f_6e63_6573_2061_6e79_7768_6572_6521;

/// How long the store is not asked after it did not answer.
const ALONE: Duration = Duration::from_secs(1);

impl Asker {
    const fn status(self) -> Status {
        match self {
            Self::Server => Status::UNAUTHORIZED,
            Self::Proxy => Status::PROXY_AUTHENTICATION_REQUIRED,
        }
    }

    const fn credentials(self) -> Name {
        match self {
            Self::Server => Name::Authorization,
            Self::Proxy => Name::ProxyAuthorization,
        }
    }

    const fn name(self) -> Name {
        match self {
            Self::Server => Name::WwwAuthenticate,
            Self::Proxy => Name::ProxyAuthenticate,
        }
    }
}

/// The credentials for our realm, by a digest that we offer, when there are any: what is not offered is too weak.
fn claim<'a>(turn: &Turn<'_>, request: &'a Message, asker: Asker) -> Option<Claim<'a>> {
    let realm = &*turn.house.settings.realm;
    let offered = |claim: &Claim<'_>| turn.house.algorithms.contains(&claim.algorithm);
    let read = |value| Claim::read(&AuthParams::begun(value).ok()?, realm).filter(offered);
    request.elements(asker.credentials()).find_map(read)
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
    let names = |uri: &[u8]| named(turn.house, uri).is_some_and(|name| *name == *user);
    let register = request.method() == Some(Method::Register);
    let hidden = |uri: &[u8]| match Uri::parse(uri) {
        Ok(Uri::Sip(sip)) => sip.host.to_string().eq_ignore_ascii_case("anonymous.invalid"),
        _ => false,
    };
    let from =
        request.get::<From>().is_some_and(|from| names(from.uri) || !register && hidden(from.uri));
    let registers = |whom: &[u8]| {
        let may = || turn.house.user(user).map_or(&[][..], |user| &user.may_register);
        whom == user || may().iter().any(|may| may.as_bytes() == whom)
    };
    let to = || {
        let to = request.get::<To>();
        to.as_ref().and_then(|to| named(turn.house, to.uri)).is_some_and(|to| registers(&to))
    };
    from && if register { to() } else { owns_contact(turn, request, user) }
}

/// Who of us a URI names.
fn named<'a>(house: &House, uri: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    match Uri::parse(uri) {
        Ok(Uri::Sip(sip)) if house.is_ours(&sip) => sip.user.map(unescape),
        _ => None,
    }
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
