//! `File`: the table in which records lie, and the batches in which many come at once, in SQLite's keeping.
//!
//! To find the place of each of thousands in a table costs more than everything else, so a large group is one row as it comes, and what is still
//! the newest of it goes into the table when there is time or too much. The table is older than all batches, and each is older than the next.

use std::collections::BTreeMap;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{fs, io};

use machine::Time;
use protocol::Record;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, Transaction, params};

use crate::batch::Entry;
use crate::landed::{self, Landed};
use crate::landing::Landing;
use crate::limits;
use crate::session::Session;
use crate::store::{Durability, Loss, Restored};
use crate::sum::{sealed, unsealed};
use crate::{Fault, tail};

/// The open table.
#[derive(Debug)]
pub(crate) struct File {
    connection: Connection,
    today: Session,
    /// The number of this life; nothing as long as the disk has not taken that it begins.
    session: Option<i64>,
    landing: Landing,
    /// How far the wall clock was set since this life began, as was noted, and when it was looked at.
    set: (i64, Option<Instant>),
}

/// Of each key what was said last in batches: its value, its end, and in which life.
type Newest = BTreeMap<Box<[u8]>, (Box<[u8]>, i64, i64)>;

impl File {
    /// Opens the table in a folder, and makes both where there is none. Gives what it holds, and tells what was lost.
    ///
    /// # Errors
    /// When the folder is not ours to write, another process serves from it, or a newer program wrote it.
    pub(crate) fn open(
        folder: &Path,
        durability: Durability,
        now: Time,
    ) -> Result<(Self, Vec<Restored>, Vec<Loss>), Fault> {
        private(folder).map_err(|error| Fault::Folder(folder.into(), error))?;
        let path = folder.join(NAME);
        let io = |error| Fault::Folder(path.clone(), error);
        let mut losses = Vec::new();
        match tail::torn(&beside(&path, "-wal")).map_err(io)? {
            0 => {}
            octets => losses.push(Loss::Tail(octets)),
        }
        let mut found = Found::default();
        let read = Self::read(&path, (durability, now), &mut found);
        let mut file = match read {
            Err(Fault::Database(_, error)) if is_broken(&error) => {
                losses.push(Loss::Table(set_aside(&path).map_err(io)?));
                Self::read(&path, (durability, now), &mut Found::default())?
            }
            read => read?,
        };
        if found.damaged > 0 {
            losses.push(Loss::Records(found.damaged));
        }
        if found.unread > 0 {
            losses.push(Loss::Batches(found.unread));
        }
        if losses.iter().any(|loss| matches!(loss, Loss::Table(_))) {
            file.take_over(&found.rows).map_err(|error| Fault::of(&path, error))?;
        }
        let restored = found.rows.into_iter().map(|(record, shift)| Restored {
            key: record.key,
            value: record.value,
            shift,
        });
        Ok((file, restored.collect(), losses))
    }

    /// Opens the file, and adds what it holds to what was found; also when it turns out to be damaged half-way. A disk that takes nothing can be
    /// read all the same.
    fn read(
        path: &Path,
        (durability, now): (Durability, Time),
        found: &mut Found,
    ) -> Result<Self, Fault> {
        let fault = |error| Fault::of(path, error);
        let connection = prepare(path, durability).map_err(fault)?;
        migrate(&connection, path)?;
        let (today, landing) = (Session::begin(now), Landing::default());
        let mut file = Self { connection, today, session: None, landing, set: (0, None) };
        let begun = file.begin(found);
        let newest = if begun.is_ok() { Newest::new() } else { file.newest(found) };
        file.restore(now, newest, found).map_err(fault)?;
        match begun {
            Err(error) if !refuses(&error) => Err(fault(error)),
            _ => Ok(file),
        }
    }

    /// Has it written that a life begins, and what an earlier one has left in batches moved into the table; the number of this life.
    fn begin(&mut self, found: &mut Found) -> rusqlite::Result<i64> {
        if let Some(session) = self.session {
            return Ok(session);
        }
        let session = begin(&self.connection, &self.today)?;
        found.damaged += self.absorb()?;
        self.session = Some(session);
        Ok(session)
    }

