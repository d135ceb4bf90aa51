//! `Room`: where what would begin something waits until there is time for it. What goes on with something is done first, and at once; so
//! whatever comes, no more is begun than can be brought to its end.
//!
//! As long as everybody finds time here, who came first goes first. When there is too much to do, who came last goes first (adaptive
//! LIFO): then those who are served are served at once, and the others are refused, instead of all being served too late.

use std::collections::VecDeque;
use std::time::Duration;

use machine::Time;
use protocol::transaction::Newcomer;

use super::class::Class;
use super::trial::Heard;
use crate::limits;

/// Somebody who wants to begin something: how urgent that is, and how it was heard.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) class: Class,
    pub(crate) heard: Heard,
    pub(crate) newcomer: Newcomer,
}

/// Who waits, the most urgent first.
#[derive(Debug, Default)]
pub(crate) struct Room {
    emergencies: Queue,
    known: Queue,
    new: Queue,
}

/// Who goes before whom.
const URGENT: [Class; 3] = [Class::Emergency, Class::Known, Class::New];

/// Since when each has waited.
type Queue = VecDeque<(Time, Arrival)>;

/// Who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Who came first.
    Oldest,
    /// Who came last.
    Newest,
}

impl Room {
    /// True when nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.emergencies.len() + self.known.len() + self.new.len()
    }

    /// Lets somebody wait. When the room is full, somebody else has to go.
    pub(crate) fn put(&mut self, now: Time, arrival: Arrival) -> Option<Arrival> {
        self.queue(arrival.class).push_back((now, arrival));
        if self.len() > limits::ROOM { self.least_urgent() } else { None }
    }

    fn least_urgent(&mut self) -> Option<Arrival> {
        let mut urgent = URGENT.into_iter().rev();
        urgent.find_map(|class| self.queue(class).pop_front().map(|(_, arrival)| arrival))
    }

    /// Somebody who has waited for too long. Whoever is known may wait twice as long, and who calls for help is never sent away.
    pub(crate) fn overdue(&mut self, now: Time, patience: Duration) -> Option<Arrival> {
        [(Class::New, patience), (Class::Known, patience * 2)].into_iter().find_map(
            |(class, patience)| {
                let queue = self.queue(class);
                queue.front().filter(|(since, _)| now - *since > patience)?;
                Some(queue.pop_front()?.1)
            },
        )
    }

    /// Whose turn it is.
    pub(crate) fn next(&mut self, order: Order) -> Option<Arrival> {
        URGENT.into_iter().find_map(|class| self.of(class, order))
    }

    /// Whose turn it is when it is that of the others: anybody can write what makes a request urgent, and whoever has no credentials yet would never
    /// be asked for them.
    pub(crate) fn next_of_others(&mut self, order: Order) -> Option<Arrival> {
        URGENT.into_iter().rev().find_map(|class| self.of(class, order))
    }

    fn of(&mut self, class: Class, order: Order) -> Option<Arrival> {
        let queue = self.queue(class);
        let next = match order {
            Order::Oldest => queue.pop_front(),
            Order::Newest => queue.pop_back(),
        };
        next.map(|(_, arrival)| arrival)
    }

    const fn queue(&mut self, class: Class) -> &mut Queue {
        match class {
            Class::Emergency | Class::Within => &mut self.emergencies,
            Class::Known => &mut self.known,
            Class::New => &mut self.new,
        }
    }
}

#[cfg(test)]
mod tests {
    use machine::Dice;
    use protocol::transaction::{Met, Timers, Transactions};
    use protocol::{Flow, Identity, Transport};
    use sip::Message;

    use super::*;

    /// Somebody who wants to begin something.
    fn arrival(class: Class, number: usize) -> Arrival {
        let request = format!(
            "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK{number}\r\nFrom: <sip:c@d>;tag=1\r\nTo: <sip:a@b>\r\n\
             Call-ID: {number}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        let request = Message::parse(request.into_bytes()).unwrap();
        let peer = "192.0.2.1:5060".parse().unwrap();
        let identity = Identity::NONE;
        let flow = Flow { transport: Transport::Udp, listener: 0, connection: 0, peer, identity };
        let mut transactions = Transactions::new(Timers::default(), &mut Dice::new(1));
        match transactions.meet(Time::default(), flow, request, &mut Vec::new()) {
            Met::New(newcomer) => Arrival { class, heard: Heard::AtOnce, newcomer },
            Met::Known(_) => panic!("it is new"),
        }
    }

    /// Nobody has to go for somebody who is less urgent.
    #[test]
    fn who_is_least_urgent_has_to_go() {
        for full_of in [Class::Known, Class::Emergency] {
            let mut room = Room::default();
            for number in 0..limits::ROOM {
                assert!(room.put(Time::default(), arrival(full_of, number)).is_none());
            }
            let mut gone = |class| room.put(Time::default(), arrival(class, 9)).map(|it| it.class);
            assert_eq!(gone(Class::New), Some(Class::New));
            assert_eq!(gone(Class::Emergency), Some(full_of));
            assert_eq!(room.len(), limits::ROOM);
        }
    }

    #[test]
    fn who_is_most_urgent_goes_first_and_the_others_have_their_turn() {
        let mut room = Room::default();
        for (number, class) in [Class::New, Class::Known, Class::Emergency].into_iter().enumerate()
        {
            room.put(Time::default(), arrival(class, number));
        }
        let class = |next: Option<Arrival>| next.map(|next| next.class);
        assert_eq!(class(room.next(Order::Oldest)), Some(Class::Emergency));
        assert_eq!(class(room.next_of_others(Order::Oldest)), Some(Class::New));
        assert_eq!(class(room.next_of_others(Order::Oldest)), Some(Class::Known));
        assert!(room.is_empty());
    }
}
