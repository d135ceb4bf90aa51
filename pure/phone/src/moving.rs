//! A phone that changes its address: out of one network, into another (RFC 5626 §4.5, RFC 3261 §10.2 and §12.2.1.1).
//!
//! Its sockets are bound to all addresses of the machine, so they stay as they are. What changes is what it says of itself: it registers anew,
//! and each call that stands is told by a re-INVITE where sound is wanted from now on.

use std::net::IpAddr;

use machine::Time;
use protocol::doors::Output;

use crate::call::Wish;
use crate::phone::Phone;
use crate::sound::Sound;
use crate::turn::Turn;

impl Phone {
    /// The address of this machine by which it is reached, where its sockets are bound to all of them (0.0.0.0, ::). To be said before the first
    /// command.
    #[must_use]
    pub fn at(mut self, ip: IpAddr) -> Self {
        self.line.settle_at(ip);
        self
    }

    /// The address of this machine by which it is reached.
    pub fn home(&self) -> IpAddr {
        self.line.ip()
    }

    /// From now on this machine is reached at another address: the phone registers from there, and says so in its calls. Whoever was called and
    /// has not picked up is called in vain; such a call ends by itself.
    pub fn moved(&mut self, now: Time, ip: IpAddr, out: &mut Vec<Output>) {
        if ip == self.line.ip() {
            return;
        }
        let before = self.line.address(self.line.account.transport());
        self.line.settle_at(ip);
        self.line.leave_detours(now, out);
        self.registration.moved(now, &before, &mut self.line, out);
        self.outside.moved(now, &mut self.line, out);
        for call in self.calls.values_mut() {
            let (line, lingering) = (&mut self.line, &mut self.lingering);
            call.moved(&mut Turn { now, line, lingering, out: &mut *out }, ip);
        }
        self.settle(now, out);
    }
}

impl crate::call::Conversation {
    /// Sound is wanted at another address: a call that stands says so at once, any other when it stands.
    fn moved(&mut self, turn: &mut Turn<'_>, ip: IpAddr) {
        let Some(sound) = self.sound() else { return };
        let servers = turn.line.account.servers();
        sound.moved(turn.now, (ip, &servers), turn.out);
        self.has_moved = true;
        self.catch_up(turn);
    }

    /// What the other side was told of our address is not true any more: it is told now, or after the change that is under way; and not before all
    /// of our addresses are known, where a way is looked for.
    pub(crate) fn catch_up(&mut self, turn: &mut Turn<'_>) {
        let known = |sound: &mut Sound| sound.is_settled();
        if self.has_moved && self.sound().is_some_and(known) && self.wish(turn, Wish::Move).is_ok()
        {
            self.has_moved = false;
        }
    }
}
