//! `Hours`: days of the week and times of the day in a time zone. The node's clock counts seconds; a zone says what people call them.

use std::fmt;

use machine::Time;

/// Some hours of some days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// On which days.
    pub days: Days,
    /// From this minute of the day on …
    pub from: u16,
    /// … up to before this one. At or before `from`: up to there on the next day.
    pub to: u16,
    /// By whose clock.
    pub zone: Zone,
}

/// Days of the week, Monday first, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(pub u8);

/// A time zone: how far its clocks are ahead of UTC, and when that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// What people call it.
    pub name: Box<str>,
    /// Seconds ahead of UTC before the first change.
    pub ahead: i32,
    /// From this second (since the Unix epoch) on, so many seconds ahead; in order.
    pub changes: Vec<(i64, i32)>,
}

/// A moment, as people say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// 0 is Monday.
    pub weekday: u8,
    /// The minute of the day.
    pub minute: u16,
}

impl Hours {
    /// Is this moment one of them?
    pub fn has(&self, now: Time) -> bool {
        let Civil { weekday, minute } = self.zone.civil(now);
        let yesterday = weekday.checked_sub(1).unwrap_or(6);
        if self.from < self.to {
            return self.days.has(weekday) && (self.from..self.to).contains(&minute);
        }
        // Over midnight: the night belongs to the day on which it begins.
        self.days.has(weekday) && minute >= self.from
            || self.days.has(yesterday) && minute < self.to
    }
}

impl Days {
    /// Every day.
    pub const ALL: Self = Self(0b111_1111);

    /// Is this one of them? 0 is Monday.
    pub const fn has(self, weekday: u8) -> bool {
        self.0 >> weekday & 1 == 1
    }
}

impl Zone {
    /// The zone of those who have none.
    pub fn utc() -> Self {
        Self { name: "UTC".into(), ahead: 0, changes: Vec::new() }
    }

    /// How far its clocks are ahead of UTC, in seconds.
    pub fn ahead(&self, seconds: i64) -> i32 {
        let next = self.changes.partition_point(|(from, _)| *from <= seconds);
        let last = next.checked_sub(1).and_then(|last| self.changes.get(last));
        last.map_or(self.ahead, |(_, ahead)| *ahead)
    }

    /// What its clocks show.
    pub fn civil(&self, now: Time) -> Civil {
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let local = seconds.saturating_add(self.ahead(seconds).into());
        // The first of January 1970 was a Thursday.
        let weekday = local.div_euclid(DAY).saturating_add(3).rem_euclid(7);
        let minute = local.rem_euclid(DAY).div_euclid(60);
        Civil {
            weekday: u8::try_from(weekday).unwrap_or(0),
            minute: u16::try_from(minute).unwrap_or(0),
        }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}–{} {}", self.days, clock(self.from), clock(self.to), self.zone.name)
    }
}

impl fmt::Display for Days {
    /// `mon–fri`, `sat, sun`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = Vec::new();
        let mut day = 0;
        while day < 7 {
            let run = (day..7).take_while(|next| self.has(*next)).count();
            let last = day.saturating_add(u8::try_from(run).unwrap_or(0)).saturating_sub(1);
            match run {
                0 => {}
                1 | 2 => names.extend((day..=last).map(|day| weekday(day).to_owned())),
                _ => names.push(format!("{}–{}", weekday(day), weekday(last))),
            }
            day = if run == 0 { day } else { last }.saturating_add(1);
        }
        f.write_str(&names.join(", "))
    }
}

impl fmt::Display for Civil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", weekday(self.weekday), clock(self.minute))
    }
}

/// `18:30`
fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// The short name of a day; 0 is Monday.
pub fn weekday(day: u8) -> &'static str {
    WEEKDAYS.get(usize::from(day)).copied().unwrap_or_default()
}

/// Monday first.
pub const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const DAY: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    /// Saturday, 28 November 2026, 19:00 UTC.
    const SATURDAY: u64 = 1_795_892_400;

    fn at(seconds: u64) -> Time {
        Time(seconds * 1_000_000_000)
    }

    fn berlin() -> Zone {
        // Summer time of 2026 and 2027.
        let changes = vec![(1_774_746_000, 7200), (1_792_890_000, 3600), (1_806_195_600, 7200)];
        Zone { name: "Europe/Berlin".into(), ahead: 3600, changes }
    }

    #[test]
    fn a_zone_says_what_people_call_a_second() {
        assert_eq!(Zone::utc().civil(at(0)).to_string(), "thu 00:00");
        assert_eq!(Zone::utc().civil(at(SATURDAY)).to_string(), "sat 19:00");
        assert_eq!(berlin().civil(at(SATURDAY)).to_string(), "sat 20:00");
        // 24 October is summer time to its end, 25 October is not.
        assert_eq!(berlin().civil(at(1_792_889_999)).to_string(), "sun 02:59");
        assert_eq!(berlin().civil(at(1_792_890_000)).to_string(), "sun 02:00");
        let west = Zone { ahead: -10 * 3600, ..Zone::utc() };
        assert_eq!(west.civil(at(3600)).to_string(), "wed 15:00");
    }

    #[test]
    fn office_hours_and_nights() {
        let hours = |days, from, to| Hours { days: Days(days), from, to, zone: Zone::utc() };
        let office = hours(0b1_1111, 8 * 60, 18 * 60);
        let friday = SATURDAY - 86_400;
        for (seconds, open) in [
            (friday, false),
            (friday - 3600, false),
            (friday - 3601, true),
            (friday - 11 * 3600, true),
            (friday - 11 * 3600 - 1, false),
            (SATURDAY - 3 * 3600, false),
        ] {
            assert_eq!(office.has(at(seconds)), open, "{}", Zone::utc().civil(at(seconds)));
        }
        // Friday night, to six on Saturday.
        let night = hours(0b1_0000, 22 * 60, 6 * 60);
        for (hours, inside) in [(3, true), (2, false), (10, true), (11, false), (27, false)] {
            assert_eq!(night.has(at(friday + hours * 3600)), inside, "{hours}");
        }
        // The same hour: a whole day.
        assert!(
            hours(0b10_0000, 0, 0).has(at(SATURDAY)) && !hours(0b10_0000, 0, 0).has(at(friday))
        );
    }

    #[test]
    fn hours_are_said_as_people_say_them() {
        let hours = Hours { days: Days(0b101_1111), from: 480, to: 1080, zone: berlin() };
        assert_eq!(hours.to_string(), "mon–fri, sun 08:00–18:00 Europe/Berlin");
        assert_eq!(Days(0b110_0011).to_string(), "mon, tue, sat, sun");
        assert_eq!(Days::ALL.to_string(), "mon–sun");
    }
}
