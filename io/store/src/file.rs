//! `File`: the table in which records lie, in SQLite's keeping.

use std::collections::BTreeMap;
use std::hash::Hasher as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use machine::Time;
use protocol::Record;
use rusqlite::{Connection, ErrorCode, OpenFlags, params};
use siphasher::sip::SipHasher13;

use crate::limits;
use crate::session::Session;
use crate::store::{Durability, Loss, Restored};
use crate::{Fault, tail};

/// The open table.
#[derive(Debug)]
pub(crate) struct File {
    connection: Connection,
    /// The number of this life.
    session: i64,
}

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
        fs::create_dir_all(folder).map_err(|error| Fault::Folder(folder.into(), error))?;
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

    /// Opens the file, and adds what it holds to what was found; also when it turns out to be damaged half-way.
    fn read(
        path: &Path,
        (durability, now): (Durability, Time),
        found: &mut Found,
    ) -> Result<Self, Fault> {
        let fault = |error| Fault::of(path, error);
        let connection = prepare(path, durability).map_err(fault)?;
        migrate(&connection, path)?;
        let session = begin(&connection, &Session::begin(now)).map_err(fault)?;
        let file = Self { connection, session };
        file.restore(now, found).map_err(fault)?;
        Ok(file)
    }

    /// Reads every record. Those that have ended, or are damaged, are taken away.
    fn restore(&self, now: Time, found: &mut Found) -> rusqlite::Result<()> {
        let sessions = self.sessions()?;
        let today = sessions.get(&self.session);
        let mut useless: Vec<Box<[u8]>> = Vec::new();
        let mut rows = self.connection.prepare("SELECT key, value, until, session FROM record")?;
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let (key, value) = (row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?);
            let (until, session): (i64, i64) = (row.get(2)?, row.get(3)?);
            let Some(value) = unsealed(key, value, until) else {
                found.damaged += 1;
                useless.push(key.into());
                continue;
            };
            let shift =
                today.zip(sessions.get(&session)).map_or(0, |(today, then)| today.shift(then));
            let until = time(until);
            if until.shifted(shift) <= now {
                useless.push(key.into());
            } else {
                let record = Record { key: key.into(), value: value.into(), until };
                found.rows.push((record, shift));
            }
        }
        drop(rows);
        self.connection.execute_batch("BEGIN")?;
        let mut forget = self.connection.prepare(FORGET)?;
        useless.iter().try_for_each(|key| forget.execute([key]).map(drop))?;
        self.connection.execute_batch("COMMIT")
    }

    /// Writes what a damaged file still held into this one, by today's clock.
    fn take_over(&mut self, rows: &[(Record, i64)]) -> rusqlite::Result<()> {
        let shifted = |(record, shift): &(Record, i64)| Record {
            until: record.until.shifted(*shift),
            ..record.clone()
        };
        let rows: Vec<_> = rows.iter().map(shifted).collect();
        self.write(rows.iter())
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
        group: impl Iterator<Item = &'a Record>,
    ) -> rusqlite::Result<()> {
        let session = self.session;
        let transaction = self.connection.transaction()?;
        {
            let mut keep = transaction.prepare(KEEP)?;
            let mut forget = transaction.prepare(FORGET)?;
            for record in group {
                if record.value.is_empty() {
                    forget.execute([&record.key])?;
                } else {
                    let until = i64::try_from(record.until.0).unwrap_or(i64::MAX);
                    let value = sealed(&record.key, &record.value, until);
                    keep.execute(params![record.key, value, until, session])?;
                }
            }
        }
        transaction.commit()
    }
}

/// What a file held.
#[derive(Default)]
struct Found {
    /// Records, and how far the clock was set since.
    rows: Vec<(Record, i64)>,
    damaged: u64,
}

/// A value with a sum behind it: a database does not notice when the disk changes an octet.
fn sealed(key: &[u8], value: &[u8], until: i64) -> Vec<u8> {
    [value, &sum(key, value, until)].concat()
}

/// The value, when its sum is right.
fn unsealed<'a>(key: &[u8], sealed: &'a [u8], until: i64) -> Option<&'a [u8]> {
    let (value, written) = sealed.split_last_chunk::<8>()?;
    (*written == sum(key, value, until)).then_some(value)
}

fn sum(key: &[u8], value: &[u8], until: i64) -> [u8; 8] {
    let mut hasher = SipHasher13::new();
    for part in [&(key.len() as u64).to_be_bytes(), key, value, &until.to_be_bytes()] {
        hasher.write(part);
    }
    hasher.finish().to_be_bytes()
}

/// Opens the database, and finds out whether it is one.
fn prepare(path: &Path, durability: Durability) -> rusqlite::Result<Connection> {
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

/// Notes that a life begins, and forgets those of which nothing is kept.
fn begin(connection: &Connection, session: &Session) -> rusqlite::Result<i64> {
    connection.execute(
        "DELETE FROM session WHERE number NOT IN (SELECT DISTINCT session FROM record)",
        [],
    )?;
    connection.execute(
        "INSERT INTO session (boot, up, wall) VALUES (?1, ?2, ?3)",
        params![session.boot, session.up, session.wall],
    )?;
    Ok(connection.last_insert_rowid())
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

fn is_broken(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
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

const FORGET: &str = "DELETE FROM record WHERE key = ?1";

const KEEP: &str = "INSERT INTO record (key, value, until, session) VALUES (?1, ?2, ?3, ?4) \
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, until = excluded.until, session = excluded.session";

/// How each form becomes the next; the first from nothing. What stands here is never changed, only added to.
const FORMS: [&str; 1] = ["
    CREATE TABLE session (number INTEGER PRIMARY KEY AUTOINCREMENT, boot TEXT NOT NULL, up INTEGER NOT NULL, wall INTEGER NOT NULL) STRICT;
    CREATE TABLE record (key BLOB PRIMARY KEY, value BLOB NOT NULL, until INTEGER NOT NULL, session INTEGER NOT NULL) STRICT, WITHOUT ROWID"];
const FORM: u32 = FORMS.len() as u32;
