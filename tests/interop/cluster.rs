//! Two servers that serve the same users, with a Redis cluster between them.

use std::process::{Command, Output};
use std::time::Instant;

use crate::authority::Authority;
use crate::baresip::PATIENCE;
use crate::offhook::{Offhook, command};
use crate::peer::Peer;
use crate::phone::Phone;
use crate::place;
use crate::town::{Registrant, Town, console};

/// Whoever is registered at one node is called by whoever uses the other.
fn a_phone_at_the_other_node_is_called(transport: &'static str) {
    let Some(town) = Town::open(&format!("cluster-{transport}"), 0) else { return };
    let (a, b) = (town.serve(0), town.serve(1));
    let mut bob = town.answering("102", 1, transport);
    town.calls(("101", 0), "102");
    bob.peer.wait_for("hung up by the other side", PATIENCE);
    drop(bob);
    a.stop();
    b.stop();
}

#[test]
fn a_phone_on_udp_at_the_other_node_is_called() {
    a_phone_at_the_other_node_is_called("udp");
}
/// A master of the store and a node die, one after the other, while calls go on: those who use the other node notice neither.
#[test]
fn a_master_and_a_node_die_and_calls_go_on() {
    let Some(mut town) = Town::open("cluster-deaths", 1) else { return };
    let (a, b) = (town.serve(0), town.serve(1));
    let mut bob = town.answering("102", 1, "udp");
    let mut carol = town.answering("103", 0, "udp");
    town.calls(("101", 1), "102");
    bob.peer.wait_for("hung up by the other side", PATIENCE);
    drop(bob);
    let master = town.redis.servers.iter().map(|(port, _)| *port);
    let master = master.into_iter().find(|port| town.redis.is_master(*port)).unwrap();
    town.redis.kill(master);
    // At once: what the dead master had is not known to its replica's clients yet.
    for _ in 0..3 {
        town.calls(("101", 1), "103");
        carol.peer.wait_for("hung up by the other side", PATIENCE);
        drop(carol);
        carol = town.coming_back("103", 0, "udp");
    }
    a.die();
    drop(carol);
    // Who was registered there comes to the other one.
    let mut carol = town.answering("103", 1, "udp");
    town.calls(("101", 1), "103");
    carol.peer.wait_for("hung up by the other side", PATIENCE);
    b.die();
}

#[test]
fn a_phone_on_tcp_at_the_other_node_is_called_through_it() {
    a_phone_at_the_other_node_is_called("tcp");
}

#[test]
fn a_phone_on_websocket_at_the_other_node_is_called_through_it() {
    a_phone_at_the_other_node_is_called("ws");
}

/// A nonce is good at both nodes; what was said with it is good once, wherever it is said again.
#[test]
fn what_was_said_at_one_node_cannot_be_said_again_at_the_other() {
    if !place::installed("python3", "python3-minimal") {
        return;
    }
    let Some(town) = Town::open("cluster-replay", 0) else { return };
    let (a, b) = (town.serve(0), town.serve(1));
    let expected = ["200", "401 stale", "401 stale", "200", "401 stale", "200"];
    assert_eq!(said_again(&town).lines().collect::<Vec<_>>(), expected);
    a.stop();
    b.stop();
}

/// What both nodes say to a phone that says again what it has said, in turn.
pub(crate) fn said_again(town: &Town) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop/replay.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(town.phones.ip.to_string());
    command.args(town.nodes.iter().map(|node| node.ip.to_string()));
    let mut phone = Peer::start("replay.py", &mut town.phones.run(&command));
    assert!(phone.end(PATIENCE).success());
    phone.said()
}

