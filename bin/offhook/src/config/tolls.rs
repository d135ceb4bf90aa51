//! `[tolls]`: what accounts may do on routes, where calls cost money.

use std::time::Duration;

use ::server::settings::Tolls;

use super::fault::Faults;
use super::key::{Key, Section};
use super::table::Table;
use crate::limits;

pub(super) fn read(written: &Table<'_>, faults: &mut Faults) -> Tolls {
    let usual = Tolls::default();
    let mut seconds = |key: &str, usual: Duration| {
        let number = written.number(key, limits::BAN_SECONDS, faults);
        number.map_or(usual, |number| Duration::from_secs(number.value))
    };
    let (window, pause) = (seconds("window", usual.window), seconds("pause", usual.pause));
    let calls = written.number("calls", 1..=limits::GROUP_CALLS, faults);
    let attempts = written.number("attempts", limits::BAN_FAILURES, faults);
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Tolls {
        calls: calls.map(|calls| small(calls.value)),
        attempts: attempts.map_or(usual.attempts, |attempts| small(attempts.value)),
        window,
        pause,
    }
}

pub(super) const SECTION: Section = Section {
    name: "tolls",
    repeated: false,
    about: "What accounts may do on routes, where calls cost money: a password that was stolen is worth what can be phoned with it. Routes that refuse with \
            `toll = \"fraud\"` are watched; routes with `toll = \"free\"`, for emergencies, are never limited (docs: [security.md](security.md)).",
    keys: &[
        Key::optional(
            "calls",
            "any number",
            "How many calls an account has at once on routes; `[[extension]] calls` says it for one. More are refused with 403. Needs `[calls] track`.",
        ),
        Key::new(
            "attempts",
            "5",
            "Calls to what a route forbids with `toll = \"fraud\"`, within `window`, after which the account makes no more calls on routes for `pause`. 0: they \
             are only reported.",
        ),
        Key::new(
            "window",
            "3600",
            "How long they count, in seconds: one is forgotten in each `window / attempts`.",
        ),
        Key::new(
            "pause",
            "3600",
            "How long the account has to wait, in seconds. It still calls the extensions of this server.",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::super::tests::parse;

    #[test]
    fn what_cannot_be_is_refused_in_words() {
        let route = |more: &str| {
            format!("[[route]]\nmatch = {{ prefix = \"0900\" }}\n{more}\n[tolls]\ncalls = 2\n")
        };
        assert_eq!(parse(&route("deny = \"No\"\ntoll = \"fraud\"")).unwrap().tolls.calls, Some(2));
        for (config, expected) in [
            (route("to = \"sip:192.0.2.7\"\ntoll = \"fraud\""), "is for a route that refuses"),
            (route("deny = \"No\"\ntoll = \"free\""), "costs nothing"),
            (route("to = \"sip:192.0.2.7\"\ntoll = \"fre\""), "did you mean \"free\"?"),
            ("[tolls]\ncalls = 0\n".into(), "`calls` cannot be 0"),
            ("[tolls]\ncalls = 2\n[calls]\ntrack = false\n".into(), "nobody counts them"),
            ("[bans]\nfirst = 100\nlongest = 10\n".into(), "is shorter than `first`"),
            ("[bans]\nnever = [\"10.0.0.0/33\"]\n".into(), "wrong number of bits"),
            ("[bans]\nregistered = \"bann\"\n".into(), "did you mean \"ban\"?"),
        ] {
            let said = parse(&config).unwrap_err();
            assert!(said.contains(expected), "{config}: {said}");
        }
    }
}
