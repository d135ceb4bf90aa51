//! Requests of a script that are answered once: a text, a ping.

use std::time::{Duration, Instant};

use phone::{Inquiry, PhoneEvent};

use super::desk::{Happening, Seat};
use crate::outcome::Outcome;

/// Sends a text.
pub(super) fn message(desk: &Seat<'_>, target: String, text: String) -> Result<Outcome, String> {
    let sent = desk.phone.obey(move |phone, now, out| phone.message(now, &target, &text, out))?;
    answer(desk, sent).map(|(outcome, _)| outcome)
}

/// Asks somebody what they can do, so many times; then says how long the answers took. Fine, when the last answer was one: a no is an answer too.
pub(super) fn ping(desk: &Seat<'_>, target: &str, count: u32) -> Result<Outcome, String> {
    let (mut outcome, mut times) = (Outcome::Failed, Times::default());
    for number in 0..count {
        if number > 0 && pause(desk)? == Leaving::Yes {
            break;
        }
        let target = target.to_owned();
        let asked = desk.phone.obey(move |phone, now, out| phone.ping(now, &target, out))?;
        let (last, took) = answer(desk, asked)?;
        times.add(took.filter(|_| last != Outcome::Unreachable));
        outcome = last;
    }
    if count > 1 {
        desk.news.round_trips(&times);
    }
    Ok(outcome)
}

/// How long answers took.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Times {
    /// How often was asked, and how often answered.
    pub(super) asked: u32,
    pub(super) answered: u32,
    /// The shortest and the longest time.
    pub(super) least: Duration,
    pub(super) most: Duration,
    sum: Duration,
}

impl Times {
    /// One more; nothing, when no answer came.
    fn add(&mut self, took: Option<Duration>) {
        self.asked = self.asked.saturating_add(1);
        let Some(took) = took else { return };
        self.least = if self.answered == 0 { took } else { self.least.min(took) };
        self.answered = self.answered.saturating_add(1);
        self.most = self.most.max(took);
        self.sum = self.sum.saturating_add(took);
    }

    /// The mean.
    pub(super) fn mean(&self) -> Duration {
        self.sum.checked_div(self.answered).unwrap_or_default()
    }
}

/// Waits for the answer, and for how long it took.
fn answer(desk: &Seat<'_>, wanted: Inquiry) -> Result<(Outcome, Option<Duration>), String> {
    loop {
        match desk.next(None)? {
            Some(Happening::Phone(PhoneEvent::Answered { inquiry, status, took, .. }))
                if inquiry == wanted =>
            {
                return Ok((Outcome::of(status), Some(took)));
            }
            Some(Happening::Leave) => return Ok((Outcome::Failed, None)),
            Some(_) | None => {}
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaving {
    Yes,
    No,
}

fn pause(desk: &Seat<'_>) -> Result<Leaving, String> {
    let until = Instant::now() + Duration::from_secs(1);
    while let Some(happening) = desk.next(Some(until))? {
        if matches!(happening, Happening::Leave) {
            return Ok(Leaving::Yes);
        }
    }
    Ok(Leaving::No)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_summed_up_and_silence_is_no_time() {
        let mut times = Times::default();
        assert_eq!(times.mean(), Duration::ZERO);
        for took in [Some(20), None, Some(10), Some(60)] {
            times.add(took.map(Duration::from_millis));
        }
        assert_eq!((times.asked, times.answered), (4, 3));
        let known = [times.least, times.mean(), times.most];
        assert_eq!(known, [10, 30, 60].map(Duration::from_millis));
    }
}
