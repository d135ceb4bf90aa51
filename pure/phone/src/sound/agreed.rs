//! What is said and agreed on of the sound of a call, by offer and answer (RFC 3264), before anybody picks up and after.

use connectivity::Role;
use machine::{Dice, Time};
use media::Stream;
use protocol::dialog::Tag;
use sdp::{Agreed, Description, Hold, Refusal};

use super::lookout::Lookout;
use super::way::Way;
use super::wishes::agreement;
use super::{Begun, EarlyMedia, Playing, Sound, pictures};
use crate::limits;

impl Sound {
    /// An offer of ours.
    pub(crate) fn offer(&mut self) -> Result<Vec<u8>, Refusal> {
        self.role.get_or_insert(Role::Controlling);
        self.tell_addresses(Lookout::offered);
        self.session.offer().map(|offer| offer.write())
    }

    /// The answer to an offer of theirs.
    pub(crate) fn answer(&mut self, now: Time, offer: &Description) -> Result<Vec<u8>, Refusal> {
        self.role.get_or_insert(Role::Controlled);
        let theirs = offer.media.iter().find_map(|media| sdp::Ice::of(offer, media));
        let restarts = |(lookout, theirs): (&Lookout, _)| lookout.is_restarted_by(theirs);
        if self.lookout.as_ref().zip(theirs.as_ref()).is_some_and(restarts) {
            // RFC 8839 §4.4: what we refuse must not end the search that goes on.
            pictures::answer(&mut self.session.clone(), self.streams(), offer)?;
        }
        self.tell_addresses(|lookout| lookout.answered(theirs.as_ref()));
        let streams = self.streams();
        let (answer, agreed) = pictures::answer(&mut self.session, streams, offer)?;
        self.agree(now, &agreed);
        Ok(answer.write())
    }

    /// Takes the answer to our offer.
    pub(crate) fn accept(&mut self, now: Time, answer: &[u8]) -> Result<(), Refusal> {
        let answer = match Description::parse(answer) {
            Ok(answer) => answer,
            Err(error) => {
                self.session.rejected();
                return Err(error.into());
            }
        };
        let streams = self.streams();
        let agreed = pictures::accept(&mut self.session, streams, &answer)?;
        self.lookout.iter_mut().for_each(Lookout::accepted);
        self.agree(now, &agreed);
        if agreed.is_empty() { Err(Refusal::NoMedia) } else { Ok(()) }
    }

    /// An answer in a provisional response of the fork `tag`: what is heard until somebody picks up. Only the first of a fork counts.
    pub(crate) fn accept_early(
        &mut self,
        now: Time,
        (tag, which): (Tag, EarlyMedia),
        answer: &[u8],
    ) {
        if self.early.len() >= limits::EARLY || self.has_early(&tag) {
            return;
        }
        let mut session = self.session.clone();
        let Ok(answer) = Description::parse(answer) else { return };
        if let Ok(agreed) = pictures::accept(&mut session, self.streams(), &answer) {
            let wanted = match which {
                EarlyMedia::First => self.early.is_empty(),
                EarlyMedia::Last => true,
                EarlyMedia::Nobody => false,
            };
            if wanted {
                self.agree(now, &agreed);
                self.heard = Some(tag.clone());
            }
            self.early.push((tag, session));
        }
    }

    /// True when something was agreed on with this fork.
    pub(crate) fn has_early(&self, tag: &Tag) -> bool {
        self.early.iter().any(|(fork, _)| fork == tag)
    }

    /// The answer to an offer of a fork with which something was agreed on before anybody has picked up (RFC 3311 §5.2).
    pub(crate) fn answer_early(
        &mut self,
        now: Time,
        tag: &Tag,
        offer: &Description,
    ) -> Result<Vec<u8>, Refusal> {
        let streams = self.streams();
        let at = self.early.iter().position(|(fork, _)| fork == tag);
        let at = at.ok_or(Refusal::OfferPending)?;
        let (_, session) = self.early.get_mut(at).ok_or(Refusal::OfferPending)?;
        let (answer, agreed) = pictures::answer(session, streams, offer)?;
        if self.heard.as_ref() == Some(tag) {
            self.agree(now, &agreed);
        }
        Ok(answer.write())
    }

    /// The 2xx of the fork `tag`, with an answer or without. The first answer of a fork counts, and what comes after it is ignored
    /// (RFC 3261 §13.2.1).
    pub(crate) fn accept_final(
        &mut self,
        now: Time,
        tag: &Tag,
        answer: &[u8],
    ) -> Result<(), Refusal> {
        let early = std::mem::take(&mut self.early);
        let found = early.into_iter().find(|(fork, _)| fork == tag);
        let Some((_, session)) = found else { return self.accept(now, answer) };
        self.session = session;
        // Some look for no way before somebody has picked up.
        self.picked_up(now);
        if self.heard.take().as_ref() != Some(tag) {
            let agreed = self.session.agreed().to_vec();
            self.agree(now, &agreed);
        }
        Ok(())
    }

    /// The INVITE goes out anew: what forks of the first have said is over.
    pub(crate) fn begin_anew(&mut self) {
        self.early.clear();
        self.heard = None;
    }

    /// Our offer was refused: all is as it was, what we wish too (RFC 3261 §14.1).
    pub(crate) fn rejected(&mut self) {
        self.session.rejected();
        self.lookout.iter_mut().for_each(Lookout::rejected);
        let agreed = self.session.agreed_for(self.id);
        if agreed.is_some_and(|agreed| matches!(agreed.hold, Hold::Ours | Hold::Both)) {
            self.hold();
        } else {
            self.resume();
        }
    }

    /// From the next offer on we listen no more.
    pub(crate) fn hold(&mut self) {
        self.session.hold(self.id);
        self.pictures.iter().for_each(|pictures| self.session.hold(pictures.id()));
    }

    /// From the next offer on we listen again.
    pub(crate) fn resume(&mut self) {
        self.session.resume(self.id);
        self.pictures.iter().for_each(|pictures| self.session.resume(pictures.id()));
    }

    /// Goes on as agreed. Whoever is heard is learned anew: the other side may have moved.
    pub(super) fn agree(&mut self, now: Time, agreed: &[Agreed]) {
        if let Some(pictures) = &mut self.pictures {
            pictures.agree(now, agreed, self.identity.as_ref());
        }
        let Some(agreed) = agreed.iter().find(|agreed| agreed.stream == self.id) else { return };
        let held = self.local.for_held();
        let Some(agreement) = agreement(agreed, held) else { return };
        let (mut stream, before, begun) = match self.playing.take() {
            Some(Playing { mut stream, way, begun }) => {
                stream.agree(now, agreement);
                (stream, Some(way), begun)
            }
            None => (Stream::new(now, agreement, Dice::new(self.dice.seed())), None, Begun::No),
        };
        self.to_meet = agreed.ice.clone().map(|theirs| (now, theirs));
        let way = Way::new(now, agreed, (self.identity.as_ref(), before));
        self.playing = way.map(|way| {
            let begun = if way.is_open() { Begun::Yes } else { begun };
            stream.cover(way.cover());
            Playing { stream, way, begun }
        });
    }
}
