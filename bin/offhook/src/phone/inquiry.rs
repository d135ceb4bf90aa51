//! Requests of a script that are answered once: a text, a ping.

use std::time::{Duration, Instant};

use phone::{Inquiry, PhoneEvent};

use super::desk::{Happening, Seat};
use crate::outcome::Outcome;

/// Sends a text.
pub(super) fn message(desk: &Seat<'_>, target: String, text: String) -> Result<Outcome, String> {
    let sent = desk.phone.obey(move |phone, now, out| phone.message(now, &target, &text, out))?;
    answer(desk, sent)
}

/// Asks somebody what they can do. Fine, when the last answer was one: a no is an answer too.
pub(super) fn ping(desk: &Seat<'_>, target: &str, count: u32) -> Result<Outcome, String> {
    let mut outcome = Outcome::Failed;
    for number in 0..count {
        if number > 0 && pause(desk)? == Leaving::Yes {
            break;
        }
        let target = target.to_owned();
        let asked = desk.phone.obey(move |phone, now, out| phone.ping(now, &target, out))?;
        outcome = answer(desk, asked)?;
    }
    Ok(outcome)
}

/// Waits for the answer.
fn answer(desk: &Seat<'_>, wanted: Inquiry) -> Result<Outcome, String> {
    loop {
        match desk.next(None)? {
            Some(Happening::Phone(PhoneEvent::Answered { inquiry, status, .. }))
                if inquiry == wanted =>
            {
                return Ok(Outcome::of(status));
            }
            Some(Happening::Leave) => return Ok(Outcome::Failed),
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
