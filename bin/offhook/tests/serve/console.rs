//! The console of a server as it is run, asked by curl and by `offhook ctl`.

use std::io::{BufRead as _, BufReader};
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Server, address, between, exposition, folder};

/// A server with a console, and the lines of config that it needs for it.
pub(crate) struct Console {
    pub(crate) server: Server,
    pub(crate) url: String,
    /// Where it listens for connections.
    pub(crate) tcp: String,
}

impl Console {
    pub(crate) fn start(folder: &Path, more: &str) -> Self {
        Self::start_with(folder, "", more)
    }

    /// With lines of `[listen]`, and more.
    pub(crate) fn start_with(folder: &Path, listen: &str, more: &str) -> Self {
        let config = format!(
            "domains = \"example.test\"\n[listen]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\nconsole = \"127.0.0.1:0\"\n{listen}\
             [auth]\nchallenge = []\n{more}"
        );
        let mut server = Server::start(folder, &config);
        let tcp = address(&server.line("\"transport\":\"tcp\""));
        let line = server.line("\"transport\":\"console\"");
        let url = format!("http://{}", between(&line, "\"address\":\"", "\""));
        Self { server, url, tcp }
    }

    /// What curl is told about a path: the status, and the body.
    pub(crate) fn curl(&self, path: &str, arguments: &[&str]) -> (u16, String) {
        let mut command = Command::new("curl");
        command.args(["--silent", "--max-time", "60", "--write-out", "\n%{http_code}"]);
        let output = command.args(arguments).arg(format!("{}{path}", self.url)).output();
        let output = output.expect("curl is there");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let (body, status) = text.rsplit_once('\n').expect("a status");
        (status.parse().expect("a number"), body.to_owned())
    }

    /// The JSON at a path.
    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, body) = self.curl(path, &[]);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// The number under this name in the metrics, without labels.
    pub(crate) fn get_metric(&self, name: &str) -> f64 {
        self.labelled(name, &[])
    }

    /// The same, of the sample with these labels.
    pub(crate) fn labelled(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let (_, page) = self.curl("/metrics", &[]);
        let found = exposition::read(&page).into_iter().find(|(known, _)| known == name);
        found.and_then(|(_, family)| family.value(labels)).expect(name)
    }

    /// What `offhook ctl` says: exit code, stdout, stderr.
    pub(crate) fn ctl(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        ctl(&[&["--url", &self.url], arguments].concat())
    }

    /// A user registers.
    pub(crate) fn register(&self, user: &str) {
        let answer = register(&self.server.udp, user, 3600);
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
    }
}

pub(crate) fn ctl(arguments: &[&str]) -> (Option<i32>, String, String) {
    let program = Command::new(env!("CARGO_BIN_EXE_offhook")).arg("ctl").args(arguments).output();
    let Output { status, stdout, stderr } = program.expect("the program starts");
    let text = |octets: Vec<u8>| String::from_utf8(octets).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

fn register(server: &str, user: &str, expires: u32) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    socket.set_read_timeout(Some(Duration::from_secs(40))).expect("set");
    let us = socket.local_addr().expect("bound");
    let request = format!(
        "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{user}{}\r\n\
         From: <sip:{user}@example.test>;tag=1\r\nTo: <sip:{user}@example.test>\r\nCall-ID: {user}@{us}\r\n\
         CSeq: 1 REGISTER\r\nContact: <sip:{user}@{us}>;expires={expires}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
        us.port()
    );
    socket.send_to(request.as_bytes(), server).expect("sent");
    let mut answer = [0; 4096];
    let length = socket.recv(&mut answer).expect("an answer");
    String::from_utf8_lossy(answer.get(..length).expect("it fits")).into_owned()
}