    /// Reads every record; what was said last of some lies elsewhere. Those that have ended, or are damaged, are taken away, if the disk lets us. Where the
    /// table cannot be read it is read from the other end as well.
    fn restore(&self, now: Time, newest: Newest, found: &mut Found) -> rusqlite::Result<()> {
        // Where they cannot be read nobody knows that the clock was set.
        let sessions = self.sessions();
        let (sessions, fault) =
            sessions.map_or_else(|e| (BTreeMap::new(), Some(e)), |all| (all, None));
        let mut useless: Vec<Box<[u8]>> = Vec::new();
        let rows = &mut found.rows;
        let mut take = |key: &[u8], value: &[u8], (until, session): (i64, i64)| {
            let then = sessions.get(&session);
            let shift = then.map_or(0, |then| self.today.needs(then, sessions.values()));
            let until = time(until);
            let lasts = until.shifted(shift) > now;
            if lasts {
                rows.push((Record { key: key.into(), value: value.into(), until }, shift));
            }
            lasts
        };
        for (key, (value, until, session)) in &newest {
            if !value.is_empty() {
                take(key, value, (*until, *session));
            }
        }
        let mut row = |row: &Row<'_>| {
            let (key, value) = (row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
            let (until, session): (i64, i64) = (row.get(2)?, row.get(3)?);
            if newest.contains_key(key) {
                return Ok(());
            }
            let Some(value) = unsealed(key, value, until) else {
                found.damaged += 1;
                useless.push(key.into());
                return Ok(());
            };
            if !take(key, value, (until, session)) {
                useless.push(key.into());
            }
            Ok(())
        };
        if let Err(error) = self.each_row(UPWARDS, &mut row) {
            drop(self.each_row(DOWNWARDS, &mut row));
            return Err(error);
        }
        fault.map_or(Ok(()), Err)?;
        match self.forget(&useless) {
            Err(error) if refuses(&error) => Ok(()),
            forgotten => forgotten,
        }
    }

    fn each_row(
        &self,
        all: &str,
        mut with: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let mut table = self.connection.prepare(all)?;
        let mut table = table.query([])?;
        while let Some(row) = table.next()? {
            with(row)?;
        }
        Ok(())
    }

    fn forget(&self, keys: &[Box<[u8]>]) -> rusqlite::Result<()> {
        let transaction = self.connection.unchecked_transaction()?;
        let mut forget = transaction.prepare(FORGET)?;
        keys.iter().try_for_each(|key| forget.execute([key]).map(drop))?;
        drop(forget);
        transaction.commit()
    }

