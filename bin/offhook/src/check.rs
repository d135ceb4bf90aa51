//! `offhook check FILE`: what is wrong with a config file, or what the server would do with it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use net::websocket::Origins;
use server::settings::{Action, Group, Route};

use crate::certificates::{self, Remark};
use crate::config::{Config, Credential, Durability, Ha1, Mistakes, Notice, StoreUrl};
use crate::log::{Format, Log};
use crate::outcome::Outcome;
use crate::serve::{house, secret};

/// What `offhook check` is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The config file
    pub file: PathBuf,
}

/// Checks a file. The summary goes to stdout, mistakes and warnings to stderr: with `--log json` as lines of the log.
pub fn run(arguments: &Arguments, log: Log) -> Outcome {
    match Config::load(&arguments.file) {
        Ok(config) => {
            for warning in &config.warnings {
                report(log, "config_warning", warning);
            }
            // Whoever closed stdout has seen enough: the file is fine all the same.
            let _ = std::io::stdout().lock().write_all(summary(&config).as_bytes());
            files_of(&config, log)
        }
        Err(mistakes) => refuse(&mistakes, log),
    }
}

/// Reads the files that the config names, as the server does when it starts.
fn files_of(config: &Config, log: Log) -> Outcome {
    let mut outcome = certificates_of(config, log);
    let secret = config.cluster.as_ref().map(|cluster| secret::common(&cluster.secret_file));
    let authority = config.store.authority.as_deref().map(cluster::are_certificates);
    let refused = [
        ("secret_refused", secret.and_then(Result::err)),
        ("authority_refused", authority.and_then(Result::err)),
    ];
    for (event, error) in refused {
        if let Some(error) = error {
            log.error(event, &[("what", (&error.to_string()).into())]);
            outcome = Outcome::Wrong;
        }
    }
    outcome
}

/// Looks at the certificates: whether they can be used, for whom they are, and how long.
fn certificates_of(config: &Config, log: Log) -> Outcome {
    let plan = match house::plan(config) {
        Ok(plan) => plan,
        Err(what) => {
            log.error("certificate_refused", &[("what", (&what).into())]);
            return Outcome::Wrong;
        }
    };
    let Some(tls) = plan.tls else { return Outcome::Fine };
    for remark in certificates::judge(config, &tls, certificates::now()) {
        let fields = [("what", remark.words().into())];
        match remark {
            // The server starts with it, for all whom it does not concern: the file is not wrong.
            Remark::Useless(_) => log.error("certificate", &fields),
            Remark::Unwise(_) => log.warning("certificate", &fields),
        }
    }
    Outcome::Fine
}

/// Says what is wrong with a file.
pub(crate) fn refuse(mistakes: &Mistakes, log: Log) -> Outcome {
    match log.format() {
        Format::Json => {
            mistakes.notices.iter().for_each(|mistake| mistake.log(log, "config_refused"))
        }
        Format::Text => {
            let _ = std::io::stderr().lock().write_all(mistakes.to_string().as_bytes());
        }
    }
    Outcome::Wrong
}

/// Says what is unwise in a file.
pub(crate) fn report(log: Log, event: &str, warning: &Notice) {
    match log.format() {
        Format::Json => warning.log(log, event),
        Format::Text => {
            let _ = std::io::stderr().lock().write_all(format!("warning: {warning}\n").as_bytes());
        }
    }
}

/// What the server would do, on one screen.
pub fn summary(config: &Config) -> String {
    let mut text = String::new();
    let mut row = |title: &str, what: String| {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{title:<12} {what}");
    };
    row("answers for", listed(config.domains.iter().map(ToString::to_string)));
    for (transport, addresses) in config.listen.transports() {
        row(transport, off_if_empty(listed(addresses.iter().map(ToString::to_string))));
    }
    if config.listen.has_web() {
        row("web pages", pages(config));
    }
    row("console", console(config));
    row(
        "shards",
        config.server.shards.map_or_else(|| "one per core".into(), |shards| shards.to_string()),
    );
    row("challenges", challenges(config));
    let expires = config.registrar.expires;
    let [min, default, max] =
        [expires.min, expires.default, expires.max].map(|duration| duration.as_secs());
    let contacts = config.registrar.max_contacts;
    row(
        "registers",
        format!(
            "for {min} to {max} s, {default} s by default; at most {contacts} contacts an address"
        ),
    );
    row("keeps", kept(config));
    if let Some(cluster) = &config.cluster {
        let by = if cluster.tls.is_some() { "TLS" } else { "TCP" };
        row("cluster", format!("other nodes reach this one at {} by {by}", cluster.listen));
    }
    row(
        "DNS",
        config.dns.servers.as_ref().map_or_else(
            || "the system's".into(),
            |servers| listed(servers.iter().map(ToString::to_string)),
        ),
    );
    row("extensions", extensions(config));
    row(
        "redirects",
        none_if_empty(listed(
            config
                .redirects
                .iter()
                .map(|redirect| format!("{} to {}", redirect.user, redirect.to.to.join(", "))),
        )),
    );
    row("routes", none_if_empty(listed(config.routes.iter().map(route))));
    row("groups", none_if_empty(listed(config.groups.iter().map(group))));
    text
}

