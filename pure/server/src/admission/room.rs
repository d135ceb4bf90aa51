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
    /// Whose turn it was last of those who are less urgent.
    last: Other,
}

/// Those who are no emergency. Each has its turn: who has just been asked for credentials comes back with them as somebody known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Other {
    New,
    #[default]
    Known,
}

/// Who goes before whom.
const URGENT: [Class; 3] = [Class::Emergency, Class::Known, Class::New];

/// So many of those who wait may be emergencies: anybody can write what makes a request one.
const EMERGENCIES: usize = limits::ROOM / 2;

/// Whoever calls for help has given up by then: 64 times T1, timer B (RFC 3261 §17.1.1.2).
const GIVEN_UP: Duration = Duration::from_secs(32);

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
        if self.emergencies.len() > EMERGENCIES {
            return self.of(Class::Emergency, Order::Oldest);
        }
        let mut urgent = URGENT.into_iter().rev();
        urgent.find_map(|class| self.queue(class).pop_front().map(|(_, arrival)| arrival))
    }

    /// Somebody who has waited for too long. Whoever is known may wait twice as long, and who calls for help as long as it waits itself.
    pub(crate) fn overdue(&mut self, now: Time, patience: Duration) -> Option<Arrival> {
        let patience =
            [(Class::New, patience), (Class::Known, patience * 2), (Class::Emergency, GIVEN_UP)];
        patience.into_iter().find_map(|(class, patience)| {
            let queue = self.queue(class);
            queue.front().filter(|(since, _)| now - *since > patience)?;
            Some(queue.pop_front()?.1)
        })
    }

    /// Whose turn it is.
    pub(crate) fn next(&mut self, order: Order) -> Option<Arrival> {
        URGENT.into_iter().find_map(|class| self.of(class, order))
    }

    /// Whose turn it is when it is that of the others: anybody can write what makes a request urgent, and whoever has no credentials yet would never
    /// be asked for them, nor be heard with them.
    pub(crate) fn next_of_others(&mut self, order: Order) -> Option<Arrival> {
        let (next, classes) = match self.last {
            Other::Known => (Other::New, [Class::New, Class::Known, Class::Emergency]),
            Other::New => (Other::Known, [Class::Known, Class::New, Class::Emergency]),
        };
        self.last = next;
        classes.into_iter().find_map(|class| self.of(class, order))
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

    /// A room that is full of such.
    fn full_of(class: Class) -> Room {
        let mut room = Room::default();
        for number in 0..limits::ROOM {
            assert!(room.put(Time::default(), arrival(class, number)).is_none());
        }
        room
    }

    /// Nobody has to go for somebody who is less urgent.
    #[test]
    fn who_is_least_urgent_has_to_go() {
        let mut room = full_of(Class::Known);
        let mut gone = |class| room.put(Time::default(), arrival(class, 9)).map(|it| it.class);
        assert_eq!(gone(Class::New), Some(Class::New));
        assert_eq!(gone(Class::Emergency), Some(Class::Known));
        assert_eq!(room.len(), limits::ROOM);
    }

    /// Anybody can write what makes a request one: half of the room is left for others.
    #[test]
    fn calls_for_help_do_not_fill_the_room() {
        let mut room = full_of(Class::Emergency);
        for class in [Class::New, Class::Known, Class::Emergency] {
            let gone = room.put(Time::default(), arrival(class, 9));
            assert_eq!(gone.map(|it| it.class), Some(Class::Emergency), "for {class:?}");
        }
        assert_eq!(room.len(), limits::ROOM);
        let next = room.next_of_others(Order::Newest);
        assert_eq!(next.map(|it| it.class), Some(Class::New));
        // Half of it is theirs, whatever else comes.
        for number in 0..2 * limits::ROOM {
            room.put(Time::default(), arrival(Class::Known, number));
        }
        assert_eq!((room.emergencies.len(), room.len()), (limits::ROOM / 2, limits::ROOM));
        let gone = room.put(Time::default(), arrival(Class::New, 9));
        assert_eq!(gone.map(|it| it.class), Some(Class::New));
    }

    /// Who is asked for credentials comes back with them, and finds its turn too.
    #[test]
    fn among_many_calls_for_help_what_is_new_and_who_is_known_have_their_turns() {
        let mut room = Room::default();
        for number in 0..100 {
            room.put(Time::default(), arrival(Class::Emergency, number));
            room.put(Time::default(), arrival(Class::New, number));
        }
        room.put(Time::default(), arrival(Class::Known, 7));
        let others: Vec<_> =
            (0..4).filter_map(|_| room.next_of_others(Order::Newest)).map(|it| it.class).collect();
        assert_eq!(others, [Class::New, Class::Known, Class::New, Class::New]);
    }

    #[test]
    fn who_calls_for_help_waits_for_as_long_as_it_waits_itself() {
        let mut room = Room::default();
        let (start, patience) = (Time::default(), Duration::from_millis(200));
        room.put(start, arrival(Class::Emergency, 1));
        assert!(room.overdue(start + Duration::from_secs(32), patience).is_none());
        assert!(room.overdue(start + Duration::from_millis(32_001), patience).is_some());
        assert!(room.is_empty());
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