    /// Writes what a damaged file still held into this one, by today's clock.
    fn take_over(&mut self, rows: &[(Record, i64)]) -> rusqlite::Result<()> {
        let shifted = |(record, shift): &'_ (Record, i64)| {
            let until = record.until.shifted(*shift);
            i64::try_from(until.0).unwrap_or(i64::MAX)
        };
        let entries = rows.iter().map(|row| Entry { until: shifted(row), ..entry(&row.0) });
        let session = self.begin(&mut Found::default())?;
        let transaction = self.connection.transaction()?;
        put(&transaction, session, entries)?;
        transaction.commit()
    }

    fn sessions(&self) -> rusqlite::Result<BTreeMap<i64, Session>> {
        let mut rows = self.connection.prepare("SELECT number, boot, up, wall FROM session")?;
        let rows = rows.query_map([], |row| {
            let session = Session { boot: row.get(1)?, up: row.get(2)?, wall: row.get(3)? };
            Ok((row.get(0)?, session))
        })?;
        rows.collect()
    }

    /// Writes a group of records: all of them or none.
    pub(crate) fn write<'a>(
        &mut self,
        group: impl ExactSizeIterator<Item = &'a Record> + Clone,
    ) -> rusqlite::Result<()> {
        let written = self.write_whole(group);
        if written.is_err() {
            self.write_over();
        }
        written
    }

    /// Notes that the wall clock was set: a life after a start of the machine has no other.
    fn note_clock(&mut self) -> rusqlite::Result<()> {
        let (set, looked) = &mut self.set;
        if looked.is_some_and(|looked| looked.elapsed() < LOOKS) {
            return Ok(());
        }
        *looked = Some(Instant::now());
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let seen = Session::begin(Time::default() + wall);
        let now = seen.shift(&self.today);
        if now.abs_diff(*set) >= LOOKS.as_millis() as u64 {
            insert(&self.connection, &seen)?;
            *set = now;
        }
        Ok(())
    }

    /// What could not be synced stands in the log all the same, whole, and would count in the next life. Whatever is written next takes its place;
    /// so something is, that says what is so already.
    fn write_over(&self) {
        // A disk that does not take this either, or not for certain, can promise nothing.
        drop(self.connection.pragma_update(None, "user_version", FORM));
    }

    fn write_whole<'a>(
        &mut self,
        group: impl ExactSizeIterator<Item = &'a Record> + Clone,
    ) -> rusqlite::Result<()> {
        // What was damaged was said at the start.
        let session = self.begin(&mut Found::default())?;
        // Should it not be noted now, it is the next time.
        drop(self.note_clock());
        let entries = group.map(entry);
        if self.landing.is_empty() && entries.len() < limits::A_BATCH {
            let transaction = self.connection.transaction()?;
            put(&transaction, session, entries)?;
            return transaction.commit();
        }
        let batches = batches(entries.clone());
        let octets = batches.iter().map(|(_, octets)| octets.len()).sum();
        let transaction = self.connection.transaction()?;
        let folded = self.landing.too_much(octets).into_iter();
        let folded: rusqlite::Result<Vec<_>> =
            folded.map(|number| fold(&transaction, &self.landing, number)).collect();
        let folded = folded?;
        let mut land = transaction.prepare(LAND)?;
        for (number, (count, octets)) in (self.landing.next()..).zip(&batches) {
            land.execute(params![number, session, count, octets])?;
        }
        drop(land);
        transaction.commit()?;
        folded.iter().for_each(|newest| self.landing.remove(newest));
        let mut keys = entries.map(|entry| entry.key);
        for (count, octets) in &batches {
            self.landing.add(octets.len(), keys.by_ref().take(*count as usize));
        }
        Ok(())
    }

    /// True when everything is in the table.
    pub(crate) fn is_folded(&self) -> bool {
        self.landing.is_empty()
    }

    /// Moves the oldest batch into the table.
    pub(crate) fn fold(&mut self) -> rusqlite::Result<()> {
        let Some(number) = self.landing.oldest() else { return Ok(()) };
        let transaction = self.connection.transaction()?;
        let newest = fold(&transaction, &self.landing, number)?;
        transaction.commit()?;
        self.landing.remove(&newest);
        Ok(())
    }

    /// Moves the batches that an earlier life has left into the table; how many of their records are damaged.
    fn absorb(&mut self) -> rusqlite::Result<u64> {
        let transaction = self.connection.transaction()?;
        let (numbers, fault) = landed::numbers(&transaction);
        fault.map_or(Ok(()), Err)?;
        let mut damaged = 0;
        for number in numbers {
            let batch = Landed::read(&transaction, number)?;
            put(&transaction, batch.session, batch.good())?;
            damaged += batch.damaged();
        }
        transaction.execute("DELETE FROM batch", [])?;
        transaction.commit()?;
        Ok(damaged)
    }

    /// Reads the batches that an earlier life has left, as far as they can be read, and leaves them where they are.
    fn newest(&self, found: &mut Found) -> Newest {
        let mut newest = Newest::new();
        let (numbers, fault) = landed::numbers(&self.connection);
        let mut unread = 0;
        for number in numbers {
            match Landed::read(&self.connection, number) {
                Ok(batch) => {
                    found.damaged += batch.damaged();
                    newest.extend(batch.good().map(|Entry { key, value, until }| {
                        (key.into(), (value.into(), until, batch.session))
                    }));
                }
                Err(_) => match landed::count(&self.connection, number) {
                    Some(count) => found.damaged += u64::from(count),
                    None => unread += 1,
                },
            }
        }
        // One that is not even listed is one at least.
        found.unread += unread.max(u64::from(fault.is_some()));
        newest
    }
}

/// Puts records into the table, or takes them out.
fn put<'a>(
    connection: &Connection,
    session: i64,
    entries: impl Iterator<Item = Entry<'a>>,
) -> rusqlite::Result<()> {
    let mut keep = connection.prepare(KEEP)?;
    let mut forget = connection.prepare(FORGET)?;
    for Entry { key, value, until } in entries {
        if value.is_empty() {
            forget.execute([key])?;
        } else {
            keep.execute(params![key, sealed(key, value, until), until, session])?;
        }
    }
    Ok(())
}

