//! The line between phones and their server is dead for a while (R25), and neither side is told: calls that are up stay up, who was
//! registered is again, who calls meanwhile hears what is wrong, and nobody is called twice.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::land::{Host, Land};
use crate::offhook::{Offhook, listen_at};
use crate::phone::Phone;
use crate::place;

/// A server, and phones on three hosts; those on the first two are cut off.
struct Street {
    alice: Host,
    bob: Host,
    carol: Host,
    server: Host,
    serving: Offhook,
    transport: &'static str,
    folder: PathBuf,
    land: Land,
}

impl Street {
    fn open(name: &str, transport: &'static str, more: &str) -> Option<Self> {
        let name = format!("outage-{name}-{transport}");
        let mut land = Land::new(&name)?;
        let server = land.host("server", &["10.45.0.1/24"]);
        let [alice, bob, carol] = [("alice", 11), ("bob", 12), ("carol", 13)]
            .map(|(name, last)| land.host(name, &[&format!("10.45.0.{last}/24")]));
        let folder = place::folder(&name);
        let numbers = ["101", "102", "103", "104", "105", "106"];
        let lines = listen_at(&server)
            + "domains = [\"10.45.0.1\"]\nrecords = { json = \"calls.jsonl\" }\n"
            + more;
        let serving = Offhook::serve_on(&server, &folder, &numbers, &lines);
        Some(Self { alice, bob, carol, server, serving, transport, folder, land })
    }

    /// A phone that does so, and is registered.
    fn phone(&self, number: &str, host: &Host, tone: f64, words: &[&str], deed: &[&str]) -> Phone {
        let account = Account::new(number, self.server.at(5060)).by(self.transport);
        let account = account.on(host).playing(tone);
        let ip = host.ip.to_string();
        let words = [&["--bind", &ip], words].concat();
        let mut phone = Phone::start_with(&self.folder, &account, &words, deed);
        phone.peer.wait_for("\"registered\"", PATIENCE);
        phone
    }

    /// Alice and Bob reach nobody any more, and do not see why.
    fn cut(&self) {
        [&self.alice, &self.bob].into_iter().for_each(|host| self.land.cut(host));
    }

    fn heal(&self) {
        [&self.alice, &self.bob].into_iter().for_each(|host| self.land.heal(host));
    }

    /// The end of the server; of each call that it has a record of, whom it was for, and its status.
    fn closes(self) -> Vec<(String, u64)> {
        self.serving.stop();
        let text = std::fs::read_to_string(self.folder.join("calls.jsonl")).unwrap();
        let records: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let ids: BTreeSet<_> = records.iter().map(|record| record["call_id"].as_str()).collect();
        assert_eq!(ids.len(), records.len(), "two records of one call: {text}");
        let dialled = |record: &Value| {
            let uri = record["dialled"].as_str().unwrap();
            uri.trim_start_matches("sip:").split('@').next().unwrap().to_owned()
        };
        let status = |record: &Value| record["status"].as_u64().unwrap();
        let mut calls: Vec<_> = records.iter().map(|one| (dialled(one), status(one))).collect();
        calls.sort_unstable();
        calls
    }
}

/// How many calls have come to a phone.
fn rang(phone: &Phone) -> usize {
    phone.peer.said().matches("\"event\":\"incoming\"").count()
}

/// Types a line, and waits for the answer of the other side to it.
fn agrees(phone: &mut Phone, line: &str) {
    phone.peer.type_line(line);
    is_agreed(phone);
}

fn is_agreed(phone: &mut Phone) {
    let done = phone.peer.wait_for("\"hold_done\"", PATIENCE);
    assert!(done.contains("\"status\":200"), "{done}");
}

/// A phone that is typed to has no call any more, and goes.
fn quits(mut phone: Phone) {
    phone.peer.type_line("quit");
    let ended = phone.peer.end(PATIENCE);
    assert!(ended.success(), "{ended}\n{}", phone.peer.said());
}

