//! Two nodes share a store that loses requests and answers, gets some when the node has given them up, is gone for a while, tells its news late or never, and falls back to what a
//! replica had; phones of one user register at either node meanwhile. What a phone was promised is so at both nodes, and nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use machine::{Dice, Time};
use offhook_tests::office::{self, Office, Phone, Sent};
use offhook_tests::seeds::seeds;
use protocol::doors::Share;
use protocol::{Answer, Input, Question, Ticket};
use server::Node;
use sip::{Name, Status};

/// What may go wrong.
#[derive(Clone, Copy, Debug, Default)]
struct Trouble {
    /// Of a hundred requests to the store, so many are lost; and so many answers.
    lost: u64,
    /// Of a hundred wishes that something be kept, so many come to the store when the node has given them up.
    late: u64,
    /// Whether the user has one phone: then there is often nothing in the store.
    alone: bool,
    /// Of a hundred news that something has changed, so many.
    deaf: u64,
    store: Fate,
    /// Whether a node restarts now and then.
    restarts: bool,
    /// So far the clock of the second node is ahead.
    skew: Duration,
}

/// What becomes of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    #[default]
    Stands,
    /// It is gone now and then.
    IsGone,
    /// The same; and now and then a replica takes over, without the last writes.
    FallsBack,
}

/// What has happened so far, and what will.
struct World {
    offices: [Office; 2],
    store: Store,
    phones: Vec<Caller>,
    ahead: BTreeMap<(Time, u64), Happening>,
    count: u64,
    now: Time,
    dice: Dice,
    trouble: Trouble,
    seed: u64,
    checked: u32,
    lives: [u32; 2],
    /// What was said to the one who only asks.
    said: String,
}

/// A node, and which of its lives: an answer does not reach another one.
type Life = (usize, u32);

#[derive(Clone, Debug)]
enum Happening {
    /// A phone sends a REGISTER.
    Speaks(usize),
    /// A question comes to the store.
    Asked(Life, Ticket, Question),
    /// What it was asked long ago comes to the store: nobody waits for that any more.
    AskedLong(Share),
    /// Its answer comes to the node.
    Answered(Life, Ticket, Answer),
    /// The news that something has changed comes to a node.
    News(usize, Box<[u8]>),
    FallsBack,
    Gone(bool),
    Restarts(usize),
}

#[derive(Default)]
struct Store {
    kept: BTreeMap<Box<[u8]>, Kept>,
    /// What was written, when, and what was there before: the newest last.
    written: Vec<(Time, Box<[u8]>, Option<Kept>)>,
    is_gone: bool,
}

#[derive(Clone, Debug)]
struct Kept {
    value: Box<[u8]>,
    until: Time,
}

/// What the phone knows that it has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// Registered, at least until the first, at most until the second.
    Here(Time, Time),
    /// Not registered, ever or any more.
    Away,
    /// It was told neither.
    Nothing,
}

/// A phone, or somebody who only asks.
struct Caller {
    phone: Phone,
    cseq: u32,
    under_way: Option<UnderWay>,
    known: Known,
    /// Since when that is so.
    since: Time,
}

struct UnderWay {
    node: usize,
    sent: Time,
    /// How long it wants to be registered; nothing: it only asks.
    expires: Option<u32>,
    /// What was written for it may be lost before it hears that it was.
    doubtful: bool,
}

const USER: &str = "101";
/// The last of the callers only asks who is registered.
const PHONES: usize = 3;

impl Store {
    fn get(&self, now: Time, key: &[u8]) -> Option<&Kept> {
        self.kept.get(key).filter(|kept| kept.until > now)
    }

    /// What the script in the store does.
    fn share(&mut self, now: Time, share: Share) -> Answer {
        let Share { record, before, .. } = share;
        let there = self.get(now, &record.key).cloned();
        if let Some(kept) = there.as_ref().filter(|kept| kept.value[..8] != before) {
            return Answer::Differs(kept.value.clone());
        }
        let before = there.as_ref().map_or(record.until, |kept| kept.until);
        let kept = Kept { value: record.value, until: record.until.max(before) };
        self.written.push((now, record.key.clone(), there));
        self.kept.insert(record.key, kept);
        Answer::Kept
    }

    /// What was written since then is not.
    fn fall_back(&mut self, to: Time) {
        while let Some((at, key, before)) = self.written.pop() {
            if at <= to {
                self.written.push((at, key, before));
                return;
            }
            match before {
                Some(kept) => drop(self.kept.insert(key, kept)),
                None => drop(self.kept.remove(&key)),
            }
        }
    }
}

