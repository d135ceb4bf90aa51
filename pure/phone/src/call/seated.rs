//! A call that takes part in a conference of ours, and says so in its Contact (RFC 4579 §5.1, RFC 3840).

use media::{Audio, Seat};

use super::up::{Asking, Wish};
use super::{Conversation, State};
use crate::conference::seat_of;
use crate::sound::Sound;
use crate::turn::Turn;

/// What we are in a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Role {
    /// One of two.
    #[default]
    Party,
    /// The focus of a conference.
    Focus,
}

impl Role {
    /// Our address, for Contact.
    pub(crate) fn contact(self, uri: &str) -> String {
        match self {
            Self::Party => format!("<{uri}>"),
            Self::Focus => format!("<{uri}>;isfocus"),
        }
    }
}

impl Conversation {
    /// As the focus of a conference from the beginning.
    pub(crate) const fn hold_focus(&mut self) {
        self.role = Role::Focus;
    }

    /// True for a call of our conference.
    pub(crate) fn is_of_focus(&self) -> bool {
        self.role == Role::Focus
    }

    /// Takes part from now on: its mouth and ear until now are given back. The other side learns that it talks with a focus, and is taken back when it
    /// is on hold.
    pub(crate) fn sit_down(&mut self, turn: &mut Turn<'_>) -> Option<Box<dyn Audio>> {
        let own = self.exchange_audio(Box::new(Seat::default()))?;
        self.is_seated(turn);
        Some(own)
    }

    /// It has a seat, and says so.
    pub(crate) fn is_seated(&mut self, turn: &mut Turn<'_>) {
        if self.role == Role::Party || self.holds() {
            self.role = Role::Focus;
            self.say_role(turn);
        }
    }

    /// Takes part no more.
    pub(crate) fn stand_up(&mut self, turn: &mut Turn<'_>, own: Box<dyn Audio>) {
        self.exchange_audio(own);
        self.role = Role::Party;
        self.say_role(turn);
    }

    /// Whether the other side is to be held, once all that is under way and wanted is done.
    pub(crate) fn is_to_hold(&self) -> bool {
        let holds = self.holds();
        let State::Up(up) = &self.state else { return holds };
        let under_way = match up.asking {
            Asking::Sending(wish)
            | Asking::Sent(wish, _)
            | Asking::Updating(wish)
            | Asking::Pausing { wish, .. } => Some(wish),
            Asking::Nothing => None,
        };
        let last = [up.wish, under_way].into_iter().flatten().find_map(|wish| match wish {
            Wish::Hold => Some(true),
            Wish::Resume => Some(false),
            Wish::Refresh | Wish::Move => None,
        });
        last.unwrap_or(holds)
    }

    fn say_role(&mut self, turn: &mut Turn<'_>) {
        let held = self.is_to_hold();
        let State::Up(up) = &mut self.state else { return };
        // Who leaves a conference stays as it is.
        let back = held && self.role == Role::Focus;
        up.wish = match up.wish {
            Some(Wish::Hold) if self.role == Role::Party => Some(Wish::Hold),
            _ if back => Some(Wish::Resume),
            Some(Wish::Move) => Some(Wish::Move),
            _ => Some(Wish::Refresh),
        };
        self.go_on(turn);
    }

    /// Its seat. Whoever has put us on hold plays music at most, and whom we hold is to hear nothing: they are not at the table meanwhile.
    pub(crate) fn seat(&mut self) -> Option<&mut Seat> {
        let sound = self.sound.as_mut()?;
        if self.role == Role::Party || sound.is_held() || sound.holds() {
            return None;
        }
        seat_of(sound.audio())
    }

    /// Puts another mouth and ear where the old one is, and gives that back.
    fn exchange_audio(&mut self, audio: Box<dyn Audio>) -> Option<Box<dyn Audio>> {
        if let Some(sound) = &mut self.sound {
            return Some(Sound::hand_over(sound, audio));
        }
        match &mut self.state {
            State::Leaving(_, Some(old)) | State::Over(Some(old)) => {
                Some(std::mem::replace(old, audio))
            }
            _ => None,
        }
    }

    /// Our address in this call, for Contact.
    pub(crate) fn contact(&self, turn: &Turn<'_>) -> String {
        let (line, transport) = (&turn.line, turn.line.account.transport());
        let contact = match self.own_dialog() {
            Some(dialog) => line.contact_in(dialog, transport),
            None => line.contact(transport),
        };
        self.role.contact(&contact)
    }
}
