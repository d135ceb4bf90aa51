//! How a call stands, as others see it.

use media::{Audio, Silence};
use protocol::dialog::{Dialog, DialogId};
use protocol::session::Owner;

use super::{Conversation, State};
use crate::sound::Sound;

/// How far a call has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// We call, and nobody has picked up.
    Calling,
    /// They call, and nobody has picked up.
    Offered,
    Up,
    Over,
}

impl Conversation {
    /// How far it has come.
    pub(crate) const fn standing(&self) -> Standing {
        match &self.state {
            State::Opening { .. } | State::Looking(_) | State::Sending(_) | State::Calling(..) => {
                Standing::Calling
            }
            State::Offered(_) | State::Answering { .. } => Standing::Offered,
            State::Up(_) => Standing::Up,
            State::Refused { .. } | State::Leaving(..) | State::Over(_) => Standing::Over,
        }
    }

    /// Its dialog, while it stands.
    pub(crate) fn confirmed(&self) -> Option<&Dialog> {
        match &self.state {
            State::Up(up) => Some(&up.dialog),
            _ => None,
        }
    }

    /// Its dialog, once it has one of its own.
    pub(crate) fn own_dialog(&self) -> Option<&Dialog> {
        self.dialog()
    }

    /// True when we called.
    pub(crate) const fn is_ours(&self) -> bool {
        matches!(&self.state, State::Up(up) if matches!(up.owner, Owner::Us))
    }

    /// True while one side holds the other.
    pub(crate) fn is_silent(&self) -> bool {
        self.sound.as_ref().is_some_and(|sound| sound.is_held() || sound.holds())
    }

    /// Who is at the other end of this dialog of it.
    pub(crate) fn party(&self, id: &DialogId) -> Option<&[u8]> {
        match &self.state {
            State::Calling(_, invitation) => invitation.early(&id.remote).map(Dialog::remote_uri),
            _ => self.dialog().map(Dialog::remote_uri),
        }
    }

    /// True while we hold the other side.
    pub(crate) fn holds(&self) -> bool {
        self.sound.as_ref().is_some_and(Sound::holds)
    }

    /// Mouth and ear go on in another call; this one is silent from now on.
    pub(crate) fn lend_audio(&mut self) -> Option<Box<dyn Audio>> {
        match &mut self.sound {
            Some(sound) => Some(sound.hand_over(Box::new(Silence))),
            None => self.take_audio(),
        }
    }
}
