//! One call of a script: placed or taken, from the first ring to what is counted at its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use phone::{Audio, Call, PhoneEvent};

use super::deed::{duration, keys};
use super::desk::{Desk, Happening, Seat};
use super::meter::{Meter, Metered};
use super::transfer;
use crate::outcome::Outcome;

/// What to do while the call is up.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Talk {
    /// Press these keys when the call is up: 1234#
    #[arg(long, value_name = "KEYS", value_parser = keys, default_value = "")]
    dtmf: String,
    /// Hang up after so long; without it, when the other side does
    #[arg(long, value_name = "TIME", value_parser = duration)]
    hangup_after: Option<Duration>,
    /// Put the other side on hold after so long, and take it back after as long again
    #[arg(long, value_name = "TIME", value_parser = duration)]
    hold_after: Option<Duration>,
    /// Transfer the call to somebody: the other side is asked to call them
    #[arg(long, value_name = "WHOM")]
    pub(super) transfer_to: Option<String>,
    /// Transfer it after so long
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "1s", requires = "transfer_to")]
    transfer_after: Duration,
    /// Call them first, and transfer when they have picked up
    #[arg(long, requires = "transfer_to")]
    pub(super) attended: bool,
    /// Fail when no sound has come (exit code 8): the call was up, and one has not heard the other
    #[arg(long)]
    expect_sound: bool,
}

/// How a call that comes is met.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    pub(super) after: Duration,
    pub(super) refuse: Option<u16>,
}

/// Calls somebody. Fine when it was answered, and ended as calls end.
pub(super) fn place(
    desk: &Seat<'_>,
    target: &str,
    talk: &Talk,
    ring_for: Duration,
) -> Result<Outcome, String> {
    let (target, (audio, meter)) = (target.to_owned(), metered(desk)?);
    let call = desk.phone.obey(move |phone, now, out| phone.call(now, &target, audio, out))?;
    let until = Instant::now() + ring_for;
    loop {
        match desk.next(Some(until))? {
            Some(Happening::Phone(PhoneEvent::Established { call: up })) if up == call => {
                let outcome = converse(desk, call, talk)?;
                return Ok(judged(desk, talk, &meter, outcome));
            }
            Some(Happening::Phone(PhoneEvent::Ended { call: over, status, .. }))
                if over == call =>
            {
                return Ok(Outcome::of(status));
            }
            Some(Happening::Leave) => return Ok(Outcome::Failed),
            Some(_) => {}
            None => {
                hang_up(desk, call)?;
                until_over(desk, call)?;
                desk.news.failed("nobody answered in time");
                return Ok(Outcome::Unanswered);
            }
        }
    }
}

/// Waits for a call to any of the accounts, or takes one that came meanwhile, and picks it up or refuses it.
pub(super) fn take(desk: &Desk, talk: &Talk, manner: &Manner) -> Result<Outcome, String> {
    loop {
        if let Some((line, call)) = desk.turn_to() {
            return meet(&desk.seat(line)?, call, talk, manner);
        }
        if let Some((_, Happening::Leave)) = desk.next(None)? {
            return Ok(Outcome::Failed);
        }
    }
}

