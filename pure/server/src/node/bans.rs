//! Bans as an operator sees them: listed, pronounced, lifted.

use std::time::Duration;

use machine::Time;
use protocol::Output;
use protocol::bans::{Ban, Source};

use super::Node;

impl Node {
    /// Who is banned, in the order of their sources: a page of the list, after one of them. All shards have the same.
    pub fn bans(&self, after: Option<Source>) -> Vec<Ban> {
        self.roles.bans.page(after)
    }

    /// Bars a source for a while, on all shards.
    pub fn ban(&mut self, now: Time, source: Source, lasts: Duration, out: &mut Vec<Output>) {
        let (mut turn, roles) = self.turn(now, out);
        roles.bans.bar(&mut turn, source, lasts);
    }

    /// Lifts the ban of a source, on all shards; false when there is none.
    pub fn unban(&mut self, now: Time, source: Source, out: &mut Vec<Output>) -> bool {
        let (mut turn, roles) = self.turn(now, out);
        roles.bans.lift(&mut turn, source)
    }

    /// Takes a ban, or that one was lifted, as a node of our cluster has written it down ([`Question::Keep`](protocol::Question::Keep)); it is to be believed
    /// for so long from now on. What none of them has written is passed over, and said.
    pub fn heed(&mut self, now: Time, (octets, left): (&[u8], Duration), out: &mut Vec<Output>) {
        let (mut turn, roles) = self.turn(now, out);
        roles.bans.heed(&mut turn, octets, left);
    }

    /// What was written down so is not, or not any more, where all nodes read it: as long as it is the last word it is written there again.
    pub fn miss(&mut self, now: Time, octets: &[u8], out: &mut Vec<Output>) {
        let (mut turn, roles) = self.turn(now, out);
        roles.bans.miss(&mut turn, octets);
    }
}
