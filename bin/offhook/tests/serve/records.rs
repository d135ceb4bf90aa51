//! Call records of a server as it is run: a call, a call that outlives the server, a kill, a half line.

use std::net::UdpSocket;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::{Server, folder};

fn config(folder: &Path) -> String {
    format!(
        "domains = [\"127.0.0.1\"]\n[listen]\nudp = \"127.0.0.1:0\"\ntcp = []\n[auth]\nchallenge = []\n[store]\ndurability = \"memory\"\n\
         [records]\njson = \"{0}/calls.jsonl\"\ncsv = \"{0}/calls.csv\"\nnode = \"test\"\n[[route]]\nname = \"carrier\"\nmatch = {{ prefix = \"+\" }}\n\
         to = \"sip:PEER\"\n",
        folder.display()
    )
}

/// A phone that plays both sides of its calls.
struct Phone {
    socket: UdpSocket,
    us: String,
}

impl Phone {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
        socket.set_read_timeout(Some(Duration::from_secs(40))).expect("set");
        let us = socket.local_addr().expect("bound").to_string();
        Self { socket, us }
    }

    fn request(&self, server: &str, method: &str, call: &str, rows: &str) {
        let (user, tag) = if method == "BYE" { ("callee", ";tag=2") } else { ("+4930", "") };
        let host = if method == "BYE" { &self.us } else { server };
        let wire = format!(
            "{method} sip:{user}@{host} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{method}{call}\r\nFrom: <sip:a@b>;tag=1\r\n\
             To: <sip:+4930@{server}>{tag}\r\nCall-ID: {call}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\nContact: <sip:a@{us}>\r\n\
             {rows}Content-Length: 0\r\n\r\n",
            us = self.us
        );
        self.socket.send_to(wire.as_bytes(), server).expect("sent");
    }

    /// The next message that begins so; others are read past.
    fn hears(&self, begins: &str) -> String {
        loop {
            let mut octets = [0; 4096];
            let length = self.socket.recv(&mut octets).expect("a message");
            let text = String::from_utf8_lossy(octets.get(..length).expect("it fits")).into_owned();
            if text.starts_with(begins) {
                return text;
            }
        }
    }

    /// Answers a request that the server sent.
    fn says(&self, server: &str, request: &str, line: &str) {
        let copied = ["Via:", "From:", "Call-ID:", "CSeq:", "Record-Route:"];
        let mut wire = format!("SIP/2.0 {line}\r\n");
        for row in request.lines() {
            if copied.iter().any(|name| row.starts_with(name)) {
                wire += &format!("{row}\r\n");
            }
            if row.starts_with("To:") {
                wire +=
                    &format!("{}{}\r\n", row, if row.contains(";tag=") { "" } else { ";tag=2" });
            }
        }
        wire += &format!("Contact: <sip:callee@{}>\r\nContent-Length: 0\r\n\r\n", self.us);
        self.socket.send_to(wire.as_bytes(), server).expect("sent");
    }

    /// A call that is up; the Route rows for what belongs to it.
    fn call(&self, server: &str, call: &str) -> String {
        self.request(server, "INVITE", call, "");
        let invite = self.hears("INVITE ");
        self.says(server, &invite, "180 Ringing");
        self.hears("SIP/2.0 180");
        self.says(server, &invite, "200 OK");
        let ok = self.hears("SIP/2.0 200");
        let routes = ok.lines().filter_map(|row| row.strip_prefix("Record-Route: "));
        routes.map(|route| format!("Route: {route}\r\n")).collect()
    }

    fn hangs_up(&self, server: &str, call: &str, routes: &str) {
        self.request(server, "BYE", call, routes);
        let bye = self.hears("BYE ");
        self.says(server, &bye, "200 OK");
        self.hears("SIP/2.0 200");
    }
}

fn records(folder: &Path, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(name)).expect("written");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn every_call_has_its_record_when_the_server_is_told_to_stop() {
    let (folder, phone) = (folder("serve-records"), Phone::new());
    let mut server = Server::start(&folder, &config(&folder).replace("PEER", &phone.us));
    let routes = phone.call(&server.udp, "=one");
    phone.hangs_up(&server.udp, "=one", &routes);
    phone.call(&server.udp, "two");
    // From now on they go elsewhere.
    let moved = config(&folder).replace("PEER", &phone.us).replace("calls.jsonl", "moved.jsonl");
    server.reload(&folder, &moved, "reloaded");
    let routes = phone.call(&server.udp, "three");
    phone.hangs_up(&server.udp, "three", &routes);
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

#[test]
fn after_a_kill_what_had_ended_is_there_and_half_a_line_is_cut() {
    let (folder, phone) = (folder("serve-records-killed"), Phone::new());
    let config = config(&folder).replace("PEER", &phone.us);
    let mut server = Server::start(&folder, &config);
    let routes = phone.call(&server.udp, "one");
    phone.hangs_up(&server.udp, "one", &routes);
    let file = folder.join("calls.jsonl");
    let written = || std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with("}\n"));
    while !written() {
        std::thread::yield_now();
    }
    phone.call(&server.udp, "lost");
    server.signal("KILL");
    server.child.wait().expect("ended");
    // As a power cut would leave it.
    let mut text = std::fs::read_to_string(&file).expect("written");
    text += "{\"call_id\":\"ha";
    std::fs::write(&file, text).expect("written");
    let mut server = Server::start(&folder, &config);
    server.line("\"event\":\"records_mended\"");
    let routes = phone.call(&server.udp, "after");
    phone.hangs_up(&server.udp, "after", &routes);
    server.signal("TERM");
    server.line("\"event\":\"stopped\"");
    let ids: Vec<_> = records(&folder, "calls.jsonl")
        .iter()
        .map(|record| record["call_id"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(ids, ["one", "after"].map(|id| Some(id.to_owned())));
}
