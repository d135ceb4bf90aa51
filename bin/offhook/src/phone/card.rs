//! `AtTheCard`: a person at the sound card, and what else is said and kept of the call.

use device::SoundCard;
use phone::Audio;

/// Mouth and ear of a person.
pub(super) struct AtTheCard {
    pub(super) card: SoundCard,
    /// Who speaks instead of the microphone.
    pub(super) mouth: Option<Box<dyn Audio>>,
    /// Who hears too.
    pub(super) ear: Box<dyn Audio>,
}

impl Audio for AtTheCard {
    fn speak(&mut self, frame: &mut [i16]) {
        // The microphone is emptied all the same: what waits in it would come later.
        self.card.speak(frame);
        if let Some(mouth) = &mut self.mouth {
            mouth.speak(frame);
        }
    }

    fn hear(&mut self, frame: &[i16]) {
        self.card.hear(frame);
        self.ear.hear(frame);
    }
}