/// Seconds in which nobody reaches anybody: what is asked meanwhile is repeated, and done afterwards, once.
fn five_seconds(transport: &'static str) {
    let Some(street) = Street::open("short", transport, "") else { return };
    let (alice, bob) = (&street.alice, &street.bob);
    let mut called = street.phone("102", bob, 1000.0, &[], &["answer"]);
    let mut caller = street.phone("101", alice, 440.0, &[], &[]);
    let mut late = street.phone("103", alice, 440.0, &[], &[]);
    let mut other = street.phone("104", bob, 1000.0, &[], &["answer"]);
    caller.peer.type_line("call 102");
    caller.peer.wait_for("\"established\"", PATIENCE);
    called.peer.wait_for("\"established\"", PATIENCE);
    caller.hears_now(1000.0);
    called.hears_now(440.0);
    street.cut();
    caller.peer.type_line("hold");
    late.peer.type_line("call 104");
    assert!(caller.peer.seek("\"event\"", Duration::from_secs(5)).is_err(), "nobody answers");
    street.heal();
    is_agreed(&mut caller);
    agrees(&mut caller, "resume");
    caller.hears_now(1000.0);
    called.hears_now(440.0);
    late.peer.wait_for("\"established\"", PATIENCE);
    other.hears_now(440.0);
    late.hears_now(1000.0);
    late.peer.type_line("hangup");
    other.peer.wait_for("hung up by the other side", PATIENCE);
    called.peer.terminate();
    caller.peer.wait_for("hung up by the other side", PATIENCE);
    assert_eq!((rang(&called), rang(&other)), (1, 1));
    called.ends_well();
    other.ends_well();
    quits(caller);
    quits(late);
    assert_eq!(street.closes(), [("102".into(), 200), ("104".into(), 200)]);
}

#[test]
fn calls_outlast_five_seconds_without_a_line_over_udp() {
    five_seconds("udp");
}

#[test]
fn calls_outlast_five_seconds_without_a_line_over_tcp() {
    five_seconds("tcp");
}

/// More than a minute: longer than a request is repeated, and than it takes to see that a way is dead (RFC 5626 §4.4). Phones that keep their ways open see that they are dead, and are registered again when
/// they are not; the call that was up stands; who calls or is called meanwhile is not reached, and not called afterwards either.
fn a_minute(transport: &'static str) {
    let more = "registrar = { flow_timer = 20 }\n";
    let Some(street) = Street::open("long", transport, more) else { return };
    let (alice, bob, carol) = (&street.alice, &street.bob, &street.carol);
    let way = format!("sip:{};transport={transport};lr", street.server.at(5060));
    let kept = &["--flow", &*way];
    let mut called = street.phone("102", bob, 1000.0, kept, &["answer"]);
    let mut caller = street.phone("101", alice, 440.0, kept, &[]);
    let mut idle = street.phone("105", bob, 1000.0, kept, &["answer"]);
    // It rings until somebody picks up; nobody does.
    let deaf = street.phone("104", bob, 1000.0, &[], &["answer", "--after", "10m"]);
    let mut cut = street.phone("103", alice, 440.0, &[], &[]);
    let mut outside = street.phone("106", carol, 440.0, &[], &[]);
    caller.peer.type_line("call 102");
    caller.peer.wait_for("\"established\"", PATIENCE);
    caller.hears_now(1000.0);
    called.hears_now(440.0);
    street.cut();
    let healed = Instant::now() + OUTAGE;
    outside.peer.type_line("call 104");
    cut.peer.type_line("call 104");
    for phone in [&mut outside, &mut cut] {
        let ended = phone.peer.wait_for("\"ended\"", OUTAGE);
        // Nobody answered, or the kernel says that nobody is there.
        assert!(["408", "480", "500"].iter().any(|status| ended.contains(status)), "{ended}");
    }
    let rest = healed.saturating_duration_since(Instant::now());
    assert!(called.peer.seek("\"ended\"", rest).is_err(), "its call is up");
    street.heal();
    for phone in [&mut idle, &mut called, &mut caller] {
        phone.peer.wait_for("\"registered\"", RECOVERY);
    }
    caller.hears_now(1000.0);
    called.hears_now(440.0);
    agrees(&mut caller, "hold");
    agrees(&mut caller, "resume");
    outside.peer.type_line("call 105");
    outside.peer.wait_for("\"established\"", PATIENCE);
    outside.peer.type_line("hangup");
    idle.peer.wait_for("hung up by the other side", PATIENCE);
    caller.peer.type_line("hangup");
    called.peer.wait_for("hung up by the other side", PATIENCE);
    // What came too late was taken back at once.
    let said = deaf.peer.said();
    assert!(rang(&deaf) <= 1, "{said}");
    assert_eq!(rang(&deaf), said.matches("\"event\":\"ended\"").count(), "{said}");
    assert_eq!((rang(&called), rang(&idle)), (1, 1));
    deaf.peer.terminate();
    for phone in [caller, cut, outside] {
        quits(phone);
    }
    // Of those who called meanwhile one has reached the server.
    let records = street.closes();
    let numbers: Vec<_> = records.iter().map(|(number, _)| &**number).collect();
    assert_eq!(numbers, ["102", "104", "105"], "{records:?}");
    assert!(records.iter().all(|(number, status)| (*status == 200) == (number != "104")));
}

