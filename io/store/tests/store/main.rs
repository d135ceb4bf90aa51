//! What is kept comes back; what was not kept does not; and a damaged file is no end of the world.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../../../../tests/apart.rs"]
mod apart;
mod former;
mod full;
mod spoilt;

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use machine::Time;
use offhook_store::{Durability, Fault, Kept, Loss, Opened, Store};
use protocol::Record;

/// A folder of this test alone, gone when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("offhook-store-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

const NOW: Time = Time(1_700_000_000_000_000_000);
const LATER: Time = Time(NOW.0 + 3_600_000_000_000);

fn open(folder: &Folder, now: Time) -> Opened {
    Store::open(&folder.0, Durability::Grouped, now, |_| ()).unwrap()
}

fn record(key: &str, value: &str) -> Record {
    Record { key: key.as_bytes().into(), value: value.as_bytes().into(), until: LATER }
}

/// Hands all in at once, and waits until each is safe.
fn keep(store: &Store, records: impl IntoIterator<Item = Record>) {
    let (tell, told) = channel();
    let mut count = 0;
    for record in records {
        let tell = tell.clone();
        store.keep(record, Box::new(move |kept| tell.send(kept).unwrap()));
        count += 1;
    }
    assert!(told.iter().take(count).all(|kept| kept == Kept::Safely));
}

fn held(opened: &Opened) -> Vec<(String, String)> {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let pair = |one: &offhook_store::Restored| (text(&one.key), text(&one.value));
    opened.restored.iter().map(pair).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

/// The files of a store as a kill would leave them at this moment: a copy, made while it is open.
fn killed(folder: &Folder) -> Folder {
    let copy = Folder::new();
    fs::create_dir_all(&copy.0).unwrap();
    for entry in fs::read_dir(&folder.0).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.0.join(entry.file_name())).unwrap();
    }
    copy
}

/// Whoever else works on this machine does not read where phones are: a Contact may hold a password, or what wakes a phone.
#[test]
fn nobody_else_reads_what_is_kept() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = Folder::new();
    let opened = open(&folder, NOW);
    keep(&opened.store, [record("101", "sip:101:secret@192.0.2.7")]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder.0), 0o700);
    let files: Vec<_> =
        fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 1, "{files:?}");
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
}

#[test]
fn what_is_kept_comes_back() {
    let folder = Folder::new();
    let Opened { store, restored, losses } = open(&folder, NOW);
    assert!(restored.is_empty() && losses.is_empty());
    keep(&store, [record("a", "1"), record("b", "2"), record("a", "3"), record("c", "4")]);
    keep(&store, [record("c", "")]);
    drop(store);
    let opened = open(&folder, NOW);
    assert_eq!(held(&opened), pairs(&[("a", "3"), ("b", "2")]));
    assert!(opened.losses.is_empty());
}

#[test]
fn what_has_ended_is_forgotten() {
    let folder = Folder::new();
    let store = open(&folder, NOW).store;
    keep(&store, [Record { until: NOW, ..record("ended", "1") }, record("lasts", "2")]);
    drop(store);
    assert_eq!(held(&open(&folder, NOW)), pairs(&[("lasts", "2")]));
    let file = rusqlite::Connection::open(folder.file("offhook.db")).unwrap();
    let rows: u32 = file.query_row("SELECT count(*) FROM record", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1, "taken away, too");
}

#[test]
fn a_wall_clock_that_was_set_by_three_days_ends_nothing_and_prolongs_nothing() {
    let folder = Folder::new();
    drop({
        let store = open(&folder, NOW).store;
        keep(&store, [record("a", "1")]);
        store
    });
    let three_days = 3 * 86_400_000;
    let opened = open(&folder, NOW.shifted(three_days));
    assert_eq!(held(&opened), pairs(&[("a", "1")]));
    assert!(opened.restored[0].shift.abs_diff(three_days) < 1_000);
    drop(opened);
    let back = open(&folder, NOW.shifted(-three_days));
    assert!(back.restored[0].shift.abs_diff(-three_days) < 1_000);
}

