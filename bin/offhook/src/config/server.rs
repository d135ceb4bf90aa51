//! `[server]`: how the server runs.

use std::num::NonZeroUsize;
use std::time::Duration;

use ::server::settings::{Farewell, Role};
use net::Naps;

use super::fault::Faults;
use super::key::{Key, Section};
use super::near::nearest;
use super::table::Table;
use crate::limits;

/// How the server runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// How many threads own a node each; `None` is one per core.
    pub shards: Option<NonZeroUsize>,
    /// The longest that a busy shard lets packets gather; zero: it takes each as it comes.
    pub nap: Duration,
    /// Whether a busy shard gives datagrams of one length to one peer to the kernel as one.
    pub trains: bool,
    /// What it does with requests for others.
    pub role: Role,
    /// How long it gives what has begun, when it is told to stop.
    pub drain: Duration,
    /// For what it waits then.
    pub drain_until: Farewell,
    /// What the Server header of our own answers says; empty: there is none.
    pub software: String,
    /// Whether a crash may leave an image of its memory, with all its passwords.
    pub core_dumps: bool,
}

impl Default for Server {
    fn default() -> Self {
        let nap = Naps::default().signalling;
        Self {
            shards: None,
            nap,
            trains: true,
            role: Role::Proxy,
            drain: DRAIN,
            drain_until: Farewell::Requests,
            software: SOFTWARE.to_owned(),
            core_dumps: false,
        }
    }
}

const SOFTWARE: &str = "Offhook";

/// Timer B and a bit: longer no request waits for its answer that is not an INVITE (RFC 3261 §17.1.2.2).
const DRAIN: Duration = Duration::from_secs(35);

impl Server {
    pub(super) fn read(written: &Table<'_>, faults: &mut Faults) -> Self {
        let shards = written.number("shards", 0..=limits::SHARDS, faults);
        Self {
            shards: shards
                .and_then(|shards| usize::try_from(shards.value).ok())
                .and_then(NonZeroUsize::new),
            nap: written
                .number("nap", 0..=limits::NAP, faults)
                .map_or(Self::default().nap, |nap| Duration::from_micros(nap.value)),
            trains: written.flag("trains", faults).unwrap_or(true),
            role: role(written, faults),
            drain: written
                .number("drain", limits::DRAIN, faults)
                .map_or(DRAIN, |seconds| Duration::from_secs(seconds.value)),
            drain_until: drain_until(written, faults),
            software: software(written, faults),
            core_dumps: written.flag("core_dumps", faults).unwrap_or(false),
        }
    }
}

fn role(written: &Table<'_>, faults: &mut Faults) -> Role {
    let Some(role) = written.text("role", faults) else { return Role::Proxy };
    match role.value {
        "proxy" => return Role::Proxy,
        "redirect" => return Role::Redirect,
        _ => {}
    }
    let hint = match nearest(role.value, ["proxy", "redirect"]) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => "\"proxy\" or \"redirect\"".into(),
    };
    faults.refuse(role.span, format!("unknown role `{}`", role.value.escape_debug()), hint);
    Role::Proxy
}

fn drain_until(written: &Table<'_>, faults: &mut Faults) -> Farewell {
    let Some(until) = written.text("drain_until", faults) else { return Farewell::Requests };
    match until.value {
        "requests" => return Farewell::Requests,
        "calls" => return Farewell::Calls,
        _ => {}
    }
    let hint = match nearest(until.value, ["requests", "calls"]) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => "\"requests\" or \"calls\"".into(),
    };
    let what = format!("unknown `drain_until` `{}`", until.value.escape_debug());
    faults.refuse(until.span, what, hint);
    Farewell::Requests
}

/// One line of plain text (RFC 3261 §20.35).
fn software(written: &Table<'_>, faults: &mut Faults) -> String {
    let Some(text) = written.text("software", faults) else { return SOFTWARE.to_owned() };
    if text.value.contains(|c: char| !matches!(c, ' '..='~')) {
        let what = "`software` has a character that the Server header cannot hold";
        faults.refuse(text.span, what, "use letters, digits and `/`; or \"\" to say nothing");
    }
    text.value.to_owned()
}

pub(super) const SECTION: Section = Section {
    name: "server",
    repeated: false,
    about: "How the server runs.",
    keys: &[
        Key::new(
            "shards",
            "0",
            "How many threads share the calls; a call never leaves its shard. 0 is one per core: more would only take \
             turns.",
        ),
        Key::new(
            "nap",
            "250",
            "How many microseconds a busy shard lets packets gather before it looks again, at most, where waking up for each is \
             dear: it does so while a message costs a sixth less CPU that way, and tries both now and then. When there is little \
             to do nobody waits, and where much comes nobody waits for more than eight packets. 0: never. At most 1000.",
        ),
        Key::new(
            "trains",
            "true",
            "Whether a busy shard gives datagrams of one length to one peer to the kernel as one, which cuts them apart (UDP segmentation \
             offload), for half of what sending them costs. false: each by itself. What leaves then keeps its order, and tcpdump on \
             this machine shows each message for itself also where the network card does the cutting.",
        ),
        Key::new(
            "role",
            "\"proxy\"",
            "What it does with requests for others. \"proxy\": forward them. \"redirect\": answer 302 with where they are, and carry \
             nothing (RFC 3261 §8.3).",
        ),
        Key::new(
            "drain",
            "35",
            "Seconds that a server which is told to stop (SIGTERM) gives to what has begun, at most: it ends as soon as nothing is \
             missing. Meanwhile new calls and registrations are answered 503 \"Going Out of Service\" with a time to come back.",
        ),
        Key::new(
            "drain_until",
            "\"requests\"",
            "What it waits for then. \"requests\": that all are answered, and answers acknowledged; calls that are up go on without it, and \
             can be hung up when it is back. \"calls\": also that all calls are hung up, as far as they are followed (`[calls]`): for a \
             server that does not come back.",
        ),
        Key::new(
            "software",
            "\"Offhook\"",
            "What the Server header of our own answers says; \"\" writes none. Strangers who are asked who they are see \
             none anyway.",
        ),
        Key::new(
            "core_dumps",
            "false",
            "Whether a crash leaves an image of the memory for whoever looks for its cause. There are passwords in it.",
        ),
    ],
};
