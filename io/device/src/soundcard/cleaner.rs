//! `Cleaner`: takes out of what the microphone hears what the loudspeaker plays, and steady noise. A library does it: WebRTC's audio processing in
//! Rust (docs/decisions/0025).

use media::RATE;
use sonora::config::{EchoCanceller, NoiseSuppression, NoiseSuppressionLevel};
use sonora::{AudioProcessing, Config, StreamConfig};

/// What is taken out of what the microphone hears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleaning {
    /// What the loudspeaker plays, and the microphone hears again.
    pub echo: Echo,
    /// What goes on all the time: fans, hum, wind.
    pub noise: Noise,
}

/// What becomes of the loudspeaker's sound in the microphone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Echo {
    /// It is taken out.
    #[default]
    Cancelled,
    /// It stays: for headsets, and for machines that take it out themselves.
    Kept,
}

/// What becomes of steady noise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Noise {
    /// It is made quieter, by 18 dB at most.
    #[default]
    Suppressed,
    /// It stays.
    Kept,
}

/// Learns how the loudspeaker sounds in the microphone, and how the room sounds when nobody speaks.
pub(super) struct Cleaner {
    /// `None` when everything stays.
    processing: Option<Box<AudioProcessing>>,
}

impl Cleaner {
    pub(super) fn new(cleaning: Cleaning) -> Self {
        if cleaning == (Cleaning { echo: Echo::Kept, noise: Noise::Kept }) {
            return Self { processing: None };
        }
        let level = NoiseSuppressionLevel::High;
        let config = Config {
            echo_canceller: (cleaning.echo == Echo::Cancelled).then(EchoCanceller::default),
            noise_suppression: (cleaning.noise == Noise::Suppressed)
                .then(|| NoiseSuppression { level, ..NoiseSuppression::default() }),
            ..Config::default()
        };
        let mono = StreamConfig::new(RATE, 1);
        let processing = AudioProcessing::builder().config(config);
        let processing = processing.capture_config(mono).render_config(mono).build();
        Self { processing: Some(Box::new(processing)) }
    }

    /// What the loudspeaker is about to play.
    pub(super) fn played(&mut self, frame: &[i16]) {
        let Some(processing) = &mut self.processing else { return };
        let mut unused = [0; STEP];
        for step in frame.chunks_exact(STEP) {
            // It refuses lengths that are not 10 ms; there are none.
            let _ = processing.process_render_i16(step, &mut unused);
        }
    }

    /// What the microphone has heard; afterwards it is clean.
    pub(super) fn clean(&mut self, frame: &mut [i16]) {
        let Some(processing) = &mut self.processing else { return };
        let mut heard = [0; STEP];
        for step in frame.chunks_exact_mut(STEP) {
            heard.copy_from_slice(step);
            // As above. What could not be cleaned stays as it was heard.
            let _ = processing.process_capture_i16(&heard, step);
        }
    }
}

/// Samples of 10 ms: as much as the library takes at a time.
const STEP: usize = RATE as usize / 100;

#[cfg(test)]
#[path = "../../../../tests/speech.rs"]
#[allow(unreachable_pub, reason = "it is of another crate, for whom it is public")]
mod speech;

#[cfg(test)]
mod tests {
    use media::{FRAME, level};

    use super::*;

    const SECOND: usize = RATE as usize;
    const LENGTH: usize = 12 * SECOND;
    const ALL_KEPT: Cleaning = Cleaning { echo: Echo::Kept, noise: Noise::Kept };

    /// Who speaks at the microphone.
    fn ours() -> Vec<i16> {
        speech::speech(12)
    }

    /// Who speaks in the loudspeaker: a voice as well, with words of its own.
    fn theirs() -> Vec<i16> {
        ours().into_iter().rev().collect()
    }

    /// What comes of the loudspeaker in the microphone: 60 ms later, by three ways, 7 dB quieter.
    fn echo(played: &[i16]) -> Vec<i16> {
        let ways = [(960, 0.4), (1_010, -0.2), (1_333, 0.1)];
        let heard = |at: usize| -> f64 {
            let one = |(later, part): (usize, f64)| {
                part * at.checked_sub(later).map_or(0.0, |at| f64::from(played[at]))
            };
            ways.map(one).iter().sum()
        };
        (0..played.len()).map(|at| heard(at) as i16).collect()
    }

