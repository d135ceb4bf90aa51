//! `clock SCENARIO COUNT`: what a message takes by the clock, among as many as a busy server has. Instructions do not show memory that is in no cache; this does.
//!
//! A hundred thousand addresses are registered, their phones come in any order and in batches, and so many answers wait for repeats as may. What phones write is written before the
//! clock starts, and the kernel is in none of it: CPU time of this thread, by its own account. (Nor is the store in it, where what it keeps is waited for.)

#[path = "../outside.rs"]
mod outside;
mod phones;

use std::collections::VecDeque;
use std::error::Error;

use machine::{Dice, Machine as _, Time};
use protocol::doors::Ticket;
use protocol::{Answer, Input, Output};
use server::Node;
use server::settings::{Bindings, Settings};
use sip::Bytes;

use outside::{CALLEE, asked, input, sent, settings};
use phones::Phones;

/// The allocator that the server has.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What comes at once at the highest rates.
const BATCH: u64 = 100;
/// From one message to the next, in nanoseconds.
const APART: u64 = 11_000;

/// After so many more batches the store has kept one: 4 ms later.
const KEPT_AFTER: usize = 4;

const USAGE: &str = "clock register-refresh|register-kept|register-digest|redirect COUNT";

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [scenario, count] = words.as_slice() else { return Err(USAGE.into()) };
    let count: u64 = count.parse()?;
    let challenge: &[&str] = if scenario == "register-digest" { &["REGISTER"] } else { &[] };
    let bindings = if scenario == "register-kept" { Bindings::Kept } else { Bindings::InMemory };
    let settings = Settings { bindings, ..settings(challenge, phones::NUMBERS) };
    let mut hall = Hall {
        node: Node::new(settings, Dice::new(1)),
        now: Time(1),
        out: Vec::new(),
        keeps: bindings == Bindings::Kept,
        unkept: VecDeque::new(),
        spent: 0,
    };
    let mut phones = Phones::new(Dice::new(7));
    let round: fn(&mut Hall, &mut Phones, u64) = match scenario.as_str() {
        "register-refresh" | "register-kept" => |hall, phones, many| hall.refreshes(phones, many),
        "register-digest" => |hall, phones, many| hall.proves(phones, many),
        "redirect" => |hall, phones, many| hall.redirects(phones, many),
        _ => return Err(USAGE.into()),
    };
    while let Some(first) = phones.next(BATCH) {
        hall.hears(first);
    }
    // As many as are remembered.
    (0..count.div_ceil(BATCH).max(6_000)).for_each(|_| round(&mut hall, &mut phones, BATCH));
    hall.spent = 0;
    (0..count.div_ceil(BATCH)).for_each(|_| round(&mut hall, &mut phones, BATCH));
    let each = hall.spent / (count.div_ceil(BATCH) * BATCH).max(1);
    println!("{scenario}: {each} ns");
    Ok(())
}

/// A server, and the time in it.
struct Hall {
    node: Node,
    now: Time,
    out: Vec<Output>,
    /// Whether each waits for the store.
    keeps: bool,
    /// What that was asked for in the last batches.
    unkept: VecDeque<Vec<Ticket>>,
    /// Nanoseconds of CPU that it took.
    spent: u64,
}

impl Hall {
    fn refreshes(&mut self, phones: &mut Phones, many: u64) {
        let wires = (0..many).map(|_| phones.again()).collect();
        let ok = self.hears(wires);
        assert_eq!(ok.len() as u64, many, "each is answered, or another");
        assert!(ok.iter().all(|ok| ok.starts_with(b"SIP/2.0 200")), "each is refreshed");
    }

    fn proves(&mut self, phones: &mut Phones, many: u64) {
        let asked: Vec<_> = (0..many).map(|_| phones.ask()).collect();
        let challenges = self.hears(asked.iter().map(|(_, wire)| wire.clone()).collect());
        let proofs = asked.iter().zip(&challenges);
        let wires = proofs.map(|((phone, _), challenge)| phones.prove(*phone, challenge)).collect();
        let ok = self.hears(wires);
        // Of so many nonces in a millisecond two may be the same.
        let let_in = ok.iter().filter(|ok| ok.starts_with(b"SIP/2.0 200")).count() as u64;
        assert!(let_in + 2 >= many, "they are let in");
    }

    fn redirects(&mut self, phones: &mut Phones, many: u64) {
        let calls: Vec<_> = (0..many).map(|_| phones.invite()).collect();
        let moved = self.hears(calls.iter().map(|(_, wire)| wire.clone()).collect());
        assert!(moved.iter().all(|moved| moved.starts_with(b"SIP/2.0 302")), "each is sent on");
        let acks = calls.iter().zip(&moved).map(|((call, _), moved)| phones::ack(*call, moved));
        assert!(self.hears(acks.collect()).is_empty(), "nothing answers an ACK");
    }

    /// A batch comes; what is said to it.
    fn hears(&mut self, wires: Vec<Bytes>) -> Vec<Bytes> {
        self.now = Time(self.now.0 + APART * wires.len() as u64);
        let is_safe = self.unkept.len() >= KEPT_AFTER;
        let kept = is_safe.then(|| self.unkept.pop_front()).flatten();
        let before = cpu();
        self.node.wake(self.now, &mut self.out);
        for ticket in kept.into_iter().flatten() {
            self.node.handle(self.now, Input::Answered(ticket, Answer::Kept), &mut self.out);
        }
        for wire in wires {
            self.node.handle(self.now, input(CALLEE, wire), &mut self.out);
        }
        self.spent += cpu().saturating_sub(before);
        if self.keeps {
            self.unkept.push_back(self.out.iter().filter_map(asked).collect());
        }
        let before = cpu();
        let said = self.out.drain(..).filter_map(sent).collect();
        self.spent += cpu().saturating_sub(before);
        said
    }
}

/// Nanoseconds for which this thread has had a core.
fn cpu() -> u64 {
    let account = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    account.split(' ').next().and_then(|spent| spent.parse().ok()).unwrap_or_default()
}