/// Where the console is asked, and who may.
fn console(config: &Config) -> String {
    let address = config.listen.console.map(|address| address.to_string());
    let socket =
        config.listen.console_socket.as_ref().map(|path| {
            format!("{} (permissions {:o})", path.display(), config.console.socket_mode)
        });
    let ways: Vec<_> = address.into_iter().chain(socket).collect();
    off_if_empty(ways.join(", "))
}

/// Whose pages may open a WebSocket.
fn pages(config: &Config) -> String {
    match config.websocket.origins(&config.domains) {
        Origins::Any => "of any web site".into(),
        Origins::Hosts(hosts) => format!("at {}", listed(hosts.iter().map(ToString::to_string))),
        Origins::Sites(sites) => none_if_empty(listed(sites.iter().map(ToString::to_string))),
    }
}

fn challenges(config: &Config) -> String {
    if config.auth.challenge.is_empty() {
        return "nobody: everybody is trusted".into();
    }
    format!("{} (realm \"{}\")", config.auth.challenge.join(" "), config.auth.realm)
}

fn kept(config: &Config) -> String {
    match (&config.store.url, config.store.durability) {
        (StoreUrl::File(folder), Durability::Grouped) => {
            format!("registrations and its secret in {}", folder.display())
        }
        (StoreUrl::File(folder), Durability::Relaxed) => format!(
            "registrations and its secret in {}; a crash may lose the last moment",
            folder.display()
        ),
        (StoreUrl::File(_), Durability::Memory) => {
            "registrations in memory, nothing on disk".into()
        }
        (StoreUrl::Redis(url), _) => {
            // Never the text itself: its password is in it.
            let servers = cluster::Url::parse(url.reveal()).map(|url| url.servers());
            format!("registrations in Redis at {}", listed(servers.unwrap_or_default().into_iter()))
        }
    }
}

fn extensions(config: &Config) -> String {
    let one = |extension: &crate::config::Extension| {
        let proof = match &extension.credential {
            Credential::Password(_) => "",
            Credential::Ha1(Ha1 { md5: Some(_), sha256: None, sha512_256: None }) => " (MD5 only)",
            Credential::Ha1(_) => " (digests)",
        };
        let name = extension.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        format!("{}{name}{proof}", extension.number)
    };
    let none = config.extensions.is_empty() && !config.auth.challenge.is_empty();
    if none {
        "none: nobody can register".into()
    } else {
        none_if_empty(listed(config.extensions.iter().map(one)))
    }
}

fn route(route: &Route) -> String {
    let does = match &route.action {
        Action::To(hops) if hops.is_empty() => "to what DNS says".into(),
        Action::To(hops) => format!("to {}", hops.join(", then ")),
        Action::Enum(zone) => format!("where {zone} says"),
        Action::Group(name) => format!("to group {name}"),
        Action::Redirect(elsewhere) => {
            format!("{} to {}", elsewhere.status, elsewhere.to.join(", "))
        }
        Action::Deny { status, reason } => format!("refused: {status} {reason}"),
    };
    format!("{} {does}", route.name)
}

fn group(group: &Group) -> String {
    let members: Vec<_> = group.members.iter().map(|member| &*member.to).collect();
    format!("{} of {}", group.name, members.join(", "))
}

/// The first few of a list, and how many more.
fn listed(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(SHOWN);
    let mut list = items.take(SHOWN).collect::<Vec<_>>().join(", ");
    if more > 0 {
        // Writing into a String cannot fail.
        let _ = write!(list, " and {more} more");
    }
    list
}

fn off_if_empty(list: String) -> String {
    if list.is_empty() { "off".into() } else { list }
}

fn none_if_empty(list: String) -> String {
    if list.is_empty() { "none".into() } else { list }
}

/// Items of a list that fit on one screen.
const SHOWN: usize = 8;