/// It was set by years while the server ran, and then the machine was started anew: the wall clock is all that is left, and says how long each has.
#[test]
fn a_wall_clock_that_was_set_before_the_machine_was_started_anew_ends_nothing() {
    let folder = Folder::new();
    drop({
        let store = open(&folder, NOW).store;
        keep(&store, [record("a", "1")]);
        store
    });
    let file = rusqlite::Connection::open(folder.file("offhook.db")).unwrap();
    file.execute("UPDATE session SET boot = 'an earlier one'", []).unwrap();
    drop(file);
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let years = wall - Duration::from_nanos(NOW.0);
    for _ in 0..2 {
        let opened = open(&folder, NOW + years);
        assert_eq!(held(&opened), pairs(&[("a", "1")]));
        let shift = Duration::from_millis(opened.restored[0].shift.try_into().unwrap());
        assert!(shift.abs_diff(years) < Duration::from_secs(60), "{shift:?}");
    }
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_told_to_be_safe() {
    let folder = Folder::new();
    let store = open(&folder, NOW).store;
    let mut safe = Vec::new();
    for round in 0..20 {
        let names: Vec<_> = (0..50).map(|n| format!("{round}-{n}")).collect();
        keep(&store, names.iter().map(|name| record(name, "x")));
        safe.extend(names.into_iter().map(|name| (name, "x".to_owned())));
        // More is on its way while the process dies.
        for n in 0..200 {
            store.keep(record(&format!("{round}+{n}"), "y"), Box::new(|_| ()));
        }
        let copy = killed(&folder);
        let found = held(&open(&copy, NOW));
        assert!(safe.iter().all(|pair| found.contains(pair)), "round {round}");
        assert!(found.iter().all(|(_, value)| value == "x" || value == "y"));
    }
}

#[test]
fn a_torn_end_of_the_log_is_cut_and_reported() {
    let folder = Folder::new();
    let store = open(&folder, NOW).store;
    // Fewer than make a batch: nothing is moved later.
    keep(&store, (0..30).map(|n| record(&format!("first {n}"), "x")));
    let safe = fs::metadata(folder.file("offhook.db-wal")).unwrap().len();
    keep(&store, [record("second", &"x".repeat(20_000))]);
    let whole = fs::metadata(folder.file("offhook.db-wal")).unwrap().len();
    assert!(whole > safe + 4_096);
    for cut in [1, 7, 23, 24, 100, 4_095, 4_096] {
        let copy = killed(&folder);
        let log = OpenOptions::new().write(true).open(copy.file("offhook.db-wal")).unwrap();
        log.set_len(whole - cut).unwrap();
        let opened = open(&copy, NOW);
        let left = whole - cut - safe;
        assert_eq!(opened.losses, [Loss::Tail(left)], "{cut} octets less");
        let found = held(&opened);
        assert_eq!(found.len(), 30, "{cut}");
        assert!(found.iter().all(|(key, _)| key.starts_with("first")));
    }
}

/// What lies in batches and what in the table, in the files as a kill would leave them now.
fn lie(folder: &Folder) -> (u32, u32) {
    let copy = killed(folder);
    let file = rusqlite::Connection::open(copy.file("offhook.db")).unwrap();
    let count = |of: &str| file.query_row(of, [], |row| row.get(0)).unwrap();
    (count("SELECT coalesce(sum(count), 0) FROM batch"), count("SELECT count(*) FROM record"))
}

/// Hands all in while the disk takes the first: all but that one go in one group.
fn keep_together(store: &Store, records: impl IntoIterator<Item = Record>) {
    keep(store, [record("the first", "1")].into_iter().chain(records));
}

#[test]
fn many_at_once_are_one_batch_until_there_is_time() {
    let folder = Folder::new();
    let store = open(&folder, NOW).store;
    let all = |round: u32| (0..500).map(move |n| record(&format!("{n:03}"), &round.to_string()));
    // Where a copy takes long, all may be in the table before.
    assert!((0..100).any(|round| {
        keep(&store, all(round));
        lie(&folder).0 > 400
    }));
    keep(&store, all(2));
    let copy = killed(&folder);
    assert!(held(&open(&copy, NOW)).iter().all(|(_, value)| value == "2"), "the newest");
    while lie(&folder).0 > 0 {}
    assert_eq!(lie(&folder), (0, 500));
    keep(&store, all(3));
    drop(store);
    assert_eq!(lie(&folder), (0, 500), "who looks into it finds everybody in the table");
    assert!(held(&open(&folder, NOW)).iter().all(|(_, value)| value == "3"));
}

#[test]
fn what_is_said_last_holds_wherever_it_lies() {
    let folder = Folder::new();
    let store = open(&folder, NOW).store;
    let crowd =
        |round: u32| (0..200).map(move |n| record(&format!("crowd {n}"), &round.to_string()));
    keep(&store, [record("a", "table"), record("b", "table"), record("c", "table")]);
    keep_together(
        &store,
        crowd(1).chain([record("a", "batch"), record("b", ""), record("d", "batch")]),
    );
    // A few at a time go behind the batch too: there is no time to look for a place.
    keep(&store, [record("a", "later"), record("d", "")]);
    let expected = pairs(&[("a", "later"), ("c", "table")]);
    let few = |opened: &Opened| {
        let all = held(opened).into_iter();
        all.filter(|(key, _)| key.len() == 1).collect::<Vec<_>>()
    };
    assert_eq!(few(&open(&killed(&folder), NOW)), expected);
    drop(store);
    assert_eq!(few(&open(&folder, NOW)), expected);
}

#[test]
fn more_than_lies_well_in_batches_goes_into_the_table() {
    let folder = Folder::new();
    let store = open(&folder, NOW).store;
    let long = "x".repeat(10_000);
    let count = offhook_store::limits::LANDED / long.len() + 1_000;
    let key = |n: usize| format!("{n:05}");
    for from in (0..count).step_by(500) {
        keep(&store, (from..count.min(from + 500)).map(|n| record(&key(n), &long)));
    }
    let copy = killed(&folder);
    let file = rusqlite::Connection::open(copy.file("offhook.db")).unwrap();
    let octets: u32 = file
        .query_row("SELECT coalesce(sum(length(records)), 0) FROM batch", [], |row| row.get(0))
        .unwrap();
    assert!(octets as usize <= offhook_store::limits::LANDED, "{octets}");
    drop(file);
    let found = held(&open(&copy, NOW));
    assert!(found.iter().map(|(found, _)| found.clone()).eq((0..count).map(key)));
}

/// The same octets are at the end of the log, and are wrong: a few, and as many as a disk writes in one go. What is before them counts, and the rest is said to be lost.
#[test]
fn a_changed_end_of_the_log_is_cut_and_reported() {
    let folder = Folder::new();
    let store = open(&folder, NOW).store;
    keep(&store, (0..10).map(|n| record(&format!("first {n}"), "x")));
    let safe = fs::metadata(folder.file("offhook.db-wal")).unwrap().len();
    keep(&store, [record("second", &"x".repeat(20_000))]);
    let whole = fs::metadata(folder.file("offhook.db-wal")).unwrap().len();
    assert!(whole > safe + 4_096);
    for wrong in [1, 7, 23, 24, 100, 4_095, 4_096] {
        let copy = killed(&folder);
        spoil(&copy.file("offhook.db-wal"), whole - wrong, wrong as usize);
        let opened = open(&copy, NOW);
        assert_eq!(opened.losses, [Loss::Tail(whole - safe)], "{wrong} octets wrong");
        let found = held(&opened);
        assert_eq!(found.len(), 10, "{wrong}");
        assert!(found.iter().all(|(key, _)| key.starts_with("first")));
    }
}

/// Turns every bit over.
fn spoil(path: &Path, at: u64, octets: usize) {
    let mut file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut old = vec![0; octets];
    file.seek(SeekFrom::Start(at)).unwrap();
    file.read_exact(&mut old).unwrap();
    old.iter_mut().for_each(|octet| *octet = !*octet);
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&old).unwrap();
}

