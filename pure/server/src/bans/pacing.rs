//! `Pacing`: where guesses are slowed, how often one is heard. Whoever has just guessed wrong waits for its own turn, not for that of others: so a telephone
//! that comes back from another port is heard, while somebody beside it guesses without end.

use std::time::Duration;

use machine::Time;
use protocol::bans::Source;

use crate::debts::Debts;
use crate::limits;

/// For whom it is guessed there: a user that has a pace of its own, or all others together.
pub(super) type Place = (Source, Option<u32>);

/// When the next guess is heard. A right answer costs nothing.
#[derive(Debug)]
pub(super) struct Pacing {
    /// From ports from which a wrong answer came lately.
    guessers: Debts<Place>,
    /// From all other ports.
    others: Debts<Place>,
    /// The ports from which wrong answers came lately.
    lately: Debts<(Source, u16)>,
}

/// How often a guess is heard.
const PACE: Duration = Duration::from_secs(10);

/// How long it is known of a port that a wrong answer came from it.
const LATELY: Duration = Duration::from_secs(600);

impl Pacing {
    pub(super) fn new() -> Self {
        let paces = || Debts::new(limits::SUSPECTS);
        Self { guessers: paces(), others: paces(), lately: Debts::new(limits::SUSPECTS) }
    }

    /// True when an answer from there may be judged.
    pub(super) fn hears(&self, now: Time, place: Place, port: u16) -> bool {
        let guessed = self.lately.of(now, (place.0, port)) > Duration::ZERO;
        let pace = if guessed { &self.guessers } else { &self.others };
        pace.of(now, place) == Duration::ZERO
    }

    /// An answer from there was wrong, and one too many.
    pub(super) fn note(&mut self, now: Time, source: Source, port: u16) {
        self.lately.owe(now, (source, port), LATELY);
    }

    /// An answer from there was wrong, and the next is to wait.
    pub(super) fn slow(&mut self, now: Time, place: Place, port: u16) {
        if self.lately.of(now, (place.0, port)) == Duration::ZERO {
            self.others.owe(now, place, PACE);
        }
        self.guessers.owe(now, place, PACE);
        self.note(now, place.0, port);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_guessed_before_is_a_guesser_at_once() {
        let mut pacing = Pacing::new();
        let source: Source = "192.0.2.1".parse().unwrap();
        let (place, now) = ((source, None), Time(1));
        pacing.note(now, place.0, 6000);
        assert!(pacing.hears(now, place, 6000));
        pacing.slow(now, place, 6000);
        assert!(!pacing.hears(now, place, 6000) && pacing.hears(now, place, 6001));
    }

    #[test]
    fn whoever_guesses_waits_and_nobody_waits_for_it() {
        let mut pacing = Pacing::new();
        let source: Source = "192.0.2.1".parse().unwrap();
        let (place, start) = ((source, Some(7)), Time(1_000_000_000_000));
        let at = |millis| start + Duration::from_millis(millis);
        let mut heard = 0;
        for nth in 0..1_000 {
            if pacing.hears(at(nth * 100), place, 6000) {
                heard += 1;
                pacing.slow(at(nth * 100), place, 6000);
            }
        }
        assert_eq!(heard, 10, "in a hundred seconds");
        assert!(pacing.hears(at(99_900), place, 6001), "somebody else, from there");
        assert!(pacing.hears(at(99_900), (source, None), 6000), "for another user");
        // Who changes its port each time is one more guesser, however many ports it has.
        let heard = (0..1_000).filter(|nth| {
            let (now, port) = (at(200_000 + nth * 100), 10_000 + *nth as u16);
            let hears = pacing.hears(now, place, port);
            if hears {
                pacing.slow(now, place, port);
            }
            hears
        });
        assert_eq!(heard.count(), 10);
    }

    /// However much wrong comes at once, it is ten seconds until the next is heard.
    #[test]
    fn what_is_owed_does_not_pile_up() {
        let mut pacing = Pacing::new();
        let place = ("192.0.2.1".parse().unwrap(), None);
        for _ in 0..200 {
            pacing.slow(Time(1), place, 6000);
        }
        assert!(!pacing.hears(Time(1), place, 6000));
        assert!(pacing.hears(Time(1) + PACE, place, 6000));
    }
}
