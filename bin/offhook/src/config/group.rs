//! `[[group]]`: next hops that stand for each other.

use std::collections::BTreeSet;
use std::time::Duration;

use ::server::settings::{Balance, Group, Member, Probe};

use super::fault::{At, Faults};
use super::key::{Key, Section};
use super::near::nearest;
use super::table::{Item, Table};
use super::uri;
use crate::limits;

pub(super) fn read(entries: &[Table<'_>], faults: &mut Faults) -> Vec<Group> {
    let mut names = BTreeSet::new();
    let mut groups = Vec::new();
    for entry in entries {
        let name = entry.required("name", "[[group]]", faults);
        if let Some(name) = name
            && !names.insert(name.value)
        {
            let what = format!("there are two groups `{}`", name.value.escape_debug());
            faults.refuse(name.span, what, "put their targets into one");
        }
        let members = members(entry, faults);
        let defaults = Group::of("", &[]);
        let longest = entry.number("longest_call", 60..=limits::LONGEST_CALL, faults);
        let group = Group {
            name: name.map_or("", |name| name.value).into(),
            members,
            balance: balance(entry, faults),
            failover: failover(entry, faults),
            probe: entry.table("probe", faults).map(|table| probe(&table, faults)),
            longest_call: longest.map_or(defaults.longest_call, |at| Duration::from_secs(at.value)),
        };
        if name.is_some() {
            groups.push(group);
        }
    }
    groups
}

fn members(entry: &Table<'_>, faults: &mut Faults) -> Vec<Member> {
    if !entry.has("target") {
        faults.refuse(
            entry.span,
            "[[group]] has no `target`",
            "add [[group.target]] with to = \"sip:…\"",
        );
    }
    let items = entry.items("target", faults);
    if items.as_ref().is_some_and(Vec::is_empty) {
        faults.refuse(entry.span_of("target"), "`target` is empty: go where?", "add one");
    }
    let items = items.unwrap_or_default();
    if items.len() > ::server::limits::TARGETS {
        let what = format!("a group has at most {} targets", ::server::limits::TARGETS);
        faults.refuse(entry.span_of("target"), what, "remove some");
    }
    items.into_iter().filter_map(|item| member(item, faults)).collect()
}

fn member(item: Item<'_>, faults: &mut Faults) -> Option<Member> {
    let table = match item {
        Item::Text(text) => return Some(Member::at(&uri::read(text, faults)?)),
        Item::Table(table) => table,
    };
    let to = table.required("to", "`target`", faults).and_then(|text| uri::read(text, faults));
    let mut small = |key: &str, range| {
        let number: At<u64> = table.number(key, range, faults)?;
        u32::try_from(number.value).ok()
    };
    let most = limits::GROUP_CALLS;
    let (priority, weight) = (small("priority", 0..=65_535), small("weight", 0..=1000));
    let (calls, rate) = (small("calls", 1..=most), small("rate", 1..=most));
    let short =
        |number: Option<u32>| number.and_then(|number| u16::try_from(number).ok()).unwrap_or(1);
    Some(Member { to: to?.into(), priority: short(priority), weight: short(weight), calls, rate })
}

fn balance(entry: &Table<'_>, faults: &mut Faults) -> Balance {
    let Some(written) = entry.text("balance", faults) else { return Balance::Order };
    if let Some((_, balance)) = BALANCES.iter().find(|(name, _)| *name == written.value) {
        return *balance;
    }
    let names = || BALANCES.iter().map(|(name, _)| *name);
    let hint = match nearest(written.value, names()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("known: {}", names().collect::<Vec<_>>().join(", ")),
    };
    faults.refuse(
        written.span,
        format!("unknown balance `{}`", written.value.escape_debug()),
        hint,
    );
    Balance::Order
}

const BALANCES: &[(&str, Balance)] = &[
    ("order", Balance::Order),
    ("round-robin", Balance::RoundRobin),
    ("weight", Balance::Weight),
    ("call-id", Balance::CallId),
    ("caller", Balance::Caller),
];

fn failover(entry: &Table<'_>, faults: &mut Faults) -> Vec<u16> {
    let statuses = entry.numbers("failover", 400..=699, faults).unwrap_or_default();
    let mut codes = Vec::new();
    for status in statuses {
        if matches!(status.value, 401 | 407 | 600..) {
            let what = format!("after a {} nobody else is asked (RFC 3261 §16.7)", status.value);
            faults.refuse(status.span, what, "remove it");
        }
        codes.extend(u16::try_from(status.value));
    }
    codes
}

fn probe(table: &Table<'_>, faults: &mut Faults) -> Probe {
    let defaults = Probe::default();
    let mut number = |key: &str, range, otherwise: u64| {
        table.number(key, range, faults).map_or(otherwise, |at| at.value)
    };
    let interval = number("interval", 1..=3600, defaults.interval.as_secs());
    let timeout = number("timeout", 1..=32, defaults.timeout.as_secs());
    let down = number("down", 1..=100, defaults.down.into());
    let up = number("up", 1..=100, defaults.up.into());
    if timeout > interval {
        let what = format!("`timeout` ({timeout}) is longer than `interval` ({interval})");
        faults.refuse(table.span, what, "a probe ends before the next begins");
    }
    Probe {
        interval: Duration::from_secs(interval),
        timeout: Duration::from_secs(timeout),
        down: u32::try_from(down).unwrap_or(defaults.down),
        up: u32::try_from(up).unwrap_or(defaults.up),
    }
}

pub(super) const SECTION: Section = Section {
    name: "group",
    repeated: true,
    about: "Next hops that stand for each other, for `[[route]] group = …`. A request goes to the first that takes it; to the next when one is \
            silent, cannot be reached, answers 503, or as `failover` says. One that has failed is tried last for a while (docs: routing.md).",
    keys: &[
        Key::required("name", "What routes call it."),
        Key::required("target", "Its members: a list of SIP URIs, or a `[[group.target]]` for each.").with(&[
            Key::required("to", "A SIP URI: \"sip:192.0.2.7:5060;transport=tcp\"."),
            Key::optional("priority", "1", "Members with a lower one are tried first."),
            Key::optional("weight", "1", "Its share, with `balance = \"weight\"`."),
            Key::optional(
                "calls",
                "no limit",
                "How many calls it has at once. The limit is shared out among the shards; each has one at least.",
            ),
            Key::optional("rate", "no limit", "How many calls begin there in a second; shared out in the same way."),
        ]),
        Key::optional(
            "balance",
            "\"order\"",
            "Which member is tried first, among those of one priority. \"order\": the first. \"round-robin\": each in its turn. \"weight\": by \
             chance, in proportion. \"call-id\", \"caller\": the same for one call, or for one caller, as long as it is alive.",
        ),
        Key::optional(
            "failover",
            "503, silence, and no way there",
            "Answers with which a member sends a request on to the next, besides these: [500, 502, 504].",
        ),
        Key::optional("probe", "only calls find out who is alive", "Members are asked by OPTIONS whether they are there; `{}` takes the defaults.")
            .with(&[
                Key::optional("interval", "30", "Seconds from one probe to the next."),
                Key::optional("timeout", "4", "Seconds that an answer may take. Any answer but a 503 is one."),
                Key::optional("down", "2", "So many in a row without an answer, and it is down."),
                Key::optional("up", "2", "So many answers in a row, and it is back."),
            ]),
        Key::optional(
            "longest_call",
            "14400",
            "Seconds after which a call counts no more for `calls`, when nobody is seen to hang it up.",
        ),
    ],
};
