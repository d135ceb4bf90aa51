//! `[proxy]`: how requests are passed on (RFC 3261 §16).

use std::time::Duration;

use ::server::settings::{Proxy, Recurse, SessionTimer, Trying};

use super::choice::choice;
use super::fault::Faults;
use super::key::{Key, Section};
use super::route::{each, network};
use super::table::Table;
use crate::limits;

pub(super) fn read(written: &Table<'_>, faults: &mut Faults) -> Proxy {
    let recurse = written
        .text("recurse", faults)
        .and_then(|word| choice(word, "way to treat a 3xx", &RECURSE, faults));
    let trying = written
        .text("trying", faults)
        .and_then(|word| choice(word, "time for a 100", &TRYING, faults));
    let session_timer =
        written.table("session_timer", faults).map(|table| session_timer(&table, faults));
    let trusted = each(written, "trusted", faults, network);
    let ring_each = written
        .number("ring_each", limits::RING_EACH, faults)
        .map_or(Proxy::default().ring_each, |seconds| Duration::from_secs(seconds.value));
    let history = written.flag("history", faults).unwrap_or(false);
    let (trying, recurse) = (trying.unwrap_or_default(), recurse.unwrap_or_default());
    Proxy { trying, ring_each, recurse, session_timer, history, trusted }
}

fn session_timer(written: &Table<'_>, faults: &mut Faults) -> SessionTimer {
    let mut seconds = |key: &str, absent: u32| {
        let number = written.number(key, limits::SESSION_TIMER, faults);
        number.and_then(|number| u32::try_from(number.value).ok()).unwrap_or(absent)
    };
    let timer = SessionTimer { expires: seconds("expires", 1800), min: seconds("min", 90) };
    if timer.expires < timer.min {
        let SessionTimer { expires, min } = timer;
        let what = format!("`expires` ({expires}) is shorter than `min` ({min})");
        faults.refuse(written.span_of("expires"), what, "min ≤ expires");
    }
    timer
}

const TRYING: [(&str, Trying); 2] = [("at once", Trying::AtOnce), ("in time", Trying::InTime)];

const RECURSE: [(&str, Recurse); 3] =
    [("never", Recurse::Never), ("users", Recurse::ToUsers), ("routes", Recurse::AlongRoutes)];

pub(super) const SECTION: Section = Section {
    name: "proxy",
    repeated: false,
    about: "How requests are passed on (RFC 3261 §16).",
    keys: &[
        Key::new(
            "trying",
            "\"at once\"",
            "When a caller is told that its call is being worked on (100 Trying): \"at once\", or \"in time\": after 200 ms, and only when \
             no phone has rung or answered by then (RFC 3261 §17.2.1). That spares most calls a message.",
        ),
        Key::new(
            "ring_each",
            "20",
            "How many seconds the phones of a user ring before those that registered with a lower preference (`q`) do. From 5 to 180.",
        ),
    Key::new(
        "recurse",
        "\"never\"",
        "What happens when a phone answers a call with \"try there\" (3xx): \"never\" tells the caller, who decides; \"users\" calls those \
         places that are users of this server, \"routes\" also those to which a route leads. The call is then one of the phone that sent it \
         there, and at your expense: a phone that was taken over could send calls anywhere that a route goes.",
    ),
    Key::optional(
        "session_timer",
        "phones decide by themselves",
        "Asks the phones of every call for a sign of life now and then (RFC 4028), so that a call whose end was lost ends by itself: \
         { expires = 1800, min = 90 }.",
    )
    .with(&[
        Key::new(
            "expires",
            "1800",
            "After how many seconds without a sign of life a call ends; who wishes longer gets this. Half an hour, as RFC 4028 §4 recommends.",
        ),
        Key::new("min", "90", "Shorter wishes are refused with 422. At least 90: nobody may take less."),
    ]),
    Key::new(
        "history",
        "false",
        "Tells whoever is called how the call came there: whose number was dialled, which phones were tried before and what they said \
         (History-Info, RFC 7044), and who sent it on (Diversion, RFC 5806). Mailboxes and carriers ask for it. What others have written is \
         passed on in any case; a caller who wants privacy leaves no trace of ours outside of our trust domain.",
    ),
    Key::optional(
        "trusted",
        "nobody",
        "The networks of the carriers and servers that we trust and that trust us (RFC 3325): [\"192.0.2.0/24\"]. They are told which of our \
         users calls, in P-Asserted-Identity; what they say so themselves is believed. From anybody else it is removed. Nobody must be able to send \
         from such an address who is not meant.",
    ),
    ],
};
