//! `[[route]]`: where requests for other domains or prefixes go (RFC 3261 §16.5).

use sip::Uri;

use super::domains::Domain;
use super::fault::{At, Faults};
use super::key::{Key, Section};
use super::table::Table;

/// Where some requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Which requests.
    pub matches: Match,
    /// The next hop, a SIP URI; `None`: the domain is looked up (RFC 3263).
    pub to: Option<String>,
}

/// Which requests a route is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// Those for a domain.
    Domain(Domain),
    /// Those for one of our domains whose user begins with this.
    Prefix(String),
}

pub(super) fn read(entries: &[Table<'_>], ours: &[Domain], faults: &mut Faults) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    for entry in entries {
        let to = entry.text("to", faults).and_then(|text| uri(text, faults));
        if !entry.has("match") {
            let hint = "add match = { domain = \"…\" } or match = { prefix = \"…\" }";
            faults.refuse(entry.span, "[[route]] has no `match`", hint);
        }
        let Some(table) = entry.table("match", faults) else { continue };
        let Some(matches) = read_match(&table, ours, faults) else { continue };
        if matches!(matches, Match::Prefix(_)) && !entry.has("to") {
            faults.refuse(
                entry.span,
                "a route for a prefix needs `to`: there is no domain to look up",
                "add to = \"sip:…\"",
            );
        }
        if routes.iter().any(|route| route.matches == matches) {
            faults.refuse(table.span, "there is a route for this already", "remove one");
        }
        routes.push(Route { matches, to });
    }
    routes
}

fn read_match(table: &Table<'_>, ours: &[Domain], faults: &mut Faults) -> Option<Match> {
    match (table.text("domain", faults), table.text("prefix", faults)) {
        (Some(_), Some(_)) => {
            faults.refuse(
                table.span,
                "`match` has a domain and a prefix",
                "write a route for each",
            );
            None
        }
        (Some(written), None) => {
            let domain = Domain::read(written, faults)?;
            if ours.contains(&domain) {
                let what =
                    format!("`{domain}` is one of our own `domains`: its requests stay here");
                faults.refuse(written.span, what, "remove it there or here");
            }
            Some(Match::Domain(domain))
        }
        (None, Some(written)) => {
            let dialled = |c: char| c.is_ascii_alphanumeric() || "+*#-_.".contains(c);
            if written.value.is_empty() || !written.value.chars().all(dialled) {
                let what =
                    format!("`{}` is not the beginning of a number", written.value.escape_debug());
                faults.refuse(written.span, what, "write it like \"+49\" or \"00\"");
                return None;
            }
            Some(Match::Prefix(written.value.to_owned()))
        }
        (None, None) => {
            if !table.has("domain") && !table.has("prefix") {
                faults.refuse(
                    table.span,
                    "`match` says nothing",
                    "add domain = \"…\" or prefix = \"…\"",
                );
            }
            None
        }
    }
}

/// Understands a SIP or SIPS URI, or refuses it.
pub(super) fn uri(written: At<&str>, faults: &mut Faults) -> Option<String> {
    let quoted = format!("`{}`", written.value.escape_debug());
    let scheme = written.value.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_sip = scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips");
    match Uri::parse(written.value.as_bytes()) {
        Ok(Uri::Sip(_)) => return Some(written.value.to_owned()),
        Err(error) if is_sip => {
            let (wrong, part) = written.value.split_at_checked(error.at).unwrap_or_default();
            let what = match part {
                "" => format!("{quoted} ends too early"),
                _ => format!("{quoted} is wrong after `{}`", wrong.escape_debug()),
            };
            faults.refuse(written.span, what, "write it like \"sip:192.0.2.7:5060\"");
        }
        Ok(_) | Err(_) => {
            let hint = "write it like \"sip:101@example.test\"";
            faults.refuse(written.span, format!("{quoted} is not a SIP URI"), hint);
        }
    }
    None
}

pub(super) const SECTION: Section = Section {
    name: "route",
    repeated: true,
    about: "Where requests go that are not for our own users. Who has no `[[route]]` for a domain refuses its requests: a \
            server that forwards anything for anybody is a gift to fraudsters.",
    keys: &[
        Key::required("match", "Which requests: exactly one of these.").with(&[
            Key::optional("domain", "`prefix` must be there", "Those for this domain."),
            Key::optional(
                "prefix",
                "`domain` must be there",
                "Those for our domains whose user begins so: \"+49\".",
            ),
        ]),
        Key::optional(
            "to",
            "the domain is looked up in DNS (RFC 3263)",
            "The next hop: \"sip:192.0.2.7:5060;transport=tcp\". Needed with `prefix`.",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::fault::Span;

    #[test]
    fn a_uri_is_wrong_at_a_place() {
        let read = |value| {
            let mut faults = Faults::default();
            let found = uri(At { value, span: Span::default() }, &mut faults);
            found.or_else(|| faults.faults.first().map(|fault| fault.what.clone())).unwrap()
        };
        for (written, answer) in [
            ("sip:192.0.2.7:5060;transport=tcp", "sip:192.0.2.7:5060;transport=tcp"),
            ("sips:b@[::1]", "sips:b@[::1]"),
            ("b", "`b` is not a SIP URI"),
            ("tel:+491", "`tel:+491` is not a SIP URI"),
            ("sip:h:99999", "`sip:h:99999` is wrong after `sip:h:`"),
            ("sip:", "`sip:` ends too early"),
        ] {
            assert_eq!(read(written), answer);
        }
    }
}
