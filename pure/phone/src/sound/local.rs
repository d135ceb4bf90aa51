//! `Local`: what the phone itself says and lets be heard: tones for its owner (RFC 3960 §3), and music for whom it holds.

use machine::Time;
use media::{Audio, FRAME, FRAME_TIME, Signal, Silence, Tone};

/// Whom the owner hears while a call rings in many places, and more than one of them plays something (RFC 3960 §3.1, RFC 3261 §13.2.2.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EarlyMedia {
    /// The place that played something first.
    #[default]
    First,
    /// The one that began last: where a call goes on from one place to the next, that is where it has got to.
    Last,
    /// None: what is heard is that it rings, until somebody picks up.
    Nobody,
}

/// What is played here.
#[derive(Default)]
pub(super) struct Local {
    chime: Option<Chime>,
    /// What is said to whom we hold, instead of nothing.
    pub(super) music: Option<Box<dyn Audio>>,
}

/// What whom we hold hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Nothing,
    Music,
}

/// A tone for the owner's ear.
pub(crate) struct Chime {
    signal: Signal,
    tone: Tone,
    tick: Time,
}

impl Chime {
    pub(crate) fn begin(now: Time, signal: Signal, tone: Tone) -> Self {
        Self { signal, tone, tick: now + FRAME_TIME }
    }

    /// When a frame is due, while nothing else gives the beat.
    pub(crate) const fn deadline(&self) -> Time {
        self.tick
    }

    /// Lets what is due be heard; what is much too late is left out.
    pub(crate) fn wake(&mut self, now: Time, ear: &mut dyn Audio) {
        for _ in 0..media::limits::FRAMES_BEHIND {
            if self.tick > now {
                return;
            }
            let mut frame = [0; FRAME];
            self.tone.speak(&mut frame);
            ear.hear(&frame);
            self.tick = self.tick + FRAME_TIME;
        }
        if self.tick <= now {
            self.tick = now + FRAME_TIME;
        }
    }
}

impl Local {
    pub(super) const fn for_held(&self) -> Held {
        if self.music.is_some() { Held::Music } else { Held::Nothing }
    }

    /// A tone is heard from now on; the same one goes on.
    pub(super) fn chime(&mut self, now: Time, signal: Signal, tone: Tone) {
        if self.chime.as_ref().is_none_or(|chime| chime.signal != signal) {
            self.chime = Some(Chime::begin(now, signal, tone));
        }
    }

    /// That tone is heard no more.
    pub(super) fn hush(&mut self, signal: Signal) {
        self.chime.take_if(|chime| chime.signal == signal);
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.chime.as_ref().map(Chime::deadline)
    }

    /// Nothing flows yet: the tone keeps its own beat.
    pub(super) fn alone(&mut self, now: Time, ear: &mut dyn Audio) {
        if let Some(chime) = &mut self.chime {
            chime.wake(now, ear);
        }
    }

    /// Something flows: the tone is heard with it. Whom we hold hears the music, and not what is said in the room.
    pub(super) fn with(
        &mut self,
        (now, holds): (Time, bool),
        audio: &mut Box<dyn Audio>,
        flow: impl FnOnce(&mut dyn Audio),
    ) {
        if let (true, Some(music)) = (holds, &mut self.music) {
            return flow(&mut **music);
        }
        let Some(Chime { signal, tone, .. }) = self.chime.take() else { return flow(&mut **audio) };
        let own = std::mem::replace(audio, Box::new(Silence));
        let mut chimed = Chimed { audio: own, tone };
        flow(&mut chimed);
        *audio = chimed.audio;
        self.chime = Some(Chime { signal, tone: chimed.tone, tick: now + FRAME_TIME });
    }
}

/// Mouth and ear, and a tone in the ear.
struct Chimed {
    audio: Box<dyn Audio>,
    tone: Tone,
}

impl Audio for Chimed {
    fn speak(&mut self, frame: &mut [i16]) {
        self.audio.speak(frame);
    }

    fn hear(&mut self, frame: &[i16]) {
        let mut both = [0; FRAME];
        self.tone.speak(&mut both);
        both.iter_mut().zip(frame).for_each(|(tone, heard)| *tone = tone.saturating_add(*heard));
        self.audio.hear(&both);
    }
}