/// Moves a batch into the table; the hashes of those keys of which nothing newer was said.
fn fold(
    transaction: &Transaction<'_>,
    landing: &Landing,
    number: i64,
) -> rusqlite::Result<Vec<u64>> {
    if landing.is_outdated(number) {
        transaction.execute(LEAVE, [number])?;
        return Ok(Vec::new());
    }
    let batch = Landed::read(transaction, number)?;
    let mut newest = Vec::new();
    for entry in batch.good() {
        newest.extend(landing.newest(entry.key, number).map(|hash| (hash, entry)));
    }
    // Neighbours lie on one page. Of one key what came last stays last.
    newest.sort_by(|(_, one): &(u64, Entry<'_>), (_, other)| one.key.cmp(other.key));
    put(transaction, batch.session, newest.iter().map(|(_, entry)| *entry))?;
    transaction.execute(LEAVE, [number])?;
    Ok(newest.into_iter().map(|(hash, _)| hash).collect())
}

fn entry(record: &Record) -> Entry<'_> {
    let until = i64::try_from(record.until.0).unwrap_or(i64::MAX);
    Entry { key: &record.key, value: &record.value, until }
}

/// Records as batches: how many each holds, and its octets.
fn batches<'a>(entries: impl Iterator<Item = Entry<'a>> + Clone) -> Vec<(u32, Vec<u8>)> {
    let mut left: usize = entries.clone().map(|entry| entry.len()).sum();
    let mut batches: Vec<(u32, Vec<u8>)> = Vec::new();
    for entry in entries {
        if batches.last().is_none_or(|(_, octets)| octets.len() >= limits::BATCH) {
            batches.push((0, Vec::with_capacity(left.min(limits::BATCH_ROOM))));
        }
        left = left.saturating_sub(entry.len());
        if let Some((count, octets)) = batches.last_mut() {
            *count += 1;
            entry.write(octets);
        }
    }
    batches
}

/// What a file held.
#[derive(Default)]
struct Found {
    /// Records, and how far the clock was set since.
    rows: Vec<(Record, i64)>,
    damaged: u64,
    /// How many batches, or at least as many, could not be read, and of how many records they were is not known.
    unread: u64,
}

/// Makes a folder, where there is none, that nobody else reads: a Contact may hold a password, or what wakes a phone.
fn private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Opens the database, and finds out whether it is one.
fn prepare(path: &Path, durability: Durability) -> rusqlite::Result<Connection> {
    // SQLite gives what it makes beside a file the permissions of that. When it cannot be made here, SQLite says why.
    drop(fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path));
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // Ours alone: so it needs no shared memory, and a second process is told, at once.
    connection.busy_timeout(Duration::ZERO)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let sync = match durability {
        Durability::Grouped => "FULL",
        Durability::Relaxed => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", sync)?;
    connection.pragma_update(None, "wal_autocheckpoint", limits::LOG_PAGES)?;
    connection.pragma_update(None, "cache_size", limits::CACHE)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(connection)
}

/// Brings the form of the table to this program's.
fn migrate(connection: &Connection, path: &Path) -> Result<(), Fault> {
    let fault = |error| Fault::of(path, error);
    let has: u32 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(fault)?;
    if has > FORM {
        return Err(Fault::Newer { file: path.into(), has, known: FORM });
    }
    let steps = FORMS.get(has as usize..).unwrap_or_default();
    for (form, step) in (has + 1..).zip(steps) {
        let step = format!("BEGIN; {step}; PRAGMA user_version = {form}; COMMIT;");
        connection.execute_batch(&step).map_err(fault)?;
    }
    Ok(())
}

/// Notes that a life begins, and forgets those of which nothing is kept, and that tell nothing of one of which something is.
fn begin(connection: &Connection, session: &Session) -> rusqlite::Result<i64> {
    connection.execute(USELESS, [])?;
    insert(connection, session)?;
    Ok(connection.last_insert_rowid())
}

fn insert(connection: &Connection, session: &Session) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO session (boot, up, wall) VALUES (?1, ?2, ?3)",
        params![session.boot, session.up, session.wall],
    )?;
    Ok(())
}

