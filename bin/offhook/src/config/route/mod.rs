//! `[[route]]`: where requests for other domains and for numbers go (RFC 3261 §16.5).

mod action;
mod matching;
mod rewrite;
mod when;

pub(super) use action::{redirect_expires, status_of};
pub(super) use matching::{each, network};

use std::net::SocketAddr;

use ::server::settings::{Action, Group, Match, Route, Toll, Trust, Whose};

use super::choice::choice;
use super::domains::Domain;
use super::extension::Extension;
use super::fault::Faults;
use super::key::{Key, Section};
use super::table::Table;

/// What routes may speak of.
pub(super) struct Known<'a> {
    pub(super) domains: &'a [Domain],
    pub(super) groups: &'a [Group],
    pub(super) extensions: &'a [Extension],
    pub(super) listeners: Vec<SocketAddr>,
}

pub(super) fn read(entries: &[Table<'_>], known: &Known<'_>, faults: &mut Faults) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    for entry in entries {
        if !entry.has("match") {
            let hint = "add match = { domain = \"…\" } or match = { prefix = \"…\" }";
            faults.refuse(entry.span, "[[route]] has no `match`", hint);
        }
        let name = entry.text("name", faults);
        let when = entry.table("when", faults).and_then(|table| when::read(&table, faults));
        let rewrite =
            entry.table("rewrite", faults).and_then(|table| rewrite::read(&table, faults));
        let challenge = entry.flag("challenge", faults);
        let toll = toll(entry, faults);
        let matched = entry
            .table("match", faults)
            .map(|table| (table, matching::read(&table, known, faults)));
        let action = action::read(
            entry,
            (matched.as_ref().and_then(|(_, found)| found.as_ref()), known.groups),
            faults,
        );
        let Some((table, Some(matches))) = matched else { continue };
        let Some(action) = action else { continue };
        let trust = if challenge == Some(false) { Trust::Network } else { Trust::Proven };
        if trust == Trust::Network && (matches.networks.is_empty() || !matches.callers.is_empty()) {
            faults.refuse(
                entry.span_of("challenge"),
                "a route that asks nobody who it is must say from where",
                "add network = \"…\" to `match`, and no caller",
            );
        }
        if matches!(action, Action::Enum(_)) && matches.whose != Whose::Ours {
            let what = "the DNS is asked for numbers of our own domains";
            faults.refuse(entry.span_of("enum"), what, "remove `domain` from `match`");
        }
        let name = name.map_or_else(|| called(&matches, routes.len()), |name| name.value.into());
        let route = Route { name: name.into(), matches, when, rewrite, trust, toll, action };
        judge_order(&routes, &route, &table, faults);
        routes.push(route);
    }
    routes
}

/// What calls along a route cost.
fn toll(entry: &Table<'_>, faults: &mut Faults) -> Toll {
    let word = entry.text("toll", faults);
    let toll = word.and_then(|word| choice(word, "toll", &TOLLS, faults)).unwrap_or_default();
    let refuses = entry.has("deny");
    if refuses != (toll == Toll::Forbidden) && toll != Toll::Counted {
        let what = match refuses {
            true => "a route that refuses costs nothing",
            false => "`toll = \"fraud\"` is for a route that refuses",
        };
        faults.refuse(entry.span_of("toll"), what, "\"fraud\" with `deny`, \"free\" without");
    }
    toll
}

const TOLLS: [(&str, Toll); 3] =
    [("counted", Toll::Counted), ("free", Toll::Free), ("fraud", Toll::Forbidden)];

/// What people call a route that has no name.
fn called(matches: &Match, place: usize) -> String {
    match (&matches.whose, matches.prefixes.as_slice(), &matches.pattern) {
        (Whose::Ours, [prefix, ..], _) => format!("{prefix}…"),
        (Whose::Ours, [], Some(pattern)) => pattern.to_string(),
        (Whose::Domain(domain), ..) => domain.to_string(),
        _ => format!("route {}", place.saturating_add(1)),
    }
}

/// The first route that fits is taken: one behind another that fits whatever it does is never taken.
fn judge_order(before: &[Route], route: &Route, table: &Table<'_>, faults: &mut Faults) {
    let Some(first) = before.iter().find(|first| first.covers(route)) else { return };
    if first.matches == route.matches && first.when == route.when {
        faults.refuse(table.span, "there is a route for this already", "remove one");
    } else {
        let what =
            format!("this route is never taken: `{}` comes first, and takes all of it", first.name);
        faults.warn(table.span, what, "put the narrower route first");
    }
}

/// Does a domain of ours stay here?
fn is_ours(domain: &Domain, known: &Known<'_>) -> bool {
    known.domains.contains(domain)
}

pub(super) const SECTION: Section = Section {
    name: "route",
    repeated: true,
    about: "Where requests go that are not for our own users. The first route that fits is taken, so the narrower one stands first. Who has no \
            `[[route]]` for a domain refuses its requests: a server that forwards anything for anybody is a gift to fraudsters. \
            [routing.md](routing.md) has examples; `offhook ctl explain` says which route a call takes, and why.",
    keys: &[
        Key::optional(
            "name",
            "the prefix or the domain",
            "What the log and `offhook ctl explain` call it.",
        ),
        Key::required("match", "Which requests: all that is said here must be so.")
            .with(matching::KEYS),
        Key::optional("when", "always", "At which times.").with(when::KEYS),
        Key::optional(
            "rewrite",
            "the number stays as it is",
            "What becomes of the number, or user, in the Request-URI.",
        )
        .with(rewrite::KEYS),
        Key::optional(
            "to",
            "the domain is looked up in DNS (RFC 3263)",
            "The next hop: \"sip:192.0.2.7:5060;transport=tcp\"; or a list, the first that takes the request. Needed for numbers. A number \
             gets the host of the hop, a user of another domain keeps its own. With `redirect`: where to try instead.",
        ),
        Key::optional(
            "enum",
            "the DNS is not asked",
            "Instead of `to`: the zone in which the DNS is asked for the number (ENUM, RFC 6116): \"e164.arpa\". The number must begin with +. When it \
             says nothing, the next route that fits is taken.",
        ),
        Key::optional("group", "`to` says where", "Instead of `to`: the name of a `[[group]]`."),
        Key::optional(
            "redirect",
            "the request is forwarded",
            "300, 301, 302 or 305: the request is not forwarded but answered so, with `to` as Contacts, the best first (RFC 3261 §21.3).",
        ),
        Key::optional(
            "expires",
            "nothing is said",
            "With `redirect`: for how many seconds that may be remembered.",
        ),
        Key::optional(
            "deny",
            "the request is let through",
            "Why it is refused, in words for the caller: 403. Or a table, for another status.",
        )
        .with(action::DENY),
        Key::optional(
            "toll",
            "\"counted\"",
            "\"counted\": the limits of `[tolls]` hold. \"free\": they do not, for emergencies. \"fraud\", with `deny`: whoever tries is reported, and an \
             account that goes on has to wait.",
        ),
        Key::optional(
            "challenge",
            "true",
            "Whoever takes a route must prove to be a user of ours. `false` trusts the networks of `match` instead: for a PBX or a carrier that \
             cannot. Only for addresses that nobody else can send from.",
        ),
    ],
};
