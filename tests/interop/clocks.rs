//! The clock on the wall of a node is set while it runs, as it is where NTP comes late.

use std::path::Path;

use crate::baresip::PATIENCE;
use crate::cluster::said_again;
use crate::place;
use crate::town::Town;

/// Where Debian has it.
const LIBFAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// Sets the clock of a program that was started with this file.
fn set(file: &Path, offset: &str) {
    // At once, or it could read half of it.
    let next = file.with_extension("next");
    std::fs::write(&next, offset).unwrap();
    std::fs::rename(next, file).unwrap();
}

/// What it has the store keep is kept for as long as it says, and what it has spent is spent at both.
#[test]
fn a_node_whose_clock_is_set_while_it_runs_is_believed_for_as_long_as_before() {
    if !place::there(LIBFAKETIME, "libfaketime") || !place::installed("python3", "python3-minimal")
    {
        return;
    }
    let Some(town) = Town::open("clocks-set", 0) else { return };
    let file = town.folder.join("clock");
    set(&file, "+0");
    let by_file = [
        ("LD_PRELOAD", LIBFAKETIME),
        ("FAKETIME_TIMESTAMP_FILE", file.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let (mut a, b) = (town.serve_in(0, &by_file), town.serve(1));
    let contact = "sip:101@10.46.0.11:5062";
    let left = |user: &str| -> i64 {
        let key = &format!("offhook:aor:{user}");
        town.redis.cli(town.redis.master_of(key), &["pttl", key]).trim().parse().unwrap()
    };
    // That somebody has signed off is kept for longer than an hour.
    for (offset, seconds, user) in [("+2h", "7200", "101"), ("-1h", "-3600", "105")] {
        let mut phone = town.registrant(user);
        set(&file, offset);
        a.peer.wait_for(&format!("\"clock_set\",\"seconds\":{seconds}"), PATIENCE);
        let said = phone.registers(&town.nodes[0], contact, 3600);
        assert!(said.starts_with("200"), "{offset}: {said}");
        let left = left(user);
        assert!((3_000_000..=3_600_000).contains(&left), "{offset}: {left} ms");
        assert!(phone.queries(&town.nodes[1]).contains(contact), "{offset}");
        let expected = ["200", "401 stale", "401 stale", "200", "401 stale", "200"];
        assert_eq!(said_again(&town).lines().collect::<Vec<_>>(), expected, "{offset}");
    }
    a.stop();
    b.stop();
}
