//! Levels in dBm0, as the telephone network counts loudness (ITU-T G.711 §4.1, G.100.1).

/// A sine that just fits into the range of G.711 is this loud, in dBm0.
#[expect(clippy::approx_constant, reason = "decibels, not the ratio of a circle")]
pub const LOUDEST_SINE: f64 = 3.14;

/// The mean power of a full-scale sine of 16-bit samples.
const FULL_POWER: f64 = 32_768.0 * 32_768.0 / 2.0;

/// What silence is called: quieter than anything that G.711 can say.
pub const SILENCE: f64 = -90.0;

/// The peak of a sine of this level, in 16-bit samples.
pub fn peak(dbm0: f64) -> f64 {
    32_767.0 * 10f64.powf((dbm0 - LOUDEST_SINE) / 20.0)
}

/// The level of a mean power (the mean of the squares of samples).
pub fn of_power(power: f64) -> f64 {
    if power <= 0.0 {
        return SILENCE;
    }
    (10.0 * (power / FULL_POWER).log10() + LOUDEST_SINE).max(SILENCE)
}

/// How loud these samples are.
pub fn of(samples: &[i16]) -> f64 {
    of_power(power(samples))
}

/// The mean of the squares; 0 for no samples.
pub(crate) fn power(samples: &[i16]) -> f64 {
    let sum: f64 = samples.iter().map(|sample| f64::from(*sample) * f64::from(*sample)).sum();
    sum / samples.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_of_the_loudest_sine_is_full_scale() {
        assert!((peak(LOUDEST_SINE) - 32_767.0).abs() < 1.0);
        assert!((peak(LOUDEST_SINE - 20.0) - 3_276.7).abs() < 1.0);
    }

    #[test]
    fn a_square_wave_of_full_scale_is_three_decibels_above_the_sine() {
        assert!((of(&[32_767, -32_767]) - (LOUDEST_SINE + 3.01)).abs() < 0.01);
        assert_eq!((of(&[0; 160]), of(&[])), (SILENCE, SILENCE));
    }
}
