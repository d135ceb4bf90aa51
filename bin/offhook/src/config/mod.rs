//! The config file: one file per section of the contract. What was written is read by [`table`]; what it means is a
//! [`Config`], which cannot be wrong.

use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use ::server::settings::{self, Group, Redirect, Route};
use machine::Dice;
use net::tls::Terms;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

mod address;
mod advertise;
mod again;
mod auth;
mod bans;
mod calls;
mod choice;
mod cluster;
mod console;
mod dns;
mod domains;
mod extension;
mod fault;
mod group;
mod hide;
mod key;
mod listen;
mod near;
mod overload;
mod page;
mod phone;
mod proxy;
mod push;
mod records;
mod redirect;
mod registrar;
mod report;
mod route;
mod secret;
mod server;
mod starter;
mod store;
mod table;
mod tls;
mod tolls;
mod uri;
mod websocket;

pub(crate) use again::Again;
pub use auth::Auth;
pub use cluster::Cluster;
pub use console::Console;
pub use dns::Dns;
pub use domains::Domain;
pub use extension::{Credential, Extension, Ha1};
pub use key::{Absent, Key, Section};
pub use listen::Listen;
pub use page::reference;
pub use phone::{PhoneAccount, PhoneCard, PhoneFile};
pub(crate) use phone::{SRTP, TONES, TRANSPORTS};
pub use push::Push;
pub use records::{Records, Rotation};
pub use registrar::{Expires, Registrar, WhenFull};
pub use report::{Mistakes, Notice};
pub use secret::Secret;
pub use server::Server;
pub use store::{Durability, Store, StoreUrl};
pub use websocket::WebSocket;

use crate::limits;
use fault::{Faults, Span};
use report::Source;
use table::Table;

/// Everything that the config file says, with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The domains that this server answers for; at least one.
    pub domains: Vec<Domain>,
    /// Where it listens.
    pub listen: Listen,
    /// Who may use the HTTP API.
    pub console: Console,
    /// Its certificate.
    pub tls: Option<Terms>,
    /// Who may use WebSockets.
    pub websocket: WebSocket,
    /// How it runs.
    pub server: Server,
    /// Whom it trusts.
    pub auth: Auth,
    /// How registrations are kept.
    pub registrar: Registrar,
    /// How requests are passed on.
    pub proxy: settings::Proxy,
    /// What strangers may do.
    pub bans: settings::Bans,
    /// What accounts may do where calls cost money.
    pub tolls: settings::Tolls,
    /// How calls are followed; none: they are not.
    pub calls: Option<settings::Calls>,
    /// Where their records go.
    pub records: Records,
    /// What is done when there is too much to do.
    pub overload: settings::Overload,
    /// How phones that sleep are woken; none: they are not.
    pub push: Option<Push>,
    /// Where things are kept.
    pub store: Store,
    /// Its place in a cluster, if it is a node of one.
    pub cluster: Option<Cluster>,
    /// The accounts.
    pub extensions: Vec<Extension>,
    /// Users that are answered with 302.
    pub redirects: Vec<Redirect>,
    /// Where requests for others go.
    pub routes: Vec<Route>,
    /// Next hops that stand for each other.
    pub groups: Vec<Group>,
    /// Who answers DNS questions.
    pub dns: Dns,
    /// What is legal but unwise in the file: to be logged when the server starts.
    pub warnings: Vec<Notice>,
}

impl Default for Config {
    /// The config of an empty file.
    fn default() -> Self {
        Self {
            domains: domains::defaults(),
            listen: Listen::default(),
            console: Console::default(),
            tls: None,
            websocket: WebSocket::default(),
            server: Server::default(),
            auth: Auth {
                realm: domains::DEFAULT.into(),
                challenge: auth::defaults(),
                algorithms: None,
                userhash: false,
            },
            registrar: Registrar::default(),
            proxy: settings::Proxy::default(),
            bans: settings::Bans::default(),
            tolls: settings::Tolls::default(),
            calls: Some(settings::Calls::default()),
            records: Records::default(),
            overload: settings::Overload::default(),
            push: None,
            store: Store::default(),
            cluster: None,
            extensions: Vec::new(),
            redirects: Vec::new(),
            routes: Vec::new(),
            groups: Vec::new(),
            dns: Dns::default(),
            warnings: Vec::new(),
        }
    }
}

