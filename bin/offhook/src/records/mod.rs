//! Call records: one line for each call attempt, written when it is over (docs/call-records.md).
//!
//! A thread of its own writes them. Whoever reports a call only puts it into a queue that has an end: no call waits for a disk, and what
//! cannot be written is counted and said.

mod book;
mod desk;
mod field;
mod form;
mod pages;
mod wall;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use machine::Time;
use net::{Notice, Passed, Sink};
use protocol::CallRecord;
use protocol::doors::Event;

use crate::config::Records as Wish;
use crate::limits;
use crate::log::Log;
use desk::Desk;
pub use field::table;

/// A sink that takes call records out of what is reported. Everything else passes.
pub(crate) struct Registry<S> {
    pub(crate) sink: S,
    pub(crate) pen: Pen,
}

/// Where records go.
#[derive(Clone, Debug)]
pub(crate) struct Pen {
    to: SyncSender<Letter>,
    state: Arc<State>,
}

/// The thread that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    to: SyncSender<Letter>,
    thread: JoinHandle<()>,
}

/// What the thread is told.
#[derive(Debug)]
enum Letter {
    /// A call is over.
    Record(Box<CallRecord>),
    /// From now on records go there.
    Wish(Box<Wish>),
    /// That was the last.
    End,
}

/// What the shards and the thread both look at.
#[derive(Debug, Default)]
struct State {
    /// Are any files named?
    wanted: AtomicBool,
    /// Records that found no room, since that was said last.
    lost: AtomicU64,
    /// Records in files.
    written: AtomicU64,
    /// Records that are in no file, or not in one of two.
    unwritten: AtomicU64,
    /// Whether a file is refused now.
    refused: AtomicBool,
}

/// What has been done so far. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Counts(Arc<State>);

impl Counts {
    /// Records that were written, each in each file.
    pub(crate) fn written(&self) -> u64 {
        self.0.written.load(Ordering::Relaxed)
    }

    /// Records that were not.
    pub(crate) fn lost(&self) -> u64 {
        self.0.unwritten.load(Ordering::Relaxed) + self.0.lost.load(Ordering::Relaxed)
    }

    /// Whether records are lost now.
    pub(crate) fn refused(&self) -> bool {
        self.0.refused.load(Ordering::Relaxed)
    }
}

impl<S: Sink> Sink for Registry<S> {
    fn event(&self, now: Time, shard: u16, event: Event) {
        match event {
            Event::Called(record) => self.pen.note(record),
            event => self.sink.event(now, shard, event),
        }
    }

    fn notice(&self, now: Time, shard: u16, notice: Notice) {
        self.sink.notice(now, shard, notice);
    }

    fn wants_daily(&self) -> bool {
        self.sink.wants_daily()
    }

    fn wants_messages(&self) -> bool {
        self.sink.wants_messages()
    }

    fn message(&self, passed: Passed) {
        self.sink.message(passed);
    }
}

impl Pen {
    /// What becomes of records.
    pub(crate) fn counts(&self) -> Counts {
        Counts(Arc::clone(&self.state))
    }

    /// Never waits: what finds no room is counted.
    fn note(&self, record: Box<CallRecord>) {
        let wanted = self.state.wanted.load(Ordering::Relaxed);
        if wanted && self.to.try_send(Letter::Record(record)).is_err() {
            self.state.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// From now on records go there; those that were reported before go where they were to go.
    pub(crate) fn take(&self, wish: &Wish) {
        self.state.wanted.store(wish.csv.is_some() || wish.json.is_some(), Ordering::Relaxed);
        // It ends only with the server.
        let _ = self.to.send(Letter::Wish(Box::new(wish.clone())));
    }
}

impl Writer {
    /// Waits until all is written that was reported so far.
    pub(crate) fn close(self) {
        // A writer that has panicked has said so.
        if self.to.send(Letter::End).is_ok() {
            let _ = self.thread.join();
        }
    }
}

/// Begins to write, where the wish says.
///
/// # Errors
/// When there can be no more threads.
pub(crate) fn begin(wish: &Wish, log: Log) -> std::io::Result<(Pen, Writer)> {
    let (to, from) = sync_channel(limits::RECORDS);
    let pen = Pen { to: to.clone(), state: Arc::default() };
    let mut desk = Desk::new(Arc::clone(&pen.state), log);
    let thread = thread::Builder::new().name("records".into()).spawn(move || desk.work(&from))?;
    pen.take(wish);
    Ok((pen, Writer { to, thread }))
}

#[cfg(test)]
mod tests;