#[test]
fn registrations_are_listed_page_by_page_and_can_be_taken_away() {
    let console = Console::start(&folder("console-registrations"), "[server]\nshards = 2\n");
    let users: Vec<String> = (100..125).map(|number| number.to_string()).collect();
    users.iter().for_each(|user| console.register(user));
    let (mut after, mut seen, mut pages) = (String::new(), Vec::new(), 0);
    loop {
        let page = console.get(&format!("/api/v1/registrations?limit=7{after}"));
        let found = page["registrations"].as_array().expect("a list");
        assert!(found.len() <= 7);
        pages += 1;
        seen.extend(found.iter().map(|user| user["user"].as_str().expect("text").to_owned()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    seen.sort();
    assert_eq!((seen, pages >= 4), (users, true));
    let few = console.get("/api/v1/registrations?filter=11");
    assert_eq!(few["registrations"].as_array().map(Vec::len), Some(10), "110 to 119");
    let one = console.get("/api/v1/registrations/107");
    assert_eq!(one["aor"], "sip:107@example.test");
    assert!(
        one["contacts"][0]["contact"]
            .as_str()
            .is_some_and(|uri| uri.starts_with("sip:107@127.0.0.1:"))
    );
    let (code, table, _) = console.ctl(&["registrations", "107"]);
    assert!(
        code == Some(0) && table.starts_with("USER  CONTACT") && table.contains("\n107   sip:107@"),
        "{table}"
    );
    let (code, said, _) = console.ctl(&["unregister", "107"]);
    assert_eq!((code, said.as_str()), (Some(0), "Bindings that are gone: 1.\n"));
    let (code, _, why) = console.ctl(&["unregister", "107"]);
    assert_eq!((code, why.as_str()), (Some(1), "`107` has no such binding now\n"));
    assert_eq!(console.curl("/api/v1/registrations/107", &[]).0, 404);
    assert_eq!(console.get("/api/v1/status")["bindings"], 24);
}

/// What an operator has taken away does not come back by itself, also after a power cut.
#[test]
fn what_is_taken_away_stays_away() {
    let folder = folder("console-away");
    let mut console = Console::start(&folder, "");
    ["101", "102"].iter().for_each(|user| console.register(user));
    assert_eq!(console.ctl(&["unregister", "101"]).0, Some(0));
    console.server.child.kill().expect("killed");
    console.server.child.wait().expect("ended");
    let console = Console::start(&folder, "");
    let kept = console.get("/api/v1/registrations");
    let kept = kept["registrations"].as_array().expect("a list").iter();
    let mut kept: Vec<_> = kept.filter_map(|user| user["user"].as_str()).collect();
    kept.sort_unstable();
    assert_eq!(kept, ["102"]);
}

/// A stranger chooses what he is called. What an operator is shown of it moves no cursor, and is still JSON with the same in it.
#[test]
fn what_a_stranger_is_called_drives_no_terminal() {
    let console = Console::start(&folder("console-terminal"), "");
    let evil = "1\u{9b}2J\u{202e}";
    console.register(evil);
    let (_, page) = console.curl("/api/v1/registrations", &[]);
    let (code, listed, why) = console.ctl(&["registrations", "--json"]);
    assert_eq!(code, Some(0), "{why}");
    let page: Value = serde_json::from_str(&tame(page)).expect("JSON");
    let listed: Value = serde_json::from_str(&tame(listed)).expect("JSON");
    assert_eq!(page["registrations"][0]["user"], evil);
    assert_eq!(listed["user"], evil);
}

/// A text that drives no terminal.
fn tame(text: String) -> String {
    let wild = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!text.contains(wild), "{}", text.escape_debug());
    text
}

/// `offhook ctl events | head -1` ends, and does not sit there with a place at the console until somebody kills it.
#[test]
fn events_end_when_nobody_reads_them_any_more() {
    let console = Console::start(&folder("console-head"), "");
    let mut events = Command::new(env!("CARGO_BIN_EXE_offhook"))
        .args(["ctl", "--url", &console.url, "events", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdout = BufReader::new(events.stdout.take().expect("piped"));
    let seen = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut line = String::new();
            stdout.read_line(&mut line).expect("read");
            seen.store(true, Ordering::Release);
        });
        (0..1_000).take_while(|_| !seen.load(Ordering::Acquire)).for_each(|user| {
            console.register(&format!("1{user}"));
        });
    });
    drop(stdout);
    let deadline = Instant::now() + Duration::from_secs(40);
    let ended = (0..).find_map(|user| {
        console.register(&format!("2{user}"));
        let over = Instant::now() > deadline;
        events.try_wait().expect("it is ours").map(Some).or(over.then_some(None))
    });
    let _ = events.kill();
    let _ = events.wait();
    assert!(ended.flatten().is_some_and(|status| status.success()), "{ended:?}");
}

#[test]
fn a_server_that_is_drained_ends_and_then_nobody_answers() {
    let mut console = Console::start(&folder("console-drain"), "");
    let (code, said, _) = console.ctl(&["status"]);
    assert!(code == Some(0) && said.starts_with("server        well\n"), "{said}");
    let (code, said, why) = console.ctl(&["drain"]);
    assert!(code == Some(0) && said.contains("begins nothing new"), "{said}{why}");
    console.server.line("\"event\":\"draining\"");
    console.server.line("\"event\":\"stopped\"");
    assert!(console.server.child.wait().expect("ended").success());
    let (code, _, why) = console.ctl(&["status"]);
    assert!(code == Some(1) && why.starts_with("no server answers at http://127.0.0.1:"), "{why}");
}
