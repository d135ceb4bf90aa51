//! `House`: the settings, read once: is this URI ours, whom does it name, who is known, what is challenged. A reload moves a node into
//! another one.

use std::net::IpAddr;
use std::time::Duration;

use machine::{Dice, HashKey, Map};
use protocol::auth::{Algorithm, Charset, Claim, Ha1, Names, hex_digits};
use protocol::bans::Source;
use protocol::locate::Means;
use protocol::{Flow, Listener, Transport};
use sip::uri::SipUri;
use sip::{Message, Method, Uri};

use crate::Steering;
use crate::dialplan::{Past, Places};
use crate::groups::Place as Seat;
use crate::options::Abilities;
use crate::ours::Ours;
use crate::routes::{Context, Dialled, Errand, Standing, context};
use crate::seal::Seal;
use crate::settings::{Action, Credential, Group, Member, Redirect, Role, Route, Settings, User};

/// What a node knows about itself: its settings, made ready for use. To make one takes time (every password is hashed), so it is made
/// anywhere, and [`Node::renew`](crate::Node::renew) takes it.
#[derive(Debug)]
pub struct House {
    pub(crate) settings: Settings,
    /// 1 for the first settings, and one more for each change.
    pub(crate) generation: u32,
    /// Where the members of groups are found.
    pub(crate) places: Places,
    past: Past,
    pub(crate) steering: Steering,
    /// What challenges offer, the strongest first.
    pub(crate) algorithms: Vec<Algorithm>,
    /// What we can send by.
    pub(crate) means: Means,
    /// Whose servers stand at numbers.
    pub(crate) standing: Standing,
    /// Where we are.
    pub(crate) ours: Ours,
    /// What we sign with.
    pub(crate) seal: Seal,
    /// How the names and passwords are written.
    pub(crate) charset: Charset,
    users: Map<Box<[u8]>, Known>,
    /// Who is elsewhere: the place of that in the settings.
    elsewhere: Map<Box<[u8]>, usize>,
    /// The names by their hashes; empty unless hashes are asked for.
    hashed: Map<Box<str>, Box<[u8]>>,
    tags: HashKey,
    pub(crate) abilities: Abilities,
}

/// A user, as we look it up.
#[derive(Debug)]
struct Known {
    ha1s: [Option<Ha1>; 3],
    /// Its place in the settings.
    at: usize,
}

/// Whom a URI points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// This server itself.
    Us,
    /// A user or a number of one of our domains.
    User(Dialled),
    /// Somebody elsewhere.
    Foreign,
    /// Somewhere that we cannot go: a scheme that is not ours.
    Unknown,
}

impl House {
    /// Reads settings.
    pub fn new(mut settings: Settings, dice: &mut Dice) -> Self {
        // RFC 3261 §16.6 step 11: whoever wishes less gets the least that is allowed.
        settings.ring = settings.ring.max(LEAST_RING);
        let steering = Steering::new(settings.secret, settings.shard.count);
        let mut users = HashKey::throw(dice).map();
        let mut hashed = HashKey::throw(dice).map();
        let hashing = if settings.names == Names::Hashed { &ALGORITHMS[..] } else { &[] };
        for (at, user) in settings.users.iter().enumerate() {
            hashed.extend(hashing.iter().map(|algorithm| {
                let hash = algorithm.user_hash(&user.name, &settings.realm);
                (hash.into(), user.name.as_bytes().into())
            }));
            let ha1s = ALGORITHMS
                .map(|algorithm| ha1(&user.credential, algorithm, &user.name, &settings.realm));
            users.insert(user.name.as_bytes().into(), Known { ha1s, at });
        }
        let mut elsewhere = HashKey::throw(dice).map();
        for (at, redirect) in settings.redirects.iter().enumerate() {
            elsewhere.entry(redirect.user.as_bytes().into()).or_insert(at);
        }
        let algorithms = offered(&settings);
        let means = Means::of(&settings.listeners);
        let standing = Standing::of(&settings.routes, &means);
        let ours = Ours::new(&settings);
        let charset = charset(&settings);
        let (seal, tags) = (Seal::new(settings.secret), HashKey::throw(dice));
        Self {
            places: Places::of(&settings.groups, &seal),
            past: Past::default(),
            generation: 1,
            settings,
            steering,
            algorithms,
            means,
            standing,
            ours,
            seal,
            charset,
            users,
            elsewhere,
            hashed,
            tags,
            abilities: Abilities::new(),
        }
    }

