//! What the owner hears after a call of ours that did not come about: that they are busy, or that nobody could be reached.

use machine::Time;
use media::Signal;

use super::{Conversation, State};
use crate::limits;
use crate::sound::Chime;
use crate::turn::Turn;

/// A tone after a call.
pub(super) struct Farewell {
    chime: Chime,
    until: Time,
}

impl Conversation {
    /// Says with a tone why a call of ours has failed, where the account wants tones.
    pub(super) fn bid_farewell(&mut self, turn: &Turn<'_>, status: u16) {
        let signal = match status {
            486 | 600 => Signal::Busy,
            404 | 408 | 480 | 484 | 500..=599 | 604 => Signal::Congestion,
            _ => return,
        };
        if let Some(tone) = turn.line.account.signals.tone(signal) {
            let chime = Chime::begin(turn.now, signal, tone);
            self.farewell = Some(Farewell { chime, until: turn.now + limits::FAREWELL });
        }
    }

    /// Lets it be heard. It ends by itself, or when mouth and ear are taken back.
    pub(super) fn wake_farewell(&mut self, now: Time) {
        let Some(farewell) = &mut self.farewell else { return };
        match &mut self.state {
            State::Over(Some(audio)) if now < farewell.until => {
                farewell.chime.wake(now, &mut **audio);
            }
            _ => self.farewell = None,
        }
    }

    pub(super) fn farewell_deadline(&self) -> Option<Time> {
        self.farewell.as_ref().map(|farewell| farewell.chime.deadline().min(farewell.until))
    }
}
