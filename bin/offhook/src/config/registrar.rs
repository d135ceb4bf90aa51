//! `[registrar]`: how long registrations live, and how many an address may have (RFC 3261 §10.3).

use std::time::Duration;

use super::fault::Faults;
use super::key::{Key, Section};
use super::table::Table;
use crate::limits;

/// How registrations are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registrar {
    /// How long they live.
    pub expires: Expires,
    /// How many contacts one address-of-record may have.
    pub max_contacts: usize,
}

/// How long a registration lives: `min` ≤ `default` ≤ `max`, none of them zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expires {
    /// Shorter wishes are refused with 423.
    pub min: Duration,
    /// For phones that wish nothing.
    pub default: Duration,
    /// Longer wishes are shortened to this.
    pub max: Duration,
}

impl Default for Registrar {
    fn default() -> Self {
        Self { expires: Expires::default(), max_contacts: 10 }
    }
}

impl Default for Expires {
    fn default() -> Self {
        let [min, default, max] = [60, 3600, 7200].map(Duration::from_secs);
        Self { min, default, max }
    }
}

impl Registrar {
    pub(super) fn read(written: &Table<'_>, faults: &mut Faults) -> Self {
        let default = Self::default();
        let contacts = written.number("max_contacts", 1..=limits::CONTACTS, faults);
        Self {
            expires: written
                .table("expires", faults)
                .map_or(default.expires, |table| Expires::read(&table, faults)),
            max_contacts: contacts
                .and_then(|contacts| usize::try_from(contacts.value).ok())
                .unwrap_or(default.max_contacts),
        }
    }
}

impl Expires {
    fn read(written: &Table<'_>, faults: &mut Faults) -> Self {
        let default = Self::default();
        let mut seconds = |key: &str, absent: Duration| {
            let number = written.number(key, 1..=limits::EXPIRES, faults);
            number.map_or(absent, |number| Duration::from_secs(number.value))
        };
        let min = seconds("min", default.min);
        let max = seconds("max", default.max);
        // Who moves a bound has not said that the default stays outside of it.
        let default = seconds("default", default.default.max(min).min(max));
        let expires = Self { min, default, max };
        expires.judge(written, faults);
        expires
    }

    fn judge(self, written: &Table<'_>, faults: &mut Faults) {
        let Self { min, default, max } = self;
        if min > Duration::from_secs(3600) {
            let what = format!("`min` is {} seconds, longer than an hour", min.as_secs());
            let hint = "a registrar may refuse only wishes below an hour (RFC 3261 §10.3 step 7): at most 3600";
            faults.refuse(written.span_of("min"), what, hint);
        }
        let mut bound = |holds: bool, key: &str, what: String| {
            if !holds {
                faults.refuse(written.span_of(key), what, "min ≤ default ≤ max");
            }
        };
        let [low, usual, high] = [min, default, max].map(|duration| duration.as_secs());
        let key = if written.has("max") { "max" } else { "min" };
        bound(min <= max, key, format!("`max` ({high}) is shorter than `min` ({low})"));
        bound(
            default >= min || min > max,
            "default",
            format!("`default` ({usual}) is shorter than `min` ({low})"),
        );
        bound(
            default <= max || min > max,
            "default",
            format!("`default` ({usual}) is longer than `max` ({high})"),
        );
    }
}

pub(super) const SECTION: Section = Section {
    name: "registrar",
    repeated: false,
    about: "How registrations are kept (RFC 3261 §10.3).",
    keys: &[
        Key::new(
            "expires",
            "{ min = 60, default = 3600, max = 7200 }",
            "How long a registration lives, in seconds.",
        )
        .with(&[
            Key::new(
                "min",
                "60",
                "Shorter wishes are refused with 423. At most 3600: nobody may refuse more. A phone behind a NAT wants to \
                 register often; more often than once a minute only costs.",
            ),
            Key::new("default", "3600", "For phones that wish nothing; an hour, as RFC 3261 §10.2.1.1 recommends."),
            Key::new("max", "7200", "Longer wishes are shortened to this: so long a dead phone may still be rung."),
        ]),
        Key::new(
            "max_contacts",
            "10",
            "How many phones may register for one address at a time; they all ring at once. From 1 to 60.",
        ),
    ],
};
