//! `[overload]`: what is done when there is too much to do.

use std::time::Duration;

use ::server::settings::Overload;
use protocol::load::{DIGITS, SPARED};

use super::fault::Faults;
use super::key::{Key, Section};
use super::route::network;
use super::table::Table;
use crate::limits;

pub(super) fn read(written: &Table<'_>, faults: &mut Faults) -> Overload {
    let usual = Overload::default();
    let target = written.number("target", limits::OVERLOAD_TARGET, faults);
    let mut rate = |key: &str, usual: u32| {
        let number = written.number(key, limits::SOURCE_RATE, faults);
        number.and_then(|number| u32::try_from(number.value).ok()).unwrap_or(usual)
    };
    let per_source = rate("per_source", usual.per_source);
    let at_once = rate("at_once", usual.at_once.max(per_source));
    if at_once < per_source {
        let what = format!("`at_once` ({at_once}) is less than `per_source` ({per_source})");
        faults.refuse(written.span_of("at_once"), what, "per_source ≤ at_once");
    }
    let unlimited = written.texts("unlimited", faults);
    let unlimited =
        unlimited.map(|texts| texts.into_iter().filter_map(|text| network(text, faults)).collect());
    let emergency = emergency(written, faults);
    Overload {
        target: target.map_or(usual.target, |millis| Duration::from_millis(millis.value)),
        per_source,
        at_once,
        unlimited: unlimited.unwrap_or(usual.unlimited),
        emergency: emergency.unwrap_or(usual.emergency),
        feedback: written.flag("feedback", faults).unwrap_or(usual.feedback),
    }
}

/// Numbers that are called for help, no more than the kernel can look for in a flood.
fn emergency(written: &Table<'_>, faults: &mut Faults) -> Option<Vec<Box<str>>> {
    let numbers = written.texts("emergency", faults)?;
    if let Some(first) = numbers.get(SPARED) {
        let what = format!("{} numbers in `emergency`, and at most {SPARED} can be", numbers.len());
        faults.refuse(first.span, what, "remove some");
    }
    for number in numbers.iter().filter(|it| it.value.is_empty() || it.value.len() > DIGITS) {
        let what = format!("`{}` in `emergency` has not 1 to {DIGITS} characters", number.value);
        faults.refuse(number.span, what, "write it as it is dialled, like \"112\"");
    }
    Some(numbers.iter().map(|it| it.value.into()).collect())
}

pub(super) const SECTION: Section = Section {
    name: "overload",
    repeated: false,
    about: "What is done when there is more to do than can be done (docs: [overload.md](overload.md)). Calls that are up go on, help is called, \
            and phones that are registered stay so; new things are refused with 503, each caller with another time to come back, and past \
            that not answered. In a quiet office nothing of this is ever seen.",
    keys: &[
        Key::new(
            "target",
            "200",
            "How long a new request may wait for its turn, in milliseconds, before it is refused; what belongs to calls never waits. A phone repeats \
             itself after 500. 0: nothing waits, and nothing is refused for it. At most 250.",
        ),
        Key::new(
            "per_source",
            "200",
            "How many new requests a second one address may send in the long run; an IPv6 address counts as its /64. 0: as many as it likes.",
        ),
        Key::new(
            "at_once",
            "4000",
            "How many it may send at once: when the power comes back, a large office registers within seconds.",
        ),
        Key::new(
            "unlimited",
            "[\"127.0.0.0/8\", \"::1\"]",
            "Networks that may send as many as they like: your SBC, your test machine. `[proxy] trusted` and addresses that routes lead to need not \
             be listed.",
        ),
        Key::new(
            "emergency",
            "[\"112\", \"911\"]",
            "Numbers that are called for help. Their calls, and those to urn:service:sos, go before all others. At most 64, of up to 16 characters.",
        ),
        Key::new(
            "feedback",
            "true",
            "Tells neighbours that understand it how much less they are to send, and sends less to those that say so (RFC 7339). Told are those of `unlimited`, of `[proxy] trusted` and at addresses that routes lead to.",
        ),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_page_shows_what_is_meant_by_default() {
        let usual = Overload::default();
        let absent = |name: &str| SECTION.default_of(name);
        let list = |texts: Vec<String>| format!("[{}]", texts.join(", "));
        assert_eq!(absent("target"), usual.target.as_millis().to_string());
        assert_eq!(absent("per_source"), usual.per_source.to_string());
        assert_eq!(absent("at_once"), usual.at_once.to_string());
        assert_eq!(absent("feedback"), usual.feedback.to_string());
        let quoted = usual.unlimited.iter().map(|network| format!("\"{network}\"")).collect();
        assert_eq!(absent("unlimited"), list(quoted));
        assert!(
            SECTION
                .keys
                .iter()
                .any(|key| key.about.contains(&format!("{SPARED}, of up to {DIGITS}")))
        );
        let quoted = usual.emergency.iter().map(|number| format!("\"{number}\"")).collect();
        assert_eq!(absent("emergency"), list(quoted));
    }
    #[test]
    fn no_more_numbers_are_called_for_help_than_the_kernel_can_look_for() {
        let written = |numbers: &[String]| format!("[overload]\nemergency = {numbers:?}\n");
        let read = |numbers: &[String]| Config::parse("o.toml", &written(numbers));
        let numbers: Vec<_> = (0..=SPARED).map(|nth| format!("{nth:016}")).collect();
        assert!(read(&numbers[..SPARED]).is_ok());
        assert!(read(&numbers).unwrap_err().to_string().contains("at most 64"));
        for odd in ["", "12345678901234567"] {
            let told = read(&["112".into(), odd.into()]).unwrap_err().to_string();
            assert!(told.contains("1 to 16 characters"), "{told}");
        }
    }
}
