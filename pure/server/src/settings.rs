//! `Settings`: all that a node is told about its house, as plain data.

use std::time::Duration;

use protocol::Listener;
use protocol::auth::{Algorithm, Ha1, Protection};
use protocol::transaction::Timers;

/// Everything that a node is told. `Settings { users, ..Settings::of("example.test", listeners) }` changes what must be changed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The domains that we answer for, as hosts in URIs; the first is the one that we write. They are names of one house: a user
    /// of one is a user of all.
    pub domains: Vec<Box<str>>,
    /// Where we listen, and what we say about it.
    pub listeners: Vec<Listener>,
    /// Other `host:port`s (or hosts) under which requests reach us: the outside of a NAT, an old name.
    pub aliases: Vec<Box<str>>,
    /// What passwords belong to.
    pub realm: Box<str>,
    /// The methods that are challenged; none: everybody is trusted with everything.
    pub challenge: Vec<Box<str>>,
    /// The digests that challenges offer, in this order; none: what every user can answer, the strongest first.
    pub algorithms: Vec<Algorithm>,
    /// Whom we know.
    pub users: Vec<User>,
    /// How registrations are kept.
    pub registrar: Registrar,
    /// Users that are somewhere else.
    pub redirects: Vec<Redirect>,
    /// Where requests for others go.
    pub routes: Vec<Route>,
    /// Which of how many shards this node is.
    pub shard: Shard,
    /// What steering and Record-Routes are keyed with. All shards must have the same; when it is kept over a restart, calls that
    /// are up can still be hung up through us.
    pub secret: u128,
    /// The base of all transaction timers.
    pub timers: Timers,
    /// Timer C: how long an INVITE may ring without news; longer than three minutes (RFC 3261 §16.6 step 11).
    pub ring: Duration,
    /// How long a nonce is good.
    pub nonce_life: Duration,
    /// What challenges offer to protect.
    pub protection: Protection,
    /// What the Server header says; empty: none is written.
    pub software: Box<str>,
}

/// Somebody we know.
#[derive(Clone, Debug)]
pub struct User {
    /// The user part of the address, unescaped, and the username of the credentials.
    pub name: Box<str>,
    /// How it proves itself.
    pub credential: Credential,
}

/// What a user proves itself with.
#[derive(Clone)]
pub enum Credential {
    /// The password: every digest is made from it.
    Password(Box<str>),
    /// Digests of it, by algorithm.
    Ha1s(Vec<(Algorithm, Ha1)>),
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// How registrations are kept (RFC 3261 §10.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registrar {
    /// Shorter wishes are refused with 423.
    pub min: Duration,
    /// For phones that wish nothing.
    pub default: Duration,
    /// Longer wishes are shortened to this.
    pub max: Duration,
    /// How many contacts an address of record may have.
    pub max_contacts: usize,
}

impl Default for Registrar {
    fn default() -> Self {
        let [min, default, max] = [60, 3600, 7200].map(Duration::from_secs);
        Self { min, default, max, max_contacts: 10 }
    }
}

/// A user that is somewhere else: answered with 302 (RFC 3261 §8.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The user part, unescaped.
    pub user: Box<str>,
    /// Where to try instead: SIP URIs, best first.
    pub to: Vec<Box<str>>,
}

/// Where some requests go (RFC 3261 §16.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Which requests.
    pub matches: Match,
    /// The next hop, a SIP URI; `None`: the domain is looked up.
    pub to: Option<Box<str>>,
}

/// Which requests a route is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// Those for a domain. Users of that domain may call ours without being challenged, when they come from where `to` says.
    Domain(Box<str>),
    /// Those for one of our domains whose user begins with this, and is not a user of ours.
    Prefix(Box<str>),
}

/// Which of how many shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub number: u16,
    /// At least 1.
    pub count: u16,
}

impl Settings {
    /// The methods that are challenged unless it is decided otherwise: all that begin something, or tell something.
    pub const CHALLENGED: [&str; 7] =
        ["REGISTER", "INVITE", "MESSAGE", "SUBSCRIBE", "REFER", "PUBLISH", "OPTIONS"];

    /// A house of one domain with every default, which knows nobody yet.
    pub fn of(domain: &str, listeners: Vec<Listener>) -> Self {
        Self {
            domains: vec![domain.into()],
            listeners,
            aliases: Vec::new(),
            realm: domain.into(),
            challenge: Self::CHALLENGED.map(Box::from).into(),
            algorithms: Vec::new(),
            users: Vec::new(),
            registrar: Registrar::default(),
            redirects: Vec::new(),
            routes: Vec::new(),
            shard: Shard { number: 0, count: 1 },
            secret: 0,
            timers: Timers::default(),
            ring: Duration::from_secs(200),
            nonce_life: Duration::from_secs(300),
            protection: Protection::Request,
            software: "Offhook".into(),
        }
    }
}

impl User {
    /// A user with a password.
    pub fn new(name: &str, password: &str) -> Self {
        Self { name: name.into(), credential: Credential::Password(password.into()) }
    }
}
