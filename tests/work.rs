//! How work grows with the size of what strangers send: compared, not clocked.

use std::time::{Duration, Instant};

/// How many times more work `large` is than `small`: the quickest of several turns each, so that other programs on the machine
/// do not count. What grows in proportion gives about the ratio of the sizes, what grows with the square its square.
pub fn growth(mut small: impl FnMut(), mut large: impl FnMut()) -> f64 {
    let (mut least_small, mut least_large) = (Duration::MAX, Duration::MAX);
    for _ in 0..TURNS {
        least_small = least_small.min(clock(&mut small));
        least_large = least_large.min(clock(&mut large));
    }
    least_large.as_secs_f64() / least_small.max(Duration::from_nanos(1)).as_secs_f64()
}

const TURNS: usize = 12;

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
        assert!(growth(squared(200), squared(800)) > 9.0);
        assert!(growth(squared(200), squared(400)) < 9.0);
    }
}
