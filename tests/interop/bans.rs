//! Bans outlive a server that is killed, and hold at every node of a cluster, whichever node has pronounced or lifted them.

use std::path::Path;
use std::time::Instant;

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::land::Host;
use crate::offhook::{Offhook, command};
use crate::phone::Phone;
use crate::place;
use crate::town::{Town, console};

const STRANGER: &str = "203.0.113.9";
/// Where Debian has it.
const LIBFAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// What the console of the server in a folder says to `offhook ctl`.
fn ctl(folder: &Path, words: &[&str]) -> String {
    let url = format!("unix:{}", console(folder));
    let output = command(&[&["ctl", "--url", &url], words].concat()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{words:?}: {said}{output:?}");
    said
}

/// Whether the stranger is banned by hand; the list says so.
fn is_banned(folder: &Path) -> bool {
    let listed = ctl(folder, &["bans"]);
    let row = listed.lines().find(|line| line.contains(STRANGER));
    row.is_some_and(|row| row.contains("by-hand"))
}

#[test]
fn a_ban_outlives_a_server_that_is_killed() {
    let folder = place::folder("bans-restart");
    let lines = format!(
        "listen = {{ udp = \"127.0.0.1:0\", tcp = \"127.0.0.1:0\", console_socket = {:?} }}\n",
        console(&folder)
    );
    let server = Offhook::serve_on(&Host::HERE, &folder, &["101"], &lines);
    ctl(&folder, &["ban", STRANGER, "--for", "600"]);
    assert!(is_banned(&folder));
    // What is written after it is safe: so it is, too.
    let mut phone = Phone::start(&folder, &Account::new("101", server.udp), &["register"]);
    assert!(phone.peer.end(PATIENCE).success());
    server.die();
    let server = Offhook::start(&Host::HERE, &folder);
    assert!(is_banned(&folder));
    ctl(&folder, &["unban", STRANGER]);
    let mut phone = Phone::start(&folder, &Account::new("101", server.udp), &["register"]);
    assert!(phone.peer.end(PATIENCE).success());
    server.die();
    let server = Offhook::start(&Host::HERE, &folder);
    assert!(!is_banned(&folder));
    server.stop();
}

#[test]
fn a_ban_holds_at_all_nodes_until_one_of_them_lifts_it() {
    let Some(town) = Town::open("bans-nodes", 0) else { return };
    let (a, b) = (town.serve(0), town.serve(1));
    let [here, there] = [0, 1].map(|node| town.folder.join(node.to_string()));
    let wait_until = |what: &str, folder: &Path, banned: bool| {
        let deadline = Instant::now() + PATIENCE;
        while is_banned(folder) != banned {
            assert!(Instant::now() < deadline, "{what}");
        }
    };
    ctl(&here, &["ban", STRANGER, "--for", "600"]);
    wait_until("the other node knows it", &there, true);
    ctl(&there, &["unban", STRANGER]);
    wait_until("the first node knows that it is lifted", &here, false);
    ctl(&there, &["ban", STRANGER, "--for", "600"]);
    wait_until("the first node knows the next", &here, true);
    a.die();
    let a = town.serve(0);
    wait_until("it knows it in its next life", &here, true);
    a.stop();
    b.stop();
}

/// What a replica does that takes over without having heard that a ban was lifted: the store tells of the ban again. Nobody is moved, and the store
/// is told again that it was lifted: so who starts anew does not believe it either.
#[test]
fn a_ban_that_was_lifted_does_not_come_back_with_a_store_that_has_forgotten_it() {
    let Some(town) = Town::open("bans-back", 0) else { return };
    let (a, b) = (town.serve(0), town.serve(1));
    let [here, there] = [0, 1].map(|node| town.folder.join(node.to_string()));
    let wait_until = |what: &str, is_so: &dyn Fn() -> bool| {
        let deadline = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < deadline, "{what}");
        }
    };
    let (board, copy) = ("offhook:board", "{offhook:board}copy");
    let port = town.redis.master_of(board);
    let store = |words: &[&str]| town.redis.cli(port, words).trim().to_owned();
    ctl(&here, &["ban", STRANGER, "--for", "600"]);
    wait_until("the other node knows it", &|| is_banned(&there));
    assert_eq!(store(&["copy", board, copy]), "1");
    ctl(&there, &["unban", STRANGER]);
    wait_until("the first node knows that it is lifted", &|| !is_banned(&here));
    assert_eq!(store(&["copy", copy, board, "replace"]), "1");
    let same = "return redis.call('HVALS', KEYS[1])[1] == redis.call('HVALS', KEYS[2])[1]";
    wait_until("the store is told again", &|| store(&["eval", same, "2", board, copy]).is_empty());
    assert!(!is_banned(&here) && !is_banned(&there));
    a.die();
    let a = town.serve(0);
    ctl(&there, &["ban", "203.0.113.10", "--for", "600"]);
    let knows = || ctl(&here, &["bans"]).contains("203.0.113.10");
    wait_until("it has read what the store tells", &knows);
    assert!(!is_banned(&here));
    // All that the store knew is gone: what is in force is told again.
    assert_eq!(store(&["del", board]), "1");
    wait_until("the store is told again", &|| store(&["hlen", board]) != "0");
    a.die();
    let a = town.serve(0);
    wait_until("it knows it in its next life", &knows);
    a.stop();
    b.stop();
}

/// The clock of a node is half a day ahead: an hour's ban holds there, and ends when it ends elsewhere.
#[test]
fn a_ban_holds_at_a_node_whose_clock_is_ahead() {
    if !place::there(LIBFAKETIME, "libfaketime") {
        return;
    }
    let Some(town) = Town::open("bans-clocks", 0) else { return };
    let ahead =
        [("LD_PRELOAD", LIBFAKETIME), ("FAKETIME", "+12h"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")];
    let (a, b) = (town.serve(0), town.serve_in(1, &ahead));
    let [here, there] = [0, 1].map(|node| town.folder.join(node.to_string()));
    let wait_until = |what: &str, folder: &Path, banned: bool| {
        let deadline = Instant::now() + PATIENCE;
        while is_banned(folder) != banned {
            assert!(Instant::now() < deadline, "{what}");
        }
    };
    ctl(&here, &["ban", STRANGER, "--for", "3600"]);
    wait_until("the node that is ahead knows it", &there, true);
    ctl(&there, &["unban", STRANGER]);
    wait_until("the other knows that it is lifted", &here, false);
    ctl(&here, &["ban", STRANGER, "--for", "6"]);
    wait_until("the node that is ahead knows the next", &there, true);
    wait_until("it ends there too", &there, false);
    a.stop();
    b.stop();
}
