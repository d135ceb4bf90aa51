//! `[registrar]`: how long registrations live, and how many an address may have (RFC 3261 §10.3).

use std::time::Duration;

use sip::Uri;

use super::choice::choice;
use super::domains::Domain;
use super::fault::{At, Faults};
use super::key::{Key, Section};
use super::table::Table;
use super::uri;
use crate::limits;

/// How registrations are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registrar {
    /// How long they live.
    pub expires: Expires,
    /// How many contacts one address-of-record may have.
    pub max_contacts: usize,
    /// What happens to one more.
    pub when_full: WhenFull,
    /// How much less than its wish a phone may get, in a hundred.
    pub jitter: u8,
    /// By which proxies phones send their requests: loose SIP URIs, nearest first.
    pub service_route: Vec<String>,
    /// How often phones say at least that their way is open, in seconds.
    pub flow_timer: Option<u32>,
    /// The domains whose phones register through us.
    pub edge_for: Vec<Domain>,
}

/// What happens when one contact more registers than an address may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// It is refused with 403.
    Refuse,
    /// The one that was refreshed longest ago gives way.
    Oldest,
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
        Self {
            expires: Expires::default(),
            max_contacts: 10,
            when_full: WhenFull::Refuse,
            jitter: 10,
            service_route: Vec::new(),
            flow_timer: None,
            edge_for: Vec::new(),
        }
    }
}

impl Default for Expires {
    fn default() -> Self {
        let [min, default, max] = [60, 3600, 7200].map(Duration::from_secs);
        Self { min, default, max }
    }
}

impl Registrar {
    pub(super) fn read(written: &Table<'_>, ours: &[Domain], faults: &mut Faults) -> Self {
        let default = Self::default();
        let contacts = written.number("max_contacts", 1..=limits::CONTACTS, faults);
        Self {
            expires: written
                .table("expires", faults)
                .map_or(default.expires, |table| Expires::read(&table, faults)),
            max_contacts: contacts
                .and_then(|contacts| usize::try_from(contacts.value).ok())
                .unwrap_or(default.max_contacts),
            when_full: written
                .text("when_full", faults)
                .and_then(|word| choice(word, "policy", &WHEN_FULL, faults))
                .unwrap_or(default.when_full),
            jitter: written
                .number("jitter", 0..=limits::JITTER, faults)
                .and_then(|percent| u8::try_from(percent.value).ok())
                .unwrap_or(default.jitter),
            service_route: written
                .texts("service_route", faults)
                .unwrap_or_default()
                .into_iter()
                .filter_map(|text| loose(text, faults))
                .collect(),
            flow_timer: written
                .number("flow_timer", limits::FLOW_TIMER, faults)
                .and_then(|seconds| u32::try_from(seconds.value).ok()),
            edge_for: edge_for(written, ours, faults),
        }
    }
}

fn edge_for(written: &Table<'_>, ours: &[Domain], faults: &mut Faults) -> Vec<Domain> {
    let texts = written.texts("edge_for", faults).unwrap_or_default();
    let mut domains = Vec::new();
    for text in texts {
        let Some(domain) = Domain::read(text, faults) else { continue };
        if ours.contains(&domain) {
            let what = format!("`{domain}` is one of our own `domains`: its phones register here");
            faults.refuse(text.span, what, "remove it there or here");
        }
        domains.push(domain);
    }
    domains
}

const WHEN_FULL: [(&str, WhenFull); 2] =
    [("refuse", WhenFull::Refuse), ("oldest", WhenFull::Oldest)];

/// A SIP URI of a loose router (RFC 3608 §5): a phone puts it into its Routes as it is.
fn loose(text: At<&str>, faults: &mut Faults) -> Option<String> {
    let found = uri::read(text, faults)?;
    let is_loose = matches!(Uri::parse(found.as_bytes()), Ok(Uri::Sip(uri)) if uri.is_loose());
    if !is_loose {
        let what = format!("`{}` is no loose router", text.value.escape_debug());
        faults.refuse(text.span, what, format!("write \"{found};lr\""));
    }
    is_loose.then_some(found)
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
            "How many phones may register for one address at a time; they all ring at once. From 1 to 60. A flow of a phone that keeps \
             several (RFC 5626) counts as one.",
        ),
        Key::new(
            "when_full",
            "\"refuse\"",
            "What happens to one more: \"refuse\" it with 403, or let the \"oldest\" give way: the contact that was refreshed longest ago. \
             Phones that lose their address with every restart fill an account with ghosts; then \"oldest\" is the kinder one.",
        ),
        Key::new(
            "jitter",
            "10",
            "How much less than its wish a phone may get, in a hundred, never less than `expires.min`. After a power cut all phones \
             register at once; without jitter they would come back together for ever. 0 turns it off. At most 50.",
        ),
        Key::optional(
            "service_route",
            "phones send their requests as they like",
            "By which proxies phones shall send their requests, nearest first: [\"sip:edge.example.test;lr\"]. Told in every 200 (RFC 3608).",
        ),
        Key::optional(
            "flow_timer",
            "phones decide: about every two minutes on a connection, every half minute by UDP",
            "How often a phone that keeps its way open (RFC 5626) must say at least that it is there, in seconds, from 20 to 3600.",
        ),
        Key::optional(
            "edge_for",
            "none",
            "Domains of other registrars whose phones register through this server (RFC 5626 §5): [\"b.example\"]. What is for them is passed on \
             without asking who sends it, for they ask by themselves; calls to their phones come back through us and find them behind their \
             NATs.",
        ),
    ],
};
