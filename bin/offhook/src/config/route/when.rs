//! `when`: at which times a route is taken.

use ::server::routes::{Days, Hours, WEEKDAYS, Zone};

use crate::config::fault::{At, Faults};
use crate::config::key::Key;
use crate::config::near::nearest;
use crate::config::table::Table;
use crate::zone;

pub(super) fn read(table: &Table<'_>, faults: &mut Faults) -> Option<Hours> {
    let before = faults.faults.len();
    if !table.has("days") && !table.has("from") && !table.has("to") {
        faults.refuse(
            table.span,
            "`when` says nothing",
            "add days = [\"mon-fri\"] or from = \"08:00\"",
        );
    }
    let days = table.texts("days", faults).map_or(Days::ALL, |texts| {
        Days(
            texts.into_iter().filter_map(|text| days(text, faults)).fold(0, |all, some| all | some),
        )
    });
    if days.0 == 0 && faults.faults.len() == before {
        faults.refuse(
            table.span_of("days"),
            "`days` is empty: the route is never taken",
            "leave it out for every day",
        );
    }
    let from =
        table.text("from", faults).and_then(|text| minute(text, 0..DAY, faults)).unwrap_or(0);
    let to = table
        .text("to", faults)
        .and_then(|text| minute(text, 0..DAY.saturating_add(1), faults))
        .unwrap_or(DAY);
    let zone = match table.text("zone", faults) {
        None => Some(zone::of_this_machine()),
        Some(written) => zone(written, faults),
    };
    (faults.faults.len() == before).then_some(Hours { days, from, to, zone: zone? })
}

/// `mon`, `mon-fri`, `fri-mon`; as bits, Monday first.
fn days(written: At<&str>, faults: &mut Faults) -> Option<u8> {
    let (first, last) = written
        .value
        .split_once("..")
        .or_else(|| written.value.split_once('-'))
        .unwrap_or((written.value, written.value));
    let mut number = |word: &str| {
        let known = WEEKDAYS.iter().position(|day| *day == word);
        if known.is_none() {
            let hint = match nearest(word, WEEKDAYS) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => "mon, tue, wed, thu, fri, sat, sun, or mon-fri".into(),
            };
            faults.refuse(written.span, format!("unknown day `{}`", word.escape_debug()), hint);
        }
        known
    };
    let (first, last) = (number(first)?, number(last)?);
    let length = last.saturating_add(7).saturating_sub(first).checked_rem(7).unwrap_or(0);
    Some(
        (0..=length)
            .map(|day| 1_u8 << (first.saturating_add(day) % 7))
            .fold(0, |all, day| all | day),
    )
}

/// `08:30` as a minute of the day.
fn minute(written: At<&str>, range: std::ops::Range<u16>, faults: &mut Faults) -> Option<u16> {
    let parse = || {
        let (hours, minutes) = written.value.split_once(':')?;
        let two = |digits: &str| (digits.len() == 2).then(|| digits.parse::<u16>().ok()).flatten();
        let (hours, minutes) = (two(hours)?, two(minutes).filter(|minutes| *minutes < 60)?);
        Some(hours.saturating_mul(60).saturating_add(minutes))
            .filter(|minute| range.contains(minute))
    };
    let found = parse();
    if found.is_none() {
        let what = format!("`{}` is no time of the day", written.value.escape_debug());
        faults.refuse(written.span, what, "write it like \"08:00\"");
    }
    found
}

fn zone(written: At<&str>, faults: &mut Faults) -> Option<Zone> {
    let found = zone::named(written.value);
    if found.is_none() {
        let hint = match nearest(written.value, zone::names().iter().map(String::as_str)) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "write it like \"Europe/Berlin\" or \"+01:00\"".into(),
        };
        faults.refuse(
            written.span,
            format!("unknown time zone `{}`", written.value.escape_debug()),
            hint,
        );
    }
    found
}

const DAY: u16 = 24 * 60;

pub(super) const KEYS: &[Key] = &[
    Key::optional("days", "every day", "On these days: [\"mon-fri\", \"sun\"]."),
    Key::optional("from", "midnight", "From this time of the day on …"),
    Key::optional(
        "to",
        "midnight",
        "… up to before this one. One that is not later than `from` is of the next day: the night belongs to the day on which it begins.",
    ),
    Key::optional(
        "zone",
        "the machine's",
        "By whose clock: \"Europe/Berlin\", \"UTC\", or a fixed \"+01:00\". Summer time is known up to the year 2100.",
    ),
];
