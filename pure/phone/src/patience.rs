//! What everything shares that lasts only as long as it is repeated (registrations, subscriptions, publications): how long to ask for, and when again.

use std::time::Duration;

use machine::Dice;
use sip::Message;
use sip::header::MinExpires;

use crate::limits;

/// Takes a 423's Min-Expires over into what we ask for, in seconds (RFC 3261 §10.2.8: that much or more); `false` when it is not longer than that,
/// or absurd. It doubles at least, so that whoever raises it each time is asked a few times and not for days.
pub(crate) fn raise(asked: &mut u32, response: &Message) -> bool {
    let Some(MinExpires(least)) = response.get() else { return false };
    let sound = least > *asked && least <= limits::LONGEST_EXPIRES;
    if sound {
        *asked = least.max(asked.saturating_mul(2)).min(limits::LONGEST_EXPIRES);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_raises_it_each_time_is_asked_a_few_times() {
        let brief = |least: u32| {
            Message::parse(format!("SIP/2.0 423 No\r\nMin-Expires: {least}\r\n\r\n")).unwrap()
        };
        let (mut asked, mut times) = (3600, 0);
        assert!(!raise(&mut asked, &brief(3600)) && !raise(&mut asked, &brief(u32::MAX)));
        loop {
            let more = brief(asked + 1);
            match raise(&mut asked, &more) {
                true => times += 1,
                false => break,
            }
        }
        assert_eq!((asked, times), (limits::LONGEST_EXPIRES, 8));
        let mut asked = 60;
        assert!(raise(&mut asked, &brief(1800)));
        assert_eq!(asked, 1800, "no more than is wanted");
    }
}
