//! `Session`: one life of the server, and how its times are read by the next one.
//!
//! A shard's time is the wall clock of its start plus what a steady clock counted since, also while the machine slept. Between two lives the wall
//! clock may have been set. While the machine has not been started anew, its own steady clock, the same one, tells how much.

use std::fs;

use machine::Time;

/// When a life began, by both clocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// The start of the machine; empty when the system does not tell.
    pub(crate) boot: String,
    /// Milliseconds since the start of the machine.
    pub(crate) up: i64,
    /// The wall clock, in milliseconds.
    pub(crate) wall: i64,
}

impl Session {
    /// The one that begins at `now`, by the machine's own words.
    pub(crate) fn begin(now: Time) -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let up = fs::read_to_string("/proc/uptime").ok().and_then(|text| uptime(&text));
        Self {
            boot: if up.is_some() { boot.trim().into() } else { String::new() },
            up: up.unwrap_or(0),
            wall: i64::try_from(now.0 / MILLISECOND).unwrap_or(i64::MAX),
        }
    }

    /// What its times need to be right today, in milliseconds. While the machine runs that is how far the wall clock was set since. Once it was started
    /// anew only that clock is left: then it is how far it was set before, as far as a later one of `all` that began by then has noted.
    pub(crate) fn needs<'a>(&'a self, earlier: &Self, all: impl Iterator<Item = &'a Self>) -> i64 {
        if self.boot == earlier.boot {
            return self.shift(earlier);
        }
        let later = all.filter(|one| one.boot == earlier.boot).last();
        // A clock that is behind that is wrong itself: nobody is to be there for ever.
        later.filter(|later| later.wall <= self.wall).map_or(0, |later| later.shift(earlier))
    }

    /// How far the wall clock was set since `earlier`, in milliseconds.
    pub(crate) fn shift(&self, earlier: &Self) -> i64 {
        if self.boot.is_empty() || self.boot != earlier.boot {
            return 0;
        }
        let (wall, up) =
            (self.wall.saturating_sub(earlier.wall), self.up.saturating_sub(earlier.up));
        let shift = wall.saturating_sub(up);
        // Two clocks never agree to the millisecond.
        if shift.saturating_abs() < NOTICEABLE { 0 } else { shift }
    }
}

/// `350735.47 234388.90`, in milliseconds.
fn uptime(text: &str) -> Option<i64> {
    let seconds: f64 = text.split_whitespace().next()?.parse().ok()?;
    Some((seconds * 1_000.0) as i64)
}

const MILLISECOND: u64 = 1_000_000;
const NOTICEABLE: i64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn session(boot: &str, up: i64, wall: i64) -> Session {
        Session { boot: boot.into(), up, wall }
    }

    #[test]
    fn a_clock_that_was_set_between_two_lives_is_noticed() {
        let before = session("a", 10_000, 1_000_000);
        assert_eq!(session("a", 70_000, 1_060_000).shift(&before), 0);
        assert_eq!(session("a", 70_000, 1_060_400).shift(&before), 0, "clocks drift");
        let three_days = 3 * 86_400_000;
        assert_eq!(session("a", 70_000, 1_060_000 + three_days).shift(&before), three_days);
        assert_eq!(session("a", 70_000, 1_060_000 - three_days).shift(&before), -three_days);
    }

    #[test]
    fn after_a_start_of_the_machine_only_the_wall_clock_is_left() {
        let before = session("a", 10_000, 1_000_000);
        assert_eq!(session("b", 5_000, 9_000_000).shift(&before), 0);
        assert_eq!(session("", 0, 9_000_000).shift(&session("", 0, 1)), 0);
    }

    #[test]
    fn after_a_start_of_the_machine_it_is_known_that_the_clock_was_set_before() {
        let all = [session("a", 10_000, 1_000_000), session("a", 70_000, 8_260_000)];
        let needs = |today: Session| today.needs(&all[0], all.iter());
        assert_eq!(needs(session("b", 5_000, 8_300_000)), 7_200_000);
        assert_eq!(needs(session("b", 5_000, 1_000_000)), 0, "it is behind");
        assert_eq!(needs(session("a", 80_000, 1_070_000)), 0, "it was set back");
    }

    #[test]
    fn this_machine_tells_its_time() {
        let session = Session::begin(Time(5_000 * MILLISECOND));
        assert_eq!(session.wall, 5_000);
        assert!(!session.boot.is_empty() && session.up > 0);
        assert_eq!(uptime("350735.47 234388.90\n"), Some(350_735_470));
    }
}
