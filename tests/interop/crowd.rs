//! A node and a master of the store die under load: how long nobody is served, what becomes of the calls that were up, and of the others.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::baresip::PATIENCE;
use crate::offhook::Offhook;
use crate::peer::Peer;
use crate::place;
use crate::town::{MOVES, Town};

/// How much there is to do.
struct Load {
    registers: u64,
    calls: u64,
    seconds: u64,
    users: u64,
    /// Whether a node and a master die.
    deaths: bool,
}

/// What became of it.
fn what_becomes_of(name: &str, load: &Load) -> Option<Value> {
    if !place::installed("python3", "python3-minimal") {
        return None;
    }
    let Load { registers, calls, seconds, users, deaths } = load;
    let mut town = Town::open(name, 1)?;
    town.numbers = (1000..1000 + users).map(|number| number.to_string()).collect();
    let (a, b) = (town.serve_moving(0), town.serve_moving(1));
    town.move_to(0, None);
    let mut command = Command::new("python3");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop/crowd.py"));
    command.args([&town.phones.ip.to_string(), MOVES, &town.nodes[1].ip.to_string()]);
    command.args([registers, calls, seconds, users].map(u64::to_string));
    let mut crowd = Peer::start("crowd.py", &mut town.phones.run(&command));
    crowd.wait_for("ready", PATIENCE);
    let whole = Duration::from_secs(*seconds) + PATIENCE;
    let a = if *deaths { kills(&mut town, &mut crowd, a, whole) } else { Some(a) };
    let line = crowd.wait_for("stored_each_second", whole);
    println!("{line}");
    drop((crowd, a));
    b.die();
    Some(serde_json::from_str(&line).unwrap())
}

/// Has the first node die, its address move, and then a master die, each when the crowd says that it is time.
fn kills(town: &mut Town, crowd: &mut Peer, node: Offhook, whole: Duration) -> Option<Offhook> {
    crowd.wait_for("node", whole);
    node.die();
    crowd.type_line("node");
    crowd.wait_for("silent", PATIENCE);
    town.move_to(1, Some(0));
    crowd.wait_for("master", whole);
    let master = town.redis.servers.iter().map(|(port, _)| *port);
    let master = master.into_iter().find(|port| town.redis.is_master(*port)).unwrap();
    town.redis.kill(master);
    crowd.type_line("master");
    None
}

/// What must be true of it, whatever the machine can do.
fn assert_calls_go_on(found: &Value, load: &Load) {
    let number = |key: &str| found[key].as_u64().unwrap();
    assert_eq!(number("calls_staying_failed"), 0, "of users of the node that lives");
    assert!(number("calls_staying") > 0 && number("was_up_when_the_node_died") > 0);
    let (up, kept) = (number("was_up_when_the_node_died"), number("kept_signalling"));
    assert!(kept * 100 >= up * 99, "{kept} of {up} calls kept signalling");
    let without = found["longest_without_a_call"].as_f64().unwrap();
    assert!(without < 3.0, "nobody was called for {without} s");
    assert!(number("calls_moving_failed") <= 3 * load.calls / 2);
    assert_eq!(found["registers"]["failed"], 0);
    let stored = found["stored_each_second"].as_array().unwrap();
    let last = stored.last().and_then(Value::as_u64).unwrap();
    assert!(last * 10 >= load.registers * 9, "{last} are stored in the last second");
}

/// As much as a debug build does beside other tests.
#[test]
fn calls_go_on_when_a_node_and_a_master_die_under_load() {
    let load = Load { registers: 60, calls: 10, seconds: 16, users: 80, deaths: true };
    if let Some(found) = what_becomes_of("crowd", &load) {
        assert_calls_go_on(&found, &load);
    }
}

/// 50 calls and 1,000 REGISTER a second. It wants a release build, which `OFFHOOK` names, and a machine of its own.
#[test]
#[ignore = "a minute of load: OFFHOOK=$PWD/target/release/offhook cargo test -p offhook --test interop -- --ignored crowd"]
fn calls_go_on_when_a_node_and_a_master_die_under_full_load() {
    let load = Load { registers: 1_000, calls: 50, seconds: 60, users: 1_000, deaths: true };
    if let Some(found) = what_becomes_of("crowd-full", &load) {
        assert_calls_go_on(&found, &load);
    }
}

/// As many REGISTERs as the crowd can say, or the nodes can take: how many are stored.
#[test]
#[ignore = "a measurement: OFFHOOK=$PWD/target/release/offhook cargo test -p offhook --test interop -- --ignored crowd"]
fn how_many_registers_two_nodes_store_together() {
    let load = Load { registers: 6_000, calls: 1, seconds: 15, users: 3_000, deaths: false };
    let Some(found) = what_becomes_of("crowd-most", &load) else { return };
    assert_eq!(found["registers"]["failed"], 0);
    let stored = found["registers"]["stored"].as_u64().unwrap();
    assert!(stored / load.seconds > 1_000, "{stored} in {} s", load.seconds);
}
