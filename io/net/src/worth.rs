//! `Worth`: whether naps are worth while on this machine. What waking up costs differs tenfold from one to another, and from one hour to
//! another; so now and then a busy shard does without naps for a moment, or with them, and compares what a message has cost.

use std::time::Duration;

use machine::Time;

/// What a message costs with naps and without, as this shard has seen it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Worth {
    /// Nanoseconds of CPU a message.
    with: Option<u64>,
    without: Option<u64>,
    /// Naps are not taken now.
    awake: bool,
    trial: Option<Trial>,
    /// When the other way is tried again.
    again: Time,
}

/// A while in which only one way is gone.
#[derive(Clone, Copy, Debug)]
struct Trial {
    began: Time,
    /// CPU of this thread at its beginning.
    spent: Duration,
    messages: u64,
}

/// How long a trial takes: hundreds of messages where naps matter.
const TRIAL: Duration = Duration::from_millis(50);

/// How often the way that seems worse is tried: two trials of a hundred.
const AGAIN: Duration = Duration::from_millis(2500);

/// Naps are taken when a message costs less than this with them, in percent of what it costs without: for less nobody should wait.
const LITTLE: u64 = 85;

impl Worth {
    /// After a turn in which so many messages came and a nap would let more gather: may it be taken? `spent` says how much CPU this thread
    /// has had.
    pub(crate) fn allows(
        &mut self,
        now: Time,
        messages: usize,
        spent: impl FnOnce() -> Duration,
    ) -> bool {
        let messages = u64::try_from(messages).unwrap_or(u64::MAX);
        match &mut self.trial {
            None => self.trial = Some(Trial { began: now, spent: spent(), messages: 0 }),
            Some(trial) if now - trial.began < TRIAL => {
                trial.messages = trial.messages.saturating_add(messages);
            }
            Some(trial) => {
                let (trial, spent) = (*trial, spent());
                self.judge(
                    now,
                    spent.saturating_sub(trial.spent),
                    trial.messages.saturating_add(messages),
                );
                self.trial = Some(Trial { began: now, spent, messages: 0 });
            }
        }
        !self.awake
    }

    /// A turn after which there is no time for a nap, though much came.
    pub(crate) fn note(&mut self, messages: usize) {
        if let Some(trial) = &mut self.trial {
            trial.messages =
                trial.messages.saturating_add(u64::try_from(messages).unwrap_or(u64::MAX));
        }
    }

    /// There is little to do: what was begun shows nothing.
    pub(crate) const fn rest(&mut self) {
        self.trial = None;
    }

    /// A trial has ended: which way is gone next.
    fn judge(&mut self, now: Time, spent: Duration, messages: u64) {
        let nanos = u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX);
        let Some(each) = nanos.checked_div(messages) else { return };
        let known = if self.awake { &mut self.without } else { &mut self.with };
        // One trial may have been disturbed, by far; several in a row seldom are.
        let most = |before: u64| before.saturating_add(before / 4);
        let calm = |before: u64| u64::midpoint(before, each.min(most(before)));
        *known = Some(known.map_or(each, calm));
        let is_cheaper = match (self.with, self.without) {
            (Some(with), Some(without)) => {
                with.saturating_mul(100) < without.saturating_mul(LITTLE)
            }
            (None, _) => true,
            (_, None) => false,
        };
        self.awake = !is_cheaper;
        if self.with.is_some() && self.without.is_some() && now >= self.again {
            self.again = now + AGAIN;
            self.awake = is_cheaper;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shard that is busy for so long, on a machine where a message costs so many microseconds with naps and without; the share of time, in
    /// percent, in which it naps.
    fn live(worth: &mut Worth, now: &mut Time, secs: u64, costs: (u64, u64)) -> usize {
        let mut spent = Duration::from_secs(now.as_secs());
        let turns = usize::try_from(secs * 10_000).unwrap();
        let napped = (0..turns).filter(|_| {
            *now = *now + Duration::from_micros(100);
            let naps = worth.allows(*now, 1, || spent);
            spent += Duration::from_micros(if naps { costs.0 } else { costs.1 });
            naps
        });
        napped.count() * 100 / turns
    }

    #[test]
    fn where_waking_is_dear_it_naps_and_where_it_is_not_nobody_waits() {
        let (mut worth, mut now) = (Worth::default(), Time(1_000_000_000_000));
        assert!(live(&mut worth, &mut now, 10, (10, 20)) > 95);
        // Another hour, another machine: it is seen soon.
        live(&mut worth, &mut now, 30, (20, 20));
        assert!(live(&mut worth, &mut now, 10, (20, 20)) < 5);
        assert!(live(&mut worth, &mut now, 10, (18, 20)) < 5, "for a tenth nobody should wait");
        live(&mut worth, &mut now, 15, (10, 20));
        assert!(live(&mut worth, &mut now, 10, (10, 20)) > 95);
    }

    #[test]
    fn a_quiet_while_shows_nothing() {
        let (mut worth, mut now) = (Worth::default(), Time(1_000_000_000_000));
        for _ in 0..1000 {
            now = now + Duration::from_millis(49);
            assert!(worth.allows(now, 1, || Duration::from_secs(now.as_secs())));
            worth.rest();
        }
    }
}