impl World {
    fn new(seed: u64, trouble: Trouble) -> Self {
        let office = |number| Office::new(office::node(number, 1));
        let offices = [office(0), office(1)];
        let now = offices[0].now;
        let caller = |number: u16| {
            let phone = Phone { user: USER.into(), ..Phone::udp(110 + number) };
            Caller { phone, cseq: 0, under_way: None, known: Known::Away, since: now }
        };
        let phones = (0..=PHONES as u16).map(caller).collect();
        let (store, ahead) = (Store::default(), BTreeMap::new());
        let dice = Dice::new(seed.into());
        let (lives, said) = ([1, 1], String::new());
        let (count, checked) = (0, 0);
        let mut world = Self {
            offices,
            store,
            phones,
            ahead,
            count,
            now,
            dice,
            trouble,
            seed,
            checked,
            lives,
            said,
        };
        for who in (0..=PHONES).filter(|who| !trouble.alone || [0, PHONES].contains(who)) {
            world.soon(2_000, Happening::Speaks(who));
        }
        if trouble.store == Fate::FallsBack {
            // Until then the nodes have seen in what each other writes how their clocks differ.
            let known = if trouble.skew > Duration::ZERO { 20 } else { 0 };
            let within = Duration::from_millis(world.dice.below(20_000) + 1);
            world.after(Duration::from_secs(known) + within, Happening::FallsBack);
        }
        if trouble.store != Fate::Stands {
            world.soon(20_000, Happening::Gone(true));
        }
        if trouble.restarts {
            world.soon(20_000, Happening::Restarts(0));
        }
        world
    }

    fn soon(&mut self, millis: u64, what: Happening) {
        let after = Duration::from_micros(self.dice.below(millis * 1_000) + 1);
        self.after(after, what);
    }

    fn after(&mut self, after: Duration, what: Happening) {
        self.count += 1;
        self.ahead.insert((self.now + after, self.count), what);
    }

    /// Lives until then; nobody begins anything after it.
    fn live(&mut self, end: Time) {
        while let Some((key, what)) = self.ahead.pop_first() {
            let finishes = matches!(
                what,
                Happening::Asked(..) | Happening::Answered(..) | Happening::News(..)
            );
            if !finishes && key.0 > end {
                continue;
            }
            self.pass(key.0);
            self.happen(what);
        }
    }

    /// Time passes, at both nodes.
    fn pass(&mut self, to: Time) {
        for number in 0..2 {
            let sent = self.offices[number].wait(to + self.skew(number) - self.offices[number].now);
            self.now = to;
            self.look(number, sent);
        }
    }

