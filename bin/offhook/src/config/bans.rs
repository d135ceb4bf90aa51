//! `[bans]`: what strangers may do before they are not heard any more.

use std::time::Duration;

use ::server::settings::{Bans, Registered};

use super::choice::choice;
use super::fault::Faults;
use super::key::{Key, Section};
use super::route::network;
use super::table::Table;
use crate::limits;

pub(super) fn read(written: &Table<'_>, faults: &mut Faults) -> Bans {
    let usual = Bans::default();
    let mut seconds = |key: &str, usual: Duration| {
        let number = written.number(key, limits::BAN_SECONDS, faults);
        number.map_or(usual, |number| Duration::from_secs(number.value))
    };
    let (window, first) = (seconds("window", usual.window), seconds("first", usual.first));
    let longest = seconds("longest", usual.longest.max(first));
    if longest < first {
        let (longest, first) = (longest.as_secs(), first.as_secs());
        let what = format!("`longest` ({longest}) is shorter than `first` ({first})");
        faults.refuse(written.span_of("longest"), what, "first ≤ longest");
    }
    let mut count = |key: &str, usual: u32| {
        let number = written.number(key, limits::BAN_FAILURES, faults);
        number.and_then(|number| u32::try_from(number.value).ok()).unwrap_or(usual)
    };
    let failures = count("failures", usual.failures);
    let user_failures = count("user_failures", usual.user_failures);
    let registered = written
        .text("registered", faults)
        .and_then(|word| choice(word, "way to treat them", &REGISTERED, faults));
    let never = written.texts("never", faults);
    let never = never
        .map(|texts| texts.into_iter().filter_map(|text| network(text, faults)).collect())
        .unwrap_or(usual.never);
    let scanners = written.texts("scanners", faults);
    let scanners = scanners.map(|words| words.iter().map(|word| word.value.into()).collect());
    Bans {
        failures,
        window,
        first,
        longest,
        registered: registered.unwrap_or_default(),
        never,
        scanners: scanners.unwrap_or(usual.scanners),
        user_failures,
    }
}

const REGISTERED: [(&str, Registered); 2] =
    [("slow", Registered::Slowed), ("ban", Registered::Barred)];

pub(super) const SECTION: Section = Section {
    name: "bans",
    repeated: false,
    about: "Whoever guesses passwords is not heard for a while (docs: [security.md](security.md)). That a phone is asked who it is counts \
            nothing; only a wrong answer does, and only from where our question has arrived: nobody gets somebody else banned. An IPv6 \
            address counts as its /64.",
    keys: &[
        Key::new(
            "failures",
            "10",
            "Wrong passwords from one address within `window`, and it is banned. Names that do not exist count alike; a hundred messages on \
             connections that are no SIP count as much. 0: nobody is ever banned.",
        ),
        Key::new(
            "window",
            "600",
            "How long they count, in seconds: with 10 in 600, one is forgotten each minute. At most 30 days, as all times here.",
        ),
        Key::new(
            "first",
            "300",
            "How long the first ban of an address lasts, in seconds. Each further one lasts four times as long.",
        ),
        Key::new(
            "longest",
            "86400",
            "How long a ban lasts at most. An address that has been quiet for so long after a ban begins anew.",
        ),
        Key::new(
            "registered",
            "\"slow\"",
            "What becomes of an address from which somebody is registered: \"slow\" hears its guesses once in ten seconds and serves its phones, \
             for one phone with a wrong password must not silence an office; \"ban\" bans it like any other.",
        ),
        Key::new(
            "never",
            "[\"127.0.0.0/8\", \"::1\"]",
            "Networks that are never banned, only slowed: your offices, your SBC. `[proxy] trusted` and addresses that routes lead to need not be \
             listed.",
        ),
        Key::new(
            "scanners",
            "[\"friendly-scanner\", \"sipvicious\", \"sipcli\", \"sip-scan\", \"sundayddr\", \"iWar\", \"pplsip\"]",
            "Words of the User-Agent by which tools that guess passwords give themselves away. Their wrong passwords count five times. Alone they \
             ban nobody.",
        ),
        Key::new(
            "user_failures",
            "50",
            "Wrong passwords for one user within `window`, from wherever: then addresses from which that user has not registered before are heard \
             once in a second, all together. Where the user is known it is served as ever. 0: never.",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_what_is_meant_by_default() {
        let usual = Bans::default();
        let absent = |name: &str| SECTION.default_of(name);
        let list = |texts: Vec<String>| format!("[{}]", texts.join(", "));
        assert_eq!(absent("failures"), usual.failures.to_string());
        assert_eq!(absent("window"), usual.window.as_secs().to_string());
        assert_eq!(absent("first"), usual.first.as_secs().to_string());
        assert_eq!(absent("longest"), usual.longest.as_secs().to_string());
        assert_eq!(absent("user_failures"), usual.user_failures.to_string());
        let never = usual.never.iter().map(|network| format!("\"{network}\"")).collect();
        assert_eq!(absent("never"), list(never));
        let scanners = usual.scanners.iter().map(|word| format!("\"{word}\"")).collect();
        assert_eq!(absent("scanners"), list(scanners));
    }
}
