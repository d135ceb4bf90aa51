//! What the disk has changed is noticed: it is left out, said, and costs no more than itself.

use std::fs;

use offhook_store::{Loss, Opened};

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