/// Who may be reached by TLS alone is called from the other node when nodes speak TLS, and not at all when they do not.
fn secure_calls(name: &str, nodes: Option<&Authority>) -> Option<(bool, String)> {
    let town = Town::open(name, 0)?;
    let phones = Authority::new();
    let (a, b) = (town.serve_secured(0, &phones, nodes), town.serve_secured(1, &phones, nodes));
    let bob = town.secure("102", 1, &phones);
    let mut bob = Phone::start(&town.folder, &bob, &["answer"]);
    bob.peer.wait_for("\"registered\"", PATIENCE);
    let deed = ["call", "sips:102@example.test", "--hangup-after", "1s"];
    let mut alice = Phone::start(&town.folder, &town.secure("101", 0, &phones), &deed);
    let ended = alice.peer.end(PATIENCE);
    if ended.success() {
        bob.peer.wait_for("hung up by the other side", PATIENCE);
    }
    let said = alice.peer.said();
    drop(bob);
    a.die();
    b.die();
    Some((ended.success(), said))
}

#[test]
fn a_sips_phone_at_the_other_node_is_called_by_tls_all_the_way() {
    let nodes = Authority::new();
    if let Some((well, said)) = secure_calls("cluster-sips", Some(&nodes)) {
        assert!(well, "{said}");
    }
}

#[test]
fn a_sips_phone_at_the_other_node_is_not_called_over_tcp() {
    if let Some((well, said)) = secure_calls("cluster-sips-tcp", None) {
        assert!(!well && said.contains("480"), "{said}");
    }
}

/// The listeners of both nodes come and go by reloads, before and behind the one that nodes speak TLS at; so do their certificates. Who is at
/// the other node, by a connection that was there before a reload, is called by TLS all the way after it.
#[test]
fn calls_across_by_tls_survive_reloads_of_listeners_and_certificates() {
    let Some(town) = Town::open("cluster-reload", 0) else { return };
    let (phones, nodes) = (Authority::new(), Authority::new());
    let mut served = [0, 1].map(|node| town.serve_secured(node, &phones, Some(&nodes)));
    let (alice, bob) = (town.secure("101", 0, &phones), town.secure("102", 1, &phones));
    let deed = ["call", "sips:102@example.test", "--hangup-after", "1s"];
    for round in 1..=4 {
        let mut bob = Phone::start(&town.folder, &bob, &["answer"]);
        bob.peer.wait_for("\"registered\"", PATIENCE);
        for (node, server) in served.iter_mut().enumerate() {
            let ip = town.nodes[node].ip;
            let others = match round % 2 {
                1 => format!("udp = [\"{ip}:5062\", \"{ip}:5060\"], ws = \"{ip}:5080\""),
                _ => format!("udp = \"{ip}:5060\", tcp = \"{ip}:5064\""),
            };
            town.renews((node, server), &others, (&phones, &nodes));
        }
        Phone::start(&town.folder, &alice, &deed).ends_well();
        bob.peer.wait_for("hung up by the other side", PATIENCE);
    }
    served.into_iter().for_each(Offhook::die);
}

/// A town with both nodes, and Erin's phone, which a script plays; her Contact. Nothing where there can be none.
fn with_erin(
    open: impl FnOnce() -> Option<Town>,
) -> Option<(Town, [Offhook; 2], Registrant, String)> {
    if !place::installed("python3", "python3-minimal") {
        return None;
    }
    let town = open()?;
    let nodes = [town.serve(0), town.serve(1)];
    let contact = format!("sip:105@{}:7001", town.phones.ip);
    let erin = town.registrant("105");
    Some((town, nodes, erin, contact))
}

/// What an operator is told who takes Erin's phone away at a node.
fn unregister(town: &Town, node: usize) -> Output {
    let url = format!("unix:{}", console(&town.folder.join(node.to_string())));
    command(&["ctl", "--url", &url, "unregister", "105"]).output().unwrap()
}