    /// Steady noise of -40 dBm0, always the same.
    fn noise() -> Vec<i16> {
        let mut state = 1_u32;
        let peak = level::peak(-40.0) * (3.0_f64 / 2.0).sqrt();
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0) * peak) as i16
        };
        (0..LENGTH).map(|_| next()).collect()
    }

    fn both(one: &[i16], other: &[i16]) -> Vec<i16> {
        one.iter().zip(other).map(|(one, other)| one.saturating_add(*other)).collect()
    }

    /// What is said to the other side while this is played and that is heard.
    fn cleaned(cleaning: Cleaning, played: &[i16], heard: &[i16]) -> Vec<i16> {
        let mut cleaner = Cleaner::new(cleaning);
        let mut said = heard.to_vec();
        for (played, said) in played.chunks_exact(FRAME).zip(said.chunks_exact_mut(FRAME)) {
            cleaner.played(played);
            cleaner.clean(said);
        }
        said
    }

    /// How loud, once everything has been learned: after two seconds.
    fn level_of(samples: &[i16]) -> f64 {
        level::of(&samples[2 * SECOND..])
    }

    #[test]
    fn the_loudspeaker_is_not_heard_by_the_other_side() {
        let heard = echo(&theirs());
        let said = cleaned(Cleaning::default(), &theirs(), &heard);
        let (before, after) = (level_of(&heard), level_of(&said));
        println!("echo {before:.1} dBm0, {after:.1} dBm0 left");
        assert!(before > -32.0 && after < before - 40.0, "{before} {after}");
        // The first second, while it learns how the room sounds.
        let begin = level::of(&said[..SECOND]);
        assert!(begin < level::of(&heard[..SECOND]) - 20.0, "{begin}");
        let kept = cleaned(Cleaning { echo: Echo::Kept, ..Cleaning::default() }, &theirs(), &heard);
        assert!(level_of(&kept) > before - 3.0, "nothing else takes it out");
    }

    #[test]
    fn whoever_speaks_alone_is_as_loud_as_they_are() {
        let said = cleaned(Cleaning::default(), &vec![0; LENGTH], &ours());
        let found = speech::find(&ours(), &said);
        println!("{found:?}");
        assert!(found.likeness > 0.95 && found.gain.abs() < 1.5 && found.gaps < 3.0, "{found:?}");
        assert!(found.delay.as_millis() <= 20, "{found:?}");
    }

    #[test]
    fn who_speaks_while_the_other_side_does_is_heard() {
        let said = cleaned(Cleaning::default(), &theirs(), &both(&ours(), &echo(&theirs())));
        let found = speech::find(&ours()[2 * SECOND..], &said[2 * SECOND..]);
        println!("{found:?}");
        assert!(found.likeness > 0.6 && found.gain.abs() < 3.0 && found.gaps < 20.0, "{found:?}");
    }

    #[test]
    fn steady_noise_is_made_quieter_and_the_voice_in_it_is_not() {
        let silence = vec![0; LENGTH];
        let said = cleaned(Cleaning::default(), &silence, &noise());
        let (before, after) = (level_of(&noise()), level_of(&said));
        println!("noise {before:.1} dBm0, {after:.1} dBm0 left");
        assert!(after < before - 15.0, "{before} {after}");
        let said = cleaned(Cleaning::default(), &silence, &both(&ours(), &noise()));
        let found = speech::find(&ours(), &said);
        assert!(found.likeness > 0.9 && found.gain.abs() < 1.5, "{found:?}");
        let kept = Cleaning { noise: Noise::Kept, ..Cleaning::default() };
        assert!(level_of(&cleaned(kept, &silence, &noise())) > before - 3.0);
    }

    #[test]
    fn what_is_to_stay_stays_to_the_bit_and_the_same_is_cleaned_the_same() {
        let heard = both(&ours(), &noise());
        assert_eq!(cleaned(ALL_KEPT, &theirs(), &heard), heard);
        let [one, other] = [(); 2].map(|()| cleaned(Cleaning::default(), &theirs(), &heard));
        assert_eq!(one, other);
    }
}
