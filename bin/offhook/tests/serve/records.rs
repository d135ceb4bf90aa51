//! Call records of a server as it is run: a call, a call that outlives the server, a kill, a half line.

use std::path::Path;

use serde_json::Value;

use crate::both::Phone;
use crate::console::ctl;
use crate::{Server, between, folder};

fn config(folder: &Path) -> String {
    format!(
        "domains = [\"127.0.0.1\"]\n[listen]\nudp = \"127.0.0.1:0\"\ntcp = []\n[auth]\nchallenge = []\n[store]\ndurability = \"memory\"\n\
         [records]\njson = \"{0}/calls.jsonl\"\ncsv = \"{0}/calls.csv\"\nnode = \"test\"\n[[route]]\nname = \"carrier\"\nmatch = {{ prefix = \"+\" }}\n\
         to = \"sip:PEER\"\n",
        folder.display()
    )
}

fn records(folder: &Path, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(name)).expect("written");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn every_call_has_its_record_when_the_server_is_told_to_stop() {
    let (folder, mut phone) = (folder("serve-records"), Phone::new());
    let mut server = Server::start(&folder, &config(&folder).replace("PEER", &phone.us));
    phone.calls_through(&server.udp, "+4930");
    phone.call("=one").hangs_up();
    phone.call("two");
    // From now on they go elsewhere.
    let moved = config(&folder).replace("PEER", &phone.us).replace("calls.jsonl", "moved.jsonl");
    server.reload(&folder, &moved, "reloaded");
    phone.call("three").hangs_up();
    server.signal("TERM");
    server.line("\"event\":\"stopped\"");
    assert!(server.child.wait().expect("ended").success());
    let moved = records(&folder, "moved.jsonl");
    let ids: Vec<_> = moved.iter().map(|record| record["call_id"].as_str()).collect();
    assert_eq!(ids, [Some("three"), Some("two")]);
    let (records, two) = (records(&folder, "calls.jsonl"), &moved[1]);
    let [one] = &records[..] else { panic!("{records:?}") };
    for (name, expected) in [
        ("call_id", "=one"),
        ("hung_up", "caller"),
        ("route", "carrier"),
        ("target", &*phone.us),
        ("transport_in", "udp"),
        ("node", "test"),
    ] {
        assert_eq!(one[name].as_str(), Some(expected), "{name}: {one}");
    }
    assert_eq!((&one["status"], &one["clock_set"]), (&200.into(), &false.into()));
    assert!(one["talk_ms"].as_u64() <= one["duration_ms"].as_u64(), "{one}");
    assert_eq!((two["call_id"].as_str(), two["hung_up"].as_str()), (Some("two"), Some("server")));
    let csv = std::fs::read_to_string(folder.join("calls.csv")).expect("written");
    let begins: Vec<_> = csv.lines().filter_map(|line| line.split(',').next()).collect();
    assert_eq!(begins, ["call_id", "\"'=one\"", "\"three\"", "\"two\""]);
}

/// Who bills by records hears of those that are lost before the month is over: in the status, in the metrics, and in the log also when they go elsewhere.
#[test]
fn records_that_are_lost_are_told_by_the_console_too() {
    let (folder, mut phone) = (folder("serve-records-lost"), Phone::new());
    let console = "[listen]\nconsole = \"127.0.0.1:0\"\n";
    let config = config(&folder).replace("PEER", &phone.us).replace("[listen]\n", console);
    let full = config.replace(&format!("{}/calls.csv", folder.display()), "/dev/full");
    let mut server = Server::start(&folder, &full);
    let line = server.line("\"transport\":\"console\"");
    let url = format!("http://{}", between(&line, "\"address\":\"", "\""));
    phone.calls_through(&server.udp, "+4930");
    phone.call("one").hangs_up();
    server.line("\"event\":\"records_refused\"");
    let (_, status, _) = ctl(&["--url", &url, "status"]);
    assert!(status.contains("a file takes no call records"), "{status}");
    let (_, page, _) = ctl(&["--url", &url, "metrics"]);
    for what in ["written", "lost"] {
        let sample = format!("offhook_call_records_total{{what=\"{what}\"}} 1\n");
        assert!(page.contains(&sample), "{page}");
    }
    server.reload(&folder, &config, "records_lost");
    while ctl(&["--url", &url, "status"]).1.contains("a file takes no call records") {
        std::thread::yield_now();
    }
}

#[test]
fn after_a_kill_what_had_ended_is_there_and_half_a_line_is_cut() {
    let (folder, mut phone) = (folder("serve-records-killed"), Phone::new());
    let config = config(&folder).replace("PEER", &phone.us);
    let mut server = Server::start(&folder, &config);
    phone.calls_through(&server.udp, "+4930");
    phone.call("one").hangs_up();
    let file = folder.join("calls.jsonl");
    let written = || std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with("}\n"));
    while !written() {
        std::thread::yield_now();
    }
    phone.call("lost");
    server.signal("KILL");
    server.child.wait().expect("ended");
    // As a power cut would leave it.
    let mut text = std::fs::read_to_string(&file).expect("written");
    text += "{\"call_id\":\"ha";
    std::fs::write(&file, text).expect("written");
    let mut server = Server::start(&folder, &config);
    server.line("\"event\":\"records_mended\"");
    phone.calls_through(&server.udp, "+4930");
    phone.call("after").hangs_up();
    server.signal("TERM");
    server.line("\"event\":\"stopped\"");
    let ids: Vec<_> = records(&folder, "calls.jsonl")
        .iter()
        .map(|record| record["call_id"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(ids, ["one", "after"].map(|id| Some(id.to_owned())));
}