    /// Takes the place of an earlier one: what is under way there goes on here.
    pub(crate) fn succeed(&mut self, earlier: &mut Self) {
        // The ACK of an answer that was given before must be known again.
        self.tags = earlier.tags;
        self.generation = earlier.generation.wrapping_add(1);
        self.past = std::mem::take(&mut earlier.past);
        let routes = std::mem::take(&mut earlier.settings.routes);
        let groups = std::mem::take(&mut earlier.settings.groups);
        let places = std::mem::take(&mut earlier.places);
        self.past.push(earlier.generation, (routes, groups), places);
    }

    /// True when a user of that name lives here.
    pub(crate) fn knows(&self, user: &[u8]) -> bool {
        self.users.contains_key(user)
    }

    /// What the settings say of a user.
    pub(crate) fn user(&self, user: &[u8]) -> Option<&User> {
        self.settings.users.get(self.users.get(user)?.at)
    }

    /// Where a user is instead, when it is redirected.
    pub(crate) fn redirect(&self, user: &[u8]) -> Option<&Redirect> {
        self.settings.redirects.get(*self.elsewhere.get(user)?)
    }

    /// The name of the user that credentials are of, known or not.
    pub(crate) fn name_of<'a>(&'a self, claim: &'a Claim<'_>) -> &'a [u8] {
        if claim.names == Names::Plain {
            return claim.username.as_bytes();
        }
        let name = self.hashed.get(&*claim.username.to_ascii_lowercase());
        name.map_or(b"", |name| &**name)
    }

    /// The hash of a user's password.
    pub(crate) fn ha1(&self, user: &[u8], algorithm: Algorithm) -> Option<&Ha1> {
        let at = ALGORITHMS.iter().position(|known| *known == algorithm)?;
        self.users.get(user)?.ha1s.get(at)?.as_ref()
    }

    /// True when requests of this method must prove who sent them. What belongs into a call (BYE, INFO, NOTIFY) or is unknown to us is
    /// judged as an INVITE is: outside of a call that we let pass, a stranger may not say it either.
    pub(crate) fn challenges(&self, method: Method<'_>) -> bool {
        let listed =
            |method: &str| self.settings.challenge.iter().any(|listed| **listed == *method);
        let begins_something = Settings::CHALLENGED.contains(&method.as_str());
        listed(method.as_str()) || !begins_something && listed(Method::Invite.as_str())
    }

    /// True when nobody is ever challenged.
    pub(crate) fn trusts_everybody(&self) -> bool {
        self.settings.challenge.is_empty()
    }

    /// True for an address of our trust domain (RFC 3325 §2.3).
    pub(crate) fn trusts(&self, ip: IpAddr) -> bool {
        self.settings.proxy.trusted.iter().any(|network| network.has(ip))
    }

    /// True for a source that a route leads to by its address.
    pub(crate) fn leads_to(&self, source: Source) -> bool {
        let is_there = |hop: &str| match Uri::parse(hop.as_bytes()) {
            Ok(Uri::Sip(hop)) => hop.host.ip().is_some_and(|ip| Source::from(ip) == source),
            _ => false,
        };
        self.settings.routes.iter().any(|route| self.hops(route).any(is_there))
    }

    /// Whom a URI points to.
    pub(crate) fn place(&self, uri: &Uri<'_>) -> Place {
        match uri {
            // §16.5: an `maddr` that is left is the only place to go to.
            Uri::Sip(sip) if !self.is_ours(sip) || sip.params.has("maddr") => Place::Foreign,
            Uri::Sip(sip) => Dialled::of_sip(sip).map_or(Place::Us, Place::User),
            Uri::Tel(tel) => {
                let ours = match context(tel) {
                    Context::Anybody => true,
                    Context::Domain(host) => self.ours.has_domain(&host),
                    Context::Unreadable => false,
                };
                if ours { Place::User(Dialled::of_tel(tel)) } else { Place::Unknown }
            }
            Uri::Other(..) => Place::Unknown,
        }
    }

    /// Is this URI us?
    pub(crate) fn is_ours(&self, uri: &SipUri<'_>) -> bool {
        self.ours.has(uri)
    }

    /// The listener with this number.
    pub(crate) fn listener(&self, number: u16) -> Option<&Listener> {
        let all = self.settings.listeners.iter().chain(&self.settings.leaving);
        all.into_iter().find(|listener| listener.number == number)
    }

    /// True for a flow of datagrams that may come to an address a little longer, and no more.
    pub(crate) fn is_leaving(&self, flow: Flow) -> bool {
        let is_it = |listener: &Listener| listener.number == flow.listener;
        !flow.transport.is_reliable() && self.settings.leaving.iter().any(is_it)
    }

    /// The listener from which an address can be reached: that of the request when it fits, else the first that does.
    pub(crate) fn listener_for(
        &self,
        transport: Transport,
        ip: IpAddr,
        came_by: u16,
    ) -> Option<&Listener> {
        // What is between nodes leads to nobody else.
        let between = self.settings.cluster.map(|cluster| cluster.listener);
        let fits = |listener: &&Listener| {
            listener.transport == transport
                && Some(listener.number) != between
                && listener.bound.is_ipv4() == ip.to_canonical().is_ipv4()
        };
        let came_by = |listener: &&Listener| listener.number == came_by && fits(listener);
        self.settings
            .listeners
            .iter()
            .find(came_by)
            .or_else(|| self.settings.listeners.iter().find(fits))
            .or_else(|| {
                // `[::]` reaches both families.
                let any = |listener: &&Listener| {
                    listener.transport == transport && listener.bound.ip().is_unspecified()
                };
                self.settings.listeners.iter().find(any)
            })
    }

    /// The routes of a generation: whoever has begun on a route goes on by those beside it.
    pub(crate) fn routes(&self, generation: u32) -> &[Route] {
        if generation == self.generation {
            return &self.settings.routes;
        }
        self.past.routes(generation).unwrap_or_default()
    }

    /// The route of an errand.
    pub(crate) fn route(&self, errand: &Errand) -> Option<&Route> {
        self.routes(errand.generation).get(errand.route)
    }

    /// The group of this name in a generation, and its members.
    pub(crate) fn group(&self, generation: u32, name: &str) -> Option<(&Group, &[Seat])> {
        if generation != self.generation {
            return self.past.group(generation, name);
        }
        let groups = &self.settings.groups;
        let at = groups.iter().position(|group| *group.name == *name)?;
        Some((groups.get(at)?, self.places.of_group(at)))
    }

    /// A member and its group, also one that is gone meanwhile.
    pub(crate) fn member(&self, place: Seat) -> Option<(&Group, &Member)> {
        let found = self.places.find(&self.settings.groups, place);
        found.or_else(|| self.past.find(place))
    }

    /// True for a server that forwards nothing, and says where to go.
    pub(crate) fn only_redirects(&self) -> bool {
        self.settings.role == Role::Redirect
    }

    /// The next hops of a route; none, where it leads by DNS, or nowhere.
    pub(crate) fn hops<'a>(&'a self, route: &'a Route) -> impl Iterator<Item = &'a str> {
        let (hops, group) = match &route.action {
            Action::To(hops) => (&hops[..], None),
            Action::Group(name) => {
                (&[][..], self.settings.groups.iter().find(|group| group.name == *name))
            }
            Action::Enum(_) | Action::Redirect(_) | Action::Deny { .. } => (&[][..], None),
        };
        let members = group.into_iter().flat_map(|group| &group.members);
        hops.iter().map(|hop| &**hop).chain(members.map(|member| &*member.to))
    }

    /// The To tag of our own answers to a request: the same for the same request, without a state (RFC 3261 §8.2.7), also for the
    /// CANCEL of it.
    pub(crate) fn tag(&self, request: &Message) -> [u8; TAG] {
        let [tag, branch] = [request.from_tag(), request.branch()].map(Option::unwrap_or_default);
        let number = self.tags.number([request.call_id(), tag, branch]);
        hex_digits(number as u64)
    }

    /// True for the To tag of an answer of our own to this request, or to the INVITE of this ACK.
    pub(crate) fn is_our_tag(&self, request: &Message, tag: &[u8]) -> bool {
        // Most tags are longer or shorter, and need no look at the rest.
        tag.len() == TAG && *tag == self.tag(request)
    }

    /// The domain that we write.
    pub(crate) fn domain(&self) -> &str {
        self.settings.domains.first().map_or("localhost", |domain| domain)
    }
}

