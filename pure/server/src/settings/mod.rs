//! `Settings`: all that a node is told about its house, as plain data; a file a part.

use std::time::Duration;

use protocol::Listener;
use protocol::auth::{Algorithm, Names, Protection};
use protocol::transaction::Timers;

mod bans;
mod calls;
mod cluster;
mod group;
mod overload;
mod proxy;
mod push;
mod redirect;
mod registrar;
mod route;
mod tolls;
mod user;

pub use bans::{Bans, Registered};
pub use calls::{Calls, Farewell};
pub use cluster::Cluster;
pub use group::{Balance, Group, Member, Probe};
pub use overload::Overload;
pub use proxy::{Proxy, Recurse, SessionTimer, Trying};
pub use push::Push;
pub use redirect::{Elsewhere, Redirect, Role};
pub use registrar::{Bindings, Registrar, WhenFull};
pub use route::{Action, Match, Route, Toll, Trust, Whose};
pub use tolls::Tolls;
pub use user::{Credential, User};

/// Everything that a node is told. `Settings { users, ..Settings::of("example.test", listeners) }` changes what must be changed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The domains that we answer for, as hosts in URIs; the first is the one that we write. They are names of one house: a user
    /// of one is a user of all.
    pub domains: Vec<Box<str>>,
    /// Where we listen, and what we say about it.
    pub listeners: Vec<Listener>,
    /// Where we have listened before a reload, as long as something may come by there: what has begun ends, and nothing begins by
    /// datagrams.
    pub leaving: Vec<Listener>,
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
    /// How phones that sleep are woken; none: they are not.
    pub push: Option<Push>,
    /// Where they are kept.
    pub bindings: Bindings,
    /// The cluster that this server is a node of, if any.
    pub cluster: Option<Cluster>,
    /// How requests are passed on.
    pub proxy: Proxy,
    /// How calls are followed; none: they are not.
    pub calls: Option<Calls>,
    /// What strangers may do.
    pub bans: Bans,
    /// What accounts may do where calls cost money.
    pub tolls: Tolls,
    /// What is done when there is too much to do.
    pub overload: Overload,
    /// What the server does with requests for others than itself.
    pub role: Role,
    /// Users that are somewhere else.
    pub redirects: Vec<Redirect>,
    /// Where requests for others go.
    pub routes: Vec<Route>,
    /// Next hops that stand for each other.
    pub groups: Vec<Group>,
    /// Which of how many shards this node is.
    pub shard: Shard,
    /// What steering and Record-Routes are keyed with. All shards must have the same; when it is kept over a restart, calls that
    /// are up can still be hung up through us.
    pub secret: u128,
    /// What nonces are signed with. All shards must have the same; it is thrown anew at each start, so that what was heard before a
    /// restart cannot be said again after it. `None`: the node throws one, which is right for a single shard.
    pub nonce_secret: Option<u128>,
    /// The base of all transaction timers.
    pub timers: Timers,
    /// Timer C: how long an INVITE may ring without news; longer than three minutes (RFC 3261 §16.6 step 11).
    pub ring: Duration,
    /// How long a nonce is good.
    pub nonce_life: Duration,
    /// What challenges offer to protect.
    pub protection: Protection,
    /// Whether users' names should come as hashes.
    pub names: Names,
    /// What the Server header says; empty: none is written.
    pub software: Box<str>,
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
            leaving: Vec::new(),
            aliases: Vec::new(),
            realm: domain.into(),
            challenge: Self::CHALLENGED.map(Box::from).into(),
            algorithms: Vec::new(),
            users: Vec::new(),
            registrar: Registrar::default(),
            push: None,
            bindings: Bindings::default(),
            cluster: None,
            proxy: Proxy::default(),
            calls: Some(Calls::default()),
            bans: Bans::default(),
            tolls: Tolls::default(),
            overload: Overload::default(),
            role: Role::Proxy,
            redirects: Vec::new(),
            routes: Vec::new(),
            groups: Vec::new(),
            shard: Shard { number: 0, count: 1 },
            secret: 0,
            nonce_secret: None,
            timers: Timers::default(),
            ring: Duration::from_secs(200),
            nonce_life: Duration::from_secs(300),
            protection: Protection::Request,
            names: Names::Plain,
            software: "Offhook".into(),
        }
    }
}
