//! `Sentence`: "101 dials +44…", "sip:a@b calls sip:c@d", "… at 2026-11-28T20:00".

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use machine::Time;
use server::Settings;
use server::routes::Zone;
use sip::Uri;
use sip::uri::escape_user;

use crate::zone;

/// Who calls whom, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sentence {
    /// The caller, as a URI.
    pub(super) from: String,
    /// The callee, as a Request-URI.
    pub(super) to: String,
    pub(super) at: Time,
    /// The same in words.
    pub(super) when: String,
}

impl Sentence {
    /// Reads a sentence; a number or a name is one of the house.
    pub(super) fn read(text: &str, settings: &Settings, now: Time) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let verb = words.iter().position(|word| matches!(*word, "dials" | "calls"));
        let Some((caller, rest)) = verb.and_then(|at| words.split_at_checked(at)) else {
            return Err(format!("`{text}` has no `dials` and no `calls`: {EXAMPLE}"));
        };
        let rest = rest.get(1..).unwrap_or_default();
        let (callee, time) = match rest.iter().rposition(|word| *word == "at") {
            Some(at) => {
                let (callee, time) = rest.split_at(at);
                (callee, Some(time.get(1..).unwrap_or_default().join(" ")))
            }
            None => (rest, None),
        };
        let zone = the_zone(settings);
        let at = match &time {
            Some(time) => moment(time, zone.as_ref())?,
            None => now,
        };
        let zone = zone.unwrap_or_else(zone::of_this_machine);
        Ok(Self {
            from: party(caller, settings)?,
            to: party(callee, settings)?,
            at,
            when: format!("{} {} {}", date(at, &zone), zone.civil(at), zone.name),
        })
    }
}

/// A URI as it is; a number or a name at our first domain. Blanks within a number do not count.
fn party(words: &[&str], settings: &Settings) -> Result<String, String> {
    let text = words.concat();
    let uri = match Uri::parse(text.as_bytes()) {
        Ok(_) => text,
        Err(_) if text.is_empty() => return Err(format!("somebody is missing: {EXAMPLE}")),
        Err(_) if text.contains(['@', ':']) => return Err(format!("`{text}` is no URI")),
        Err(_) => {
            let domain = settings.domains.first().map_or("localhost", |domain| domain);
            let separator = |c: char| matches!(c, '(' | ')' | '-' | '.' | '/');
            let number = text.chars().filter(|c| !separator(*c)).collect::<String>();
            let digits = number.trim_start_matches('+').chars().all(|c| c.is_ascii_digit());
            let user = if digits { number } else { text };
            let user = String::from_utf8(escape_user(user.as_bytes())).unwrap_or_default();
            format!("sip:{user}@{domain}")
        }
    };
    Ok(uri)
}

/// The zone that the routes speak of, when it is one.
fn the_zone(settings: &Settings) -> Option<Zone> {
    let mut zones = settings.routes.iter().filter_map(|route| route.when.as_ref());
    let first = &zones.next()?.zone;
    zones.all(|hours| hours.zone == *first).then(|| first.clone())
}

/// A moment: with `Z` or an offset, or by the clock of the routes.
fn moment(text: &str, zone: Option<&Zone>) -> Result<Time, String> {
    let seconds = match (text.parse::<Timestamp>(), text.parse::<DateTime>()) {
        (Ok(exact), _) => exact.as_second(),
        (Err(_), Err(_)) => return Err(format!("`{text}` is no time: write 2026-11-28T20:00")),
        (Err(_), Ok(local)) => {
            let machines = zone::of_this_machine();
            local_seconds(local, zone.unwrap_or(&machines))
        }
    };
    let seconds = u64::try_from(seconds).map_err(|_| format!("`{text}` is before 1970"))?;
    Ok(Time(seconds.saturating_mul(1_000_000_000)))
}

/// The second at which the clocks of a zone show this.
fn local_seconds(local: DateTime, zone: &Zone) -> i64 {
    let shown =
        local.to_zoned(TimeZone::UTC).map_or(0, |zoned: Zoned| zoned.timestamp().as_second());
    let nearly = shown.saturating_sub(zone.ahead(shown).into());
    shown.saturating_sub(zone.ahead(nearly).into())
}

/// `2026-11-28`, by the clock of a zone.
fn date(at: Time, zone: &Zone) -> String {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    let local = seconds.saturating_add(zone.ahead(seconds).into());
    Timestamp::from_second(local).map_or_else(|_| String::new(), |at| at.strftime("%F").to_string())
}

const EXAMPLE: &str = "write it like \"101 dials +442079460000\"";
