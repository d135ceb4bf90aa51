//! `Verdict`: what each side heard, and whether that is what it should have heard.

use std::time::Duration;

use media::detect::{self, Found};
use protocol::doors::CallQuality;
use serde_json::json;

use super::side::Side;

/// What one side heard.
#[derive(Debug)]
pub(super) struct Hearing {
    pub(super) side: Side,
    /// Before the hold, on hold, after it.
    pub(super) scenes: [Scene; 3],
    pub(super) quality: Option<CallQuality>,
}

/// What was heard in a part of the call.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) expected: Expected,
    /// How long it lasted.
    pub(super) lasted: Duration,
    pub(super) samples: Vec<i16>,
}

/// What should be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// The other side's tone.
    Tone,
    /// Nothing: somebody is on hold.
    Silence,
}

impl Scene {
    fn found(&self, hz: f64) -> Found {
        detect::tone(&self.samples, hz)
    }

    /// Was the tone there for most of the time; on hold, was it gone? What was on its way when the hold began may still be heard.
    fn is_right(&self, hz: f64) -> bool {
        let heard = self.found(hz).lasted;
        match self.expected {
            Expected::Tone => heard >= self.lasted.mul_f64(0.6),
            Expected::Silence => heard <= Duration::from_millis(400),
        }
    }
}

impl Hearing {
    /// The tone that should have been heard, in hertz.
    const fn hz(&self) -> f64 {
        self.side.other().hz()
    }

    /// True when everything was heard as it should be, and well.
    pub(super) fn is_right(&self) -> bool {
        let well =
            self.quality.and_then(|quality| quality.here).is_some_and(|grade| grade.mos >= GOOD);
        well && self.scenes.iter().all(|scene| scene.is_right(self.hz()))
    }

    /// One line for people.
    pub(super) fn line(&self) -> String {
        let mut line = format!(
            "{:<5} heard {}'s {} Hz",
            self.side.name(),
            self.side.other().name(),
            self.hz()
        );
        let [before, on_hold, after] = self.scenes.each_ref().map(|scene| {
            let mark = if scene.is_right(self.hz()) { "" } else { " (!)" };
            format!(
                "{:.1} s of {:.1}{mark}",
                scene.found(self.hz()).lasted.as_secs_f64(),
                scene.lasted.as_secs_f64()
            )
        });
        line += &format!("  before the hold {before}, on hold {on_hold}, after it {after}\n");
        line += "      ";
        line += &match self.quality {
            None => "no packet was counted (!)\n".to_owned(),
            Some(quality) => {
                let grade = quality.here.map_or("no grade (!)".to_owned(), |grade| {
                    let jitter = grade.jitter.as_secs_f64() * 1000.0;
                    format!("jitter {jitter:.1} ms, MOS {:.2}", f64::from(grade.mos) / 100.0)
                });
                format!("{} packets, {} lost, {grade}\n", quality.received, quality.lost)
            }
        };
        line
    }

    /// For programs.
    pub(super) fn json(&self) -> serde_json::Value {
        let scene = |scene: &Scene| {
            json!({
                "seconds": scene.lasted.as_secs_f64(),
                "tone_seconds": scene.found(self.hz()).lasted.as_secs_f64(),
                "expected": if scene.expected == Expected::Tone { "tone" } else { "silence" },
                "right": scene.is_right(self.hz()),
            })
        };
        let grade = self.quality.and_then(|quality| quality.here);
        json!({
            "name": self.side.name(),
            "heard": self.side.other().name(),
            "hz": self.hz(),
            "scenes": self.scenes.iter().map(scene).collect::<Vec<_>>(),
            "packets": self.quality.map(|quality| quality.received),
            "lost": self.quality.map(|quality| quality.lost),
            "late": self.quality.map(|quality| quality.late),
            "concealed": self.quality.map(|quality| quality.concealed),
            "jitter_ms": grade.map(|grade| grade.jitter.as_secs_f64() * 1000.0),
            "mos": grade.map(|grade| f64::from(grade.mos) / 100.0),
            "right": self.is_right(),
        })
    }
}

/// A mean opinion score of 3.60, in hundredths: above it most people are satisfied (ITU-T G.107 annex B).
const GOOD: u16 = 360;

#[cfg(test)]
mod tests {
    use media::Tone;
    use protocol::doors::Grade;

    use super::*;

    fn scene(expected: Expected, samples: Vec<i16>) -> Scene {
        Scene { expected, lasted: Duration::from_secs(1), samples }
    }

    fn hearing(hz: f64, mos: u16) -> Hearing {
        let tone = || Tone::sine(hz).take(Duration::from_secs(1));
        let grade = Grade { loss: 0, jitter: Duration::ZERO, mos };
        let quality = CallQuality {
            codec: "PCMA",
            srtp: None,
            refused: 0,
            sent: 50,
            received: 50,
            lost: 0,
            late: 0,
            concealed: 0,
            round_trip: None,
            here: Some(grade),
            there: None,
        };
        let scenes = [
            scene(Expected::Tone, tone()),
            scene(Expected::Silence, vec![0; 8000]),
            scene(Expected::Tone, tone()),
        ];
        Hearing { side: Side::Alice, scenes, quality: Some(quality) }
    }

    #[test]
    fn only_the_right_tone_at_the_right_time_is_right() {
        assert!(hearing(660.0, 441).is_right());
        assert!(!hearing(440.0, 441).is_right());
        assert!(!hearing(660.0, 200).is_right());
        assert!(!Hearing { quality: None, ..hearing(660.0, 441) }.is_right());
        let mut talks_on_hold = hearing(660.0, 441);
        talks_on_hold.scenes[1].samples = Tone::sine(660.0).take(Duration::from_secs(1));
        assert!(!talks_on_hold.is_right());
        assert!(
            talks_on_hold.line().contains("on hold 1.0 s of 1.0 (!)"),
            "{}",
            talks_on_hold.line()
        );
    }
}
