//! Two nodes of a cluster share a store that does at once what it is asked, or cannot be reached. What a phone does at one of them, the other has to
//! know: it has a caller who waits, a watcher, or a copy of what was.

mod cuts;
mod losses;
mod nonces;
mod sleepers;
mod watchers;

use std::collections::BTreeMap;
use std::time::Duration;

use machine::Time;
use offhook_tests::office::{self, Office, Phone, Request, Sent};
use protocol::doors::{Asker, Share, Sleeper};
use protocol::{Answer, Input, Question, Ticket};
use server::settings::Settings;

/// The nodes, and what they share.
struct Pair {
    offices: [Office; 2],
    store: Store,
    /// By the clock of the store; those of the nodes may be others.
    now: Time,
    /// Whose store cannot be reached.
    cut: [bool; 2],
    /// Who asked to have which phone woken.
    pushes: Vec<(usize, Ticket, Sleeper)>,
    /// Whose bindings were said to have changed.
    told: Vec<Box<[u8]>>,
    locating: [Vec<Ticket>; 2],
    sent: [Vec<Sent>; 2],
}

#[derive(Default)]
struct Store {
    kept: BTreeMap<Box<[u8]>, Kept>,
    spent: BTreeMap<(Box<str>, u32), Time>,
}

/// A value, and until when it is kept.
type Kept = (Box<[u8]>, Time);

impl Pair {
    /// Two nodes with what `with` makes of their settings.
    fn new(with: impl Fn(Settings) -> Settings) -> Self {
        let offices = [0, 1].map(|number| Office::new(with(office::node(number, 1))));
        let now = offices[0].now;
        let (pushes, told) = (Vec::new(), Vec::new());
        let (store, cut) = (Store::default(), [false; 2]);
        let (locating, sent) = Default::default();
        Self { offices, store, now, cut, pushes, told, locating, sent }
    }

    /// A node is told something; what it has sent when nobody asks the store any more.
    fn tell(&mut self, number: usize, input: Input) -> Vec<Sent> {
        let sent = self.offices[number].tell(input);
        self.settle(number, sent)
    }

    /// A request comes to a node; what that has sent when nobody asks the store any more.
    fn hear(&mut self, number: usize, phone: &Phone, request: &Request) -> Vec<Sent> {
        let sent = self.offices[number].receive(phone.flow, request.wire());
        self.settle(number, sent)
    }

    /// Time passes.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            let step = STEP.min(end - self.now);
            self.now = self.now + step;
            for number in 0..2 {
                let said = self.offices[number].wait(step);
                self.sent[number].extend(said);
            }
            self.answer();
        }
    }

    /// What a node has sent since somebody looked, beside what was asked for.
    fn sent(&mut self, number: usize) -> Vec<Sent> {
        std::mem::take(&mut self.sent[number])
    }

    fn settle(&mut self, number: usize, sent: Vec<Sent>) -> Vec<Sent> {
        let before = std::mem::replace(&mut self.sent[number], sent);
        self.answer();
        std::mem::replace(&mut self.sent[number], before)
    }

    /// Answers what the nodes ask until they ask no more.
    fn answer(&mut self) {
        let asks = |office: &Office| !office.asked.is_empty() || !office.told.is_empty();
        let mut rounds = 0;
        while let Some(asker) = (0..2).find(|each| asks(&self.offices[*each])) {
            rounds += 1;
            assert!(rounds < 1_000, "nodes that ask for ever");
            for answer in std::mem::take(&mut self.offices[asker].told) {
                let ticket = self.locating[asker].remove(0);
                let said = self.offices[asker].tell(Input::Answered(ticket, answer));
                self.sent[asker].extend(said);
            }
            for (ticket, question) in std::mem::take(&mut self.offices[asker].asked) {
                let said = self.ask(asker, ticket, question);
                self.sent[asker].extend(said);
            }
        }
    }

    fn ask(&mut self, asker: usize, ticket: Ticket, question: Question) -> Vec<Sent> {
        let cut = self.cut[asker];
        let answer = match question {
            Question::Push(sleeper) => {
                self.pushes.push((asker, ticket, *sleeper));
                return Vec::new();
            }
            // Its only shard keeps all bindings.
            Question::Locate(_) => {
                self.locating[asker].push(ticket);
                let input = Input::Asked(Asker { shard: 0, ticket }, question);
                return self.offices[asker].tell(input);
            }
            Question::Share(_) if cut => Answer::NotKept,
            Question::Recall(_) if cut => Answer::NotRecalled,
            Question::Share(share) => self.share(asker, share),
            Question::Recall(key) => {
                let kept = self.store.kept.get(&key).filter(|(_, until)| *until > self.now);
                Answer::Recalled(kept.map(|(value, _)| value.clone()))
            }
            Question::SpendAnywhere { nonce, count, until } => {
                let until = self.now + (until - self.offices[asker].now);
                let before = self.store.spent.get(&(nonce.clone(), count));
                let first = before.is_none_or(|until| *until <= self.now);
                self.store.spent.entry((nonce, count)).or_insert(until);
                Answer::Spent(first)
            }
            other => panic!("{other:?}"),
        };
        self.offices[asker].tell(Input::Answered(ticket, answer))
    }

    fn share(&mut self, asker: usize, share: Share) -> Answer {
        let Share { record, before, told } = share;
        let until = self.now + (record.until - self.offices[asker].now);
        let there = self.store.kept.get(&record.key).filter(|(_, until)| *until > self.now);
        if let Some((value, _)) = there.filter(|(value, _)| value[..8] != before) {
            return Answer::Differs(value.clone());
        }
        let until = there.map_or(until, |(_, before)| until.max(*before));
        self.store.kept.insert(record.key.clone(), (record.value, until));
        if told {
            self.told.push(record.key.clone());
            for office in &mut self.offices {
                let mut out = Vec::new();
                office.node.changed_elsewhere(office.now, &record.key, &mut out);
                assert!(office.take(out).is_empty(), "a node that hears news asks the store first");
            }
        }
        Answer::Kept
    }
}

/// A node waits for two seconds at most for the store.
const STEP: Duration = Duration::from_millis(500);