#[test]
#[ignore = "takes three minutes: run by .ci/nightly"]
fn phones_recover_from_a_minute_without_a_line_over_udp() {
    a_minute("udp");
}

#[test]
#[ignore = "takes three minutes: run by .ci/nightly"]
fn phones_recover_from_a_minute_without_a_line_over_tcp() {
    a_minute("tcp");
}

const OUTAGE: Duration = Duration::from_secs(75);

/// How long a phone may pause between registrations that fail, after two or three of them (RFC 5626 §4.5).
const RECOVERY: Duration = Duration::from_secs(240);

/// A call whose peer is gone for good ends by its session timer (RFC 4028): at the phone that is left, whoever called, and in the records of the server when
/// nobody is left.
fn gone_for_good(transport: &'static str) {
    let more = "proxy = { session_timer = { expires = 90, min = 90 } }\n";
    let Some(street) = Street::open("gone", transport, more) else { return };
    let (alice, bob, carol) = (&street.alice, &street.bob, &street.carol);
    let mut gone_callee = street.phone("102", bob, 1000.0, &[], &["answer"]);
    let mut left_caller = street.phone("101", carol, 440.0, &[], &[]);
    let mut left_callee = street.phone("104", carol, 1000.0, &[], &["answer"]);
    let mut gone_caller = street.phone("103", bob, 440.0, &[], &[]);
    let mut both_callee = street.phone("106", bob, 1000.0, &[], &["answer"]);
    let mut both_caller = street.phone("105", alice, 440.0, &[], &[]);
    for (caller, callee, number) in [
        (&mut left_caller, &mut gone_callee, "102"),
        (&mut gone_caller, &mut left_callee, "104"),
        (&mut both_caller, &mut both_callee, "106"),
    ] {
        caller.peer.type_line(&format!("call {number}"));
        caller.peer.wait_for("\"established\"", PATIENCE);
        callee.peer.wait_for("\"established\"", PATIENCE);
    }
    street.cut();
    for left in [&mut left_caller, &mut left_callee] {
        left.peer.wait_for("\"ended\"", GONE);
    }
    let mut street = street;
    let file = street.folder.join("calls.jsonl");
    let written = || std::fs::read_to_string(&file).is_ok_and(|text| text.lines().count() == 3);
    street.serving.peer.wait_until("three records", GONE, written);
    assert_eq!(street.closes(), [("102".into(), 200), ("104".into(), 200), ("106".into(), 200)]);
}

#[test]
#[ignore = "takes two minutes: run by .ci/nightly"]
fn a_call_whose_peer_is_gone_ends_by_its_session_timer_over_udp() {
    gone_for_good("udp");
}

#[test]
#[ignore = "takes two minutes: run by .ci/nightly"]
fn a_call_whose_peer_is_gone_ends_by_its_session_timer_over_tcp() {
    gone_for_good("tcp");
}

/// Longer than a session without a refresh, and than the request that nobody answers then.
const GONE: Duration = Duration::from_secs(90 + 40);
