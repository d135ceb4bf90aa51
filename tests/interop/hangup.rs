//! An operator hangs up: calls of phones that nobody here wrote end at both sides, those that are up and those that ring, and each side hears why.

use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use crate::account::Account;
use crate::baresip::{Baresip, PATIENCE};
use crate::land::Host;
use crate::offhook::{Offhook, command};
use crate::sipp::Sipp;
use crate::town::console;
use crate::{place, table};

/// What the console of the server in a folder says to `offhook ctl`.
fn ctl(folder: &Path, words: &[&str]) -> String {
    let url = format!("unix:{}", console(folder));
    let output = command(&[&["ctl", "--url", &url], words].concat()).output().unwrap();
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Waits until so many calls are in this state: their IDs, and their Call-IDs.
fn calls(folder: &Path, count: usize, state: &str) -> Vec<(String, String)> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let listed = ctl(folder, &["calls", "--json"]);
        let calls: Vec<Value> =
            listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        if calls.len() == count && calls.iter().all(|call| call["state"] == state) {
            let text = |call: &Value, name| call[name].as_str().unwrap().to_owned();
            return calls.iter().map(|call| (text(call, "id"), text(call, "call_id"))).collect();
        }
        assert!(Instant::now() < deadline, "{count} calls that are {state}: {listed}");
    }
}

/// A server that routes what begins with 7 there, and has a console.
fn serve(folder: &Path, port: u16) -> Offhook {
    let lines = format!(
        "listen = {{ udp = \"127.0.0.1:0\", tcp = \"127.0.0.1:0\", console_socket = {:?} }}\n\
         store = {{ durability = \"memory\" }}\nauth = {{ challenge = [] }}\nserver = {{ shards = 2 }}\n\
         route = [{{ match = {{ prefix = \"7\" }}, to = \"sip:127.0.0.1:{port}\" }}]\n",
        console(folder)
    );
    Offhook::serve_on(&Host::HERE, folder, &["101", "102"], &lines)
}

/// Calls from SIPp to SIPp, in these scenarios; each is ended by an operator when it is so far, half of them by their Call-IDs.
fn sipp_to_sipp(name: &str, (callee, caller): (&str, &str), (state, said): (&str, &str)) {
    if !place::installed("sipp", "sip-tester") {
        return;
    }
    let folder = place::folder(name);
    let (callee, port) = Sipp::answering(&folder, (callee, CALLS), "u1");
    let server = serve(&folder, port);
    let address = server.udp.to_string();
    let arguments = [&*address, "-s", "7000", "-t", "u1", "-r", "100", "-timeout", "100s"];
    let at = (&Host::HERE, place::free_port());
    let caller = Sipp::start(&folder, at, (caller, CALLS), &arguments);
    for (nth, (id, call_id)) in calls(&folder, CALLS as usize, state).iter().enumerate() {
        let name = if nth % 2 == 0 { id } else { call_id };
        assert_eq!(ctl(&folder, &["hangup", name]), said);
    }
    calls(&folder, 0, state);
    for mut side in [caller, callee] {
        let ended = side.peer.end(PATIENCE);
        side.assert_all_fine();
        assert!(ended.success(), "{ended}");
    }
    server.stop();
}

#[test]
fn calls_of_sipp_that_are_up_are_ended_by_an_operator() {
    let said = "The call is over.\ncaller  has hung up (200)\ncallee  has hung up (200)\n";
    sipp_to_sipp("hangup-up", (CALLEE, CALLER), ("up", said));
    table::passed(
        &table::SIPP,
        "Ten calls that are up are ended by an operator: a BYE to both",
        "UDP",
    );
}

#[test]
fn calls_of_sipp_that_ring_are_ended_by_an_operator() {
    let said = "The call is over before it was answered: its caller hears 487.\n";
    sipp_to_sipp("hangup-rings", (RINGS, WAITS), ("ringing", said));
    let feature = "Ten calls that ring are ended by an operator: CANCEL to one, 487 to the other";
    table::passed(&table::SIPP, feature, "UDP");
}

#[test]
fn a_call_of_two_baresips_is_ended_by_an_operator() {
    if !place::installed("baresip", "baresip-core") {
        return;
    }
    let folder = place::folder("hangup-baresip");
    let server = serve(&folder, 9);
    let account = |number| Account::new(number, server.udp);
    let mut bob = Baresip::register(&folder, &account("102").playing(1000.0));
    let mut alice = Baresip::register(&folder, &account("101"));
    alice.dial(&account("102").uri());
    bob.peer.wait_for("Call established", PATIENCE);
    [&mut alice, &mut bob].into_iter().for_each(|phone| phone.listen(1));
    let (_, call_id) = calls(&folder, 1, "up").remove(0);
    let said = "The call is over.\ncaller  has hung up (200)\ncallee  has hung up (200)\n";
    assert_eq!(ctl(&folder, &["hangup", &call_id[..8]]), said);
    for phone in [&mut alice, &mut bob] {
        phone.peer.wait_for("session closed", PATIENCE);
        assert!(phone.peer.said().contains("Ended by the operator"));
    }
    // Nothing is left of it, and the next one is like any other.
    alice.dial(&account("102").uri());
    bob.peer.wait_for("Call established", PATIENCE);
    [&mut alice, &mut bob].into_iter().for_each(|phone| phone.listen(1));
    alice.hang_up();
    bob.peer.wait_for("session closed", PATIENCE);
    [alice, bob].into_iter().for_each(|phone| drop(phone.quit()));
    server.stop();
    table::passed(&table::BARESIP, "A call that is up is ended by an operator", "UDP");
}

const CALLS: u64 = 10;
const CALLEE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop/hangup/callee.xml");
const CALLER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop/hangup/caller.xml");
const RINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop/hangup/rings.xml");
const WAITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop/hangup/waits.xml");