    /// How far the clock of a node is ahead.
    fn skew(&self, number: usize) -> Duration {
        self.trouble.skew * u32::try_from(number).unwrap()
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::Speaks(who) => self.speak(who),
            Happening::Asked(life, ticket, question) => self.serve(life, ticket, question),
            Happening::AskedLong(share) => _ = self.share(share),
            Happening::Answered((number, life), ticket, answer) => {
                if self.lives[number] != life {
                    return;
                }
                let sent = self.offices[number].tell(Input::Answered(ticket, answer));
                self.look(number, sent);
            }
            Happening::News(number, aor) => {
                let (now, mut out) = (self.now + self.skew(number), Vec::new());
                self.offices[number].node.changed_elsewhere(now, &aor, &mut out);
                for output in out {
                    if let protocol::Output::Ask(ticket, question) = output {
                        let life = (number, self.lives[number]);
                        self.soon(5, Happening::Asked(life, ticket, question));
                    }
                }
            }
            Happening::FallsBack => {
                let lost = Duration::from_millis(self.dice.below(1_500));
                self.store.fall_back(Time(self.now.0.saturating_sub(lost.as_nanos() as u64)));
                for caller in &mut self.phones {
                    (caller.known, caller.since) = (Known::Nothing, self.now);
                }
                self.doubt_what_is_under_way();
                self.soon(60_000, Happening::FallsBack);
            }
            Happening::Gone(is_gone) => {
                self.store.is_gone = is_gone;
                self.soon(8_000, Happening::Gone(!is_gone));
            }
            Happening::Restarts(number) => {
                self.lives[number] += 1;
                let (settings, dice) =
                    (office::node(number as u8, self.lives[number]), self.dice.roll());
                self.offices[number].node = Node::new(settings, Dice::new(dice.into()));
                // Whoever waited for it hears nothing more.
                let waits = |caller: &&mut Caller| {
                    caller.under_way.as_ref().is_some_and(|way| way.node == number)
                };
                for caller in self.phones.iter_mut().filter(waits) {
                    (caller.under_way, caller.known) = (None, Known::Nothing);
                }
                self.soon(30_000, Happening::Restarts(1 - number));
            }
        }
    }

    /// The store has taken what it has lost now, and its word for that has not come to the node yet: it will give the phone its 200.
    fn doubt_what_is_under_way(&mut self) {
        for what in self.ahead.values() {
            let &Happening::Answered((number, _), _, Answer::Kept) = what else { continue };
            let ways = self.phones.iter_mut().filter_map(|caller| caller.under_way.as_mut());
            ways.filter(|way| way.node == number).for_each(|way| way.doubtful = true);
        }
    }

    /// A phone registers, signs off, or the last one asks: at one node or the other.
    fn speak(&mut self, who: usize) {
        let number = self.dice.below(2) as usize;
        let expires = [0, 3, 60, 600][self.dice.below(4) as usize];
        self.soon(8_000, Happening::Speaks(who));
        self.send(who, number, (who < PHONES).then_some(expires));
    }

    fn send(&mut self, who: usize, number: usize, expires: Option<u32>) {
        let caller = &mut self.phones[who];
        if caller.under_way.is_some() {
            return;
        }
        caller.cseq += 1;
        let contact = caller.phone.contact();
        let rows = expires.map(|expires| format!("Contact: <{contact}>;expires={expires}\r\n"));
        let mut request = caller.phone.register(&rows.unwrap_or_default());
        request.cseq = caller.cseq;
        request.call_id += &who.to_string();
        request.branch += &format!("-{who}-{}", caller.cseq);
        caller.under_way =
            Some(UnderWay { node: number, sent: self.now, expires, doubtful: false });
        let sent = self.offices[number].receive(self.phones[who].phone.flow, request.wire());
        self.look(number, sent);
    }

    /// The store is asked: it may be gone, and the question or its answer may be lost. A node is then told, later, that nobody knows.
    fn serve(&mut self, from: Life, ticket: Ticket, question: Question) {
        let unknown = match question {
            Question::Share(_) => Answer::NotKept,
            _ => Answer::NotRecalled,
        };
        let late = Duration::from_millis(1_500);
        if self.store.is_gone || self.dice.chance(self.trouble.lost) {
            return self.after(late, Happening::Answered(from, ticket, unknown));
        }
        let answer = match question {
            Question::Share(share)
                if self.trouble.late > 0 && self.dice.chance(self.trouble.late) =>
            {
                let comes = late + Duration::from_millis(self.dice.below(20_000));
                self.after(comes, Happening::AskedLong(share));
                return self.after(late, Happening::Answered(from, ticket, unknown));
            }
            Question::Share(share) => self.share(share),
            Question::Recall(key) => {
                Answer::Recalled(self.store.get(self.now, &key).map(|kept| kept.value.clone()))
            }
            other => panic!("{other:?}"),
        };
        if self.dice.chance(self.trouble.lost) {
            return self.after(late, Happening::Answered(from, ticket, unknown));
        }
        self.soon(20, Happening::Answered(from, ticket, answer));
    }

    /// The store keeps it, or says what it has, and tells the nodes.
    fn share(&mut self, share: Share) -> Answer {
        let (key, told) = (share.record.key.clone(), share.told);
        let answer = self.store.share(self.now, share);
        for node in 0..2 {
            let hears = !self.dice.chance(self.trouble.deaf);
            if told && hears && answer == Answer::Kept {
                self.soon(200, Happening::News(node, key.clone()));
            }
        }
        answer
    }

    /// What a node has sent and asked.
    fn look(&mut self, number: usize, sent: Vec<Sent>) {
        for (ticket, question) in std::mem::take(&mut self.offices[number].asked) {
            let life = (number, self.lives[number]);
            self.soon(20, Happening::Asked(life, ticket, question));
        }
        for Sent { flow, message } in sent {
            let who = self.phones.iter().position(|caller| caller.phone.flow == flow);
            let status = message.status().map_or(0, Status::code);
            if let Some(who) = who.filter(|_| status >= 200) {
                let contacts = message.rows(Name::Contact).map(String::from_utf8_lossy);
                let contacts = contacts.collect::<Vec<_>>().join(", ");
                self.heard(who, status, &contacts);
            }
        }
    }

    fn heard(&mut self, who: usize, status: u16, contacts: &str) {
        let Some(UnderWay { sent, expires, doubtful, .. }) = self.phones[who].under_way.take()
        else {
            return;
        };
        let (now, seed) = (self.now, self.seed);
        assert!(now <= sent + Duration::from_secs(32), "seed {seed}: a phone waits for ever");
        assert!([200, 503].contains(&status), "seed {seed}: {status}");
        if status == 200 && (expires.is_some() || !self.may_be_a_copy()) {
            self.assert_true(who, sent, contacts);
        }
        let Some(expires) = expires else {
            self.said = contacts.into();
            return;
        };
        let caller = &mut self.phones[who];
        caller.since = now;
        caller.known = match (status, expires) {
            _ if doubtful => Known::Nothing,
            (200, 0) => Known::Away,
            (200, expires) => {
                let lasts = Duration::from_secs(expires.into());
                Known::Here(sent + lasts, now + lasts)
            }
            _ => Known::Nothing,
        };
        let own = contacts.contains(&*caller.phone.contact());
        assert!(status != 200 || own == (expires > 0), "seed {seed}: its own binding: {contacts}");
    }

    /// Who only asks is answered by a copy when the store does not answer.
    fn may_be_a_copy(&self) -> bool {
        self.trouble.store != Fate::Stands || self.trouble.lost > 0
    }

    /// Whoever was promised something before this was asked, and has asked for nothing else since, finds it so.
    fn assert_true(&mut self, asker: usize, sent: Time, contacts: &str) {
        let (now, seed, slack) = (self.now, self.seed, SLACK + self.trouble.skew);
        for (who, caller) in self.phones.iter().enumerate().take(PHONES) {
            if who == asker || caller.since >= sent || caller.under_way.is_some() {
                continue;
            }
            let listed = contacts.contains(&*caller.phone.contact());
            match caller.known {
                Known::Here(until, _) if until > now + slack => {
                    assert!(listed, "seed {seed}: {who} is lost at {now:?}: {contacts}");
                }
                Known::Here(_, until) if until + slack < sent => {
                    assert!(!listed, "seed {seed}: {who} has expired at {now:?}: {contacts}");
                }
                Known::Away => {
                    assert!(!listed, "seed {seed}: {who} is back at {now:?}: {contacts}");
                }
                Known::Here(..) | Known::Nothing => continue,
            }
            self.checked += 1;
        }
    }

    /// All trouble is over. Whoever registers once more is there at both nodes, and nobody else.
    fn settle(&mut self) {
        self.trouble = Trouble { skew: self.trouble.skew, ..Trouble::default() };
        self.store.is_gone = false;
        self.pass(self.now + Duration::from_secs(40));
        self.live(self.now);
        let mut expected = Vec::new();
        for who in 0..PHONES {
            let expires = if self.dice.chance(50) { 600 } else { 0 };
            let number = self.dice.below(2) as usize;
            self.send(who, number, Some(expires));
            self.live(self.now);
            let known = self.phones[who].known;
            assert_ne!(known, Known::Nothing, "seed {}: {who} is not served", self.seed);
            expected.push(known != Known::Away);
        }
        for number in 0..2 {
            self.send(PHONES, number, None);
            self.live(self.now);
            let listed = |caller: &Caller| self.said.contains(&*caller.phone.contact());
            let found: Vec<_> = self.phones[..PHONES].iter().map(listed).collect();
            assert_eq!(found, expected, "seed {}, node {number}: {}", self.seed, self.said);
        }
    }
}

