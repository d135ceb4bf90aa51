//! `Clock`: the driver's time. It starts at the system's wall clock and never goes backwards.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use machine::Time;
use rustix::time::{ClockId, clock_gettime};

/// Wall-clock time at the start, plus what a clock has counted since that nobody sets: a wall clock that is set back or forth while
/// we run moves no timer. While the machine sleeps time goes on, as it does for everybody else: what was promised for an hour ends in an hour.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Duration,
    epoch: Time,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: up(), epoch: Time::default() + epoch }
    }

    /// Now.
    pub fn now(&self) -> Time {
        self.epoch + up().saturating_sub(self.started)
    }
}

/// How long the machine has been up, asleep or not. That of std, on this system, leaves its sleep out.
fn up() -> Duration {
    clock_gettime(ClockId::Boottime).try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apart;

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

    /// On a machine that has slept for eleven days.
    #[test]
    fn time_goes_on_while_the_machine_sleeps() {
        const SLEPT: &str = "OFFHOOK_TEST_SLEPT";
        if std::env::var_os(SLEPT).is_none() {
            let test = "clock::tests::time_goes_on_while_the_machine_sleeps";
            return apart::runs_again(
                test,
                (SLEPT, "1".as_ref()),
                (&["--time", "--boottime", "1000000"], "true"),
            );
        }
        let told = std::fs::read_to_string("/proc/uptime").unwrap();
        let told: f64 = told.split(' ').next().unwrap().parse().unwrap();
        let awake = Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap();
        assert!(told - awake.as_secs_f64() > 900_000.0, "it has slept");
        assert!((up().as_secs_f64() - told).abs() < 60.0);
    }
}
