//! `Conference`: calls of ours that are joined. Each hears all others, and the owner of the phone is heard by all; the phone is the focus (RFC 4579).
//!
//! The first member's mouth and ear are the owner's while it lasts; those of the others rest until their call is alone again.

mod guest;
mod shown;

use std::any::Any;

use machine::Time;
use media::{Audio, Mixer, Seat};
use protocol::doors::{Call, Event, Output, PhoneEvent};

use crate::call::{Conversation, Standing};
use crate::limits;
use crate::phone::Phone;
use crate::transfer::Succession;
use crate::unable::Unable;

/// Calls that are joined.
pub(crate) struct Conference {
    mixer: Mixer,
    /// Who takes part, and the mouth and the ear that each had before.
    members: Vec<(Call, Box<dyn Audio>)>,
}

impl Conference {
    fn has(&self, call: Call) -> bool {
        self.members.iter().any(|(member, _)| *member == call)
    }

    /// Mouth and ear of a member.
    pub(crate) fn audio(&mut self, call: Call) -> Option<&mut dyn Audio> {
        let (_, audio) = self.members.iter_mut().find(|(member, _)| *member == call)?;
        Some(&mut **audio)
    }

    pub(crate) const fn deadline(&self) -> Time {
        self.mixer.deadline()
    }

    fn remove(&mut self, call: Call) -> Option<Box<dyn Audio>> {
        let at = self.members.iter().position(|(member, _)| *member == call)?;
        Some(self.members.remove(at).1)
    }
}

impl Phone {
    /// Joins calls: everybody in them hears all others, and the owner of the phone talks with all ([`PhoneEvent::Conference`]). There is one conference;
    /// calls are added to it when it is there. Who is on hold is taken back. What the owner says and hears goes by the mouth and the ear of the call
    /// that was there first; those of the others rest. At most [`limits::CONFERENCE`] calls take part.
    pub fn join(&mut self, now: Time, calls: &[Call], out: &mut Vec<Output>) -> Result<(), Unable> {
        let mut new: Vec<Call> = Vec::new();
        for call in calls {
            let conversation = self.calls.get(call).ok_or(Unable::NoSuchCall)?;
            if conversation.standing() != Standing::Up {
                return Err(Unable::NotNow("stands"));
            }
            if !self.takes_part(*call) && !new.contains(call) {
                new.push(*call);
            }
        }
        let all = self.conference().count().saturating_add(new.len());
        if !(2..=limits::CONFERENCE).contains(&all) {
            return Err(Unable::NotSoMany);
        }
        for call in new {
            self.seat(now, call, out);
        }
        self.tell_conference(out);
        self.settle(now, out);
        Ok(())
    }

    /// Calls somebody into a call of ours, or into the conference that it takes part in: the new call joins as soon as it is up. `audio` is its own, for
    /// when it is alone.
    pub fn add(
        &mut self,
        now: Time,
        call: Call,
        target: &str,
        audio: Box<dyn Audio>,
        out: &mut Vec<Output>,
    ) -> Result<Call, Unable> {
        let target = self.target(target)?;
        let up = self.calls.get(&call).ok_or(Unable::NoSuchCall)?.standing() == Standing::Up;
        if !up {
            return Err(Unable::NotNow("stands"));
        }
        if self.is_full() {
            return Err(Unable::TooManyCalls);
        }
        let new = self.begin(now, (target, Vec::new()), audio, out);
        self.comes(new, Succession::Joins { old: call, refer: None });
        self.settle(now, out);
        Ok(new)
    }

    /// A call that is to follow another, or to join it: then it says so from the beginning.
    pub(crate) fn comes(&mut self, new: Call, succession: Succession) {
        if matches!(succession, Succession::Joins { .. }) {
            self.calls.entry(new).and_modify(Conversation::hold_focus);
        }
        self.successions.insert(new, succession);
    }