/// Clocks are read at several moments of one request.
const SLACK: Duration = Duration::from_secs(2);

fn lives(usual: std::ops::Range<u64>, trouble: Trouble) {
    let mut checked = 0;
    for seed in seeds(usual) {
        let mut world = World::new(seed, trouble);
        let end = world.now + Duration::from_secs(120);
        world.live(end);
        world.settle();
        checked += world.checked;
    }
    assert!(checked > 100, "only {checked} promises were looked at");
}

#[test]
fn registrations_that_race_at_two_nodes_lose_none_and_bring_none_back() {
    lives(0..30, Trouble::default());
}

#[test]
fn news_that_is_late_or_lost_makes_nothing_wrong() {
    lives(100..130, Trouble { deaf: 50, ..Trouble::default() });
}

#[test]
fn a_store_that_loses_requests_and_answers_makes_nothing_wrong() {
    lives(200..230, Trouble { lost: 15, deaf: 20, ..Trouble::default() });
}

/// A phone that was told to come back has signed off meanwhile, or has registered for a moment only.
#[test]
fn what_comes_to_the_store_when_the_node_has_given_it_up_makes_nothing_wrong() {
    lives(1100..1130, Trouble { late: 20, deaf: 20, ..Trouble::default() });
    lives(730..760, Trouble { late: 30, alone: true, ..Trouble::default() });
}

