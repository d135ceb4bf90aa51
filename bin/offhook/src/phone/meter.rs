//! `Metered`: mouth and ear of a call, with what a person wants to know of them: how loud it is, and whether they are heard.

use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use phone::Audio;

use super::patch::Plug;

/// How loud a call is, and whether it is muted. Written by the thread of the phone, read by the one that shows it.
#[derive(Debug, Default)]
pub(super) struct Meter {
    spoken: AtomicU16,
    heard: AtomicU16,
    loudest: AtomicU16,
    muted: AtomicBool,
    plug: Mutex<Option<Plug>>,
}

impl Meter {
    /// The loudest sample of what was said last, and of what was heard last.
    pub(super) fn peaks(&self) -> (u16, u16) {
        (self.spoken.load(Ordering::Relaxed), self.heard.load(Ordering::Relaxed))
    }

    /// True when anything was heard at all that a person would call a sound.
    pub(super) fn has_heard(&self) -> bool {
        self.loudest.load(Ordering::Relaxed) >= AUDIBLE
    }

    /// For who has no call at hand.
    #[cfg(test)]
    pub(super) fn set(&self, spoken: u16, heard: u16) {
        self.spoken.store(spoken, Ordering::Relaxed);
        self.heard.store(heard, Ordering::Relaxed);
    }

    /// True while the other side hears nothing of us.
    pub(super) fn is_muted(&self) -> bool {
        self.muted.load(Ordering::Relaxed)
    }

    /// Lets the other side hear nothing of us.
    pub(super) fn mute(&self) {
        self.muted.store(true, Ordering::Relaxed);
    }

    /// Lets the other side hear us again.
    pub(super) fn unmute(&self) {
        self.muted.store(false, Ordering::Relaxed);
    }

    /// Hangs the call on calls of other accounts; or, with nothing, on none.
    pub(super) fn plug(&self, plug: Option<Plug>) {
        *self.plugged() = plug;
    }

    /// True while it hangs on calls of other accounts.
    pub(super) fn is_plugged(&self) -> bool {
        self.plugged().is_some()
    }

    fn plugged(&self) -> MutexGuard<'_, Option<Plug>> {
        // There is nothing that could be half done.
        self.plug.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Mouth and ear under a meter.
pub(super) struct Metered {
    pub(super) audio: Box<dyn Audio>,
    pub(super) meter: Arc<Meter>,
}

impl Audio for Metered {
    fn speak(&mut self, frame: &mut [i16]) {
        self.audio.speak(frame);
        if self.meter.is_muted() {
            frame.fill(0);
        }
        self.meter.spoken.store(peak(frame), Ordering::Relaxed);
        if let Some(plug) = &*self.meter.plugged() {
            plug.speak(frame);
        }
    }

    fn hear(&mut self, frame: &[i16]) {
        let peak = peak(frame);
        self.meter.heard.store(peak, Ordering::Relaxed);
        self.meter.loudest.fetch_max(peak, Ordering::Relaxed);
        if let Some(plug) = &*self.meter.plugged() {
            plug.hear(frame);
        }
        self.audio.hear(frame);
    }
}

/// The loudest sample.
fn peak(frame: &[i16]) -> u16 {
    frame.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0)
}

/// A hundredth of the loudest there is, -40 dB: comfort noise is below, and the quietest speech above.
const AUDIBLE: u16 = 328;

#[cfg(test)]
mod tests {
    use media::{Pair, Recorder, Tone};

    use super::*;

    #[test]
    fn what_is_said_is_measured_and_what_is_muted_is_silence() {
        let audio = Box::new(Pair { mouth: Tone::sine(440.0), ear: Recorder::default() });
        let mut metered = Metered { audio, meter: Arc::default() };
        let meter = metered.meter.clone();
        let mut frame = [0; 320];
        metered.speak(&mut frame);
        metered.hear(&[0, -300, 20]);
        assert_eq!(meter.peaks(), (peak(&frame), 300));
        assert!(peak(&frame) > 1000);
        assert!(!meter.has_heard(), "that was noise");
        metered.hear(&[0, -9000]);
        metered.hear(&[0]);
        assert!(meter.has_heard());
        meter.mute();
        metered.speak(&mut frame);
        assert_eq!((meter.peaks().0, frame), (0, [0; 320]));
        meter.unmute();
        metered.speak(&mut frame);
        assert!(meter.peaks().0 > 1000);
    }
}