impl Config {
    /// Reads and understands a file.
    pub fn load(path: &Path) -> Result<Self, Mistakes> {
        let text = read_text(path)?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Understands the text of a file; `name` is what mistakes call it.
    pub fn parse(name: &str, text: &str) -> Result<Self, Mistakes> {
        let (source, mut faults) = (Source { name, text }, Faults::default());
        let tree = read_tree(source)?;
        let top = Table::open("", TOP, tree.get_ref(), Span::default(), &mut faults);
        let mut config = Self::read(&top, &mut faults);
        if !faults.faults.is_empty() {
            return Err(Mistakes::of(source, &mut faults));
        }
        config.warnings = report::notices(source, &mut faults);
        Ok(config)
    }

    /// The config of a server that was started without a file: on loopback, with extensions 100 and 101 whose
    /// passwords the dice throw. They are to be shown once, or nobody can register.
    pub fn starter(dice: &mut Dice) -> Self {
        let console = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 8060)));
        let listen = Listen { console, ..Listen::default() };
        Self { extensions: starter::extensions(dice), listen, ..Self::default() }
    }

    fn read(top: &Table<'_>, faults: &mut Faults) -> Self {
        let domains = domains::read(top, faults);
        let realm = domains.first().map_or(domains::DEFAULT, Domain::as_str).to_owned();
        let listen = Listen::read(&section(top, &listen::SECTION, faults), faults);
        let tls_section = section(top, &tls::SECTION, faults);
        let extensions = extension::read(&entries(top, &extension::SECTION, faults), faults);
        let groups = group::read(&entries(top, &group::SECTION, faults), faults);
        let known = route::Known {
            groups: &groups,
            domains: &domains,
            extensions: &extensions,
            listeners: listen.transports().into_iter().flat_map(|(_, at)| at).copied().collect(),
        };
        let routes = route::read(&entries(top, &route::SECTION, faults), &known, faults);
        let calls_section = section(top, &calls::SECTION, faults);
        let store = Store::read(&section(top, &store::SECTION, faults), faults);
        let config = Self {
            console: Console::read(&section(top, &console::SECTION, faults), &listen, faults),
            tls: tls::read(&tls_section, &entries(&tls_section, &tls::DOMAIN, faults), faults),
            websocket: WebSocket::read(&section(top, &websocket::SECTION, faults), faults),
            server: Server::read(&section(top, &server::SECTION, faults), faults),
            auth: Auth::read(&section(top, &auth::SECTION, faults), realm, faults),
            push: Push::read(&section(top, &push::SECTION, faults), faults),
            registrar: Registrar::read(
                &section(top, &registrar::SECTION, faults),
                &domains,
                faults,
            ),
            proxy: proxy::read(&section(top, &proxy::SECTION, faults), faults),
            bans: bans::read(&section(top, &bans::SECTION, faults), faults),
            tolls: tolls::read(&section(top, &tolls::SECTION, faults), faults),
            calls: calls::read(&calls_section, faults),
            records: Records::read(
                &section(top, &records::SECTION, faults),
                &calls_section,
                faults,
            ),
            cluster: Cluster::read(&section(top, &cluster::SECTION, faults), &store, top, faults),
            store,
            overload: overload::read(&section(top, &overload::SECTION, faults), faults),
            redirects: redirect::read(
                &entries(top, &redirect::SECTION, faults),
                &extensions,
                faults,
            ),
            extensions,
            routes,
            groups,
            dns: Dns::read(&section(top, &dns::SECTION, faults), faults),
            domains,
            listen,
            warnings: Vec::new(),
        };
        config.compare(top, faults);
        config
    }

    /// Can every extension answer a challenge?
    fn compare_digests(&self, top: &Table<'_>, faults: &mut Faults) {
        let Some(offered) = &self.auth.algorithms else { return };
        for extension in &self.extensions {
            let Credential::Ha1(ha1) = &extension.credential else { continue };
            if !offered.iter().any(|algorithm| ha1.of(*algorithm).is_some()) {
                let what =
                    format!("extension {} has none of the [auth] algorithms", extension.number);
                faults.refuse(top.span_of("auth"), what, "give it such a `ha1`, or offer another");
            }
        }
    }

    /// Can calls be counted that are to be limited?
    fn compare_tolls(&self, top: &Table<'_>, faults: &mut Faults) {
        let limited = self.tolls.calls.is_some()
            || self.extensions.iter().any(|extension| extension.calls.is_some());
        if limited && self.calls.is_none() {
            let what =
                "calls of accounts are limited, and no calls are followed: nobody counts them";
            faults.refuse(top.span_of("calls"), what, "remove `track = false`");
        }
    }

    /// Whom do WebSockets serve?
    fn compare_web(&self, top: &Table<'_>, faults: &mut Faults) {
        if top.has("websocket") && !self.listen.has_web() {
            faults.warn(
                top.span_of("websocket"),
                "[websocket] is not used: nothing listens for ws or wss",
                "add them to [listen]",
            );
        }
        // RFC 7118 §9.1: TLS is what is recommended.
        if self.listen.ws.iter().any(|address| !address.ip().is_loopback()) {
            faults.warn(
                top.span_of("listen"),
                "`ws` can be reached from other machines: what is said there can be read on the way, and pages by https may not use it",
                "use `wss`, or bind it to loopback behind a web server that does TLS",
            );
        }
    }

    /// What no section can judge alone.
    fn compare(&self, top: &Table<'_>, faults: &mut Faults) {
        let encrypted = !self.listen.tls.is_empty() || !self.listen.wss.is_empty();
        if encrypted && !top.has("tls") {
            let what = "[listen] has tls or wss, but there is no [tls] with a certificate";
            faults.refuse(
                top.span_of("listen"),
                what,
                "add [tls] with certificate = \"…\" and private_key = \"…\"",
            );
        }
        self.compare_digests(top, faults);
        self.compare_tolls(top, faults);
        if !encrypted && self.tls.is_some() {
            faults.warn(
                top.span_of("tls"),
                "[tls] is not used: nothing listens for tls or wss",
                "add them to [listen]",
            );
        }
        if !top.has("domains") && self.listen.reaches_others() {
            let what = "other machines can reach this server, but it answers only for localhost";
            faults.warn(
                top.span_of("listen"),
                what,
                "add domains = [\"…\"] with the name or address that phones use",
            );
        }
        self.compare_web(top, faults);
        let open = self.listen.console.filter(|address| !address.ip().is_loopback());
        if open.is_some() && self.console.token.is_none() {
            let what = "[listen] console can be reached from other machines, and there is no token: everybody could end the server";
            faults.refuse(
                top.span_of("listen"),
                what,
                "add [console] with token_file = \"…\", or bind it to 127.0.0.1",
            );
        }
    }
}

