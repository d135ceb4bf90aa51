//! `Audio`: the mouth and the ear of a call, lent by the program around it.

use std::any::Any;

use crate::limits;

/// Where the sound that we send comes from, and where the sound that we hear goes: 16,000 samples a second, in frames of 20 ms.
///
/// A call that is on hold asks for nothing and tells nothing. `Any` lets the owner find its own recorder again behind
/// a `Box<dyn Audio>`.
pub trait Audio: Any + Send {
    /// Fills the frame with what is to be said next.
    fn speak(&mut self, frame: &mut [i16]);

    /// Takes what was heard.
    fn hear(&mut self, frame: &[i16]);
}

/// Says nothing and does not listen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silence;

impl Audio for Silence {
    fn speak(&mut self, frame: &mut [i16]) {
        frame.fill(0);
    }

    fn hear(&mut self, _frame: &[i16]) {}
}

/// One speaks, another listens: `Pair { mouth: Tone::sine(440.0), ear: Recorder::default() }`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair<Mouth, Ear> {
    /// Who speaks.
    pub mouth: Mouth,
    /// Who listens.
    pub ear: Ear,
}

impl<Mouth: Audio, Ear: Audio> Audio for Pair<Mouth, Ear> {
    fn speak(&mut self, frame: &mut [i16]) {
        self.mouth.speak(frame);
    }

    fn hear(&mut self, frame: &[i16]) {
        self.ear.hear(frame);
    }
}

impl Audio for Box<dyn Audio> {
    fn speak(&mut self, frame: &mut [i16]) {
        (**self).speak(frame);
    }

    fn hear(&mut self, frame: &[i16]) {
        (**self).hear(frame);
    }
}

/// Two functions as mouth and ear: a voice bot is handed 20 ms, and hands out 20 ms.
///
/// ```
/// use offhook_media::{Audio, Callbacks, FRAME};
/// let mut loudest = 0;
/// let mut bot = Callbacks::new(|frame: &mut [i16]| frame.fill(100), move |frame: &[i16]| {
///     loudest = frame.iter().copied().fold(loudest, i16::max);
/// });
/// let mut frame = [0; FRAME];
/// bot.speak(&mut frame);
/// assert_eq!(frame, [100; FRAME]);
/// bot.hear(&frame);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Callbacks<Speak, Hear> {
    speak: Speak,
    hear: Hear,
}

impl<Speak: FnMut(&mut [i16]), Hear: FnMut(&[i16])> Callbacks<Speak, Hear> {
    /// `speak` fills a frame with what is to be said, `hear` is told what was heard; both on the phone's thread: neither may wait.
    pub const fn new(speak: Speak, hear: Hear) -> Self {
        Self { speak, hear }
    }
}

impl<Speak, Hear> Audio for Callbacks<Speak, Hear>
where
    Speak: FnMut(&mut [i16]) + Send + 'static,
    Hear: FnMut(&[i16]) + Send + 'static,
{
    fn speak(&mut self, frame: &mut [i16]) {
        (self.speak)(frame);
    }

    fn hear(&mut self, frame: &[i16]) {
        (self.hear)(frame);
    }
}

/// Says what was recorded before, such as the content of a WAV file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Samples {
    samples: Vec<i16>,
    at: usize,
    then: AtTheEnd,
}

/// What follows the last sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtTheEnd {
    /// Silence.
    #[default]
    Stop,
    /// The first sample.
    Again,
}

impl Samples {
    /// Says these samples (16,000 a second), and then …
    pub const fn new(samples: Vec<i16>, then: AtTheEnd) -> Self {
        Self { samples, at: 0, then }
    }

    /// True when all has been said; never, when it is said again and again.
    pub const fn is_over(&self) -> bool {
        self.at >= self.samples.len()
    }

    fn next(&mut self) -> i16 {
        if self.is_over() && self.then == AtTheEnd::Again {
            self.at = 0;
        }
        let sample = self.samples.get(self.at).copied();
        self.at += usize::from(sample.is_some());
        sample.unwrap_or(0)
    }
}

impl Audio for Samples {
    fn speak(&mut self, frame: &mut [i16]) {
        frame.fill_with(|| self.next());
    }

    fn hear(&mut self, _frame: &[i16]) {}
}

/// Keeps what was heard, up to a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorder {
    samples: Vec<i16>,
    most: usize,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new(limits::RECORDING)
    }
}

impl Recorder {
    /// Keeps at most so many samples; what comes later is not kept.
    pub const fn new(most: usize) -> Self {
        Self { samples: Vec::new(), most }
    }

    /// What was heard.
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// Hands out what was heard, and begins anew.
    pub fn take(&mut self) -> Vec<i16> {
        std::mem::take(&mut self.samples)
    }
}

impl Audio for Recorder {
    fn speak(&mut self, frame: &mut [i16]) {
        frame.fill(0);
    }

    fn hear(&mut self, frame: &[i16]) {
        let room = self.most.saturating_sub(self.samples.len());
        self.samples.extend(frame.iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_said_once_or_again_and_again() {
        let mut once = Samples::new(vec![1, 2, 3], AtTheEnd::Stop);
        let mut frame = [9; 5];
        once.speak(&mut frame);
        assert_eq!((frame, once.is_over()), ([1, 2, 3, 0, 0], true));
        let mut again = Samples::new(vec![1, 2, 3], AtTheEnd::Again);
        again.speak(&mut frame);
        assert_eq!(frame, [1, 2, 3, 1, 2]);
        Samples::new(vec![], AtTheEnd::Again).speak(&mut frame);
        assert_eq!(frame, [0; 5]);
    }

    #[test]
    fn a_recorder_is_found_again_and_knows_its_limit() {
        let mut audio: Box<dyn Audio> = Box::new(Pair { mouth: Silence, ear: Recorder::new(5) });
        audio.hear(&[1, 2, 3]);
        audio.hear(&[4, 5, 6]);
        let any: &mut dyn Any = &mut *audio;
        let pair: &mut Pair<Silence, Recorder> = any.downcast_mut().unwrap();
        assert_eq!(pair.ear.take(), [1, 2, 3, 4, 5]);
    }
}
