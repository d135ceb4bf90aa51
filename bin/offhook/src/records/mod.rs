//! Call records: one line for each call attempt, written when it is over (docs/call-records.md).
//!
//! A thread of its own writes them. Whoever reports a call only puts it into a queue that has an end: no call waits for a disk, and what
//! cannot be written is counted and said.

mod book;
mod field;
mod form;
mod pages;
mod wall;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use machine::Time;
use net::{Clock, Notice, Passed, Sink};
use protocol::CallRecord;
use protocol::doors::Event;

use crate::config::Records as Wish;
use crate::limits;
use crate::log::Log;
use book::{Book, News};
pub use field::table;
use form::Form;
use wall::Wall;

/// A sink that takes call records out of what is reported. Everything else passes.
pub(crate) struct Registry<S> {
    pub(crate) sink: S,
    pub(crate) pen: Option<Pen>,
}

/// Where records go.
#[derive(Clone, Debug)]
pub(crate) struct Pen {
    to: SyncSender<Letter>,
    lost: Arc<AtomicU64>,
}

/// A record to be written; nothing, when it was the last.
type Letter = Option<Box<CallRecord>>;

/// The thread that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    to: SyncSender<Letter>,
    thread: JoinHandle<()>,
}

impl<S: Sink> Sink for Registry<S> {
    fn event(&self, now: Time, shard: u16, event: Event) {
        match (event, &self.pen) {
            (Event::Called(record), Some(pen)) => pen.note(record),
            (Event::Called(_), None) => {}
            (event, _) => self.sink.event(now, shard, event),
        }
    }

    fn notice(&self, now: Time, shard: u16, notice: Notice) {
        self.sink.notice(now, shard, notice);
    }

    fn wants_messages(&self) -> bool {
        self.sink.wants_messages()
    }

    fn message(&self, passed: Passed) {
        self.sink.message(passed);
    }
}

impl Pen {
    /// Never waits: what finds no room is counted.
    fn note(&self, record: Box<CallRecord>) {
        if self.to.try_send(Some(record)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Writer {
    /// Waits until all is written that was reported so far.
    pub(crate) fn close(self) {
        // A writer that has panicked has said so.
        if self.to.send(None).is_ok() {
            let _ = self.thread.join();
        }
    }
}

/// Begins to write; nothing when no file is named.
///
/// # Errors
/// When there can be no more threads.
pub(crate) fn begin(wish: &Wish, log: Log) -> std::io::Result<Option<(Pen, Writer)>> {
    let files = [(&wish.csv, Form::Csv), (&wish.json, Form::Json)];
    let open = |(path, form): (&Option<PathBuf>, Form)| {
        path.as_ref().map(|path| Book::new(path, form, wish.rotation))
    };
    let books: Vec<Book> = files.into_iter().filter_map(open).collect();
    if books.is_empty() {
        return Ok(None);
    }
    let (to, from) = sync_channel(limits::RECORDS);
    let lost = Arc::<AtomicU64>::default();
    let pen = Pen { to: to.clone(), lost: Arc::clone(&lost) };
    let mut desk = Desk { books, node: wish.node.clone(), lost, wall: Wall::new(), log };
    let thread = thread::Builder::new().name("records".into()).spawn(move || desk.work(&from))?;
    Ok(Some((pen, Writer { to, thread })))
}

/// What the thread has before it.
#[derive(Debug)]
struct Desk {
    books: Vec<Book>,
    node: String,
    lost: Arc<AtomicU64>,
    wall: Wall,
    log: Log,
}

impl Desk {
    fn work(&mut self, from: &Receiver<Letter>) {
        let clock = Clock::start();
        loop {
            self.look(&clock);
            let first = from.recv_timeout(LOOK);
            self.look(&clock);
            let first = match first {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    self.write(&[]);
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => None,
            };
            let Some(first) = first else { break };
            let more = from.try_iter().take(limits::RECORDS_AT_ONCE);
            let letters: Vec<_> = std::iter::once(Some(first)).chain(more).collect();
            let last = letters.iter().any(Option::is_none);
            self.write(&letters.into_iter().flatten().collect::<Vec<_>>());
            if last {
                break;
            }
        }
        self.books.iter_mut().for_each(Book::close);
    }

    /// Looks at the clocks, and at what found no room.
    fn look(&mut self, clock: &Clock) {
        self.wall.look(clock.now(), since_1970());
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let why = "more calls ended at once than can be written";
            self.log.error("records_lost", &[("records", lost.into()), ("why", why.into())]);
        }
    }

    fn write(&mut self, records: &[Box<CallRecord>]) {
        let now = since_1970();
        for book in &mut self.books {
            let form = book.form();
            let mut page = Vec::new();
            for record in records {
                form.line(&mut page, &field::of(record, &self.wall, &self.node));
            }
            book.write(&page, records.len(), now)
                .iter()
                .for_each(|news| tell(self.log, book.path(), news));
        }
    }
}

fn tell(log: Log, path: &Path, news: &News) {
    let file = path.display().to_string();
    match news {
        News::Refused(why) => {
            log.error("records_refused", &[("file", (&file).into()), ("why", why.into())]);
        }
        News::WorksAgain(lost) => {
            log.warning(
                "records_work_again",
                &[("file", (&file).into()), ("lost", (*lost).into())],
            );
        }
        News::Mended(octets) => {
            let fields = [("file", (&file).into()), ("octets", (*octets).into())];
            log.warning("records_mended", &fields);
        }
        News::Turned(old) => {
            let old = old.display().to_string();
            log.info("records_turned", &[("file", (&file).into()), ("kept_as", (&old).into())]);
        }
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// How often the clocks are looked at.
const LOOK: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
