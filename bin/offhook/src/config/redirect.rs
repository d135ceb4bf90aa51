//! `[[redirect]]`: users that are answered with 302 (RFC 3261 §8.3).

use std::collections::BTreeSet;

use super::extension::{Extension, user};
use super::fault::Faults;
use super::key::{Key, Section};
use super::route::uri;
use super::table::Table;

/// A user that is somewhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The user part of the address that was asked for.
    pub user: String,
    /// Where to try instead: SIP URIs, at least one, best first.
    pub to: Vec<String>,
}

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
        let to = texts.into_iter().filter_map(|text| uri(text, faults)).collect();
        let Some(name) = name else { continue };
        redirects.push(Redirect { user: name.value.to_owned(), to });
    }
    redirects
}

pub(super) const SECTION: Section = Section {
    name: "redirect",
    repeated: true,
    about: "A user that is somewhere else: requests for it are answered with 302 (RFC 3261 §8.3).",
    keys: &[
        Key::required("user", "What stands before the @ of the address that is asked for."),
        Key::required("to", "Where to try instead: a list of SIP URIs, best first."),
    ],
};
