//! Who shares users is cut off: nodes from each other, a node from the store, and a node from both. What is promised in docs/cluster.md
//! holds meanwhile, and afterwards nobody has a wrong binding.

use std::time::{Duration, Instant};

use crate::baresip::PATIENCE;
use crate::phone::Phone;
use crate::place;
use crate::town::Town;

/// Nodes that do not reach each other reach the store: who is on a connection of the other node gets no calls, and the caller hears that
/// soon; everybody else is called.
#[test]
fn nodes_that_are_cut_from_each_other_serve_all_but_each_others_connections() {
    let Some(town) = Town::open("cut-nodes", 0) else { return };
    let (a, b) = (town.serve(0), town.serve(1));
    let [here, there] = &town.nodes;
    let mut bob = town.answering("102", 1, "tcp");
    let mut carol = town.answering("103", 1, "udp");
    let mut dora = town.answering("104", 1, "tcp");
    town.calls(("101", 0), "104");
    dora.peer.wait_for("hung up by the other side", PATIENCE);
    here.cut(there);
    let began = Instant::now();
    let status = refused(&town, 0, "102");
    let took = began.elapsed();
    assert_eq!(status, "480");
    assert!(took < SOON, "{status} after {took:?}");
    town.calls(("101", 0), "103");
    carol.peer.wait_for("hung up by the other side", PATIENCE);
    here.heal();
    town.calls(("101", 0), "102");
    bob.peer.wait_for("hung up by the other side", PATIENCE);
    drop((bob, carol, dora));
    a.stop();
    b.stop();
}

/// How the call of 101 by a node was refused.
pub(crate) fn refused(town: &Town, node: usize, whom: &str) -> String {
    let account = town.account("101", node, "udp");
    let mut caller = Phone::start(&town.folder, &account, &["call", whom]);
    caller.peer.end(PATIENCE);
    let said = caller.peer.said();
    let line = said.lines().find(|line| line.contains("\"ended\""));
    let line = line.unwrap_or_else(|| panic!("{said}"));
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    event["status"].to_string()
}

/// The store is gone for a node: it says so to who registers, calls by its copies, and afterwards believes the store, not its copies.
#[test]
fn a_node_that_is_cut_from_the_store_calls_by_its_copies_and_then_believes_the_store() {
    if !place::installed("python3", "python3-minimal") {
        return;
    }
    let Some(town) = Town::open("cut-store", 0) else { return };
    let (a, b) = (town.serve(0), town.serve(1));
    let [here, there] = &town.nodes;
    let contact = |port: u16| format!("sip:105@{}:{port}", town.phones.ip);
    let mut erin = town.registrant("105");
    let account = town.account("102", 1, "udp");
    let mut bob = Phone::start(&town.folder, &account, &["answer", "--calls", "2"]);
    bob.peer.wait_for("\"registered\"", PATIENCE);
    town.calls(("101", 0), "102"); // the first node has a copy now
    bob.peer.wait_for("hung up by the other side", PATIENCE);
    assert_eq!(erin.registers(here, &contact(7001), 600), format!("200 {}", contact(7001)));
    here.cut(&town.store);
    assert_eq!(erin.registers(here, &contact(7002), 600), "503 later");
    town.calls(("101", 0), "102");
    bob.peer.wait_for("hung up by the other side", PATIENCE);
    // Erin moves: to a node that has the store.
    assert_eq!(erin.registers(there, &contact(7001), 0), "200");
    assert_eq!(erin.registers(there, &contact(7003), 600), format!("200 {}", contact(7003)));
    here.heal();
    // What the first node was refused, and what it had a copy of, is nowhere.
    let mut last = String::new();
    let deadline = Instant::now() + PATIENCE;
    while last != format!("200 {}", contact(7003)) {
        assert!(Instant::now() < deadline, "{last}");
        last = erin.queries(here);
        assert!(!last.contains(&contact(7002)), "{last}");
    }
    assert_eq!(erin.queries(there), last);
    // Each is refreshed where it is not at home, and both nodes know one binding.
    assert_eq!(erin.registers(here, &contact(7003), 600), last);
    assert_eq!(erin.queries(there), last);
    drop(bob);
    a.die();
    b.stop();
}

/// A node is cut from the store and from the other node: who uses it still calls those whom it knows.
#[test]
fn a_node_that_is_cut_from_everybody_is_a_server_of_its_own_and_comes_back() {
    let Some(town) = Town::open("cut-all", 1) else { return };
    let (a, b) = (town.serve(0), town.serve(1));
    let [here, there] = &town.nodes;
    let mut bob = town.answering("102", 0, "tcp");
    let mut carol = town.answering("103", 1, "udp");
    here.cut(&town.store);
    here.cut(there);
    town.calls(("101", 0), "102");
    bob.peer.wait_for("hung up by the other side", PATIENCE);
    town.calls(("101", 1), "103");
    carol.peer.wait_for("hung up by the other side", PATIENCE);
    here.heal();
    drop((bob, carol));
    let mut bob = town.coming_back("102", 1, "tcp");
    let mut carol = town.coming_back("103", 0, "tcp");
    town.calls(("101", 0), "102");
    bob.peer.wait_for("hung up by the other side", PATIENCE);
    town.calls(("101", 1), "103");
    carol.peer.wait_for("hung up by the other side", PATIENCE);
    drop((bob, carol));
    a.die();
    b.stop();
}

/// Sooner than a caller gives up; an INVITE that nobody answers would last 32 seconds.
pub(crate) const SOON: Duration = Duration::from_secs(10);
