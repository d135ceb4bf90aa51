//! A file that another program has written: an earlier one, or a newer one.

use std::fs;
use std::path::PathBuf;

use offhook_store::{Durability, Store};

use crate::{Folder, NOW, held, keep, keep_together, killed, open, pairs, record};

#[test]
fn what_a_newer_program_wrote_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    drop(open(&folder, NOW));
    let path = folder.file("offhook.db");
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    newer.pragma_update(None, "wal_checkpoint", "TRUNCATE").ok();
    drop(newer);
    let before = fs::read(&path).unwrap();
    let fault = <Store>::open(&folder.0, Durability::Grouped, NOW, |_| ()).unwrap_err();
    assert!(fault.to_string().contains("newer offhook (form 99"), "{fault}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// RELIABILITY R30. The form before had no batches, and was otherwise the same.
#[test]
fn what_the_program_before_wrote_is_taken_over_at_once() {
    let folder = Folder::new();
    keep(&open(&folder, NOW).store, [record("a", "1"), record("b", "2")]);
    let older = rusqlite::Connection::open(folder.file("offhook.db")).unwrap();
    older.execute_batch("DROP TABLE batch; PRAGMA user_version = 1").unwrap();
    drop(older);
    let opened = open(&folder, NOW);
    assert_eq!(opened.losses, []);
    assert_eq!(held(&opened), pairs(&[("a", "1"), ("b", "2")]));
    keep(&opened.store, (0..100).map(|nth| record(&format!("new-{nth}"), "3")));
    drop(opened);
    assert_eq!(held(&open(&folder, NOW)).len(), 102);
}

/// RELIABILITY R30: the step from one form to the next is done or not, whenever it is interrupted. Killed at each of its writes in turn: what was
/// there is there at the next start.
#[test]
fn a_program_that_is_killed_while_it_takes_over_an_earlier_form_takes_it_over_the_next_time() {
    const FOLDER: &str = "OFFHOOK_TEST_FOLDER";
    let name = "former::a_program_that_is_killed_while_it_takes_over_an_earlier_form_takes_it_over_the_next_time";
    if let Some(folder) = std::env::var_os(FOLDER) {
        drop(<Store>::open(&PathBuf::from(folder), Durability::Grouped, NOW, |_| ()).unwrap());
        return;
    }
    let folder = Folder::new();
    keep(&open(&folder, NOW).store, [record("a", "1"), record("b", "2")]);
    let older = rusqlite::Connection::open(folder.file("offhook.db")).unwrap();
    older.execute_batch("DROP TABLE batch; PRAGMA user_version = 1").unwrap();
    drop(older);
    // strace counts what the whole program writes, and kills it before that is done.
    for write in 1..100 {
        let copy = killed(&folder);
        let status = std::process::Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", "trace=pwrite64", "-e"])
            .arg(format!("inject=pwrite64:error=EIO:signal=KILL:when={write}"))
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env(FOLDER, &copy.0)
            .stdout(std::process::Stdio::null())
            .status()
            .expect("strace is there");
        let opened = open(&copy, NOW);
        assert_eq!(held(&opened), pairs(&[("a", "1"), ("b", "2")]), "write {write}");
        keep_together(&opened.store, (0..200).map(|n| record(&n.to_string(), "x")));
        if status.success() {
            println!("killed at {} writes", write - 1);
            assert!(write > 3);
            return;
        }
    }
    panic!("it writes without end");
}
