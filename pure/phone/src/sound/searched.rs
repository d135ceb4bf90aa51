//! The way of a call that is looked for (RFC 8445): our addresses are told, theirs are taken, and what was found is gone.

use connectivity::{Role, Search, Sent, Servers};
use machine::{Dice, Time};
use protocol::doors::Output;

use super::Sound;

impl Sound {
    /// Begins to look for a way (RFC 8445): our own addresses first, without which nothing is offered or answered.
    pub(crate) fn look(&mut self, now: Time, servers: &Servers, out: &mut Vec<Output>) {
        let (mut sent, dice) = (Sent::new(), Dice::new(self.dice.seed()));
        self.search = Some(Search::new(now, self.pair.rtp.1, (servers, dice), &mut sent));
        self.put(sent, out);
    }

    /// True when an offer or an answer can be made.
    pub(crate) fn is_ready(&self) -> bool {
        self.search.as_ref().is_none_or(Search::is_ready)
    }

    /// A fragment of their description that came later (RFC 8840).
    pub(crate) fn trickled(&mut self, now: Time, fragment: &str, out: &mut Vec<Output>) {
        let Some(search) = &mut self.search else { return };
        let mut sent = Sent::new();
        search.trickled(now, fragment, &mut sent);
        self.put(sent, out);
    }

    /// Our description says what the search has found of our addresses.
    pub(super) fn tell_addresses(&mut self) {
        let ice = self.search.as_ref().map(Search::said);
        if let (Some(stream), Some(ice)) = (self.session.stream_mut(self.id), ice) {
            stream.ice = Some(ice);
            stream.mux = true;
            let default = self.search.as_ref().and_then(Search::default_address);
            stream.local = default.unwrap_or(stream.local);
        }
    }

    /// Goes the way that was found, when it is another than before.
    pub(super) fn follow(&mut self, now: Time, out: &mut Vec<Output>) {
        let (Some(search), Some(playing)) = (&self.search, &mut self.playing) else { return };
        let mut sent = Vec::new();
        playing.way.follow(now, search.destination(now), &mut sent);
        if let Some((from, octets)) = self.hasty.take_if(|_| playing.way.is_found()) {
            playing.way.shake(now, (from, &octets), &mut sent);
        }
        self.post(now, sent, out);
    }

    /// Does what is due to find a way.
    pub(super) fn search_on(&mut self, now: Time, out: &mut Vec<Output>) {
        let Some(search) = &mut self.search else { return };
        let mut sent = Sent::new();
        if let Some((_, theirs)) = self.to_meet.take() {
            let role = self.role.unwrap_or(Role::Controlled);
            search.meet(now, (&theirs, role), &mut sent);
        }
        if search.deadline().is_some_and(|due| due <= now) {
            search.wake(now, &mut sent);
        }
        self.put(sent, out);
        self.follow(now, out);
    }
}
