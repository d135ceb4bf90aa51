//! How much there is still to finish, known at any moment without a look at everything: for a server that wants to stop.

use std::collections::VecDeque;

use machine::Time;

use super::{Transaction, Transactions};
use crate::limits;

/// How far a transaction is from its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Somebody waits for its final response.
    Open,
    /// That was given to an INVITE, and its ACK is under way.
    Answered,
    /// Nothing is missing. It only absorbs repeats.
    #[default]
    Done,
}

/// How many are not done.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    open: usize,
    answered: usize,
    /// How many only absorb repeats, and are small.
    idle: usize,
    /// Until when ACKs are waited for. All are waited for equally long, so they stand in the order of their ends.
    waits: VecDeque<(Time, u64)>,
}

impl Transactions {
    /// How many wait for a final response, from us or from others, or for its ACK. The rest only absorb repeats.
    pub fn unfinished(&self, now: Time) -> usize {
        let over = self.unfinished.waits.iter().take_while(|(until, _)| *until <= now);
        let over = over.filter(|(_, id)| self.stage(*id) == Stage::Answered).count();
        let Unfinished { open, answered, .. } = self.unfinished;
        open.saturating_add(answered).saturating_sub(over)
    }

    /// Is there no room for one more? What only absorbs repeats is small, and keeps few out.
    pub(super) fn is_full(&self) -> bool {
        let all = self.all.len();
        all.saturating_sub(self.unfinished.idle) >= limits::TRANSACTIONS || all >= limits::LINGERING
    }

    fn stage(&self, id: u64) -> Stage {
        self.all.get(id).map_or(Stage::Done, |entry| entry.stage)
    }

    /// A transaction may have gone on: is it at another stage? It is not waited for again that was given up once.
    pub(super) fn count(&mut self, id: u64) {
        let Some(entry) = self.all.get_mut(id) else { return };
        let stage = match &entry.transaction {
            Transaction::Client(client) if client.is_over() => Stage::Done,
            Transaction::Server(server) if server.is_over() => Stage::Done,
            Transaction::Client(client) if client.is_waiting() => Stage::Open,
            Transaction::Server(server) if server.is_open() => Stage::Open,
            Transaction::Server(server) if entry.stage != Stage::Done && server.wants_ack() => {
                Stage::Answered
            }
            Transaction::Client(_) | Transaction::Server(_) => Stage::Done,
        };
        let before = std::mem::replace(&mut entry.stage, stage);
        self.unfinished.moved(before, stage);
        let idle = match &entry.transaction {
            Transaction::Client(client) => client.only_absorbs(),
            Transaction::Server(server) => server.only_absorbs(),
        };
        let was_idle = std::mem::replace(&mut entry.idle, idle);
        let others = self.unfinished.idle.saturating_sub(usize::from(was_idle));
        self.unfinished.idle = others.saturating_add(usize::from(idle));
    }

    /// An answer was given: when it is the first for good, its ACK is waited for from now on.
    pub(super) fn wait_for_ack(&mut self, now: Time, id: u64, before: Stage) {
        if (before, self.stage(id)) == (Stage::Open, Stage::Answered) {
            self.unfinished.waits.push_back((now + self.timers.acknowledging(), id));
        }
        self.wait_no_more(now);
    }

    /// Some ACKs will not come.
    pub(super) fn wait_no_more(&mut self, now: Time) {
        let due = |waits: &VecDeque<(Time, u64)>| waits.front().copied().filter(|it| it.0 <= now);
        while let Some((_, id)) = due(&self.unfinished.waits) {
            self.unfinished.waits.pop_front();
            if let Some(entry) = self.all.get_mut(id).filter(|it| it.stage == Stage::Answered) {
                entry.stage = Stage::Done;
                self.unfinished.moved(Stage::Answered, Stage::Done);
            }
        }
    }
}

