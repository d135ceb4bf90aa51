//! When the next report is due (RFC 3550 §6.2, §6.3.1 and appendix A.7).

use std::time::Duration;

use machine::Dice;

/// The least mean time between two reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Minimum {
    /// 5 seconds.
    #[default]
    Fixed,
    /// 360 seconds divided by the session bandwidth in kbit/s (RFC 3550 §6.2).
    Reduced,
}

/// What the time between two reports depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    pub(crate) minimum: Minimum,
    /// How many take part, we included.
    pub(crate) members: u32,
    /// How many of them send.
    pub(crate) senders: u32,
    /// True when we are one of the senders.
    pub(crate) we_send: bool,
    /// True before our first report.
    pub(crate) initial: bool,
    /// The mean size of reports, in octets with UDP and IP headers.
    pub(crate) size: f64,
}

/// A member that was silent for so many intervals is gone (RFC 3550 §6.3.5).
const PATIENCE: u32 = 5;

const FIXED: f64 = 5.0;
/// G.711 in 20 ms packets: 64 kbit/s, and 16 for headers (RFC 3550 §6.2: lower-layer headers down to IP count).
const BANDWIDTH: f64 = 80_000.0;
/// RTCP's part of it, and the senders' part of that.
const CONTROL: f64 = 0.05;
const SENDERS: f64 = 0.25;
/// e - 3/2: makes up for timer reconsideration (RFC 3550 §6.3.1).
const COMPENSATION: f64 = std::f64::consts::E - 1.5;

impl Interval {
    /// The deterministic interval, in seconds.
    fn deterministic(self) -> f64 {
        let minimum = match self.minimum {
            Minimum::Fixed => FIXED,
            Minimum::Reduced => 360.0 / (BANDWIDTH / 1000.0),
        };
        let minimum = if self.initial { minimum / 2.0 } else { minimum };
        let (members, senders) = (f64::from(self.members), f64::from(self.senders));
        let octets = CONTROL * BANDWIDTH / 8.0;
        let (part, sharers) = if senders > SENDERS * members {
            (1.0, members)
        } else if self.we_send {
            (SENDERS, senders)
        } else {
            (1.0 - SENDERS, members - senders)
        };
        (self.size * sharers / (octets * part)).max(minimum)
    }

    /// How long to wait until the next report: half to one and a half of the interval, so that nobody keeps step.
    pub(crate) fn draw(self, dice: &mut Dice) -> Duration {
        let random = 0.5 + dice.below(1 << 32) as f64 / f64::from(u32::MAX);
        Duration::from_secs_f64((self.deterministic() * random / COMPENSATION).clamp(0.1, 3600.0))
    }

    /// After how much silence a member is gone: always by the fixed minimum (RFC 3550 §6.2), so that those who report more
    /// rarely than we are kept.
    pub(crate) fn patience(self) -> Duration {
        let unhurried = Self { minimum: Minimum::Fixed, initial: false, ..self };
        Duration::from_secs_f64(unhurried.deterministic()) * PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Interval = Interval {
        minimum: Minimum::Fixed,
        members: 2,
        senders: 2,
        we_send: true,
        initial: false,
        size: 120.0,
    };

    /// "the fixed minimum SHOULD be used when calculating the participant timeout interval"; five of them.
    /// Proves: rfc3550-6.2-11, rfc3550-6.2.1-3.
    #[test]
    fn a_call_of_two_reports_every_five_seconds_on_the_mean() {
        assert!((CALL.deterministic() - 5.0).abs() < 1e-9);
        assert!((Interval { initial: true, ..CALL }.deterministic() - 2.5).abs() < 1e-9);
        let reduced = Interval { minimum: Minimum::Reduced, ..CALL };
        assert!((reduced.deterministic() - 4.5).abs() < 1e-9);
        assert_eq!(reduced.patience(), Duration::from_secs(25));
    }

    /// Everybody counts with the same numbers: 5 % for RTCP, a quarter of it for those who send.
    /// Proves: rfc3550-6.2-1, rfc3550-6.2-2, rfc3550-6.2-3, rfc3550-6.2-4, rfc3550-6.2-6.
    #[test]
    fn a_crowd_shares_the_bandwidth() {
        // 100 listeners, one sender: 500 octets a second, three quarters of them for the listeners.
        let crowd = Interval { members: 101, senders: 1, we_send: false, ..CALL };
        assert!((crowd.deterministic() - 120.0 * 100.0 / 375.0).abs() < 1e-9);
        assert!((Interval { we_send: true, ..crowd }.deterministic() - 5.0).abs() < 1e-9);
    }

    #[test]
    fn the_time_is_drawn_between_half_and_one_and_a_half() {
        let mut dice = Dice::new(1);
        let drawn: Vec<f64> = (0..1000).map(|_| CALL.draw(&mut dice).as_secs_f64()).collect();
        let (least, most) = (2.5 / COMPENSATION, 7.5 / COMPENSATION);
        assert!(drawn.iter().all(|time| (least..=most).contains(time)));
        assert!(drawn.iter().any(|time| *time < least + 0.1));
        assert!(drawn.iter().any(|time| *time > most - 0.1));
    }
}
