//! `[[redirect]]`: users that are answered with 302 (RFC 3261 §8.3).

use std::collections::BTreeSet;

use ::server::settings::{Elsewhere, Redirect};

use super::extension::{Extension, user};
use super::fault::Faults;
use super::key::{Key, Section};
use super::route::{redirect_expires, status_of};
use super::table::Table;
use super::uri;

pub(super) fn read(
    entries: &[Table<'_>],
    extensions: &[Extension],
    faults: &mut Faults,
) -> Vec<Redirect> {
    let numbers: BTreeSet<_> =
        extensions.iter().map(|extension| extension.number.as_str()).collect();
    let mut users = BTreeSet::new();
    let mut redirects = Vec::new();
    for entry in entries {
        let status = entry.number("status", 0..=999, faults);
        let status = status.map_or(Some(302), |status| status_of(status, faults)).unwrap_or(302);
        let expires = redirect_expires(entry, faults);
        let name = entry
            .required("user", "[[redirect]]", faults)
            .filter(|name| user(*name, "user", faults));
        if let Some(name) = name {
            if !users.insert(name.value) {
                faults.refuse(
                    name.span,
                    format!("`{}` is redirected twice", name.value),
                    "put both into one `to`",
                );
            }
            if numbers.contains(name.value) {
                let what = format!(
                    "`{}` is an [[extension]] and cannot be redirected as well",
                    name.value
                );
                faults.refuse(name.span, what, "remove one of the two");
            }
        }
        if !entry.has("to") {
            faults.refuse(entry.span, "[[redirect]] has no `to`", "add to = [\"sip:…\"]");
        }
        let Some(texts) = entry.texts("to", faults) else { continue };
        if entry
            .value("to")
            .is_some_and(|value| value.get_ref().as_array().is_some_and(|list| list.is_empty()))
        {
            faults.refuse(entry.span_of("to"), "`to` is empty: try where?", "add an address");
        }
        let to = texts.into_iter().filter_map(|text| uri::read(text, faults));
        let to = to.map(String::into_boxed_str).collect();
        let Some(name) = name else { continue };
        redirects.push(Redirect { user: name.value.into(), to: Elsewhere { status, to, expires } });
    }
    redirects
}

pub(super) const SECTION: Section = Section {
    name: "redirect",
    repeated: true,
    about: "A user that is somewhere else: requests for it are answered with 302 (RFC 3261 §8.3), or another status of its class.",
    keys: &[
        Key::required("user", "What stands before the @ of the address that is asked for."),
        Key::required("to", "Where to try instead: a list of SIP URIs, best first."),
        Key::optional(
            "status",
            "302",
            "300: there are several; 301: for good; 302: for now; 305: by this proxy (RFC 3261 §21.3).",
        ),
        Key::optional(
            "expires",
            "nothing is said: it is good for one try",
            "For how many seconds it may be remembered.",
        ),
    ],
};
