//! The sockets of a call: asked for, come, made its sound, and its pictures beside it.

use media::Audio;
use protocol::doors::{Answer, Output, Question, Ticket};
use sdp::Description;

use super::{Conversation, State, give_back};
use crate::sound::{Sockets, Sound, Wanted};
use crate::turn::Turn;
use crate::unable::Unable;

/// Sockets for the pictures of a call, until there is sound beside which they go.
pub(super) enum Showing {
    /// There are none, or they go beside the sound.
    Nothing,
    /// They are asked for. Those of the sound may come first: nothing is offered or answered before both are there.
    Asked { ticket: Ticket, wanted: Wanted, first: Option<Came> },
    /// They wait for the sound.
    Ready(Wanted, Sockets),
}

/// What a ticket has brought: sockets, or none.
type Came = (Ticket, Option<Sockets>);

impl Showing {
    fn asked(&self, wanted: Ticket) -> bool {
        matches!(self, Self::Asked { ticket, .. } if *ticket == wanted)
    }

    /// Sockets came. Those for the sound are handed on, now or when those for the pictures are there too. Without any for them there is sound alone.
    fn opened(&mut self, (ticket, sockets): Came) -> Option<Came> {
        match std::mem::replace(self, Self::Nothing) {
            Self::Asked { ticket: asked, mut wanted, first } if asked == ticket => {
                match sockets {
                    Some(sockets) => *self = Self::Ready(wanted, sockets),
                    None => wanted.in_vain(),
                }
                first
            }
            Self::Asked { ticket: asked, wanted, first: None } => {
                *self = Self::Asked { ticket: asked, wanted, first: Some((ticket, sockets)) };
                None
            }
            other => {
                *self = other;
                Some((ticket, sockets))
            }
        }
    }
}

impl Conversation {
    /// True when it asked with this ticket.
    pub(crate) fn asked(&self, wanted: Ticket) -> bool {
        let for_sound = match &self.state {
            State::Opening { ticket, .. } | State::Answering { ticket, .. } => *ticket == wanted,
            _ => false,
        };
        for_sound || self.showing.asked(wanted)
    }

    /// The sockets that were asked for are there, or are not.
    pub(crate) fn opened(&mut self, turn: &mut Turn<'_>, ticket: Ticket, answer: &Answer) {
        let sockets = match answer {
            Answer::MediaSockets { rtp, rtcp } => {
                let at = |(socket, bound)| (socket, turn.line.reached_at(bound));
                Some(Sockets { rtp: at(*rtp), rtcp: at(*rtcp) })
            }
            _ => None,
        };
        if let Some(came) = self.showing.opened((ticket, sockets)) {
            self.equip(turn, came);
        }
    }

    fn equip(&mut self, turn: &mut Turn<'_>, (ticket, sockets): Came) {
        match self.take() {
            State::Opening { ticket: asked, outgoing, audio } if asked == ticket => {
                self.invite(turn, outgoing, (sockets, audio));
            }
            State::Answering { ticket: asked, offered, audio, then } if asked == ticket => {
                self.equipped(turn, (offered, then), (sockets, audio));
            }
            other => {
                // It has gone on without them.
                self.state = other;
                sockets.into_iter().for_each(|pair| give_back(turn, pair));
            }
        }
    }

    /// Its sound, by these sockets, for this offer or for one of ours; with the pictures that are wanted.
    pub(super) fn sounding(
        &mut self,
        turn: &mut Turn<'_>,
        (sockets, audio): (Sockets, Box<dyn Audio>),
        offer: Option<&Description>,
    ) -> Sound {
        let dice = machine::Dice::new(turn.line.dice.seed());
        let wishes = turn.wishes(offer);
        let mut sound = Sound::new(audio, sockets, (&wishes, dice));
        if let Some(servers) = &wishes.ice {
            sound.look(turn.now, servers, turn.out);
        }
        if let Showing::Ready(wanted, sockets) =
            std::mem::replace(&mut self.showing, Showing::Nothing)
            && let Some(unused) = sound.show((wanted, sockets), &wishes)
        {
            give_back(turn, unused);
        }
        sound
    }

    /// Pictures are wanted. To be said before anything is offered or answered.
    pub(crate) fn show(&mut self, turn: &mut Turn<'_>, wanted: Wanted) -> Result<(), Unable> {
        let early = matches!(self.state, State::Opening { .. } | State::Offered(_));
        if !early || self.sound.is_some() || !matches!(self.showing, Showing::Nothing) {
            return Err(Unable::NotNow("has just begun"));
        }
        let ticket = turn.line.ticket();
        turn.out.push(Output::Ask(ticket, Question::MediaSockets));
        self.showing = Showing::Asked { ticket, wanted, first: None };
        Ok(())
    }

    /// The call is over before its pictures went anywhere.
    pub(super) fn show_nothing(&mut self, turn: &mut Turn<'_>) {
        let sockets = match std::mem::replace(&mut self.showing, Showing::Nothing) {
            Showing::Ready(_, sockets) => Some(sockets),
            Showing::Asked { first, .. } => first.and_then(|(_, sockets)| sockets),
            Showing::Nothing => None,
        };
        sockets.into_iter().for_each(|pair| give_back(turn, pair));
    }
}
