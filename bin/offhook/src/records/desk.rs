//! `Desk`: where records are written, one page after the other, and where the clocks are looked at.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use machine::Time;
use net::Clock;
use protocol::CallRecord;

use super::book::{Book, News};
use super::form::Form;
use super::wall::Wall;
use super::{Letter, State, Wish, field};
use crate::limits;
use crate::log::{Log, now_since_1970};

/// What the thread has before it.
#[derive(Debug)]
pub(super) struct Desk {
    books: Vec<Book>,
    node: String,
    state: Arc<State>,
    clock: Clock,
    wall: Wall,
    /// When what was written was last made safe.
    safe: Time,
    log: Log,
}

impl Desk {
    pub(super) fn new(state: Arc<State>, log: Log) -> Self {
        let (clock, wall) = (Clock::start(), Wall::default());
        let safe = clock.now();
        Self { books: Vec::new(), node: String::new(), state, clock, wall, safe, log }
    }

    /// Writes until it is told that that was all.
    pub(super) fn work(&mut self, from: &Receiver<Letter>) {
        loop {
            self.look();
            let first = from.recv_timeout(LOOK);
            self.look();
            let letter = match first {
                Ok(Letter::Record(first)) => self.write_all(first, from),
                Ok(other) => Some(other),
                Err(RecvTimeoutError::Timeout) => {
                    self.write(&[]);
                    None
                }
                Err(RecvTimeoutError::Disconnected) => Some(Letter::End),
            };
            match letter {
                Some(Letter::Wish(wish)) => self.rule(&wish),
                Some(Letter::End) => break,
                Some(Letter::Record(_)) | None => {}
            }
        }
        self.books.iter_mut().for_each(Book::close);
    }

    /// Writes the records that wait; the letter behind them, when that is no record.
    fn write_all(&mut self, first: Box<CallRecord>, from: &Receiver<Letter>) -> Option<Letter> {
        let mut records = vec![first];
        let mut next = None;
        for letter in from.try_iter().take(limits::RECORDS_AT_ONCE) {
            match letter {
                Letter::Record(record) => records.push(record),
                other => next = Some(other),
            }
            if next.is_some() {
                break;
            }
        }
        self.write(&records);
        // Where calls end all the time, nothing waits for a second without one.
        if self.clock.now() - self.safe >= LOOK {
            self.write(&[]);
        }
        next
    }

    /// Other files, or other rules for the same.
    fn rule(&mut self, wish: &Wish) {
        for book in &mut self.books {
            book.close();
            if let Some(lost) = book.lost() {
                let why = "their file took none until it was left";
                self.log.error("records_lost", &[("records", lost.into()), ("why", why.into())]);
            }
        }
        let files = [(&wish.csv, Form::Csv), (&wish.json, Form::Json)];
        let named = files.into_iter().filter_map(|(path, form)| Some((path.as_ref()?, form)));
        self.books = named.map(|(path, form)| Book::new(path, form, wish.rotation)).collect();
        self.node = if wish.node.is_empty() { machine_name() } else { wish.node.clone() };
    }

    /// Looks at the clocks, and at what found no room.
    fn look(&mut self) {
        self.wall.look(self.clock.now(), now_since_1970());
        let lost = self.state.lost.swap(0, Ordering::Relaxed);
        self.state.unwritten.fetch_add(lost, Ordering::Relaxed);
        if lost > 0 {
            let why = "more calls ended at once than can be written";
            self.log.error("records_lost", &[("records", lost.into()), ("why", why.into())]);
        }
    }

    fn write(&mut self, records: &[Box<CallRecord>]) {
        let now = now_since_1970();
        if records.is_empty() {
            self.safe = self.clock.now();
        }
        for book in &mut self.books {
            let (form, mut page) = (book.form(), Vec::new());
            for record in records {
                form.line(&mut page, &field::of(record, &self.wall, &self.node));
            }
            let news = book.write(&page, records.len(), now);
            let counter =
                if book.lost().is_some() { &self.state.unwritten } else { &self.state.written };
            counter.fetch_add(records.len() as u64, Ordering::Relaxed);
            news.iter().for_each(|news| tell(self.log, book.path(), news));
        }
        self.state
            .refused
            .store(self.books.iter().any(|book| book.lost().is_some()), Ordering::Relaxed);
    }
}

fn tell(log: Log, path: &Path, news: &News) {
    let file = path.display().to_string();
    let file = ("file", (&file).into());
    match news {
        News::Refused(why) => log.error("records_refused", &[file, ("why", why.into())]),
        News::WorksAgain(lost) => {
            log.warning("records_work_again", &[file, ("lost", (*lost).into())]);
        }
        News::Stays(why) => log.error("records_not_turned", &[file, ("why", why.into())]),
        News::Remain(why) => log.warning("records_not_removed", &[file, ("why", why.into())]),
        News::Mended(octets) => {
            log.warning("records_mended", &[file, ("octets", (*octets).into())]);
        }
        News::Turned(old) => {
            let old = old.display().to_string();
            log.info("records_turned", &[file, ("kept_as", (&old).into())]);
        }
    }
}

/// What this machine is called.
fn machine_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim_end().to_owned()
}

/// How often the clocks are looked at.
pub(super) const LOOK: Duration = Duration::from_secs(1);