/// Octets of a tag of ours.
const TAG: usize = 16;

/// Timer C is longer than three minutes.
const LEAST_RING: Duration = Duration::from_secs(181);

const ALGORITHMS: [Algorithm; 3] = [Algorithm::Sha256, Algorithm::Sha512_256, Algorithm::Md5];

fn ha1(credential: &Credential, algorithm: Algorithm, user: &str, realm: &str) -> Option<Ha1> {
    match credential {
        Credential::Password(password) => Some(Ha1::of(algorithm, user, realm, password)),
        Credential::Ha1s(ha1s) => {
            ha1s.iter().find(|(known, _)| *known == algorithm).map(|(_, ha1)| ha1.clone())
        }
    }
}

/// Outside of ASCII, who hashes must know how letters are written (RFC 7616 §4).
fn charset(settings: &Settings) -> Charset {
    let plain = |user: &crate::settings::User| {
        user.name.is_ascii()
            && match &user.credential {
                Credential::Password(password) => password.is_ascii(),
                Credential::Ha1s(_) => true,
            }
    };
    let all = settings.realm.is_ascii() && settings.users.iter().all(plain);
    if all { Charset::Unsaid } else { Charset::Utf8 }
}

/// What every user can answer, so that a challenge says nothing about who exists: SHA-256 and MD5 where possible (RFC 8760 §2.4).
/// SHA-512-256 is offered only where it must be: two challenges fit beside a request, three amplify it.
fn offered(settings: &Settings) -> Vec<Algorithm> {
    if !settings.algorithms.is_empty() {
        return settings.algorithms.clone();
    }
    let can = |user: &User, algorithm| match &user.credential {
        Credential::Password(_) => true,
        Credential::Ha1s(ha1s) => ha1s.iter().any(|(known, _)| *known == algorithm),
    };
    let all_can = |algorithm: &Algorithm| settings.users.iter().all(|user| can(user, *algorithm));
    let some_can = |algorithm: &Algorithm| settings.users.iter().any(|user| can(user, *algorithm));
    let usual = [Algorithm::Sha256, Algorithm::Md5];
    let common: Vec<_> = usual.into_iter().filter(all_can).collect();
    let any = |found: Vec<_>, or: &dyn Fn() -> Vec<Algorithm>| {
        if found.is_empty() { or() } else { found }
    };
    any(common, &|| {
        any(ALGORITHMS.into_iter().filter(all_can).collect(), &|| {
            ALGORITHMS.into_iter().filter(some_can).collect()
        })
    })
}