/// Picks a call up, or refuses it.
fn meet(desk: &Seat<'_>, call: Call, talk: &Talk, manner: &Manner) -> Result<Outcome, String> {
    if let Some(status) = manner.refuse {
        desk.phone.obey(move |phone, now, out| phone.refuse(now, call, status, out))?;
        until_over(desk, call)?;
        return Ok(Outcome::Fine);
    }
    if !manner.after.is_zero() {
        desk.phone.obey(move |phone, now, out| phone.ring(now, call, out))?;
    }
    let until = Instant::now() + manner.after;
    while let Some(happening) = desk.next(Some(until))? {
        match happening {
            Happening::Phone(PhoneEvent::Ended { call: over, .. }) if over == call => {
                return Ok(Outcome::Failed);
            }
            Happening::Leave => return Ok(Outcome::Failed),
            _ => {}
        }
    }
    let (audio, meter) = metered(desk)?;
    desk.phone.obey(move |phone, now, out| phone.answer(now, call, audio, out))?;
    loop {
        match desk.next(None)? {
            Some(Happening::Phone(PhoneEvent::Established { call: up })) if up == call => {
                let outcome = converse(desk, call, talk)?;
                return Ok(judged(desk, talk, &meter, outcome));
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

/// Mouth and ear, and what tells whether anything was heard.
fn metered(desk: &Seat<'_>) -> Result<(Box<dyn Audio>, Arc<Meter>), String> {
    let meter = Arc::<Meter>::default();
    let metered = Metered { audio: desk.audio()?, meter: meter.clone() };
    Ok((Box::new(metered), meter))
}

/// A call that went well; but has anything been heard in it?
fn judged(desk: &Seat<'_>, talk: &Talk, meter: &Meter, outcome: Outcome) -> Outcome {
    if outcome != Outcome::Fine || !talk.expect_sound || meter.has_heard() {
        return outcome;
    }
    desk.news.failed("the call was up, and no sound has come");
    Outcome::Soundless
}

/// A call that is up, until its end.
fn converse(desk: &Seat<'_>, mut call: Call, talk: &Talk) -> Result<Outcome, String> {
    let began = Instant::now();
    for key in talk.dtmf.chars() {
        desk.phone.obey(move |phone, now, out| phone.press(now, call, key, out))?;
    }
    for (after, deed) in plan(talk) {
        match until(desk, &mut call, Some(began + after))? {
            Reached::Time => match &deed {
                Step::Transfer => {
                    let outcome = transfer::run(desk, &mut call, talk)?;
                    desk.news.lasted(began.elapsed());
                    return Ok(outcome);
                }
                step => step.run(desk, call)?,
            },
            Reached::Leave => hang_up(desk, call)?,
            Reached::End(outcome) => {
                desk.news.lasted(began.elapsed());
                return Ok(outcome);
            }
        }
    }
    let outcome = match until(desk, &mut call, None)? {
        Reached::End(outcome) => outcome,
        Reached::Time | Reached::Leave => {
            hang_up(desk, call)?;
            until_over(desk, call)?
        }
    };
    desk.news.lasted(began.elapsed());
    Ok(outcome)
}

/// Something to be done in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Hold,
    Resume,
    Transfer,
    HangUp,
}

impl Step {
    fn run(self, desk: &Seat<'_>, call: Call) -> Result<(), String> {
        match self {
            Self::Hold => desk.phone.obey(move |phone, now, out| phone.hold(now, call, out)),
            Self::Resume => desk.phone.obey(move |phone, now, out| phone.resume(now, call, out)),
            Self::HangUp => hang_up(desk, call),
            Self::Transfer => Ok(()),
        }
    }
}

/// What is done when, counted from the beginning, in order.
fn plan(talk: &Talk) -> Vec<(Duration, Step)> {
    let mut steps = Vec::new();
    if let Some(after) = talk.hold_after {
        steps.extend([(after, Step::Hold), (after * 2, Step::Resume)]);
    }
    steps.extend(talk.transfer_to.as_ref().map(|_| (talk.transfer_after, Step::Transfer)));
    steps.extend(talk.hangup_after.map(|after| (after, Step::HangUp)));
    steps.sort_by_key(|(after, _)| *after);
    // Nothing is done in a call that was hung up, or is somebody else's.
    let last = |step: &Step| matches!(step, Step::HangUp | Step::Transfer);
    if let Some(end) = steps.iter().position(|(_, step)| last(step)) {
        steps.truncate(end + 1);
    }
    steps
}

/// What came first.
pub(super) enum Reached {
    Time,
    Leave,
    End(Outcome),
}

/// Waits for a call's end. It may go on as another.
fn until(desk: &Seat<'_>, call: &mut Call, time: Option<Instant>) -> Result<Reached, String> {
    loop {
        match desk.next(time)? {
            Some(Happening::Phone(PhoneEvent::GoesOn { call: old, new })) if old == *call => {
                *call = new;
            }
            Some(Happening::Phone(PhoneEvent::Ended { call: over, status, .. }))
                if over == *call =>
            {
                return Ok(Reached::End(Outcome::of(status)));
            }
            Some(Happening::Leave) => return Ok(Reached::Leave),
            Some(_) => {}
            None => return Ok(Reached::Time),
        }
    }
}

/// Waits for the end of a call that is being hung up or refused.
pub(super) fn until_over(desk: &Seat<'_>, mut call: Call) -> Result<Outcome, String> {
    match until(desk, &mut call, Some(Instant::now() + GOODBYE))? {
        Reached::End(outcome) => Ok(outcome),
        Reached::Time | Reached::Leave => Ok(Outcome::Failed),
    }
}

pub(super) fn hang_up(desk: &Seat<'_>, call: Call) -> Result<(), String> {
    desk.phone.obey(move |phone, now, out| phone.hang_up(now, call, out))
}

/// Longer than a BYE waits for its answer (RFC 3261 §17.1.2.2 timer F).
const GOODBYE: Duration = Duration::from_secs(35);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_come_in_order_and_none_after_the_end() {
        let talk = |hold: Option<u64>, hang_up: Option<u64>| {
            let [hold_after, hangup_after] = [hold, hang_up].map(|at| at.map(Duration::from_secs));
            let transfer_after = Duration::from_secs(1);
            let steps = plan(&Talk {
                dtmf: String::new(),
                hangup_after,
                hold_after,
                transfer_to: None,
                transfer_after,
                attended: false,
                expect_sound: false,
            });
            steps.into_iter().map(|(at, step)| (at.as_secs(), step)).collect::<Vec<_>>()
        };
        assert_eq!(talk(Some(1), Some(5)), [(1, Step::Hold), (2, Step::Resume), (5, Step::HangUp)]);
        assert_eq!(talk(Some(3), Some(5)), [(3, Step::Hold), (5, Step::HangUp)]);
        assert_eq!(talk(None, None), []);
    }
}
