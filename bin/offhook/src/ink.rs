//! How lines come to stderr: whole ones, and in a server by a thread of its own, so that whoever reads the log, and has stopped, stops nobody who has
//! something to say. What cannot be written is counted, and said as soon as something can be.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use crate::limits;
use crate::log::{Format, Level, line, now_since_1970};

/// Where the lines of a server wait for their thread; nothing where there is none.
static QUEUE: OnceLock<SyncSender<Letter>> = OnceLock::new();

/// What was written last.
static PAPER: Mutex<Paper> = Mutex::new(Paper { half: false });

/// Lines that are lost since the program began.
static LOST: AtomicU64 = AtomicU64::new(0);

/// Lines that are lost, and of which nobody has been told.
static UNTOLD: AtomicU64 = AtomicU64::new(0);

/// What the thread is told.
enum Letter {
    Line(Format, String),
    /// Somebody waits until what came before is written.
    Done(Sender<()>),
}

/// From now on no line holds up who says it.
///
/// # Errors
/// When there can be no more threads.
pub(crate) fn begin() -> io::Result<()> {
    let (to, from) = sync_channel(limits::LINES);
    thread::Builder::new().name("log".into()).spawn(move || work(&from))?;
    // A second one would find its lines there.
    let _ = QUEUE.set(to);
    Ok(())
}

fn work(from: &Receiver<Letter>) {
    for letter in from {
        match letter {
            Letter::Line(format, line) => put(format, &line),
            // It may wait no more.
            Letter::Done(done) => drop(done.send(())),
        }
    }
}

/// Waits until everything is written that was said so far, but not for ever.
pub(crate) fn settle(patience: Duration) {
    let (done, written) = channel();
    let Some(queue) = QUEUE.get() else { return };
    if queue.try_send(Letter::Done(done)).is_ok() {
        // Whoever does not read by now does not read.
        let _ = written.recv_timeout(patience);
    }
}

/// A line that is to be written soon.
pub(crate) fn say(format: Format, line: String) {
    let Some(queue) = QUEUE.get() else { return put(format, &line) };
    if queue.try_send(Letter::Line(format, line)).is_err() {
        LOST.fetch_add(1, Ordering::Relaxed);
        miss(1);
    }
}

/// Writes lines now, however long that takes.
pub(crate) fn put(format: Format, lines: &str) {
    let mut paper = PAPER.lock().unwrap_or_else(PoisonError::into_inner);
    let untold = UNTOLD.swap(0, Ordering::Relaxed);
    let lost = paper.write(&mut io::stderr().lock(), (format, untold), lines);
    LOST.fetch_add(lost.now, Ordering::Relaxed);
    miss(lost.untold);
}

/// So many lines are lost, and that is to be told.
pub(crate) fn miss(lines: u64) {
    UNTOLD.fetch_add(lines, Ordering::Relaxed);
}

/// How many lines have been lost on their way to stderr.
pub(crate) fn lost() -> u64 {
    LOST.load(Ordering::Relaxed)
}

/// What was written last.
#[derive(Debug, Default)]
struct Paper {
    /// A line that is not whole.
    half: bool,
}

/// What was lost.
#[derive(Debug, PartialEq, Eq)]
struct Lost {
    now: u64,
    untold: u64,
}

impl Paper {
    /// Writes lines; before them how many are missing.
    fn write(&mut self, to: &mut impl Write, (format, untold): (Format, u64), lines: &str) -> Lost {
        if lines.is_empty() {
            return Lost { now: 0, untold };
        }
        if untold > 0 {
            let fields = [("lines", untold.into())];
            let told = line(format, now_since_1970(), Level::Error, "log_lost", &fields);
            if self.add(to, &told) > 0 {
                let now = count(lines);
                return Lost { now, untold: untold.saturating_add(now) };
            }
        }
        let now = self.add(to, lines);
        Lost { now, untold: now }
    }

    /// How many lines could not be written, or not to their end.
    fn add(&mut self, to: &mut impl Write, lines: &str) -> u64 {
        let text = if self.half { format!("\n{lines}") } else { lines.to_owned() };
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match to.write(rest) {
                Ok(0) => break,
                Ok(length) => {
                    let (written, left) = rest.split_at(length.min(rest.len()));
                    self.half = !written.ends_with(b"\n");
                    rest = left;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Whoever closed stderr does not read: calls go on.
                Err(_) => break,
            }
        }
        let lines_left = rest.iter().filter(|octet| **octet == b'\n').count();
        // The end of the half line before is no line.
        let begun = usize::from(rest.len() == text.len() && text.starts_with('\n'));
        lines_left.saturating_sub(begun) as u64
    }
}

fn count(lines: &str) -> u64 {
    lines.matches('\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with so much room.
    struct Disk(Vec<u8>, usize);

    impl Write for Disk {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let fits = octets.len().min(self.1);
            if fits == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0.extend_from_slice(&octets[..fits]);
            self.1 -= fits;
            Ok(fits)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_leaves_no_half_line_before_a_whole_one_and_what_is_lost_is_said() {
        let (mut paper, mut disk) = (Paper::default(), Disk(Vec::new(), 8));
        let mut write =
            |disk: &mut Disk, untold, lines| paper.write(disk, (Format::Json, untold), lines);
        assert_eq!(write(&mut disk, 0, "one\ntwo\n"), Lost { now: 0, untold: 0 });
        assert_eq!(write(&mut disk, 0, "three\n"), Lost { now: 1, untold: 1 });
        disk.1 = 2;
        assert_eq!(write(&mut disk, 0, "four\nfive\n"), Lost { now: 2, untold: 2 });
        assert_eq!(write(&mut disk, 3, "six\n"), Lost { now: 1, untold: 4 });
        disk.1 = 10_000;
        assert_eq!(write(&mut disk, 4, "seven\n"), Lost { now: 0, untold: 0 });
        let text = String::from_utf8(disk.0).unwrap();
        let lines: Vec<_> = text.lines().collect();
        let [one, two, half, told, seven] = lines[..] else { panic!("{text}") };
        assert_eq!([one, two, half, seven], ["one", "two", "fo", "seven"]);
        assert!(told.contains(r#""event":"log_lost","lines":4}"#), "{told}");
    }
}
