//! `[proxy]`: how requests are passed on (RFC 3261 §16).

use ::server::settings::{Proxy, Recurse};

use super::choice::choice;
use super::fault::Faults;
use super::key::{Key, Section};
use super::table::Table;

pub(super) fn read(written: &Table<'_>, faults: &mut Faults) -> Proxy {
    let recurse = written
        .text("recurse", faults)
        .and_then(|word| choice(word, "way to treat a 3xx", &RECURSE, faults));
    Proxy { recurse: recurse.unwrap_or_default() }
}

const RECURSE: [(&str, Recurse); 3] =
    [("never", Recurse::Never), ("users", Recurse::ToUsers), ("routes", Recurse::AlongRoutes)];

pub(super) const SECTION: Section = Section {
    name: "proxy",
    repeated: false,
    about: "How requests are passed on (RFC 3261 §16).",
    keys: &[Key::new(
        "recurse",
        "\"never\"",
        "What happens when a phone answers a call with \"try there\" (3xx): \"never\" tells the caller, who decides; \"users\" calls those \
         places that are users of this server, \"routes\" also those to which a route leads. The call is then one of the phone that sent it \
         there, and at your expense: a phone that was taken over could send calls anywhere that a route goes.",
    )],
};
