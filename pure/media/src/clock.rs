//! The sampling clock: 16,000 samples a second, frames of 20 ms (RFC 3551 §4.2). Codecs of other rates are converted at the door.

use std::time::Duration;

use machine::Time;

/// Samples a second of all sound in this crate: "wideband", twice what telephones had.
pub const RATE: u32 = 16_000;

/// Samples of a frame: 20 ms.
pub const FRAME: usize = 320;

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

/// How many samples so many milliseconds hold.
pub(crate) const fn samples_of(millis: usize) -> usize {
    millis * RATE as usize / 1_000
}

/// How many ticks of a clock pass in so many samples.
pub(crate) const fn ticks_of(samples: u64, clock_rate: u32) -> u64 {
    samples.saturating_mul(clock_rate as u64) / RATE as u64
}

/// How long so many ticks of a clock last.
pub(crate) fn time_at(ticks: u32, clock_rate: u32) -> Duration {
    let nanos = u64::from(ticks).saturating_mul(1_000_000_000);
    Duration::from_nanos(nanos.checked_div(clock_rate.into()).unwrap_or(0))
}

/// How long so many samples last.
pub(crate) const fn time_of(samples: u64) -> Duration {
    Duration::from_nanos(samples.saturating_mul(NANOS_OF_A_SAMPLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_320_samples() {
        assert_eq!(samples_in(FRAME_TIME), FRAME as u64);
        assert_eq!(time_of(FRAME as u64), FRAME_TIME);
        assert_eq!((ticks_of(320, 8_000), ticks_of(320, 48_000)), (160, 960));
        assert_eq!(time_at(960, 48_000), FRAME_TIME);
        assert_eq!(sample_at(Time(0) + FRAME_TIME), 320);
    }
}
