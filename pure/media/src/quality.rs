//! `Quality`: how good a direction of a call is: the E-model (ITU-T G.107) for G.711 with concealment (ITU-T G.113).

use std::time::Duration;

use crate::ledger::Tally;

/// The R factor of an undisturbed narrowband call: G.107's defaults.
const BEST: f64 = 93.2;
/// G.711's own impairment, and how well it stands loss with concealment (ITU-T G.113 table I.3).
const IMPAIRMENT: f64 = 0.0;
const ROBUSTNESS: f64 = 25.1;

/// How good one direction of a call is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Part of the packets that was lost or came too late, 0 to 1.
    pub loss: f64,
    /// How much losses cling together: 1 when they are random, more when they come in bursts (ITU-T G.107 BurstR).
    pub burst: f64,
    /// Interarrival jitter (RFC 3550 §6.4.1).
    pub jitter: Duration,
    /// From mouth to ear: half the round trip, a frame, and the jitter buffer. Without a round trip, without that part.
    pub delay: Duration,
    /// The R factor, 0 to 93.2: above 80 people are satisfied, below 60 hardly anybody is.
    pub r: f64,
    /// Mean opinion score, 1 to 4.41: what people would say.
    pub mos: f64,
}

impl Quality {
    pub(crate) fn new(loss: Loss, jitter: Duration, delay: Duration) -> Self {
        let effective = IMPAIRMENT
            + (95.0 - IMPAIRMENT) * loss.percent() / (loss.percent() / loss.burst + ROBUSTNESS);
        let r = (BEST - delayed(delay) - effective).clamp(0.0, 100.0);
        Self { loss: loss.part, burst: loss.burst, jitter, delay, r, mos: mos(r) }
    }
}

/// How much is lost, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Loss {
    part: f64,
    burst: f64,
}

impl Loss {
    /// From what was counted packet by packet.
    pub(crate) fn of(tally: Tally) -> Self {
        let part = tally.lost as f64 / tally.expected.max(1) as f64;
        let length = tally.lost as f64 / tally.bursts.max(1) as f64;
        // G.107: the mean length of a burst, against that of random loss, which is 1 / (1 - loss).
        Self { part, burst: (length * (1.0 - part)).max(1.0) }
    }

    /// As if it were random.
    pub(crate) const fn random(part: f64) -> Self {
        Self { part: part.clamp(0.0, 1.0), burst: 1.0 }
    }

    /// Part of the packets, 0 to 1.
    pub(crate) const fn part(self) -> f64 {
        self.part
    }

    fn percent(self) -> f64 {
        100.0 * self.part
    }
}

/// What delay alone costs (ITU-T G.107 §7.4, Idd): nothing below 100 ms. Echo is not in it: a headset has none.
fn delayed(delay: Duration) -> f64 {
    let x = (delay.as_secs_f64() * 10.0).max(1.0).log2();
    let root = |value: f64| (1.0 + value.powi(6)).powf(1.0 / 6.0);
    if x <= 0.0 { 0.0 } else { 25.0 * (root(x) - 3.0 * root(x / 3.0) + 2.0) }
}

/// From the R factor to the mean opinion score (ITU-T G.107 annex B).
fn mos(r: f64) -> f64 {
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quality(percent: f64, millis: u64) -> Quality {
        Quality::new(Loss::random(percent / 100.0), Duration::ZERO, Duration::from_millis(millis))
    }

    fn about(value: f64, expected: f64) {
        assert!((value - expected).abs() < 0.01, "{value} instead of {expected}");
    }

    #[test]
    fn an_undisturbed_call_is_as_good_as_g107_says() {
        about(quality(0.0, 50).r, 93.2);
        about(quality(0.0, 50).mos, 4.41);
    }

    #[test]
    fn loss_costs_what_the_formula_says() {
        about(quality(1.0, 0).r, 93.2 - 95.0 / 26.1);
        about(quality(5.0, 0).r, 93.2 - 475.0 / 30.1);
        assert!(quality(20.0, 0).mos < 2.7);
        assert!(quality(100.0, 0).mos < 1.3);
    }

    #[test]
    fn delay_costs_nothing_at_first_and_much_in_the_end() {
        about(quality(0.0, 100).r, 93.2);
        // X = 1 at 200 ms: 25 (2^(1/6) - 3 (1 + 3^-6)^(1/6) + 2)
        about(
            quality(0.0, 200).r,
            93.2 - 25.0 * (2f64.powf(1.0 / 6.0) - 3.0 * (730f64 / 729.0).powf(1.0 / 6.0) + 2.0),
        );
        assert!(quality(0.0, 400).r < 75.0);
    }

    #[test]
    fn bursts_are_worse_than_random_loss() {
        let random = Loss::of(Tally { expected: 1000, lost: 50, bursts: 48 });
        let burst = Loss::of(Tally { expected: 1000, lost: 50, bursts: 5 });
        about(random.burst, 1.0);
        about(burst.burst, 9.5);
        let [random, burst] =
            [random, burst].map(|loss| Quality::new(loss, Duration::ZERO, Duration::ZERO));
        assert!(burst.r < random.r - 1.0);
    }

    #[test]
    fn the_score_of_an_r_factor_is_that_of_annex_b() {
        for (r, expected) in
            [(90.0, 4.34), (80.0, 4.02), (70.0, 3.60), (60.0, 3.10), (50.0, 2.58), (0.0, 1.0)]
        {
            assert!((mos(r) - expected).abs() < 0.01, "{r} {}", mos(r));
        }
    }
}
