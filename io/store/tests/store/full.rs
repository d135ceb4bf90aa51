//! A disk of one megabyte that is full: that is said, what lies there is read, and it works again once there is room.

use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::channel;

use offhook_store::{Durability, Kept, Opened, Store};
use protocol::Record;

use crate::{Folder, NOW, apart, held, keep, keep_together, killed, lie, open, record};

/// Where a test runs again, in a mount namespace of its own, with a disk of one megabyte at this place. Nothing for who starts it.
fn small_disk(test: &str) -> Option<PathBuf> {
    const DISK: &str = "OFFHOOK_TEST_DISK";
    if let Some(disk) = std::env::var_os(DISK) {
        return Some(disk.into());
    }
    let folder = Folder::new();
    fs::create_dir_all(&folder.0).unwrap();
    let script = "mount -t tmpfs -o size=1m tmpfs \"$OFFHOOK_TEST_DISK\"";
    apart::runs_again(test, (DISK, folder.0.as_os_str()), (&["--mount"], script));
    None
}

#[test]
fn a_full_disk_is_said_to_be_full_and_works_again_once_it_has_room() {
    let Some(disk) =
        small_disk("full::a_full_disk_is_said_to_be_full_and_works_again_once_it_has_room")
    else {
        return;
    };
    let (news, heard) = channel();
    let trouble = move |what: Result<(), String>| news.send(what).unwrap();
    let store = Store::open(&disk, Durability::Grouped, NOW, trouble).unwrap().store;
    let ballast = disk.join("ballast");
    let kept = |key: &str| {
        let (tell, told) = channel();
        let long = Record { value: vec![b'x'; 20_000].into(), ..record(key, "") };
        store.keep(long, Box::new(move |kept| tell.send(kept).unwrap()));
        told.recv().unwrap()
    };
    assert_eq!(kept("before"), Kept::Safely);
    fs::write(&ballast, vec![0; 1_048_576]).unwrap_err();
    let refused = (0..20).filter(|n| kept(&format!("full {n}")) == Kept::Not).count();
    assert!(refused > 10, "{refused}");
    assert!(heard.try_recv().unwrap().unwrap_err().contains("full"));
    fs::remove_file(&ballast).unwrap();
    assert_eq!(kept("after"), Kept::Safely);
    assert_eq!(heard.try_recv(), Ok(Ok(())));
    assert!(heard.try_recv().is_err(), "said once, not for each");
    drop(store);
    let restored = <Store>::open(&disk, Durability::Grouped, NOW, |_| ()).unwrap().restored;
    let has = |key: &str| restored.iter().any(|one| &*one.key == key.as_bytes());
    assert!(has("before") && has("after"));
    assert_eq!(restored.len(), 2 + 20 - refused, "what was refused is not there");
}

/// What lies in the table and what lies in batches is there after a start on a disk that takes nothing, and still when it takes something again.
#[test]
fn a_disk_that_is_full_at_the_start_is_read() {
    let Some(disk) = small_disk("full::a_disk_that_is_full_at_the_start_is_read") else { return };
    let folder = Folder::new();
    let before = open(&folder, NOW).store;
    keep(&before, [record("table", "1"), record("gone", "1")]);
    let crowd = || (0..200).map(|n| record(&format!("{n:03}"), "x"));
    let copy = (0..100).find_map(|_| {
        keep_together(&before, crowd().chain([record("gone", ""), record("batch", "2")]));
        // Where a copy takes long, all may be in the table before.
        Some(killed(&folder)).filter(|copy| lie(copy).0 > 100)
    });
    let copy = copy.unwrap();
    for entry in fs::read_dir(&copy.0).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), disk.join(entry.file_name())).unwrap();
    }
    let ballast = disk.join("ballast");
    fs::write(&ballast, vec![0; 1_048_576]).unwrap_err();
    let (news, heard) = channel();
    let trouble = move |what: Result<(), String>| news.send(what).unwrap();
    let opened = Store::open(&disk, Durability::Grouped, NOW, trouble).unwrap();
    assert_eq!(opened.losses, []);
    let has_all = |opened: &Opened| {
        let found = held(opened);
        let has = |key: &str, value: &str| found.contains(&(key.into(), value.into()));
        assert!(has("table", "1") && has("batch", "2") && has("000", "x") && has("199", "x"));
        assert!(found.iter().all(|(key, _)| key != "gone"));
        found.len()
    };
    assert_eq!(has_all(&opened), 203);
    let kept = |store: &Store, key: &str| {
        let (tell, told) = channel();
        store.keep(record(key, "3"), Box::new(move |kept| tell.send(kept).unwrap()));
        told.recv().unwrap()
    };
    assert_eq!(kept(&opened.store, "refused"), Kept::Not);
    assert!(heard.recv().unwrap().unwrap_err().contains("full"));
    fs::remove_file(&ballast).unwrap();
    assert_eq!(kept(&opened.store, "after"), Kept::Safely);
    assert_eq!(heard.recv(), Ok(Ok(())));
    drop(opened);
    let again = Store::open(&disk, Durability::Grouped, NOW, |_| ()).unwrap();
    assert_eq!(has_all(&again), 204);
}

/// Who does not wait is told all the same when the disk refuses: nothing would be kept for hours otherwise.
#[test]
fn relaxed_says_that_the_disk_is_full_once_that_is_known() {
    let Some(disk) = small_disk("full::relaxed_says_that_the_disk_is_full_once_that_is_known")
    else {
        return;
    };
    let (news, heard) = channel();
    let trouble = move |what: Result<(), String>| news.send(what).unwrap();
    let store = Store::open(&disk, Durability::Relaxed, NOW, trouble).unwrap().store;
    let kept = |key: &str| {
        let (tell, told) = channel();
        let long = Record { value: vec![b'x'; 20_000].into(), ..record(key, "") };
        store.keep(long, Box::new(move |kept| tell.send(kept).unwrap()));
        told.recv().unwrap()
    };
    let ballast = disk.join("ballast");
    fs::write(&ballast, vec![0; 1_048_576]).unwrap_err();
    assert_eq!(kept("lost"), Kept::Safely, "as it is promised: what was said last may be lost");
    assert!(heard.recv().unwrap().is_err());
    assert_eq!(kept("full"), Kept::Not);
    fs::remove_file(&ballast).unwrap();
    assert_eq!(kept("after"), Kept::Safely, "it is safe when that is said");
    assert_eq!(heard.recv(), Ok(Ok(())));
    drop(store);
    let opened = Store::open(&disk, Durability::Relaxed, NOW, |_| ()).unwrap();
    let found = held(&opened);
    let has = |key: &str| found.iter().any(|(found, _)| found == key);
    assert!(has("after") && !has("full"));
}