/// The text of a file, or why it cannot be had.
fn read_text(path: &Path) -> Result<String, Mistakes> {
    let name = path.display().to_string();
    let refuse = |what: String| Mistakes::unreadable(&name, what);
    let size = std::fs::metadata(path).map_err(|error| refuse(error.to_string()))?.len();
    if size > limits::CONFIG_BYTES {
        let limit = limits::CONFIG_BYTES >> 20;
        return Err(refuse(format!("it has {} MiB, a config has at most {limit}", size >> 20)));
    }
    let file = std::fs::File::open(path).map_err(|error| refuse(error.to_string()))?;
    let mut bytes = Vec::new();
    // A device has no size: it is read no further than a file would be.
    file.take(limits::CONFIG_BYTES)
        .read_to_end(&mut bytes)
        .map_err(|error| refuse(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| {
        Mistakes::not_text(&name, error.utf8_error().valid_up_to(), error.as_bytes())
    })
}

/// The tree of a file. Keys after a syntax error may be read into the wrong table: what they mean is judged when it is mended.
fn read_tree(source: Source<'_>) -> Result<Spanned<DeTable<'_>>, Mistakes> {
    let (tree, errors) = DeTable::parse_recoverable(source.text);
    if errors.is_empty() {
        return Ok(tree);
    }
    let mut faults = Faults::default();
    faults.faults.extend(errors.iter().map(|error| report::syntax(source.text, error)));
    Err(Mistakes::of(source, &mut faults))
}

/// A section of the file; every key is absent in one that is absent.
fn section<'a>(top: &Table<'a>, section: &'static Section, faults: &mut Faults) -> Table<'a> {
    let Some(value) = top.value(section.name) else { return Table::absent(section.keys) };
    let span = value.span().into();
    let (name, heading) = (section.name, section.heading());
    if let Some(table) = value.get_ref().as_table() {
        return Table::open(&heading, section.keys, table, span, faults);
    }
    let what = format!("`{name}` must be a section, not {}", table::kind(value.get_ref()));
    faults.refuse_hidden(span, what, format!("write {heading}"));
    Table::absent(section.keys)
}

/// The entries of a section that may be repeated.
fn entries<'a>(top: &Table<'a>, section: &'static Section, faults: &mut Faults) -> Vec<Table<'a>> {
    let name = section.name.rsplit('.').next().unwrap_or_default();
    let Some(value) = top.value(name) else { return Vec::new() };
    let heading = section.heading();
    let refuse = |value: &toml::Spanned<DeValue<'_>>, faults: &mut Faults| {
        let what =
            format!("`{name}` must be a list of sections, not {}", table::kind(value.get_ref()));
        faults.refuse_hidden(value.span().into(), what, format!("write {heading}"));
    };
    let Some(array) = value.get_ref().as_array() else {
        refuse(value, faults);
        return Vec::new();
    };
    let mut tables = Vec::new();
    for item in array.iter() {
        match item.get_ref().as_table() {
            Some(table) => {
                tables.push(Table::open(&heading, section.keys, table, item.span().into(), faults))
            }
            None => refuse(item, faults),
        }
    }
    tables
}

/// Every section, in the order of the documentation.
pub const SECTIONS: &[&Section] = &[
    &domains::SECTION,
    &listen::SECTION,
    &console::SECTION,
    &tls::SECTION,
    &tls::DOMAIN,
    &websocket::SECTION,
    &server::SECTION,
    &auth::SECTION,
    &registrar::SECTION,
    &proxy::SECTION,
    &bans::SECTION,
    &tolls::SECTION,
    &overload::SECTION,
    &push::SECTION,
    &store::SECTION,
    &cluster::SECTION,
    &calls::SECTION,
    &records::SECTION,
    &extension::SECTION,
    &redirect::SECTION,
    &route::SECTION,
    &group::SECTION,
    &dns::SECTION,
];

/// What may stand at the top of the file: the keys outside of sections, and the sections.
const TOP: &[Key] = &[
    Key::new("domains", "", ""),
    Key::new("listen", "", ""),
    Key::new("console", "", ""),
    Key::new("tls", "", ""),
    Key::new("websocket", "", ""),
    Key::new("server", "", ""),
    Key::new("auth", "", ""),
    Key::new("registrar", "", ""),
    Key::new("proxy", "", ""),
    Key::new("bans", "", ""),
    Key::new("tolls", "", ""),
    Key::new("overload", "", ""),
    Key::new("push", "", ""),
    Key::new("store", "", ""),
    Key::new("cluster", "", ""),
    Key::new("calls", "", ""),
    Key::new("records", "", ""),
    Key::new("extension", "", ""),
    Key::new("redirect", "", ""),
    Key::new("route", "", ""),
    Key::new("group", "", ""),
    Key::new("dns", "", ""),
];

#[cfg(test)]
mod tests;