#[test]
fn a_store_that_is_gone_for_a_while_makes_nothing_wrong() {
    lives(300..330, Trouble { store: Fate::IsGone, deaf: 20, ..Trouble::default() });
}

#[test]
fn nodes_that_restart_make_nothing_wrong() {
    lives(400..430, Trouble { restarts: true, lost: 5, ..Trouble::default() });
}

/// What was written in the last moment before a replica took over may be gone; what phones ask for afterwards is not.
#[test]
fn a_replica_that_takes_over_without_the_last_writes_loses_those_alone() {
    lives(500..530, Trouble { store: Fate::FallsBack, lost: 5, ..Trouble::default() });
}

/// The clocks of nodes differ: what one writes after the fall-back would be older than what the other had written before it, if each counted by
/// its own clock.
#[test]
fn clocks_that_differ_make_nothing_wrong_when_a_replica_takes_over() {
    for (first, seconds) in [(200, 1), (360, 1), (600, 1), (630, 5), (660, 30)] {
        let skew = Duration::from_secs(seconds);
        lives(
            first..first + 30,
            Trouble { store: Fate::FallsBack, lost: 5, skew, ..Trouble::default() },
        );
    }
}

/// The clock of the node that has registered a phone is a year ahead. The other one does not believe that the phone is there for a year.
#[test]
fn nobody_is_registered_for_longer_than_anybody_may_be() {
    let [mut fast, mut right] = [0, 1].map(|number| Office::new(office::node(number, 1)));
    fast.now = fast.now + Duration::from_secs(365 * 86_400);
    let phone = Phone::udp(101);
    let contact = format!("Contact: <{}>;expires=3600\r\n", phone.contact());
    fast.receive(phone.flow, phone.register(&contact).wire());
    let Some((ticket, Question::Share(share))) = fast.asked.pop() else { panic!() };
    assert_eq!(office::status(&fast.tell(Input::Answered(ticket, Answer::Kept))), 200);
    let most = office::node(1, 1).registrar.max;
    for (later, known) in [(Duration::ZERO, 1), (most + Duration::from_secs(1), 0)] {
        right.wait(later);
        right.receive(phone.flow, phone.register("").call(&right.now.0.to_string()).wire());
        let Some((ticket, Question::Recall(_))) = right.asked.pop() else { panic!() };
        // What is written once is not written again.
        let value = (later == Duration::ZERO).then(|| share.record.value.clone());
        let sent = right.tell(Input::Answered(ticket, Answer::Recalled(value)));
        assert_eq!(office::rows(&sent, Name::Contact).len(), known, "{later:?}");
    }
}

/// A phone was registered for an hour. A node that grants ten minutes takes nothing from that, also when the clock of the other one is ahead.
#[test]
fn what_was_granted_stays_so_when_less_is_granted_from_now_on() {
    for skew in [0, 60] {
        let mut strict = office::node(1, 1);
        strict.registrar.max = Duration::from_secs(600);
        let (mut generous, mut strict) = (Office::new(office::node(0, 1)), Office::new(strict));
        generous.now = generous.now + Duration::from_secs(skew);
        let phone = Phone::udp(101);
        let contact = format!("Contact: <{}>;expires=3600\r\n", phone.contact());
        generous.receive(phone.flow, phone.register(&contact).wire());
        let Some((_, Question::Share(share))) = generous.asked.pop() else { panic!() };
        let mut later = 0;
        for wait in [0, 30, 3_530] {
            later += wait;
            strict.wait(Duration::from_secs(wait));
            strict.receive(phone.flow, phone.register("").call(&later.to_string()).wire());
            let Some((ticket, Question::Recall(_))) = strict.asked.pop() else { panic!() };
            let answer = Answer::Recalled(Some(share.record.value.clone()));
            let sent = strict.tell(Input::Answered(ticket, answer));
            let left = format!(";expires={}", 3_600 - later);
            let contacts = office::rows(&sent, Name::Contact);
            assert!(
                matches!(&contacts[..], [one] if one.contains(&left)),
                "{skew} {later}: {contacts:?}"
            );
        }
    }
}
