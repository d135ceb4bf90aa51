//! What everything shares that lasts only as long as it is repeated (registrations, subscriptions, publications): how long to ask for, and when again.

use std::time::Duration;

use machine::Dice;
use sip::Message;
use sip::header::MinExpires;

use crate::limits;

/// Takes a 423's Min-Expires over into what we ask for, in seconds (RFC 3261 §10.2.8); `false` when it is not longer than that, or absurd.
pub(crate) fn raise(asked: &mut u32, response: &Message) -> bool {
    let Some(MinExpires(least)) = response.get() else { return false };
    let sound = least > *asked && least <= limits::LONGEST_EXPIRES;
    if sound {
        *asked = least;
    }
    sound
}

/// The pause after so many failures in a row: it doubles with each, and a random half of it is left out (RFC 5626 §4.5).
pub(crate) fn pause(failures: u32, dice: &mut Dice) -> Duration {
    pause_from(limits::RETRY_FIRST, failures, dice)
}

/// The same, from another first pause.
pub(crate) fn pause_from(first: Duration, failures: u32, dice: &mut Dice) -> Duration {
    let doubled = first.saturating_mul(1 << failures.min(16));
    let most = u64::try_from(doubled.min(limits::RETRY_LAST).as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis((most / 2).saturating_add(dice.below(most / 2 + 1)))
}