impl Unfinished {
    const fn moved(&mut self, from: Stage, to: Stage) {
        match from {
            Stage::Open => self.open = self.open.saturating_sub(1),
            Stage::Answered => self.answered = self.answered.saturating_sub(1),
            Stage::Done => {}
        }
        match to {
            Stage::Open => self.open = self.open.saturating_add(1),
            Stage::Answered => self.answered = self.answered.saturating_add(1),
            Stage::Done => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use machine::Dice;
    use sip::{Draft, Message, Status};

    use super::*;
    use crate::transaction::{ServerId, Timers, Up};
    use crate::transport::Transport;
    use crate::{Flow, Identity, Output};

    fn flow(transport: Transport) -> Flow {
        let (peer, connection) = ("127.0.0.1:5060".parse().unwrap(), 0);
        Flow { transport, listener: 0, connection, peer, identity: Identity::NONE }
    }

    fn invite(method: &str, number: usize) -> Message {
        let wire = format!(
            "{method} sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK{number}\r\nFrom: <sip:a@h>;tag=1\r\n\
             To: <sip:b@h>\r\nCall-ID: x\r\nCSeq: 1 {method}\r\n\r\n"
        );
        Message::parse(wire).unwrap()
    }

    /// A request comes; nothing, when it is refused.
    fn comes(all: &mut Transactions, way: (&str, Transport), number: usize) -> Option<ServerId> {
        let mut out = Vec::new();
        match all.receive(Time(0), flow(way.1), invite(way.0, number), &mut out) {
            Some(Up::Request(id, ..)) => Some(id),
            up => {
                let [Output::Send(_, wire)] = &out[..] else { panic!("{up:?} {out:?}") };
                assert!(wire.starts_with(b"SIP/2.0 503 "));
                None
            }
        }
    }

    fn answer(all: &mut Transactions, id: ServerId, status: Status) {
        let wire = Draft::reply_tagged(&invite("INVITE", 0), status, "x", "t").wire();
        all.respond(Time(0), id, wire, &mut Vec::new());
    }

    /// As many calls ring as may: one more is refused. When they were taken, that many more may ring.
    #[test]
    fn what_only_absorbs_repeats_keeps_nobody_out() {
        let mut all = Transactions::new(Timers::default(), &mut Dice::new(1));
        let way = ("INVITE", Transport::Udp);
        let rings: Vec<_> =
            (0..limits::TRANSACTIONS).map(|call| comes(&mut all, way, call).unwrap()).collect();
        assert_eq!(comes(&mut all, way, usize::MAX), None);
        rings.into_iter().for_each(|id| answer(&mut all, id, Status::OK));
        assert!(comes(&mut all, way, usize::MAX).is_some() && all.len() > limits::TRANSACTIONS);
    }

    /// What keeps its request, or sends by itself, counts until its end.
    #[test]
    fn only_who_keeps_nothing_and_sends_nothing_only_absorbs() {
        let idle = |transport, status| {
            let mut all = Transactions::new(Timers::default(), &mut Dice::new(1));
            let id = comes(&mut all, ("INVITE", transport), 1).unwrap();
            assert_eq!(all.unfinished.idle, 0);
            answer(&mut all, id, status);
            let idle = all.unfinished.idle;
            while let Some(at) = all.deadline() {
                all.wake(at, &mut Vec::new(), &mut Vec::new());
            }
            assert_eq!((all.len(), all.unfinished.idle), (0, 0));
            idle
        };
        assert_eq!(idle(Transport::Udp, Status::OK), 1);
        assert_eq!(idle(Transport::Udp, Status::BUSY_HERE), 0);
        assert_eq!(idle(Transport::Tcp, Status::OK), 0);
    }

    /// The same of a request of ours: a refusal's ACK is kept.
    #[test]
    fn of_ours_only_who_keeps_nothing_only_absorbs() {
        let idle = |method, status| {
            let mut all = Transactions::new(Timers::default(), &mut Dice::new(1));
            let (mut out, ours) = (Vec::new(), invite(method, 1));
            all.request(Time(0), flow(Transport::Udp), ours.clone(), &mut out);
            assert_eq!(all.unfinished.idle, 0);
            let answer = Draft::reply_tagged(&ours, status, "x", "t").wire();
            let answer = Message::parse(answer).unwrap();
            all.receive(Time(0), flow(Transport::Udp), answer, &mut out);
            let idle = all.unfinished.idle;
            while let Some(at) = all.deadline() {
                all.wake(at, &mut out, &mut Vec::new());
            }
            assert_eq!((all.len(), all.unfinished.idle), (0, 0));
            idle
        };
        assert_eq!(idle("INVITE", Status::OK), 1);
        assert_eq!(idle("INVITE", Status::BUSY_HERE), 0);
        assert_eq!(idle("BYE", Status::OK), 1);
    }
}
