//! `offhook ctl hangup`: an operator ends calls of telephones on every shard, by UDP and TCP, and sees what came of it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use media::Silence;
use offhook::telephone::Telephone;
use phone::Account;
use protocol::Transport;
use serde_json::Value;

use super::both::Phone;
use super::console::Console;
use super::folder;
use super::schema::check;

const PATIENCE: Duration = Duration::from_secs(20);

fn telephone(user: &str, transport: Transport, server: &str) -> Telephone {
    let account = Account::new(&format!("sip:{user}@example.test")).expect("an address");
    let account = account.server(server).expect("a server").by(transport);
    let telephone = Telephone::open_at(&account, IpAddr::V4(Ipv4Addr::LOCALHOST)).expect("open");
    telephone.register(PATIENCE).expect("registered");
    telephone
}

#[test]
fn calls_on_every_shard_are_ended_and_both_telephones_hear_it() {
    let folder = folder("console-hangup");
    let file = folder.join("calls.jsonl");
    let more = format!("[server]\nshards = 4\n[records]\njson = \"{}\"\n", file.display());
    let mut console = Console::start(&folder, &more);
    let document = console.get("/api/v1/openapi.json");
    let alice = telephone("101", Transport::Udp, &console.server.udp);
    let bob = telephone("102", Transport::Tcp, &console.tcp);
    let (mut shards, mut ended) = (BTreeSet::new(), 0);
    while shards.len() < 2 || ended < 6 {
        let (caller, callee, whom) = if ended % 2 == 0 {
            (&alice, &bob, "sip:102@example.test")
        } else {
            (&bob, &alice, "sip:101@example.test")
        };
        let ours = caller.call(whom, Box::new(Silence)).expect("a call");
        let (theirs, _) = callee.until_called(PATIENCE).expect("called");
        callee.answer(theirs, Box::new(Silence)).expect("answered");
        caller.until_up(ours, PATIENCE).expect("up");
        let listed = console.get("/api/v1/calls");
        let call = &listed["calls"][0];
        let text = |name: &str| call[name].as_str().expect("text").to_owned();
        let (id, call_id) = (text("id"), text("call_id"));
        shards.insert(id.split('.').next().expect("a shard").to_owned());
        let name = [&id, &call_id, &call_id[..10]][ended % 3];
        let (code, said, why) = console.ctl(&["hangup", name]);
        assert_eq!(
            (code, &*said),
            (Some(0), "The call is over.\ncaller  has hung up (200)\ncallee  has hung up (200)\n"),
            "{why}"
        );
        assert_eq!(caller.until_over(ours, PATIENCE), Ok(200));
        assert_eq!(callee.until_over(theirs, PATIENCE), Ok(200));
        let log = console.server.line("\"event\":\"hangs_up\"");
        assert!(log.contains(&call_id) && log.contains("\"by\":\"operator\""), "{log}");
        assert!(console.server.line("\"event\":\"hung_up\"").contains("\"over\":true"));
        let (code, _, why) = console.ctl(&["hangup", &id]);
        let over = format!("the call `{id}` is over: an operator has ended it\n");
        assert_eq!((code, why), (Some(1), over));
        ended += 1;
    }
    // One that rings.
    let ours = alice.call("sip:102@example.test", Box::new(Silence)).expect("a call");
    let (theirs, _) = bob.until_called(PATIENCE).expect("called");
    let listed = console.get("/api/v1/calls");
    let id = listed["calls"][0]["id"].as_str().expect("text").to_owned();
    let (status, body) = console.curl(&format!("/api/v1/calls/{id}"), &["-X", "DELETE"]);
    let answer: Value = serde_json::from_str(&body).expect("JSON");
    check(&document, "HungUp", &answer);
    assert_eq!((status, &answer["was"], &answer["caller"]), (200, &"ringing".into(), &487.into()));
    assert_eq!(alice.until_over(ours, PATIENCE), Ok(487));
    assert_eq!(bob.until_over(theirs, PATIENCE), Ok(487));
    assert_eq!(console.get("/api/v1/calls")["calls"].as_array().map(Vec::len), Some(0));
    [alice, bob].into_iter().for_each(|telephone| telephone.close().expect("closed"));
    console.server.signal("TERM");
    console.server.line("\"event\":\"stopped\"");
    let records = std::fs::read_to_string(file).expect("written");
    let by_operator = records.matches("\"hung_up\":\"operator\"").count();
    assert_eq!((by_operator, records.lines().count()), (ended + 1, ended + 1), "{records}");
}

#[test]
fn which_call_is_meant_must_be_clear_and_a_deaf_one_is_not_waited_for() {
    let route = "[server]\nshards = 2\n[[route]]\nname = \"carrier\"\nmatch = { prefix = \"+\" }\nto = \"sip:PEER\"\n";
    let mut phone = Phone::new();
    let console = Console::start(&folder("console-which"), &route.replace("PEER", &phone.us));
    let document = console.get("/api/v1/openapi.json");
    phone.calls_through(&console.server.udp, "+4930");
    let (_one, _two) = (phone.call("alike-1"), phone.call("alike-2"));
    let why = |name: &str| console.ctl(&["hangup", name]).2;
    assert_eq!(why("nobody"), "there is no call `nobody` now\n");
    // So little is a slip of the finger.
    assert_eq!(why("ali"), "there is no call `ali` now: so short a name is an id, or nothing\n");
    let which = why("alike");
    assert!(
        which.starts_with("`alike` is how several calls begin: name one by its id: "),
        "{which}"
    );
    // Nobody reads what comes for that phone: its BYEs are repeated, and whoever ordered that is told so soon.
    let (status, body) = console.curl("/api/v1/calls/alike-2", &["-X", "DELETE"]);
    let answer: Value = serde_json::from_str(&body).expect("JSON");
    check(&document, "HungUp", &answer);
    assert_eq!((status, &answer["over"], &answer["caller"]), (202, &false.into(), &Value::Null));
    let (code, said, _) = console.ctl(&["hangup", "alike-2"]);
    assert!(code == Some(0) && said.starts_with("Both are told to hang up.\n"), "{said}");
    assert_eq!(console.get("/api/v1/calls")["calls"].as_array().map(Vec::len), Some(2));
}
