//! What a route does: forward, answer "try there", or refuse.

use ::server::settings::{Action, Elsewhere, Group, Match, Whose};

use crate::config::domains::Domain;
use crate::config::fault::{At, Faults};
use crate::config::key::Key;
use crate::config::near::nearest;
use crate::config::table::Table;
use crate::config::uri;
use crate::limits;

/// Reads what a route does; its `match` decides whether it must say where.
pub(super) fn read(
    entry: &Table<'_>,
    (matches, groups): (Option<&Match>, &[Group]),
    faults: &mut Faults,
) -> Option<Action> {
    let deny = deny(entry, faults);
    let group = group(entry, groups, faults);
    let zone = zone(entry, faults);
    let to = targets(entry, faults);
    let status = redirect_status(entry, faults);
    let expires = redirect_expires(entry, faults);
    judge_pairs(entry, faults);
    if entry.has("deny") {
        return deny;
    }
    if entry.has("redirect") {
        return Some(Action::Redirect(Elsewhere { status: status?, to, expires }));
    }
    if entry.has("group") {
        return group;
    }
    if entry.has("enum") {
        return Some(Action::Enum(zone?));
    }
    let numbers = matches.is_some_and(|matches| matches.whose == Whose::Ours);
    if numbers && !entry.has("to") {
        let what = match matches.map(|matches| matches.prefixes.is_empty()) {
            Some(true) => "a route for numbers needs `to`: there is no domain to look up",
            _ => "a route for a prefix needs `to`: there is no domain to look up",
        };
        faults.refuse(entry.span, what, "add to = \"sip:…\"");
    }
    Some(Action::To(to))
}

/// What does not go together, and what does not go alone.
fn judge_pairs(entry: &Table<'_>, faults: &mut Faults) {
    let useless = ["to", "group", "enum", "redirect", "rewrite", "expires"];
    for key in useless.into_iter().filter(|key| entry.has("deny") && entry.has(key)) {
        let what = format!("a route that denies has no use for `{key}`");
        faults.refuse(entry.span_of(key), what, "remove one of the two");
    }
    if entry.has("deny") {
        return;
    }
    if entry.has("expires") && !entry.has("redirect") {
        let what = "`expires` belongs to `redirect`";
        faults.refuse(entry.span_of("expires"), what, "add redirect = 302");
    }
    if entry.has("redirect") && !entry.has("to") {
        let what = "a route that redirects needs `to`: try where?";
        faults.refuse(entry.span, what, "add to = [\"sip:…\"]");
    }
    if entry.has("enum") && ["to", "group", "redirect"].iter().any(|key| entry.has(key)) {
        let what = "`enum` lets the DNS say where, and something else does, too: which one counts?";
        faults.refuse(
            entry.span_of("enum"),
            what,
            "write a route for each: the next is taken when the DNS says nothing",
        );
    }
    if entry.has("group") && (entry.has("to") || entry.has("redirect")) {
        let what = "`group` says where, and something else does, too: which one counts?";
        faults.refuse(entry.span_of("group"), what, "remove one of the two");
    }
}

/// The zone in which a number is asked for.
fn zone(entry: &Table<'_>, faults: &mut Faults) -> Option<Box<str>> {
    Some(Domain::read(entry.text("enum", faults)?, faults)?.as_str().into())
}

/// The group that a route leads to.
fn group(entry: &Table<'_>, groups: &[Group], faults: &mut Faults) -> Option<Action> {
    let written = entry.text("group", faults)?;
    let names = || groups.iter().map(|group| &*group.name);
    if names().any(|name| name == written.value) {
        return Some(Action::Group(written.value.into()));
    }
    let hint = match nearest(written.value, names()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("add [[group]] with name = \"{}\"", written.value.escape_debug()),
    };
    faults.refuse(
        written.span,
        format!("there is no group `{}`", written.value.escape_debug()),
        hint,
    );
    None
}

fn targets(entry: &Table<'_>, faults: &mut Faults) -> Vec<Box<str>> {
    let Some(texts) = entry.texts("to", faults) else { return Vec::new() };
    let empty = entry
        .value("to")
        .and_then(|value| value.get_ref().as_array())
        .is_some_and(|list| list.is_empty());
    if empty {
        faults.refuse(entry.span_of("to"), "`to` is empty: go where?", "add an address");
    }
    if texts.len() > server::limits::TARGETS {
        faults.refuse(
            entry.span_of("to"),
            format!("at most {} are tried", server::limits::TARGETS),
            "remove some",
        );
    }
    texts
        .into_iter()
        .filter_map(|text| uri::read(text, faults))
        .map(String::into_boxed_str)
        .collect()
}

/// The status of a redirection (RFC 3261 §21.3).
fn redirect_status(entry: &Table<'_>, faults: &mut Faults) -> Option<u16> {
    let written = entry.number("redirect", 0..=999, faults)?;
    status_of(written, faults)
}

/// 300, 301, 302 or 305.
pub(in crate::config) fn status_of(written: At<u64>, faults: &mut Faults) -> Option<u16> {
    let status =
        u16::try_from(written.value).ok().filter(|status| matches!(status, 300 | 301 | 302 | 305));
    if status.is_none() {
        let hint = "300 (several), 301 (for good), 302 (for now) or 305 (by this proxy)";
        faults.refuse(written.span, format!("{} is no redirection", written.value), hint);
    }
    status
}

/// `expires` of a redirection, in seconds.
pub(in crate::config) fn redirect_expires(entry: &Table<'_>, faults: &mut Faults) -> Option<u32> {
    let seconds = entry.number("expires", 0..=limits::EXPIRES, faults)?;
    u32::try_from(seconds.value).ok()
}

fn deny(entry: &Table<'_>, faults: &mut Faults) -> Option<Action> {
    let value = entry.value("deny")?;
    if value.get_ref().as_str().is_some() {
        let reason = entry.text("deny", faults)?;
        return judge_reason(reason, faults)
            .then(|| Action::Deny { status: 403, reason: reason.value.into() });
    }
    let table = entry.table("deny", faults)?;
    let status = table
        .number("status", 400..=699, faults)
        .map_or(Some(403), |status| u16::try_from(status.value).ok())?;
    let reason = table.required("reason", "`deny`", faults)?;
    judge_reason(reason, faults).then(|| Action::Deny { status, reason: reason.value.into() })
}

/// A reason phrase is one short line.
fn judge_reason(reason: At<&str>, faults: &mut Faults) -> bool {
    let length = reason.value.chars().count();
    let fits = (1..=limits::REASON).contains(&length) && !reason.value.contains(char::is_control);
    if !fits {
        let what = format!("a reason is one line of 1 to {} characters", limits::REASON);
        faults.refuse(reason.span, what, "write it like \"Premium Numbers Are Not Allowed\"");
    }
    fits
}

pub(super) const DENY: &[Key] = &[
    Key::optional(
        "status",
        "403",
        "403: not from here. 603: nowhere, so that no other server is asked. From 400 to 699.",
    ),
    Key::required("reason", "Why, in words for the caller."),
];
