//! `match`: which requests a route is for.

use ::server::routes::{Case, Network, Pattern};
use ::server::settings::{Match, Whose};

use super::{Known, is_ours};
use crate::config::address;
use crate::config::auth::METHODS;
use crate::config::domains::Domain;
use crate::config::fault::{At, Faults};
use crate::config::key::Key;
use crate::config::near::nearest;
use crate::config::table::Table;

pub(super) fn read(table: &Table<'_>, known: &Known<'_>, faults: &mut Faults) -> Option<Match> {
    if table.is_empty() {
        faults.refuse(table.span, "`match` says nothing", "add domain = \"…\" or prefix = \"…\"");
        return None;
    }
    let before = faults.faults.len();
    let matches = Match {
        whose: whose(table, known, faults),
        prefixes: each(table, "prefix", faults, prefix),
        pattern: table.text("regex", faults).and_then(|text| pattern(text, faults)),
        methods: each(table, "method", faults, method),
        callers: each(table, "caller", faults, |text, faults| caller(text, known, faults)),
        networks: each(table, "network", faults, network),
        listeners: each(table, "listener", faults, |text, faults| listener(text, known, faults)),
    };
    (faults.faults.len() == before).then_some(matches)
}

/// Each text of a list, understood.
pub(in super::super) fn each<T>(
    table: &Table<'_>,
    key: &str,
    faults: &mut Faults,
    mut read: impl FnMut(At<&str>, &mut Faults) -> Option<T>,
) -> Vec<T> {
    let texts = table.texts(key, faults);
    if table.has(key) && texts.as_ref().is_some_and(Vec::is_empty) && faults.faults.is_empty() {
        faults.refuse(
            table.span_of(key),
            format!("`{key}` is empty: it would match nothing"),
            "leave it out",
        );
    }
    texts.unwrap_or_default().into_iter().filter_map(|text| read(text, faults)).collect()
}

fn whose(table: &Table<'_>, known: &Known<'_>, faults: &mut Faults) -> Whose {
    let Some(written) = table.text("domain", faults) else { return Whose::Ours };
    if written.value == "*" {
        return Whose::Anybody;
    }
    let Some(domain) = Domain::read(written, faults) else { return Whose::Ours };
    if is_ours(&domain, known) {
        let what = format!("`{domain}` is one of our own `domains`: its requests stay here");
        faults.refuse(written.span, what, "remove it there or here");
    }
    Whose::Domain(domain.as_str().into())
}

fn prefix(written: At<&str>, faults: &mut Faults) -> Option<Box<str>> {
    let dialled = |c: char| c.is_ascii_alphanumeric() || "+*#-_.".contains(c);
    if written.value.is_empty() || !written.value.chars().all(dialled) {
        let what = format!("`{}` is not the beginning of a number", written.value.escape_debug());
        faults.refuse(written.span, what, "write it like \"+49\" or \"00\"");
        return None;
    }
    Some(written.value.into())
}

/// Understands a regular expression, or refuses it.
pub(super) fn pattern(written: At<&str>, faults: &mut Faults) -> Option<Pattern> {
    match Pattern::new(written.value, Case::Counts) {
        Ok(pattern) => Some(pattern),
        Err(why) => {
            let what =
                format!("`{}` is no regular expression: {why}", written.value.escape_debug());
            faults.refuse(written.span, what, "write it like '^00[1-9]', in single quotes");
            None
        }
    }
}

fn method(written: At<&str>, faults: &mut Faults) -> Option<Box<str>> {
    if METHODS.contains(&written.value) {
        return Some(written.value.into());
    }
    let hint = match nearest(written.value, METHODS.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("known: {}", METHODS.join(", ")),
    };
    faults.refuse(
        written.span,
        format!("no route is for `{}`", written.value.escape_debug()),
        hint,
    );
    None
}

fn caller(written: At<&str>, known: &Known<'_>, faults: &mut Faults) -> Option<Box<str>> {
    let numbers = || known.extensions.iter().map(|extension| extension.number.as_str());
    if numbers().any(|number| number == written.value) {
        return Some(written.value.into());
    }
    let hint = match nearest(written.value, numbers()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => "write the number of an [[extension]]".into(),
    };
    faults.refuse(
        written.span,
        format!("there is no extension `{}`", written.value.escape_debug()),
        hint,
    );
    None
}

pub(in super::super) fn network(written: At<&str>, faults: &mut Faults) -> Option<Network> {
    match written.value.parse() {
        Ok(network) => Some(network),
        Err(why) => {
            let what = format!("`{}` {why}", written.value.escape_debug());
            faults.refuse(
                written.span,
                what,
                "write it like \"192.0.2.0/24\" or \"2001:db8::/32\"",
            );
            None
        }
    }
}

fn listener(
    written: At<&str>,
    known: &Known<'_>,
    faults: &mut Faults,
) -> Option<std::net::SocketAddr> {
    let address = address::read(written, 5060, faults)?;
    if known.listeners.contains(&address) {
        return Some(address);
    }
    let mut all: Vec<_> = known.listeners.iter().map(ToString::to_string).collect();
    all.dedup();
    let what = format!("nothing listens at `{address}`");
    faults.refuse(written.span, what, format!("[listen] has {}", all.join(", ")));
    None
}

pub(super) const KEYS: &[Key] = &[
    Key::optional(
        "domain",
        "our own domains: numbers, and names that are no extensions",
        "Those for this domain; \"*\": for every domain but ours.",
    ),
    Key::optional(
        "prefix",
        "any",
        "Those whose number, or user, begins so: \"+49\"; or one of a list.",
    ),
    Key::optional(
        "regex",
        "any",
        "Those whose number, or user, looks so: '^0[1-9]'. It is searched anywhere unless `^` and `$` say otherwise, and takes time in proportion \
         to the number, whatever it is.",
    ),
    Key::optional("method", "any", "Those of these methods: \"INVITE\"."),
    Key::optional("caller", "anybody", "Those that these extensions ask for."),
    Key::optional("network", "any", "Those that come from here: \"192.0.2.0/24\"."),
    Key::optional(
        "listener",
        "any",
        "Those that came to this address of `[listen]`: \"192.0.2.1:5060\".",
    ),
];
