//! `offhook serve` as it is run: it listens, answers, keeps its secret, and goes in peace.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests may fail like tests"
)]

#[path = "../../../../io/net/tests/driver/authority.rs"]
#[allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the tests of the driver want more of it"
)]
mod authority;
mod bans;
mod both;
mod clocks;
mod closing;
mod console;
mod exposition;
mod faults;
mod files;
mod floods;
mod hangup;
mod intruders;
mod killed;
mod load;
mod logs;
mod malformed;
mod memory;
mod metrics;
mod push;
mod records;
mod reload;
mod schema;
mod secrets;
mod soak;
mod starts;
mod steering;
mod strangers;
mod supervisor;
mod under_load;

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Lines};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

/// A server, ended by its id however the test ends.
struct Server {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    /// What it said before it listened.
    before: String,
    udp: String,
}

/// The program that was built with the tests, or that which `OFFHOOK` names, to measure a release.
fn program() -> OsString {
    std::env::var_os("OFFHOOK").unwrap_or_else(|| env!("CARGO_BIN_EXE_offhook").into())
}

impl Server {
    fn start(folder: &Path, config: &str) -> Self {
        Self::start_with(folder, config, "json")
    }

    /// The same, with a log of this format.
    fn start_with(folder: &Path, config: &str, format: &str) -> Self {
        Self::start_in(folder, (config, format), &[])
    }

    /// The same, in this environment.
    fn start_in(
        folder: &Path,
        (config, format): (&str, &str),
        environment: &[(&str, PathBuf)],
    ) -> Self {
        Self::start_as(Command::new(program()), folder, (config, format), environment)
    }

    /// The same, by a command that ends in the program.
    fn start_as(
        mut command: Command,
        folder: &Path,
        (config, format): (&str, &str),
        environment: &[(&str, PathBuf)],
    ) -> Self {
        let file = folder.join("offhook.toml");
        std::fs::write(&file, config).expect("written");
        let mut child = command
            .args(["--log", format, "serve", "--config"])
            .arg(&file)
            .arg("--data")
            .arg(folder.join("data"))
            .envs(environment.iter().cloned())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let log = BufReader::new(child.stderr.take().expect("piped")).lines();
        let mut server = Self { child, log, before: String::new(), udp: String::new() };
        let listens = if format == "json" { "\"transport\":\"udp\"" } else { "transport=udp" };
        let (before, line) = server.lines_to(listens);
        server.before = before;
        server.udp = match format {
            "json" => address(&line),
            _ => between(&(line + " "), "address=", " ").to_owned(),
        };
        server
    }

    /// The next line of the log that has this in it.
    fn line(&mut self, what: &str) -> String {
        self.lines_to(what).1
    }

    /// The same, and the lines before it.
    fn lines_to(&mut self, what: &str) -> (String, String) {
        let mut seen = String::new();
        for line in self.log.by_ref() {
            let line = line.expect("UTF-8");
            if line.contains(what) {
                return (seen, line);
            }
            seen += &line;
            seen.push('\n');
        }
        panic!("the log ended without {what}:\n{seen}")
    }

    fn signal(&self, name: &str) {
        let (signal, id) = (format!("-{name}"), self.child.id().to_string());
        let status = Command::new("kill").args([signal, id]).status().expect("kill");
        assert!(status.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a listener listens, as the log says it.
fn address(line: &str) -> String {
    between(line, "\"address\":\"", "\"").to_owned()
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).map_or("", |(_, rest)| rest);
    rest.split_once(after).map_or("", |(part, _)| part)
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("made");
    folder
}

/// Sends a request and reads the answer.
fn ask(server: &str, method: &str) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
    let us = socket.local_addr().expect("bound");
    let request = format!(
        "{method} sip:{server} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bKserve{method}\r\n\
         From: <sip:a@b>;tag=1\r\nTo: <sip:{server}>\r\nCall-ID: {method}@{us}\r\nCSeq: 1 {method}\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    socket.send_to(request.as_bytes(), server).expect("sent");
    let mut answer = [0; 2048];
    let length = socket.recv(&mut answer).expect("an answer");
    String::from_utf8_lossy(answer.get(..length).expect("it fits")).into_owned()
}

const ON_ANY_PORT: &str =
    "[listen]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\n[auth]\nchallenge = []\n";

#[test]
fn it_answers_until_it_is_told_to_stop() {
    let folder = folder("serve-answers");
    let mut server = Server::start(&folder, ON_ANY_PORT);
    let answer = ask(&server.udp, "OPTIONS");
    assert!(answer.starts_with("SIP/2.0 200 OK\r\n") && answer.contains("\r\nAllow: "), "{answer}");
    assert!(ask(&server.udp, "PHONE").starts_with("SIP/2.0 405 "));
    server.signal("TERM");
    server.line("\"event\":\"draining\"");
    server.line("\"event\":\"stopped\"");
    assert!(server.child.wait().expect("ended").success());
}

#[test]
fn it_says_the_address_that_it_is_told_to_advertise() {
    let folder = folder("serve-advertise");
    let config = format!(
        "domains = [\"office.test\"]\n{}\n[[route]]\nmatch = {{ domain = \"other.test\" }}\nto = \"sip:{}\"\n",
        ON_ANY_PORT.replace("tcp =", "advertise = \"sip.office.test\"\ntcp ="),
        "127.0.0.1:PORT"
    );
    let callee = UdpSocket::bind("127.0.0.1:0").expect("bound");
    callee.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
    let port = callee.local_addr().expect("bound").port().to_string();
    let server = Server::start(&folder, &config.replace("PORT", &port));
    let own = server.udp.rsplit_once(':').map_or("", |(_, port)| port);
    let request = "INVITE sip:b@other.test SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n\
        From: <sip:a@office.test>;tag=1\r\nTo: <sip:b@other.test>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\
        Contact: <sip:a@127.0.0.1>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
    callee.send_to(request.as_bytes(), &server.udp).expect("sent");
    let forwarded = std::iter::from_fn(|| {
        let mut octets = [0; 2048];
        let length = callee.recv(&mut octets).ok()?;
        Some(String::from_utf8_lossy(octets.get(..length)?).into_owned())
    });
    let invite = forwarded.into_iter().find(|text| text.starts_with("INVITE ")).expect("an INVITE");
    assert!(invite.contains(&format!("Via: SIP/2.0/UDP sip.office.test:{own};")), "{invite}");
    assert!(invite.contains(&format!("@sip.office.test:{own};lr")), "{invite}");
}

#[test]
fn a_busy_port_names_who_holds_it() {
    let folder = folder("serve-busy");
    let taken = UdpSocket::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("bound");
    let file = folder.join("offhook.toml");
    std::fs::write(&file, format!("[listen]\nudp = \"{address}\"\ntcp = []\n")).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_offhook"))
        .args(["serve", "--config"])
        .arg(&file)
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let me = std::process::id().to_string();
    assert!(said.contains(&address.to_string()) && said.contains(&me), "{said}");
}

#[test]
fn its_secret_outlives_it() {
    let folder = folder("serve-secret");
    let read = || std::fs::read_to_string(folder.join("data/secret")).expect("kept");
    drop(Server::start(&folder, ON_ANY_PORT));
    let first = read();
    drop(Server::start(&folder, ON_ANY_PORT));
    assert_eq!(read(), first);
}
