//! `Clock`: the driver's time. It starts at the system's wall clock and never goes backwards.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use machine::Time;

/// Wall-clock time at the start, plus what the monotonic clock has counted since: a wall clock that is set back or forth while
/// we run moves no timer.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    epoch: Time,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), epoch: Time::default() + epoch }
    }

    /// Now.
    pub fn now(&self) -> Time {
        self.epoch + self.started.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_the_wall_clock_and_never_goes_back() {
        let clock = Clock::start();
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!(clock.now().as_secs().abs_diff(wall) <= 1);
        let mut last = clock.now();
        for _ in 0..1000 {
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
    }
}
