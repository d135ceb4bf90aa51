//! `Book`: a file of records that only grows, until it is full or its day is over; then it is put aside, and a new one begins.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::form::Form;
use super::pages;
use crate::config::Rotation;

/// A file of records.
#[derive(Debug)]
pub(super) struct Book {
    path: PathBuf,
    form: Form,
    rotation: Rotation,
    open: Option<Open>,
    /// Records that could not be written; nothing while all is well.
    lost: Option<usize>,
    /// It was said that a full file cannot be put aside.
    stays: bool,
}

/// The file that is written to.
#[derive(Debug)]
struct Open {
    file: File,
    /// Octets that are whole lines.
    length: u64,
    /// Days since 1970: the day of its last line.
    day: u64,
    /// Was anything written since it was last made safe?
    dirty: bool,
}

/// What people should know of a book.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It cannot be written, and why: records are lost until it can. Said once.
    Refused(String),
    /// It can be again; so many records were lost.
    WorksAgain(usize),
    /// Its last line was half, and was cut off: so many octets.
    Mended(u64),
    /// It was full, and is kept under this name.
    Turned(PathBuf),
    /// It is full and cannot be put aside, and why: it is written on. Said once.
    Stays(String),
    /// Full files of earlier days cannot be removed, and why: there are more than was asked for.
    Remain(String),
}

impl Book {
    pub(super) fn new(path: &Path, form: Form, rotation: Rotation) -> Self {
        Self { path: path.to_owned(), form, rotation, open: None, lost: None, stays: false }
    }

    pub(super) const fn form(&self) -> Form {
        self.form
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes some lines, all or none of them; without any it makes safe what was written before. What cannot be written is lost, and counted.
    pub(super) fn write(&mut self, lines: &[u8], records: usize, now: Duration) -> Vec<News> {
        let mut news = Vec::new();
        match self.try_write(lines, now, &mut news) {
            Ok(()) => {
                if let Some(lost) = self.lost.take_if(|_| records > 0) {
                    news.push(News::WorksAgain(lost));
                }
            }
            Err(error) => {
                if self.lost.is_none() {
                    news.push(News::Refused(error.to_string()));
                }
                let lost = self.lost.get_or_insert(0);
                *lost = lost.saturating_add(records);
            }
        }
        news
    }

    /// How many records are lost, while some are.
    pub(super) const fn lost(&self) -> Option<usize> {
        self.lost
    }

    /// Makes everything safe.
    pub(super) fn close(&mut self) {
        if let Some(Open { file, .. }) = self.open.take() {
            // What the disk does not take now it has refused before, and that was said.
            let _ = file.sync_data();
        }
    }

    fn try_write(&mut self, lines: &[u8], now: Duration, news: &mut Vec<News>) -> io::Result<()> {
        let today = now.as_secs() / DAY;
        if self.open.as_ref().is_some_and(|open| !open.is_still(&self.path)) {
            // Somebody has moved it away, or removed it.
            self.close();
        }
        if self.open.is_none() {
            self.open = Some(self.open_file(today, news)?);
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        if lines.is_empty() {
            return open.sync();
        }
        let head = self.form.head();
        let begun = open.length > head.len() as u64;
        let full = open.length.saturating_add(lines.len() as u64) > self.rotation.most;
        if begun && (full || self.rotation.daily && open.day != today) && self.turn(now, news) {
            self.open = Some(self.open_file(today, news)?);
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        open.day = today;
        if open.length == 0 {
            open.append(head.as_bytes())?;
        }
        open.append(lines)
    }

    /// Puts the full file aside, and lets the oldest go. When it cannot be put aside it is written on: no record is lost for that.
    fn turn(&mut self, now: Duration, news: &mut Vec<News>) -> bool {
        let aside = pages::name(&self.path, now);
        if let Err(error) = fs::rename(&self.path, &aside) {
            if !std::mem::replace(&mut self.stays, true) {
                news.push(News::Stays(error.to_string()));
            }
            return false;
        }
        self.close();
        self.stays = false;
        news.push(News::Turned(aside));
        if let Err(error) = pages::thin(&self.path, self.rotation.keep) {
            news.push(News::Remain(error.to_string()));
        }
        true
    }

    /// Opens the file, as a crash or another version of us may have left it.
    fn open_file(&self, today: u64, news: &mut Vec<News>) -> io::Result<Open> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let mut options = OpenOptions::new();
        // Who called whom is nobody else's business.
        options.read(true).append(true).create(true).mode(0o600);
        let mut file = options.open(&self.path)?;
        let (length, half) = whole_lines(&mut file)?;
        if half > 0 {
            file.set_len(length)?;
            news.push(News::Mended(half));
        }
        let (head, mut found) = (self.form.head(), Vec::new());
        file.seek(SeekFrom::Start(0))?;
        (&file).take(head.len() as u64).read_to_end(&mut found)?;
        if length > 0 && found != head.as_bytes() {
            // Its columns are others.
            let aside = pages::name(&self.path, Duration::from_secs(today * DAY));
            fs::rename(&self.path, &aside)?;
            news.push(News::Turned(aside));
            file = options.open(&self.path)?;
            return Ok(Open { file, length: 0, day: today, dirty: false });
        }
        let written = file.metadata()?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Open { file, length, day: written.as_secs() / DAY, dirty: false })
    }
}

impl Open {
    /// Is this still the file of that name?
    fn is_still(&self, path: &Path) -> bool {
        let known = self.file.metadata().map(|data| (data.dev(), data.ino()));
        let named = fs::metadata(path).map(|data| (data.dev(), data.ino()));
        matches!((known, named), (Ok(known), Ok(named)) if known == named)
    }

    /// Adds whole lines. Of what does not fit on the disk nothing stays.
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(lines) {
            // When not even that is possible, the half line is cut when the file is opened again.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length = self.length.saturating_add(lines.len() as u64);
        self.dirty = true;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.dirty) { self.file.sync_data() } else { Ok(()) }
    }
}

/// How many octets of a file are whole lines, and how many behind them are not.
fn whole_lines(file: &mut File) -> io::Result<(u64, u64)> {
    let length = file.metadata()?.len();
    let mut end = length;
    let mut block = vec![0; BLOCK];
    while end > 0 {
        let start = end.saturating_sub(BLOCK as u64);
        let octets =
            block.get_mut(..usize::try_from(end - start).unwrap_or(BLOCK)).unwrap_or_default();
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(octets)?;
        if let Some(at) = octets.iter().rposition(|octet| *octet == b'\n') {
            let whole = start + at as u64 + 1;
            return Ok((whole, length - whole));
        }
        end = start;
    }
    Ok((0, length))
}

const BLOCK: usize = 64 << 10;

/// Seconds of a day.
const DAY: u64 = 86_400;

#[cfg(test)]
mod tests;
