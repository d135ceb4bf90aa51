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
