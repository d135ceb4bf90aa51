//! What a shard's own tools cost: its alarm queue and its dice.

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

pub(crate) fn dice(count: u64) {
    let mut dice = Dice::new(7);
    for _ in 0..count {
        black_box(dice.roll());
    }
}