/// Moves a file that is no database any more out of the way, for who may want to look at it.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let aside = (1..)
        .map(|number: u32| beside(path, &format!(".broken-{number}")))
        .find(|aside| !aside.exists())
        .unwrap_or_else(|| beside(path, ".broken"));
    fs::rename(path, &aside)?;
    match fs::rename(beside(path, "-wal"), beside(&aside, "-wal")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(aside),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// What was written there is not there any more, or the disk does not give it.
fn is_broken(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{IntegralValueOutOfRange, InvalidColumnType};
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
        || matches!(error, InvalidColumnType(..) | IntegralValueOutOfRange(..))
        || error.sqlite_error().is_some_and(|error| NOT_READ.contains(&error.extended_code))
}

/// The disk takes nothing; what it has it may give all the same.
fn refuses(error: &rusqlite::Error) -> bool {
    use ErrorCode::{DiskFull, ReadOnly, SystemIoFailure};
    let code = error.sqlite_error_code();
    matches!(code, Some(DiskFull | ReadOnly | SystemIoFailure)) && !is_broken(error)
}

impl Fault {
    pub(crate) fn of(path: &Path, error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse(path.into()),
            _ => Self::Database(path.into(), error),
        }
    }
}

fn time(stored: i64) -> Time {
    Time(u64::try_from(stored).unwrap_or(0))
}

const NAME: &str = "offhook.db";

const NOT_READ: [i32; 2] =
    [rusqlite::ffi::SQLITE_IOERR_READ, rusqlite::ffi::SQLITE_IOERR_SHORT_READ];

/// How often the wall clock is looked at, and by how much it is set at least.
const LOOKS: Duration = Duration::from_secs(1);

const USELESS: &str = "WITH used AS (SELECT session FROM record UNION SELECT session FROM batch),
    last AS (SELECT max(number) FROM session WHERE boot IN (SELECT boot FROM session WHERE number IN used) GROUP BY boot)
    DELETE FROM session WHERE number NOT IN used AND number NOT IN last";

const FORGET: &str = "DELETE FROM record WHERE key = ?1";

// Half as dear as an upsert, which finds its place twice.
const KEEP: &str = "REPLACE INTO record (key, value, until, session) VALUES (?1, ?2, ?3, ?4)";

const LAND: &str = "INSERT INTO batch (number, session, count, records) VALUES (?1, ?2, ?3, ?4)";

const UPWARDS: &str = "SELECT key, value, until, session FROM record";

const DOWNWARDS: &str = "SELECT key, value, until, session FROM record ORDER BY key DESC";

const LEAVE: &str = "DELETE FROM batch WHERE number = ?1";

/// How each form becomes the next; the first from nothing. What stands here is never changed, only added to.
const FORMS: [&str; 2] = ["
    CREATE TABLE session (number INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT NOT NULL, up INTEGER NOT NULL, wall INTEGER NOT NULL) STRICT;
    CREATE TABLE record (key BLOB PRIMARY KEY, value BLOB NOT NULL, until INTEGER NOT NULL, session INTEGER NOT NULL) STRICT, WITHOUT ROWID", "
    CREATE TABLE batch (number INTEGER PRIMARY KEY, session INTEGER NOT NULL, count INTEGER NOT NULL, records BLOB NOT NULL) STRICT"];
const FORM: u32 = FORMS.len() as u32;

#[cfg(test)]
mod tests {
    use rusqlite::{Error, ffi};

    use super::*;

    /// A full disk works again; what it does not give any more stays away, and nothing could ever be written into that file.
    #[test]
    fn a_disk_that_takes_nothing_is_not_one_that_does_not_give_what_it_has() {
        let error = |code| Error::SqliteFailure(ffi::Error::new(code), None);
        for (code, broken) in [
            (ffi::SQLITE_IOERR_READ, true),
            (ffi::SQLITE_CORRUPT, true),
            (ffi::SQLITE_IOERR_WRITE, false),
            (ffi::SQLITE_IOERR_FSYNC, false),
            (ffi::SQLITE_FULL, false),
        ] {
            let error = error(code);
            assert_eq!((is_broken(&error), refuses(&error)), (broken, !broken), "{error}");
        }
    }
}
