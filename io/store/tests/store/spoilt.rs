//! What the disk has changed is noticed: it is left out, said, and costs no more than itself.

use std::fs;

use offhook_store::{Durability, Loss, Opened, Store};
use protocol::Record;

use crate::{Folder, NOW, held, keep, keep_together, killed, lie, open, pairs, record, spoil};

#[test]
fn a_batch_of_which_the_disk_changed_an_octet_loses_one_record() {
    let folder = Folder::new();
    let store = open(&folder, NOW).store;
    let all = || (0..200).map(|n| record(&format!("{n:03}"), "a value of some length"));
    let copy = (0..100).find_map(|_| {
        keep_together(&store, all());
        // Where a copy takes long, all may be in the table before.
        Some(killed(&folder)).filter(|copy| lie(copy).0 > 100)
    });
    let copy = copy.unwrap();
    drop(store);
    let file = rusqlite::Connection::open(copy.file("offhook.db")).unwrap();
    let (number, mut octets): (i64, Vec<u8>) = file
        .query_row("SELECT number, records FROM batch ORDER BY count DESC", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let at = octets.windows(6).position(|part| part == b"a valu").unwrap();
    octets[at] = b'A';
    file.execute("UPDATE batch SET records = ?1 WHERE number = ?2", (octets, number)).unwrap();
    drop(file);
    let opened = open(&copy, NOW);
    assert_eq!(opened.losses, [Loss::Records(1)]);
    assert_eq!(held(&opened).len(), 200, "with the first");
}

#[test]
fn garbage_in_the_table_is_set_aside_and_what_can_be_read_is_kept() {
    let folder = Folder::new();
    let store = open(&folder, NOW).store;
    keep(&store, (0..5_000).map(|n| record(&format!("{n:05}"), "a value of some length")));
    drop(store);
    let path = folder.file("offhook.db");
    let length = fs::metadata(&path).unwrap().len();
    for (at, octets) in [(length - 4_096, 4_096), (0, 100)] {
        let copy = killed(&folder);
        spoil(&copy.file("offhook.db"), at, octets);
        let opened = open(&copy, NOW);
        assert!(!opened.losses.is_empty(), "at {at}");
        let found = held(&opened);
        assert!(found.iter().all(|(_, value)| value == "a value of some length"));
        keep(&opened.store, [record("new", "1")]);
        let Opened { store, .. } = opened;
        drop(store);
        let again = open(&copy, NOW);
        assert_eq!(again.losses, []);
        assert_eq!(held(&again).len(), found.len() + 1);
    }
}

#[test]
fn a_record_of_which_the_disk_changed_an_octet_is_left_out_and_reported() {
    let folder = Folder::new();
    let store = open(&folder, NOW).store;
    keep(&store, [record("good", "sip:101@192.0.2.1"), record("bad", "sip:102@192.0.2.2")]);
    drop(store);
    let path = folder.file("offhook.db");
    let octets = fs::read(&path).unwrap();
    let at = octets.windows(7).position(|part| part == b"sip:102").unwrap();
    spoil(&path, at as u64 + 6, 1);
    let opened = open(&folder, NOW);
    assert_eq!(opened.losses, [Loss::Records(1)]);
    assert_eq!(held(&opened), pairs(&[("good", "sip:101@192.0.2.1")]));
    drop(opened);
    assert_eq!(open(&folder, NOW).losses, [], "said once");
}

/// What a crowd has said together, as it lies in the file of a server that was killed then.
fn batch_of(crowd: impl Iterator<Item = Record> + Clone) -> Vec<u8> {
    let folder = Folder::new();
    let store = open(&folder, NOW).store;
    let batch = (0..100).find_map(|_| {
        keep_together(&store, crowd.clone());
        // Where a copy takes long, all may be in the table before.
        let copy = killed(&folder);
        let file = rusqlite::Connection::open(copy.file("offhook.db")).unwrap();
        file.query_row("SELECT records FROM batch WHERE count = 200", [], |row| row.get(0)).ok()
    });
    batch.unwrap()
}

/// Five crowds lie beside the table in the file of a server that was killed, in which the first of each has said something before.
fn crowds() -> Folder {
    let folder = Folder::new();
    let before = (0..CROWDS).map(|crowd| record(&format!("{crowd}-000"), "before"));
    keep(&open(&folder, NOW).store, before);
    let file = rusqlite::Connection::open(folder.file("offhook.db")).unwrap();
    for crowd in 0..CROWDS {
        let says = move |n: u32| record(&format!("{crowd}-{n:03}"), &"as it is now".repeat(8));
        let octets = batch_of((0..200).map(says));
        file.execute(
            "INSERT INTO batch SELECT ?1, min(number), 200, ?2 FROM session",
            (crowd, octets),
        )
        .unwrap();
    }
    folder
}

const CROWDS: u32 = 5;

/// Who of each crowd is there as it has said last.
fn of_each(opened: &Opened) -> [usize; CROWDS as usize] {
    let held = held(opened);
    let is_now = |crowd: usize| {
        let says = |(key, value): &&(String, String)| {
            key.starts_with(&format!("{crowd}-")) && value.starts_with("as it is now")
        };
        held.iter().filter(says).count()
    };
    std::array::from_fn(is_now)
}

/// So many records were said to be lost.
fn lost(opened: &Opened) -> u64 {
    let records = |loss: &Loss| if let Loss::Records(count) = loss { *count } else { 0 };
    opened.losses.iter().map(records).sum()
}

/// Whichever page of the file it is: what stands on others is there, and what stood on it is said to be lost.
#[test]
fn a_page_that_cannot_be_read_costs_what_stood_on_it() {
    let folder = crowds();
    let length = fs::metadata(folder.file("offhook.db")).unwrap().len();
    let mut dear = 0;
    // The first says that it is a database, and where everything stands.
    for page in 1..length / PAGE {
        let copy = killed(&folder);
        spoil(&copy.file("offhook.db"), page * PAGE, PAGE as usize);
        let opened = open(&copy, NOW);
        let there = of_each(&opened);
        let whole = there.iter().filter(|count| **count == 200).count();
        dear += u32::from(whole + 1 < CROWDS as usize);
        says_what_is_lost(&opened);
        drop(opened);
        let again = open(&copy, NOW);
        assert_eq!((of_each(&again), &again.losses[..]), (there, &[][..]), "page {page}");
    }
    println!("{} pages, {dear} on which more than one crowd depends", length / PAGE);
    assert!(length / PAGE > 25 && dear <= 3, "{dear}");
}

fn says_what_is_lost(opened: &Opened) {
    let there = of_each(opened);
    let missing = 200 * u64::from(CROWDS) - there.iter().sum::<usize>() as u64;
    let uncounted = opened.losses.iter().any(|loss| matches!(loss, Loss::Batches(_)));
    assert!(lost(opened) == missing || uncounted, "{there:?}, {:?}", opened.losses);
}

/// As the kernel says it when the disk cannot read.
#[test]
fn a_page_that_the_disk_does_not_give_costs_what_stood_on_it() {
    const FOLDER: &str = "OFFHOOK_TEST_UNREAD";
    const TEST: &str = "spoilt::a_page_that_the_disk_does_not_give_costs_what_stood_on_it";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let opened = Store::open(folder.as_ref(), Durability::Grouped, NOW, |_| ()).unwrap();
        says_what_is_lost(&opened);
        assert!(of_each(&opened).iter().filter(|count| **count == 200).count() >= 4);
        keep(&opened.store, [record("new", "1")]);
        return;
    }
    let folder = crowds();
    // These are of a batch; what the first reads are of is needed for everything.
    for nth in [12, 17, 22, 27] {
        let copy = killed(&folder);
        let (file, seen) = (copy.file("offhook.db"), copy.file("seen"));
        let output = std::process::Command::new("strace")
            .args(["-f", "-e", &format!("inject=pread64:error=EIO:when={nth}"), "-P"])
            .arg(&file)
            .arg("-o")
            .arg(&seen)
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", TEST])
            .env(FOLDER, &copy.0)
            .output()
            .expect("strace is there");
        assert!(output.status.success(), "{nth}: {}", String::from_utf8_lossy(&output.stdout));
        assert!(fs::read_to_string(seen).unwrap().contains("(INJECTED)"), "{nth}");
        assert!(held(&open(&copy, NOW)).contains(&("new".into(), "1".into())));
    }
}

const PAGE: u64 = 4_096;