#[test]
fn two_servers_do_not_share_a_folder_unknowingly() {
    let folder = Folder::new();
    let first = open(&folder, NOW);
    let second = <Store>::open(&folder.0, Durability::Grouped, NOW, |_| ()).unwrap_err();
    assert!(matches!(second, Fault::InUse(_)), "{second}");
    assert!(second.to_string().contains("another offhook"));
    drop(first);
    open(&folder, NOW);
}

/// As the kernel counts them.
#[test]
fn thousands_at_once_share_a_few_syncs() {
    const FOLDER: &str = "OFFHOOK_TEST_FOLDER";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let opened = Store::open(&PathBuf::from(folder), Durability::Grouped, NOW, |_| ()).unwrap();
        keep(&opened.store, (0..5_000).map(|n| record(&n.to_string(), "x")));
        return;
    }
    let folder = Folder::new();
    drop(open(&folder, NOW));
    let counted = folder.file("syncs");
    let status = std::process::Command::new("strace")
        .args(["-f", "-e", "trace=fsync,fdatasync", "-o"])
        .arg(&counted)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "thousands_at_once_share_a_few_syncs"])
        .env(FOLDER, &folder.0)
        .stdout(std::process::Stdio::null())
        .status()
        .expect("strace is there");
    assert!(status.success());
    assert_eq!(held(&open(&folder, NOW)).len(), 5_000);
    let counted = fs::read_to_string(counted).unwrap();
    let syncs = counted.lines().filter(|line| line.contains("sync(")).count();
    println!("{syncs} syncs");
    // A group every 4 ms: ten or twenty where nothing holds up who hands them in.
    assert!((2..=100).contains(&syncs), "{syncs}");
}

#[test]
fn relaxed_does_not_wait_and_writes_all_the_same() {
    let folder = Folder::new();
    let relaxed = Store::open(&folder.0, Durability::Relaxed, NOW, |_| ()).unwrap().store;
    keep(&relaxed, [record("a", "1")]);
    drop(relaxed);
    assert_eq!(held(&open(&folder, NOW)), pairs(&[("a", "1")]));
}

#[test]
fn a_record_that_is_too_long_is_refused() {
    let folder = Folder::new();
    let store = open(&folder, NOW).store;
    let (tell, told) = channel();
    let long = "x".repeat(offhook_store::limits::RECORD);
    store.keep(record("a", &long), Box::new(move |kept| tell.send(kept).unwrap()));
    assert_eq!(told.recv(), Ok(Kept::Not));
}
