//! How work grows with the size of what strangers send: compared, not clocked.

use std::time::{Duration, Instant};

/// Fails when `large`, which is four times the size of `small`, is far more than four times the work. What grows with the square is
/// sixteen times the work. Other programs on the machine only ever make a turn longer, so the quickest turns count, and it is
/// tried again as long as they may have disturbed. Keep a turn
/// well below a millisecond or two: longer ones are interrupted each time on a busy machine.
pub fn assert_in_proportion(what: &str, mut small: impl FnMut(), mut large: impl FnMut()) {
    let growth = growth(&mut small, &mut large);
    assert!(growth < BOUND, "{what}: {growth:.1} times the work for 4 times the size");
}

const BOUND: f64 = 9.0;
const TURNS: usize = 300;

fn growth(small: &mut impl FnMut(), large: &mut impl FnMut()) -> f64 {
    let (mut least_small, mut least_large) = (Duration::MAX, Duration::MAX);
    let mut growth = f64::MAX;
    for turn in 0..TURNS {
        least_small = least_small.min(clock(small));
        least_large = least_large.min(clock(large));
        growth = least_large.as_secs_f64() / least_small.max(Duration::from_nanos(1)).as_secs_f64();
        if turn > 3 && growth < BOUND {
            break;
        }
    }
    growth
}

fn clock(work: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squared(n: u64) -> impl FnMut() {
        move || {
            let mut sum = 0_u64;
            for a in 0..n {
                for b in 0..n {
                    sum = std::hint::black_box(sum ^ (a * b));
                }
            }
        }
    }

    #[test]
    fn what_grows_with_the_square_is_told_from_what_grows_in_proportion() {
        assert!(growth(&mut squared(200), &mut squared(800)) > BOUND);
        assert!(growth(&mut squared(200), &mut squared(400)) < BOUND);
    }
}
