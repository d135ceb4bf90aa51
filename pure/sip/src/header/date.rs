//! `Date`: when something was sent (RFC 3261 §20.17; the fixed form of RFC 1123).

use super::Header;
use crate::scan::Scan;
use crate::{Name, ParseError};

/// A moment, in whole seconds since 1970 UTC; up to the end of the year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(u64);

impl Date {
    /// This many seconds after the beginning of 1970 UTC; what lies past the year 9999 is its last second.
    pub const fn at(seconds: u64) -> Self {
        Self(if seconds < END { seconds } else { END - 1 })
    }

    /// Seconds since the beginning of 1970 UTC.
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

/// 10000-01-01 00:00:00.
const END: u64 = 253_402_300_800;

const DAY: u64 = 86_400;

const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

impl<'a> Header<'a> for Date {
    const NAME: Name = Name::Date;

    /// `wkday "," SP 2DIGIT SP month SP 4DIGIT SP 2DIGIT ":" 2DIGIT ":" 2DIGIT SP "GMT"`. The weekday must be one; whether
    /// it is the right one is not looked at.
    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let mut scan = Scan::new(value, "Date");
        scan.skip_blanks();
        name(&mut scan, &WEEKDAYS)?;
        scan.expect(b',')?;
        scan.skip_blanks();
        let day = number(&mut scan, 1..=31)?;
        scan.skip_blanks();
        let month = name(&mut scan, &MONTHS)? + 1;
        scan.skip_blanks();
        let year = number(&mut scan, 1970..=9999)?;
        let error = scan.error();
        scan.skip_blanks();
        let hour = number(&mut scan, 0..=23)?;
        scan.expect(b':')?;
        let minute = number(&mut scan, 0..=59)?;
        scan.expect(b':')?;
        let second = number(&mut scan, 0..=60)?;
        scan.skip_blanks();
        name(&mut scan, &["GMT"])?;
        scan.end()?;
        let days = days(year, month, day);
        if civil(days) != (year, month, day) {
            return Err(error);
        }
        Ok(Self::at(days * DAY + hour * 3600 + minute * 60 + second))
    }

    fn write(&self, out: &mut Vec<u8>) {
        let (days, rest) = (self.0 / DAY, self.0 % DAY);
        let (year, month, day) = civil(days);
        let word = |words: &[&'static str], at: u64| {
            usize::try_from(at).ok().and_then(|at| words.get(at)).copied().unwrap_or_default()
        };
        let (weekday, month) = (word(&WEEKDAYS, days % 7), word(&MONTHS, month - 1));
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        let [day, hour, minute, second] = [day, hour, minute, second].map(two);
        let [century, rest] = [year / 100, year % 100].map(two);
        for part in [
            weekday.as_bytes(),
            b", ",
            &day,
            b" ",
            month.as_bytes(),
            b" ",
            &century,
            &rest,
            b" ",
            &hour,
            b":",
            &minute,
            b":",
            &second,
            b" GMT",
        ] {
            out.extend_from_slice(part);
        }
    }
}

/// `2DIGIT` of a number below 100.
const fn two(number: u64) -> [u8; 2] {
    [b'0'.wrapping_add((number / 10 % 10) as u8), b'0'.wrapping_add((number % 10) as u8)]
}

/// Which of these words stands here; case does not count.
fn name(scan: &mut Scan<'_>, words: &[&str]) -> Result<u64, ParseError> {
    let error = scan.error();
    let word = scan.token()?;
    let found = words.iter().zip(0..).find(|(other, _)| other.eq_ignore_ascii_case(word));
    found.map(|(_, at)| at).ok_or(error)
}

fn number(scan: &mut Scan<'_>, range: std::ops::RangeInclusive<u64>) -> Result<u64, ParseError> {
    let error = scan.error();
    scan.number().ok().filter(|number| range.contains(number)).ok_or(error)
}

/// Days from 1970-01-01 to a day of the Gregorian calendar. Years begin in March here, so that leap days come last.
const fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month > 2 { year } else { year - 1 };
    let month = (month + 9) % 12;
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - EPOCH
}

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: u64 = 719_468;

/// The year, month and day of a day counted from 1970-01-01.
const fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + (if month > 2 { 0 } else { 1 }), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days_are_right() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_289_717_359, "Sun, 14 Nov 2010 06:49:19 GMT"),
            (END - 1, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(Date::at(seconds).text(), text);
            assert_eq!(Date::parse(text.as_bytes()), Ok(Date::at(seconds)));
        }
        assert_eq!(Date::at(u64::MAX), Date::at(END - 1));
    }

    #[test]
    fn what_is_no_day_and_what_is_not_gmt_is_refused() {
        for (bad, at) in [
            ("Fri, 01 Jan 2010 16:00:00 EST", 26),
            ("Sun, 30 Feb 2010 00:00:00 GMT", 16),
            ("Sun, 29 Feb 1900 00:00:00 GMT", 12),
            ("Xyz, 01 Jan 2010 00:00:00 GMT", 0),
            ("Sun 01 Jan 2010 00:00:00 GMT", 3),
            ("Sun, 01 Jan 2010 24:00:00 GMT", 17),
            ("", 0),
        ] {
            assert_eq!(Date::parse(bad.as_bytes()).unwrap_err().at, at, "{bad}");
        }
    }
}
