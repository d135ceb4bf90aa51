//! `[store]`: where location, users and call records are kept.

use std::path::PathBuf;

use super::fault::{At, Faults};
use super::key::{Key, Section};
use super::near::nearest;
use super::secret::Secret;
use super::table::Table;

/// Where things are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// The store.
    pub url: StoreUrl,
    /// When a record counts as kept.
    pub durability: Durability,
    /// Of a Redis cluster that speaks TLS: the file with the authorities that are believed there; the system's without it.
    pub authority: Option<PathBuf>,
    /// Of a Redis cluster: how many replicas must have a record before it counts as kept.
    pub replicas: u16,
}

/// Which store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreUrl {
    /// A folder on this machine, embedded.
    File(PathBuf),
    /// A Valkey or Redis server or cluster; the URL may hold its password.
    Redis(Secret),
}

/// When a record counts as kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// The answer waits until its record is on disk; records go there in groups.
    Grouped,
    /// The answer does not wait: a crash may lose the last moment.
    Relaxed,
    /// Nothing is written: a restart forgets everything.
    Memory,
}

impl Durability {
    /// As it is written in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grouped => "grouped",
            Self::Relaxed => "relaxed",
            Self::Memory => "memory",
        }
    }

    const ALL: [Self; 3] = [Self::Grouped, Self::Relaxed, Self::Memory];
}

impl Default for Store {
    fn default() -> Self {
        Self {
            url: StoreUrl::File("data".into()),
            durability: Durability::Grouped,
            authority: None,
            replicas: 0,
        }
    }
}

impl Store {
    pub(super) fn read(written: &Table<'_>, faults: &mut Faults) -> Self {
        let default = Self::default();
        let url = written.text("url", faults).and_then(|url| read_url(url, faults));
        let durability =
            written.text("durability", faults).and_then(|word| read_durability(word, faults));
        let replicas = written.number("replicas", 0..=u64::from(MOST_REPLICAS), faults);
        let redis = matches!(url, Some(StoreUrl::Redis(_)));
        if written.has("replicas") && !redis {
            faults.warn(
                written.span_of("replicas"),
                "`replicas` is not used: the store is no Redis",
                "remove it, or write url = \"redis://…\"",
            );
        }
        let authority = written.text("authority", faults);
        let secure =
            matches!(&url, Some(StoreUrl::Redis(url)) if url.reveal().starts_with("rediss:"));
        if let Some(authority) = authority.filter(|_| !secure) {
            faults.warn(
                authority.span,
                "`authority` is not used: no TLS is spoken with the store",
                "remove it, or write url = \"rediss://…\"",
            );
        }
        Self {
            authority: authority.map(|file| file.value.into()),
            url: url.unwrap_or(default.url),
            durability: durability.unwrap_or(default.durability),
            replicas: replicas.map_or(default.replicas, |replicas| {
                u16::try_from(replicas.value).unwrap_or(MOST_REPLICAS)
            }),
        }
    }
}

fn read_url(url: At<&str>, faults: &mut Faults) -> Option<StoreUrl> {
    let Some((scheme, rest)) = url.value.split_once(':') else {
        faults.refuse_hidden(
            url.span,
            "`url` has no scheme",
            "write \"file:…\" for a folder, or \"redis://…\"",
        );
        return None;
    };
    match scheme {
        "file" if rest.is_empty() => {
            faults.refuse_hidden(url.span, "`url` names no folder", "write \"file:data\"");
            None
        }
        "file" => Some(StoreUrl::File(rest.strip_prefix("//").unwrap_or(rest).into())),
        "redis" | "rediss" if rest.strip_prefix("//").is_some_and(|rest| !rest.is_empty()) => {
            if let Err(why) = ::cluster::Url::parse(url.value) {
                faults.refuse_hidden(url.span, format!("`url` cannot be read: {why}"), EXAMPLE);
            }
            Some(StoreUrl::Redis(Secret::new(url.value)))
        }
        "redis" | "rediss" => {
            faults.refuse_hidden(url.span, "`url` names no server", EXAMPLE);
            None
        }
        other => {
            // What stands before the colon may be half a password: only a word that is near is repeated, as ours.
            let hint = match nearest(other, ["file", "redis"]) {
                Some(scheme) => format!("did you mean `{scheme}:`?"),
                None => "known: \"file:…\", \"redis://…\"".into(),
            };
            faults.refuse_hidden(url.span, "`url` has an unknown scheme", hint);
            None
        }
    }
}

fn read_durability(word: At<&str>, faults: &mut Faults) -> Option<Durability> {
    let known = Durability::ALL.into_iter().find(|durability| durability.as_str() == word.value);
    if known.is_none() {
        let names = Durability::ALL.map(Durability::as_str);
        let hint = match nearest(word.value, names) {
            Some(name) => format!("did you mean \"{name}\"?"),
            None => format!("known: {}", names.join(", ")),
        };
        faults.refuse(
            word.span,
            format!("unknown durability `{}`", word.value.escape_debug()),
            hint,
        );
    }
    known
}

/// How it looks.
const EXAMPLE: &str = "write \"redis://user:password@192.0.2.1:6379,192.0.2.2:6379\"";

/// Redis keeps no more copies than anybody has.
const MOST_REPLICAS: u16 = 5;

pub(super) const SECTION: Section = Section {
    name: "store",
    repeated: false,
    about: "Where registrations are kept, so that phones are found at once after a restart or a power cut. In the folder lie the table \
            (`offhook.db`, an SQLite file) and the server's secret, with which calls that are up can still be hung up. Phones that came over a \
            connection are found again when they open a new one. A full disk is answered with 503 and said in the log.",
    keys: &[
        Key::new(
            "url",
            "\"file:data\"",
            "`file:` and a folder, embedded: nothing to install. For several servers: `redis://user:password@host:port,host:port` (Valkey or Redis, a cluster or a single one; `rediss` for \
             TLS; what stands behind a last `/` begins all keys there), and [cluster]. A \
             password in it is never shown. `offhook serve --data DIR` is the same as `file:DIR`.",
        )
        .secret(),
        Key::new(
            "durability",
            "\"grouped\"",
            "`grouped`: a 200 to REGISTER is sent after its record is on disk, many records at a time. `relaxed`: it is \
             not waited for, a crash may lose the last moment. `memory`: nothing is written. The default never loses what \
             a phone was promised.",
        ),
        Key::optional(
            "authority",
            "those that the system trusts",
            "Of `rediss://`: a file with the certificate (PEM) of the authority that certifies the servers of the store. They must prove to be the hosts that \
             `url` and the cluster itself name.",
        ),
        Key::new(
            "replicas",
            "0",
            "Of a Redis cluster: how many replicas must have a record before a 200 to REGISTER is sent. 0: the master alone, which may lose \
             the last moment when it dies. More than there are: no registration works.",
        ),
    ],
};