    /// A call that was to join is up. Whom it was to join may be gone: then nobody is there to talk with.
    pub(crate) fn come_in(&mut self, now: Time, (old, new): (Call, Call), out: &mut Vec<Output>) {
        let standing = self.calls.get(&old).map(Conversation::standing);
        let old = (standing == Some(Standing::Up)).then_some(old);
        let calls: Vec<_> = old.into_iter().chain([new]).collect();
        if self.join(now, &calls, out).is_err() {
            // It may have been hung up at the same moment.
            let _ = self.with_quietly(now, new, out, Conversation::hang_up);
        }
    }

    /// Takes a call out of the conference: it is alone with the owner again, with the mouth and the ear that it had. With it ends a conference of
    /// two.
    pub fn split(&mut self, now: Time, call: Call, out: &mut Vec<Output>) -> Result<(), Unable> {
        if !self.takes_part(call) {
            return Err(Unable::NotNow("takes part in the conference"));
        }
        self.unseat(now, call, out);
        self.settle(now, out);
        Ok(())
    }

    /// The calls of the conference, in the order in which they came; none, when there is no conference.
    pub fn conference(&self) -> impl Iterator<Item = Call> {
        let members = self.conference.iter().flat_map(|conference| &conference.members);
        members.map(|(call, _)| *call)
    }

    /// True for a call of the conference.
    pub(crate) fn takes_part(&self, call: Call) -> bool {
        self.conference.as_ref().is_some_and(|conference| conference.has(call))
    }

    fn seat(&mut self, now: Time, call: Call, out: &mut Vec<Output>) {
        let mut own = None;
        // It stands, as was looked at before.
        let _ = self.with_quietly(now, call, out, |conversation, turn| {
            own = conversation.sit_down(turn);
            Ok(())
        });
        let Some(own) = own else { return };
        let new = || Conference { mixer: Mixer::new(now), members: Vec::new() };
        self.conference.get_or_insert_with(new).members.push((call, own));
    }

    /// A call takes part no more. A conference of one is none.
    fn unseat(&mut self, now: Time, call: Call, out: &mut Vec<Output>) {
        let Some(conference) = &mut self.conference else { return };
        let mut leaving: Vec<_> =
            conference.remove(call).map(|audio| (call, audio)).into_iter().collect();
        if conference.members.len() < 2 {
            leaving.append(&mut conference.members);
            self.conference = None;
        }
        for (call, audio) in leaving {
            // It may be over.
            let _ = self.with_quietly(now, call, out, |conversation, turn| {
                conversation.stand_up(turn, audio);
                Ok(())
            });
        }
        self.tell_conference(out);
    }

    /// A call is over: the others go on.
    pub(crate) fn left(&mut self, now: Time, call: Call, out: &mut Vec<Output>) {
        if self.takes_part(call) {
            self.unseat(now, call, out);
        }
    }

    /// A member goes on as another call, which has its seat already.
    pub(crate) fn follows(&mut self, now: Time, (old, new): (Call, Call), out: &mut Vec<Output>) {
        let members = self.conference.iter_mut().flat_map(|conference| &mut conference.members);
        for (member, _) in members.filter(|(member, _)| *member == old) {
            *member = new;
        }
        if self.takes_part(new) {
            // It stands: so it follows.
            let _ = self.with_quietly(now, new, out, |conversation, turn| {
                conversation.is_seated(turn);
                Ok(())
            });
            self.tell_conference(out);
        }
    }

    /// Carries what was said.
    pub(crate) fn wake_conference(&mut self, now: Time) {
        let Some(Conference { mixer, members }) = &mut self.conference else { return };
        let Some((_, owner)) = members.first_mut() else { return };
        if mixer.deadline() <= now {
            let seats = self.calls.values_mut().filter_map(Conversation::seat);
            mixer.wake(now, &mut **owner, &mut seats.collect::<Vec<_>>());
        }
    }

    fn tell_conference(&self, out: &mut Vec<Output>) {
        let members = self.conference().collect();
        out.push(Output::Report(Event::Phone(PhoneEvent::Conference { members })));
    }
}

/// The seat that this mouth and ear is, if it is one.
pub(crate) fn seat_of(audio: &mut dyn Audio) -> Option<&mut Seat> {
    let any: &mut dyn Any = audio;
    any.downcast_mut()
}
