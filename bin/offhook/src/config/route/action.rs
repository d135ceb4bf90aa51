//! What a route does: forward, answer "try there", or refuse.

use ::server::settings::{Action, Elsewhere, Match, Whose};

use super::leads_somewhere;
use crate::config::fault::{At, Faults};
use crate::config::key::Key;
use crate::config::table::Table;
use crate::config::uri;
use crate::limits;

/// Reads what a route does; its `match` decides whether it must say where.
pub(super) fn read(
    entry: &Table<'_>,
    matches: Option<&Match>,
    faults: &mut Faults,
) -> Option<Action> {
    let deny = deny(entry, faults);
    let to = targets(entry, faults);
    let status = redirect_status(entry, faults);
    let expires = redirect_expires(entry, faults);
    if entry.has("deny") {
        for key in ["to", "redirect", "rewrite", "expires"].into_iter().filter(|key| entry.has(key))
        {
            faults.refuse(
                entry.span_of(key),
                format!("a route that denies has no use for `{key}`"),
                "remove one of the two",
            );
        }
        return deny;
    }
    if entry.has("expires") && !entry.has("redirect") {
        faults.refuse(
            entry.span_of("expires"),
            "`expires` belongs to `redirect`",
            "add redirect = 302",
        );
    }
    if entry.has("redirect") {
        if !entry.has("to") {
            faults.refuse(
                entry.span,
                "a route that redirects needs `to`: try where?",
                "add to = [\"sip:…\"]",
            );
        }
        return Some(Action::Redirect(Elsewhere { status: status?, to, expires }));
    }
    let action = Action::To(to);
    if matches.is_some_and(|matches| matches.whose == Whose::Ours)
        && !entry.has("to")
        && !leads_somewhere(&action)
    {
        let what = match matches.map(|matches| matches.prefixes.is_empty()) {
            Some(true) => "a route for numbers needs `to`: there is no domain to look up",
            _ => "a route for a prefix needs `to`: there is no domain to look up",
        };
        faults.refuse(entry.span, what, "add to = \"sip:…\"");
    }
    Some(action)
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
