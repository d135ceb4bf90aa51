//! Time zones by their names (IANA), for a server that only counts seconds.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use server::routes::Zone;

/// A zone: "Europe/Berlin", "UTC", or a fixed "+01:00".
pub(crate) fn named(name: &str) -> Option<Zone> {
    if let Some(ahead) = fixed(name) {
        return Some(Zone { name: name.into(), ahead, changes: Vec::new() });
    }
    Some(table(name, &TimeZone::get(name).ok()?))
}

/// The zone of this machine; UTC when it does not say.
pub(crate) fn of_this_machine() -> Zone {
    let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
    let name = zone.iana_name().unwrap_or("this machine's time").to_owned();
    table(&name, &zone)
}

/// The names of all zones.
pub(crate) fn names() -> Vec<String> {
    jiff::tz::db().available().map(|name| name.to_string()).collect()
}

fn table(name: &str, zone: &TimeZone) -> Zone {
    let begin = Timestamp::from_second(BEGIN).unwrap_or_default();
    let end = Timestamp::from_second(END).unwrap_or(Timestamp::MAX);
    let changes = zone
        .following(begin)
        .take_while(|change| change.timestamp() < end)
        .map(|change| (change.timestamp().as_second(), change.offset().seconds()));
    Zone { name: name.into(), ahead: zone.to_offset(begin).seconds(), changes: changes.collect() }
}

/// `+01:00` and `-03:30`, as seconds.
fn fixed(name: &str) -> Option<i32> {
    let (sign, rest) = match name.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let two = |digits: &str| (digits.len() == 2).then(|| digits.parse::<i32>().ok()).flatten();
    let (hours, minutes) =
        (two(hours).filter(|hours| *hours < 24)?, two(minutes).filter(|m| *m < 60)?);
    Some(sign * (hours * 3600 + minutes * 60))
}

/// The years that are known: 2020 to 2100, some 160 changes.
const BEGIN: i64 = 1_577_836_800;
const END: i64 = 4_102_444_800;

#[cfg(test)]
mod tests {
    use machine::Time;

    use super::*;

    #[test]
    fn a_zone_knows_its_summer_time() {
        let at = |zone: &Zone, seconds: u64| zone.civil(Time(seconds * 1_000_000_000)).to_string();
        let berlin = named("Europe/Berlin").unwrap();
        assert_eq!(at(&berlin, 1_795_892_400), "sat 20:00");
        assert_eq!(at(&berlin, 1_780_000_000), "thu 22:26");
        assert!(berlin.changes.len() > 150 && berlin.changes.len() < 170);
        assert_eq!(at(&named("-03:30").unwrap(), 0), "wed 20:30");
        assert_eq!(at(&named("UTC").unwrap(), 0), "thu 00:00");
        for bad in ["Europe/Berlim", "+1", "+24:00", "-01:60", ""] {
            assert_eq!(named(bad), None, "{bad}");
        }
        assert!(names().iter().any(|name| name == "America/New_York"));
        let _ = of_this_machine();
    }
}
