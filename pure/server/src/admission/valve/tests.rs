//! A counter with one clerk, in virtual time: what is done of what is asked.

use std::time::Duration;

use machine::Time;
use protocol::doors::Backlog;

use super::Valve;
use crate::admission::Class;

/// What one thing takes, and what it takes to refuse one, in microseconds.
const WORK: u64 = 1000;
const REFUSAL: u64 = 20;

/// For so many there is room; who comes then is lost.
const ROOM: u64 = 1500;

/// So many come in a second, and the clerk works for a part of each tenth of one.
struct Counter {
    valve: Valve,
    /// In microseconds.
    now: u64,
    offered: u64,
    works: u64,
    batch: u64,
    /// Who has come since the beginning, in thousandths of a thousandth.
    came: u64,
    waiting: u64,
    waited: u64,
    done: u64,
    longest: u64,
}

impl Counter {
    fn new(offered: u64) -> Self {
        Self {
            valve: Valve::new(),
            now: 10_000_000,
            offered,
            works: 100_000,
            batch: 200,
            came: 0,
            waiting: 0,
            waited: 0,
            done: 0,
            longest: 0,
        }
    }

    /// A clerk who works for a hundredth of a second in each tenth.
    fn now_and_then(offered: u64) -> Self {
        Self { works: 10_000, batch: 16, ..Self::new(offered) }
    }

    fn spend(&mut self, micros: u64) {
        let before = self.now;
        self.now += micros;
        if self.now % 100_000 > self.works {
            self.now = self.now.next_multiple_of(100_000);
        }
        self.came += (self.now - before) * self.offered;
        self.waiting += self.came / 1_000_000;
        self.came %= 1_000_000;
    }

    /// One turn of the clerk, told how it goes as `io/net/src/pressure.rs` would.
    fn turn(&mut self) {
        let lost = self.waiting.saturating_sub(ROOM);
        let batch = (self.waiting - lost).min(self.batch);
        self.waiting -= lost + batch;
        let (left, began) = (self.waiting > 0, self.now);
        let backlog = Backlog { waited: Duration::from_micros(self.waited), lost };
        self.valve.waited(Time(began * 1000), Duration::from_millis(20), backlog);
        for _ in 0..batch {
            if self.valve.lets(Time(began * 1000), Class::New) {
                self.longest = self.longest.max(self.waited);
                self.done += 1;
                self.spend(WORK);
            } else {
                self.spend(REFUSAL);
            }
        }
        self.spend(if batch == 0 { 1000 } else { 1 });
        let busy = self.now - began;
        self.waited = match (left, lost > 0) {
            (true, true) => (self.waited + busy).min(2 * busy),
            (true, false) => self.waited + busy,
            (false, _) => busy,
        };
    }

    /// What was done in a second, and how long the last of it had waited, in milliseconds.
    fn serve(&mut self) -> (u64, u64) {
        let until = self.now + 1_000_000;
        (self.done, self.longest) = (0, 0);
        while self.now < until {
            self.turn();
        }
        (self.done, self.longest / 1000)
    }

    /// The mean of what is done in a second, from the ninth on, and how many of these seconds let something wait longer than a second.
    fn mean(&mut self) -> (u64, usize) {
        let seconds: Vec<_> = (0..25).map(|_| self.serve()).skip(8).collect();
        let done = seconds.iter().map(|(done, _)| done).sum::<u64>() / 17;
        (done, seconds.iter().filter(|(_, waited)| *waited > 1000).count())
    }
}

/// Refusals cost something: at 10,000 a second there is time for 816 beside them.
#[test]
fn what_can_be_done_is_done_whatever_comes() {
    let cases = [(500, 490), (900, 890), (1500, 900), (4000, 780), (10_000, 650), (20_000, 480)];
    for (offered, least) in cases {
        let mut counter = Counter::new(offered);
        let (done, late) = counter.mean();
        assert!(done >= least, "{offered} a second: {done} done");
        assert_eq!(late, 0, "{offered} a second");
        assert_eq!(counter.valve.is_narrow(), offered > 1000, "{offered} a second");
    }
}

/// A process that may run for a tenth of each tenth of a second lets what comes wait for 90 ms as a matter of course.
#[test]
fn who_runs_only_now_and_then_is_not_overloaded_for_that() {
    for (offered, least) in [(50, 48), (85, 80), (150, 80), (1000, 62)] {
        let mut counter = Counter::now_and_then(offered);
        let (done, late) = counter.mean();
        assert!(done >= least, "{offered} a second: {done} done");
        assert_eq!(late, 0, "{offered} a second");
        assert_eq!(counter.valve.is_narrow(), offered > 100, "{offered} a second");
    }
}

#[test]
fn it_is_over_soon_when_it_is_over() {
    let mut counter = Counter::new(10_000);
    for _ in 0..10 {
        counter.serve();
    }
    counter.offered = 800;
    let done = (0..5).map(|_| counter.serve().0).last();
    assert!(done.is_some_and(|done| done >= 780), "{done:?}");
    for _ in 0..3 {
        counter.serve();
    }
    assert!(!counter.valve.is_narrow());
}

#[test]
fn a_stall_or_an_office_that_comes_to_work_is_no_overload() {
    let mut valve = Valve::new();
    let mut wait = |millis: u64, waited: u64| {
        let backlog = Backlog { waited: Duration::from_millis(waited), lost: 0 };
        valve.waited(Time(millis * 1_000_000), Duration::from_millis(20), backlog)
    };
    for millis in (10_000..11_000).step_by(50) {
        assert_eq!(wait(millis, 1), None);
    }
    assert_eq!(wait(11_500, 500), None);
    for millis in (11_501..13_000).step_by(50) {
        assert_eq!(wait(millis, 1), None);
    }
}

/// Calls for help and renewals go before what is new, and do not wait for room.
#[test]
fn what_is_urgent_goes_first() {
    let mut counter = Counter::new(5000);
    for _ in 0..5 {
        counter.serve();
    }
    let now = Time(counter.now * 1000);
    let valve = &mut counter.valve;
    while valve.lets(now, Class::New) {}
    let known = (0..10_000).filter(|_| valve.lets(now, Class::Known)).count();
    let emergencies = (0..10_000).filter(|_| valve.lets(now, Class::Emergency)).count();
    assert!(known > 50 && emergencies > 5 * known, "{known}, {emergencies}");
    assert!(!valve.lets(now, Class::New) && emergencies < 10_000);
}