/// The store is given another shape while it is used: a slot is on its way to another master, then it is there.
#[test]
fn who_registers_does_not_notice_that_a_slot_of_the_store_moves() {
    let Some((town, nodes, mut erin, contact)) = with_erin(|| Town::open("cluster-slots", 0))
    else {
        return;
    };
    let [here, there] = &town.nodes;
    assert_eq!(erin.queries(here), "200");
    let slot = town.redis.begins_to_move("offhook:aor:105");
    // Nothing is kept under this key yet: the old master sends everybody to the new one.
    assert_eq!(erin.registers(here, &contact, 600), format!("200 {contact}"));
    assert_eq!(erin.queries(there), format!("200 {contact}"));
    town.redis.has_moved(&slot);
    assert_eq!(erin.queries(here), format!("200 {contact}"));
    assert_eq!(erin.registers(there, &contact, 0), "200");
    assert_eq!(erin.queries(here), "200");
    nodes.into_iter().for_each(Offhook::stop);
}

/// `SCRIPT FLUSH`, on all servers of the store: what nodes have loaded there is gone.
#[test]
fn who_registers_does_not_notice_that_the_store_forgets_its_scripts() {
    let Some((town, nodes, mut erin, contact)) = with_erin(|| Town::open("cluster-scripts", 0))
    else {
        return;
    };
    let [here, there] = &town.nodes;
    for (node, expires, found) in [(here, 600, true), (there, 600, true), (here, 0, false)] {
        let said = if found { format!("200 {contact}") } else { "200".into() };
        assert_eq!(erin.registers(node, &contact, expires), said);
        for (port, _) in &town.redis.servers {
            assert!(town.redis.cli(*port, &["script", "flush"]).starts_with("OK"));
        }
    }
    nodes.into_iter().for_each(Offhook::stop);
}

/// A master fails, and before its replica has its place an operator throws a phone out: that is so at both nodes afterwards.
#[test]
fn what_is_taken_away_while_a_master_fails_does_not_come_back() {
    let Some((mut town, nodes, mut erin, contact)) = with_erin(|| Town::open("cluster-taken", 1))
    else {
        return;
    };
    let [here, there] = town.nodes.clone();
    assert_eq!(erin.registers(&here, &contact, 600), format!("200 {contact}"));
    assert_eq!(erin.queries(&there), format!("200 {contact}"));
    town.redis.wait_until_whole();
    let master = town.redis.master_of("offhook:aor:105");
    town.redis.kill(master);
    // It says that the store does not know it yet.
    let said = unregister(&town, 0);
    assert!(!said.status.success(), "{said:?}");
    let deadline = Instant::now() + PATIENCE;
    while erin.queries(&there) != "200" {
        assert!(Instant::now() < deadline, "it is there for ever");
    }
    for node in [&here, &there, &here, &there] {
        assert_eq!(erin.queries(node), "200");
    }
    nodes.into_iter().for_each(Offhook::die);
}

/// An operator throws a phone out at the node that has never heard of it: that asks the store.
#[test]
fn what_is_taken_away_at_the_node_that_has_not_heard_of_it_is_gone() {
    let Some((town, nodes, mut erin, contact)) = with_erin(|| Town::open("cluster-away", 0)) else {
        return;
    };
    let [here, there] = &town.nodes;
    assert_eq!(erin.registers(there, &contact, 600), format!("200 {contact}"));
    for gone in [true, false] {
        let said = unregister(&town, 0);
        assert_eq!(said.status.success(), gone, "{said:?}");
    }
    for node in [there, here] {
        assert_eq!(erin.queries(node), "200");
    }
    nodes.into_iter().for_each(Offhook::stop);
}

/// The store speaks TLS and nothing else; its servers are believed because an authority of the operator's own says so, and only then.
#[test]
fn a_store_that_speaks_tls_is_used_when_it_proves_who_it_is() {
    let authority = Authority::new();
    let open = || Town::open_secured("cluster-rediss", &authority);
    let Some((mut town, [a, b], mut erin, contact)) = with_erin(open) else { return };
    let [here, there] = town.nodes.clone();
    assert_eq!(erin.registers(&here, &contact, 600), format!("200 {contact}"));
    assert_eq!(erin.queries(&there), format!("200 {contact}"));
    b.stop();
    let stranger = Authority::new();
    town.trusts(&stranger);
    let b = town.serve(1);
    assert_eq!(erin.registers(&there, &contact, 600), "503 later");
    a.stop();
    b.die();
}
