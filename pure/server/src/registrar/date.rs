//! `Date`: a moment as RFC 1123 writes it, always GMT (RFC 3261 §20.17).

use machine::Time;

/// `Sat, 13 Nov 2010 23:29:00 GMT`
pub(super) fn written(now: Time) -> String {
    let seconds = now.as_secs();
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let name = |names: [&'static str; 12], at: u64| {
        usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or_default()
    };
    // 1 January 1970 was a Thursday.
    let weekday = usize::try_from((days + 4) % 7).ok().and_then(|at| WEEKDAYS.get(at).copied());
    format!(
        "{}, {day:02} {} {year} {:02}:{:02}:{:02} GMT",
        weekday.unwrap_or_default(),
        name(MONTHS, month - 1),
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

/// Year, month (1–12) and day (1–31) of a day counted from 1 January 1970. Years begin in March here, so that the leap day is
/// their last.
const fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_known_dates() {
        let at = |seconds: u64| written(Time(seconds * 1_000_000_000));
        assert_eq!(at(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(at(951_827_696), "Tue, 29 Feb 2000 12:34:56 GMT");
        assert_eq!(at(1_289_690_940), "Sat, 13 Nov 2010 23:29:00 GMT");
        assert_eq!(at(4_102_444_799), "Thu, 31 Dec 2099 23:59:59 GMT");
    }
}
