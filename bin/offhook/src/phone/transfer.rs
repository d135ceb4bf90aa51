//! A call of a script that is transferred: at once, or to somebody who was asked first.

use std::time::{Duration, Instant};

use media::Silence;
use phone::{Call, PhoneEvent};

use super::call::{Talk, hang_up, until_over};
use super::desk::{Happening, Seat};
use crate::outcome::Outcome;

/// Transfers the call, and says what has become of it.
pub(super) fn run(desk: &Seat<'_>, call: &mut Call, talk: &Talk) -> Result<Outcome, String> {
    let Some(target) = talk.transfer_to.clone() else { return Ok(Outcome::Failed) };
    let first = *call;
    if !talk.attended {
        desk.phone.obey(move |phone, now, out| phone.transfer(now, first, &target, out))?;
        return how_it_goes(desk, first);
    }
    desk.phone.obey(move |phone, now, out| phone.hold(now, first, out))?;
    let second =
        desk.phone.obey(move |phone, now, out| phone.call(now, &target, Box::new(Silence), out))?;
    match asked(desk, second)? {
        Outcome::Fine => {
            desk.phone.obey(move |phone, now, out| phone.transfer_to(now, first, second, out))?;
            how_it_goes(desk, first)
        }
        other => {
            hang_up(desk, first)?;
            until_over(desk, first)?;
            Ok(other)
        }
    }
}

/// Waits until whom we asked picks up.
fn asked(desk: &Seat<'_>, call: Call) -> Result<Outcome, String> {
    loop {
        match desk.next(None)? {
            Some(Happening::Phone(PhoneEvent::Established { call: up })) if up == call => {
                return Ok(Outcome::Fine);
            }
            Some(Happening::Phone(PhoneEvent::Ended { call: over, status, .. }))
                if over == call =>
            {
                return Ok(Outcome::of(status));
            }
            Some(Happening::Leave) => return Ok(Outcome::Failed),
            Some(_) | None => {}
        }
    }
}

/// Waits for the last word about a transfer. When it is a no, the call is hung up.
fn how_it_goes(desk: &Seat<'_>, call: Call) -> Result<Outcome, String> {
    let until = Instant::now() + PATIENCE;
    loop {
        match desk.next(Some(until))? {
            Some(Happening::Phone(PhoneEvent::Transfer { call: ours, status }))
                if ours == call && status >= 200 =>
            {
                let outcome = Outcome::of(status);
                if outcome != Outcome::Fine {
                    // It may have been hung up meanwhile.
                    let _ = hang_up(desk, call);
                }
                until_over(desk, call)?;
                return Ok(outcome);
            }
            Some(Happening::Leave) | None => {
                hang_up(desk, call)?;
                until_over(desk, call)?;
                return Ok(Outcome::Failed);
            }
            Some(_) => {}
        }
    }
}

/// Longer than the phone itself waits.
const PATIENCE: Duration = Duration::from_secs(310);
