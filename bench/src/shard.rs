//! What a shard's own tools cost: its alarm queue, near and far, and its dice.

use std::hint::black_box;

use machine::{Alarms, Dice, Time};

/// Alarms that are set at any time in a busy shard's queue.
const WAITING: u64 = 1_000;

pub(crate) fn alarm(count: u64) {
    let mut alarms = Alarms::default();
    (0..WAITING).for_each(|id| alarms.set(Time(id), id));
    for now in 0..count {
        alarms.set(Time(now + WAITING), now);
        assert!(black_box(alarms.due(Time(now))).is_some());
    }
}

/// The alarms of a second's calls, half a minute away: so many wait in a server that is busy.
const FAR: u64 = 100_000;

/// Timers of transactions that are over: all are set for half a minute later, and ring in their order.
pub(crate) fn alarm_far(count: u64) {
    let (mut alarms, apart, away) = (Alarms::default(), 320_000, 32_000_000_000);
    (0..FAR).for_each(|id| alarms.set(Time(id * apart), id));
    for step in 0..count {
        let now = step * apart;
        alarms.set(Time(now + away), step);
        assert!(black_box(alarms.due(Time(now))).is_some());
    }
}

pub(crate) fn dice(count: u64) {
    let mut dice = Dice::new(7);
    for _ in 0..count {
        black_box(dice.roll());
    }
}
