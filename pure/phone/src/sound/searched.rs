//! The way of a call that is looked for (RFC 8445): our addresses are told, theirs are taken, and what was found is gone.

use connectivity::{Role, Search, Sent, Servers};
use machine::{Dice, Time};
use protocol::doors::Output;

use super::Sound;
use super::lookout::Lookout;

impl Sound {
    /// Begins to look for a way (RFC 8445): our own addresses first, without which nothing is offered or answered.
    pub(crate) fn look(&mut self, now: Time, servers: &Servers, out: &mut Vec<Output>) {
        let (mut sent, dice) = (Sent::new(), Dice::new(self.dice.seed()));
        let local = self.pair.rtp.1;
        match &mut self.lookout {
            // The other side knows the one that there is; nobody knows one that nothing was said of.
            Some(lookout) if self.role.is_some() => {
                lookout.begin_anew(now, local, (servers, dice), &mut sent);
            }
            lookout => *lookout = Some(Lookout::new(now, local, (servers, dice), &mut sent)),
        }
        self.put(sent, out);
    }

    /// True when an offer or an answer can be made.
    pub(crate) fn is_ready(&self) -> bool {
        self.lookout.as_ref().is_none_or(Lookout::is_ready)
    }

    /// True when all is known that an offer could tell.
    pub(crate) fn is_settled(&self) -> bool {
        self.lookout.as_ref().is_none_or(Lookout::is_settled)
    }

    /// A fragment of their description that came later (RFC 8840).
    pub(crate) fn trickled(&mut self, now: Time, fragment: &str, out: &mut Vec<Output>) {
        let Some(lookout) = &mut self.lookout else { return };
        let mut sent = Sent::new();
        lookout.trickled(now, fragment, &mut sent);
        self.put(sent, out);
    }

    /// Somebody picks up: the description before may have been lost, and some look for no way until then. The other side is waited for from here on.
    pub(crate) fn picked_up(&mut self, now: Time) {
        self.lookout.iter_mut().for_each(|lookout| lookout.wait_anew(now));
    }

    /// Our description says what a search has found of our addresses.
    pub(super) fn tell_addresses(&mut self, told: impl FnOnce(&mut Lookout) -> &Search) {
        let search = self.lookout.as_mut().map(told);
        if let (Some(stream), Some(search)) = (self.session.stream_mut(self.id), search) {
            stream.ice = Some(search.said());
            stream.mux = true;
            stream.local = search.default_address();
        }
    }

    /// Goes the way that was found, when it is another than before.
    pub(super) fn follow(&mut self, now: Time, out: &mut Vec<Output>) {
        let (Some(lookout), Some(playing)) = (&self.lookout, &mut self.playing) else { return };
        let mut sent = Vec::new();
        playing.way.follow(now, lookout.destination(now), &mut sent);
        if let Some((from, octets)) = self.hasty.take_if(|_| playing.way.is_found()) {
            playing.way.shake(now, (from, &octets), &mut sent);
        }
        self.post(now, sent, out);
    }

    /// Does what is due to find a way.
    pub(super) fn search_on(&mut self, now: Time, out: &mut Vec<Output>) {
        let Some(lookout) = &mut self.lookout else { return };
        let mut sent = Sent::new();
        if let Some((_, theirs)) = self.to_meet.take() {
            let role = self.role.unwrap_or(Role::Controlled);
            lookout.meet(now, (&theirs, role), &mut sent);
        }
        lookout.wake(now, &mut sent);
        self.put(sent, out);
        self.follow(now, out);
    }
}
