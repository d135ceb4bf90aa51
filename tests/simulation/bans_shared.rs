//! Three nodes read bans from a board in a store that is gone now and then, loses what is written, and falls back to what a replica had; their clocks are
//! hours apart, or they restart. Meanwhile operators ban and lift bans, at any of them. In the end the last word holds at all nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use machine::{Dice, Time};
use offhook_tests::office::{self, Office};
use offhook_tests::seeds::seeds;
use protocol::bans::Source;
use protocol::{Output, Question, Record};
use server::Node;

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default)]
struct Trouble {
    /// So far the clock of the second node is ahead of that of the first, and that of the third behind it.
    skew: Duration,
    restarts: bool,
}

/// What is on the board: under a key, until when by the clock of the store.
type Board = BTreeMap<Box<[u8]>, (Box<[u8]>, Duration)>;

/// The last word about a source.
#[derive(Clone, Copy, Debug)]
struct Word {
    /// Until when it is banned; nothing: that was lifted.
    until: Option<Duration>,
    node: usize,
    /// That the node has restarted since.
    forgotten: bool,
}

struct World {
    offices: [Office; 3],
    /// What each has seen on the board, or has written there.
    seen: [BTreeSet<Box<[u8]>>; 3],
    lives: u32,
    board: Board,
    /// What was on it, a moment ago.
    before: Vec<Board>,
    is_gone: bool,
    /// How much time has passed.
    now: Duration,
    dice: Dice,
    words: BTreeMap<Source, Word>,
    trouble: Trouble,
}

const STEP: Duration = Duration::from_millis(500);
const SOURCES: [&str; 3] = ["203.0.113.9", "203.0.113.10", "2001:db8::"];

impl World {
    fn new(seed: u64, trouble: Trouble) -> Self {
        let mut offices = [0, 1, 2].map(|number| Office::new(office::node(number, 1)));
        offices[1].now = offices[1].now + trouble.skew;
        offices[2].now = Time(offices[2].now.0 - trouble.skew.as_nanos() as u64);
        Self {
            offices,
            seen: Default::default(),
            lives: 1,
            board: Board::new(),
            before: Vec::new(),
            is_gone: false,
            now: Duration::ZERO,
            dice: Dice::new(seed.into()),
            words: BTreeMap::new(),
            trouble,
        }
    }

    /// Half a second passes.
    fn step(&mut self, number: u64) {
        self.now += STEP;
        for office in &mut self.offices {
            office.wait(STEP);
        }
        self.before.push(self.board.clone());
        for node in 0..3 {
            if number % 4 == node as u64 {
                self.read(node);
            }
        }
    }

    /// A node reads the board, as the driver does.
    fn read(&mut self, node: usize) {
        if self.is_gone {
            return;
        }
        let still = |(_, until): &&(Box<[u8]>, Duration)| *until > self.now;
        let all: Vec<_> = self.board.values().filter(still).cloned().collect();
        let seen = std::mem::take(&mut self.seen[node]);
        let now: BTreeSet<_> = all.iter().map(|(value, _)| value.clone()).collect();
        for (value, until) in all.iter().filter(|(value, _)| !seen.contains(value)) {
            let left = *until - self.now;
            self.has(node, |office, out| office.node.heed(office.now, (value, left), out));
        }
        for value in seen.difference(&now) {
            self.has(node, |office, out| office.node.miss(office.now, value, out));
        }
        self.seen[node].extend(now);
    }

    /// Has a node do something, and writes down what it wants to be written: that may be lost.
    fn has(&mut self, node: usize, deed: impl FnOnce(&mut Office, &mut Vec<Output>)) {
        let (office, mut out) = (&mut self.offices[node], Vec::new());
        deed(office, &mut out);
        for output in out {
            if let Output::Ask(_, Question::Keep(record)) = output {
                let Record { key, value, until } = Arc::unwrap_or_clone(record);
                self.seen[node].insert(value.clone());
                if !self.is_gone && !self.dice.chance(10) {
                    self.board.insert(key, (value, self.now + (until - self.offices[node].now)));
                }
            }
        }
    }

    /// An operator says something of one of the sources.
    fn order(&mut self) {
        let node = self.dice.below(3) as usize;
        let source = SOURCES[self.dice.below(3) as usize].parse().unwrap();
        let until = if self.dice.chance(50) {
            let lasts = Duration::from_secs([30, 300, 3_600][self.dice.below(3) as usize]);
            self.has(node, |office, out| office.node.ban(office.now, source, lasts, out));
            Some(self.now + lasts)
        } else {
            let mut lifted = false;
            self.has(node, |office, out| lifted = office.node.unban(office.now, source, out));
            if !lifted {
                return;
            }
            None
        };
        self.words.insert(source, Word { until, node, forgotten: false });
    }

    fn trouble(&mut self) {
        match self.dice.below(60) {
            0 => self.is_gone = !self.is_gone,
            1 => {
                let lost = self.dice.below(5) as usize;
                let back = self.before.len().saturating_sub(lost + 1);
                self.board = self.before[back].clone();
            }
            2 if self.trouble.restarts => {
                let node = self.dice.below(3) as usize;
                self.lives += 1;
                let settings = office::node(node as u8, self.lives);
                self.offices[node].node = Node::new(settings, Dice::new(1));
                self.seen[node].clear();
                let forgets = |word: &&mut Word| word.node == node;
                self.words.values_mut().filter(forgets).for_each(|word| word.forgotten = true);
            }
            _ => {}
        }
    }

    /// Every node says the same, and it is the last word, unless nobody can know that any more.
    fn assert_the_last_word(&self, seed: u64) {
        for source in SOURCES.map(|source| source.parse().unwrap()) {
            let bars =
                |office: &Office| office.node.bans(None).iter().any(|it| it.source == source);
            let barred = self.offices.each_ref().map(bars);
            let until = |word: &Word| word.until.unwrap_or_default();
            let word = self.words.get(&source);
            let near = |word: &Word| until(word).abs_diff(self.now) < Duration::from_secs(5);
            if word.is_some_and(near) {
                continue;
            }
            assert!(barred.iter().all(|it| *it == barred[0]), "seed {seed}: {source}: {barred:?}");
            if let Some(word) = word.filter(|word| !word.forgotten) {
                assert_eq!(barred[0], until(word) > self.now, "seed {seed}: {source}: {word:?}");
            }
        }
    }
}

/// What an operator says is at all nodes before the next word is said, unless the store is gone meanwhile.
fn lives(seed: u64, trouble: Trouble) {
    let mut world = World::new(seed, trouble);
    for number in 0..1_200 {
        world.step(number);
        world.trouble();
        if number % 24 == 0 && !world.is_gone {
            world.order();
        }
    }
    world.is_gone = false;
    (1_200..1_260).for_each(|number| world.step(number));
    world.assert_the_last_word(seed);
}

#[test]
fn the_last_word_holds_at_all_nodes_whose_clocks_are_hours_apart() {
    for seed in seeds(0..40) {
        lives(seed, Trouble { skew: Duration::from_secs(5 * 3_600), restarts: false });
    }
}

#[test]
fn the_last_word_holds_at_all_nodes_that_restart() {
    for seed in seeds(0..40) {
        lives(seed, Trouble { restarts: true, ..Trouble::default() });
    }
}
