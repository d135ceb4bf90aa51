//! `Signals`: what a telephone network plays to a caller, country by country (ITU-T E.180, its supplement 2).

use std::time::Duration;

use crate::tone::Tone;

/// Whose tones a phone plays to its owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signals {
    /// Nobody's: a program hears what is said, and nothing else.
    #[default]
    Silent,
    /// Those of most of Europe: 425 Hz.
    Europe,
    /// Those of North America: two sines together.
    NorthAmerica,
}

/// What is to be said with a tone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// It rings there.
    Ringback,
    /// They are busy.
    Busy,
    /// It cannot be done: nobody is reached, or there is too much to do.
    Congestion,
    /// Somebody else calls.
    Waiting,
}

impl Signals {
    /// The tone; none, when nothing is to be heard.
    pub fn tone(self, signal: Signal) -> Option<Tone> {
        let (sines, level, cadence): (&[f64], f64, &[(u64, u64)]) = match (self, signal) {
            (Self::Silent, _) => return None,
            (Self::Europe, Signal::Ringback) => return Some(Tone::ringback()),
            (Self::Europe, Signal::Busy) => return Some(Tone::busy()),
            (Self::Europe, Signal::Congestion) => (&[425.0], USUAL, &[(250, 250)]),
            (Self::Europe, Signal::Waiting) => (&[425.0], LOW, &[(200, 200), (200, 3_600)]),
            (Self::NorthAmerica, Signal::Ringback) => (&[440.0, 480.0], USUAL, &[(2_000, 4_000)]),
            (Self::NorthAmerica, Signal::Busy) => (&[480.0, 620.0], USUAL, &[(500, 500)]),
            (Self::NorthAmerica, Signal::Congestion) => (&[480.0, 620.0], USUAL, &[(250, 250)]),
            (Self::NorthAmerica, Signal::Waiting) => (&[440.0], LOW, &[(300, 9_700)]),
        };
        let time = Duration::from_millis;
        let cadence: Vec<_> = cadence.iter().map(|(on, off)| (time(*on), time(*off))).collect();
        Some(Tone::chord(sines, level).cadence(&cadence))
    }
}

/// How loud each sine is, in dBm0.
const USUAL: f64 = -13.0;

/// The same for what is heard while somebody speaks.
const LOW: f64 = -20.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect;

    #[test]
    fn each_signal_has_its_frequencies_and_its_beat() {
        let on = |signals: Signals, signal: Signal, hz: f64, from: usize, millis: usize| {
            let samples = signals.tone(signal).unwrap().take(Duration::from_secs(10));
            detect::level_of(&samples[from * 16..(from + millis) * 16], hz) > -25.0
        };
        assert!(on(Signals::Europe, Signal::Congestion, 425.0, 0, 250));
        assert!(!on(Signals::Europe, Signal::Congestion, 425.0, 250, 250));
        assert!(on(Signals::Europe, Signal::Waiting, 425.0, 400, 200));
        assert!(!on(Signals::Europe, Signal::Waiting, 425.0, 600, 3_400));
        for hz in [440.0, 480.0] {
            assert!(on(Signals::NorthAmerica, Signal::Ringback, hz, 0, 2_000));
            assert!(!on(Signals::NorthAmerica, Signal::Ringback, hz, 2_000, 4_000));
        }
        assert!(on(Signals::NorthAmerica, Signal::Busy, 620.0, 0, 500));
        assert_eq!(Signals::Silent.tone(Signal::Busy), None);
    }
}
