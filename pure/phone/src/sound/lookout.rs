//! `Lookout`: who looks for a way (RFC 8445). After a move the next search asks for our addresses while the one that the other side knows goes on; it takes
//! its place when the other side is told of it, and not before it knows what to tell (RFC 8445 §9, RFC 8839 §4.4).

use std::net::SocketAddr;

use connectivity::{Came, NoWay, Role, Search, Sent, Servers};
use machine::{Dice, Time};

/// The search for the way of one call.
pub(super) struct Lookout {
    /// The one that the other side knows, or will know first.
    current: Search,
    next: Option<Next>,
}

/// A search that begins anew, and what the other side knows of it.
struct Next {
    search: Search,
    told: Told,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    /// An offer, which is not answered yet.
    Offer,
}

impl Lookout {
    pub(super) fn new(
        now: Time,
        local: SocketAddr,
        helpers: (&Servers, Dice),
        out: &mut Sent,
    ) -> Self {
        Self { current: Search::new(now, local, helpers, out), next: None }
    }

    /// This machine is at another address: our addresses are asked for anew, from there.
    pub(super) fn begin_anew(
        &mut self,
        now: Time,
        local: SocketAddr,
        helpers: (&Servers, Dice),
        out: &mut Sent,
    ) {
        // Whoever was offered something answers to that.
        self.accepted();
        self.current.leave_servers();
        let search = Search::new(now, local, helpers, out);
        self.next = Some(Next { search, told: Told::Nothing });
    }

    /// True when an offer or an answer can be made.
    pub(super) fn is_ready(&self) -> bool {
        self.current.is_ready()
    }

    /// True when all is known that an offer could tell.
    pub(super) fn is_settled(&self) -> bool {
        self.is_ready() && self.next.as_ref().is_none_or(|next| next.search.is_ready())
    }

    /// Who is told of in an offer: whoever begins anew, once there is something to tell.
    pub(super) fn offered(&mut self) -> &Search {
        match &mut self.next {
            Some(next) if next.search.is_ready() => {
                next.told = Told::Offer;
                &next.search
            }
            _ => &self.current,
        }
    }

    /// Who is told of in the answer to an offer: to one that begins anew, whoever does so here too, with new names (RFC 8839 §4.4.2.1); to any other the
    /// one that is known.
    pub(super) fn answered(&mut self, theirs: Option<&sdp::Ice>) -> &Search {
        if let Some(theirs) = theirs.filter(|theirs| self.current.is_restarted_by(theirs)) {
            match self.next.take_if(|next| next.search.is_ready()) {
                Some(next) => self.replace(next.search),
                None => self.current.hear_offer(theirs),
            }
        }
        &self.current
    }

    /// True when an offer of theirs begins anew.
    pub(super) fn is_restarted_by(&self, theirs: &sdp::Ice) -> bool {
        self.current.is_restarted_by(theirs)
    }

    /// Our offer was answered.
    pub(super) fn accepted(&mut self) {
        if let Some(next) = self.next.take_if(|next| next.told == Told::Offer) {
            self.replace(next.search);
        }
    }

    /// Our offer was refused: it is as if it had never been made (RFC 8839 §4.4).
    pub(super) fn rejected(&mut self) {
        if let Some(next) = &mut self.next {
            next.told = Told::Nothing;
        }
    }

    fn replace(&mut self, mut next: Search) {
        next.go_on_from(&self.current);
        self.current = next;
    }

    /// Their description: the checks begin, or go on.
    pub(super) fn meet(&mut self, now: Time, theirs: (&sdp::Ice, Role), out: &mut Sent) {
        self.current.meet(now, theirs, out);
    }

    /// A fragment of it that came later (RFC 8840).
    pub(super) fn trickled(&mut self, now: Time, fragment: &str, out: &mut Sent) {
        self.current.trickled(now, fragment, out);
    }

    /// The other side may hear of us only now.
    pub(super) fn wait_anew(&mut self, now: Time) {
        self.current.wait_anew(now);
    }

    /// Where what is said goes now.
    pub(super) fn destination(&self, now: Time) -> Option<SocketAddr> {
        self.current.destination(now)
    }

    /// Why no way was found.
    pub(super) fn failure(&self) -> Option<NoWay> {
        self.current.failure()
    }

    /// True for an address from which they have shown that they read what we said.
    pub(super) fn knows(&self, at: SocketAddr) -> bool {
        self.searches().any(|search| search.knows(at))
    }

    /// Sends something by the way that was found.
    pub(super) fn send(&mut self, now: Time, octets: &[u8], out: &mut Sent) {
        self.current.send(now, octets, out);
    }

    /// A datagram came on the socket. Each knows its own by its names and numbers; the servers talk with the newest.
    pub(super) fn receive(
        &mut self,
        now: Time,
        datagram: (SocketAddr, &[u8]),
        out: &mut Sent,
    ) -> Came {
        let next = self.next.as_mut().map(|next| next.search.receive(now, datagram, out));
        let current = self.current.receive(now, datagram, out);
        next.filter(|came| *came != Came::Other).unwrap_or(current)
    }

    /// Does what is due.
    pub(super) fn wake(&mut self, now: Time, out: &mut Sent) {
        let next = self.next.as_mut().map(|next| &mut next.search);
        for search in [&mut self.current].into_iter().chain(next) {
            if search.deadline().is_some_and(|due| due <= now) {
                search.wake(now, out);
            }
        }
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.searches().filter_map(Search::deadline).min()
    }

    /// What servers have lent is given back.
    pub(super) fn close(&mut self, now: Time, out: &mut Sent) {
        self.current.close(now, out);
        self.next.iter_mut().for_each(|next| next.search.close(now, out));
    }

    fn searches(&self) -> impl Iterator<Item = &Search> {
        [&self.current].into_iter().chain(self.next.as_ref().map(|next| &next.search))
    }
}
