//! The sampling clock: 8,000 samples a second, frames of 20 ms (RFC 3551 §4.2).

use std::time::Duration;

use machine::Time;

/// Samples a second of every codec that we speak, and the clock rate of their timestamps.
pub const RATE: u32 = 8_000;

/// Samples of a frame: 20 ms.
pub const FRAME: usize = 160;

/// How long a frame lasts.
pub const FRAME_TIME: Duration = Duration::from_millis(20);

const NANOS_OF_A_SAMPLE: u64 = 1_000_000_000 / RATE as u64;

/// The number of the sample that is taken at this moment.
pub(crate) const fn sample_at(now: Time) -> i64 {
    (now.0 / NANOS_OF_A_SAMPLE).cast_signed()
}

/// How many samples a time holds.
pub(crate) fn samples_in(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX) / NANOS_OF_A_SAMPLE
}

/// How long so many samples last.
pub(crate) const fn time_of(samples: u64) -> Duration {
    Duration::from_nanos(samples.saturating_mul(NANOS_OF_A_SAMPLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_160_samples() {
        assert_eq!(samples_in(FRAME_TIME), FRAME as u64);
        assert_eq!(time_of(FRAME as u64), FRAME_TIME);
        assert_eq!(sample_at(Time(0) + FRAME_TIME), 160);
    }
}
