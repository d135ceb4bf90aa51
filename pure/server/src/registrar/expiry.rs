//! How long a binding lives: between the bounds of the settings, and not all for the same time (RFC 3261 §10.3 step 7).

use std::time::Duration;

use protocol::Fault;

use crate::turn::Turn;

/// What a phone gets that wishes so many seconds; nothing for one that wishes to be forgotten.
///
/// After a power cut a whole house registers within a second, and would come back together for ever: so each gets a little less than
/// it wishes, as the dice say, but never less than the least. `least` is what this phone needs, when that is more than the settings'.
pub(super) fn granted(
    turn: &mut Turn<'_>,
    wish: Option<u32>,
    least: Option<Duration>,
) -> Result<Option<Duration>, Fault> {
    let rules = &turn.house.settings.registrar;
    let least = least.map_or(rules.min, |least| least.min(rules.max).max(rules.min));
    let wish = wish.map_or(rules.default, |wish| Duration::from_secs(wish.into()));
    if wish.is_zero() {
        return Ok(None);
    }
    if wish < least {
        return Err(Fault::IntervalTooBrief(seconds(least)));
    }
    let most = wish.min(rules.max);
    let spread = u64::from(seconds(most)) * u64::from(rules.jitter.min(100)) / 100;
    let less = Duration::from_secs(turn.dice.below(spread + 1));
    Ok(Some(most.saturating_sub(less).max(least.min(most))))
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}
