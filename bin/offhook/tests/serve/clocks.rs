//! A clock that somebody sets, by an hour or by days, while the server runs and while it does not (RELIABILITY R23): nobody is forgotten, nobody stays for
//! ever, nonces do what they did. libfaketime sets it, for the server alone.

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::time::Duration;

use machine::Dice;
use protocol::auth::{Answers, Credentials, Tries};
use sip::Name;

use crate::strangers::{Asker, OFFICE, status};
use crate::{Server, folder};

/// Where Debian has it.
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// A server whose wall clock is what a file says.
struct Clock {
    file: PathBuf,
}

impl Clock {
    fn new(folder: &Path) -> Self {
        let clock = Self { file: folder.join("clock") };
        clock.set("+0");
        clock
    }

    /// Sets the wall clock to what it is, plus this.
    fn set(&self, offset: &str) {
        // At once, or the server could read half of it.
        let next = self.file.with_extension("next");
        std::fs::write(&next, offset).expect("written");
        std::fs::rename(next, &self.file).expect("renamed");
    }

    /// The server that lives by it, and keeps what it knows.
    fn start(&self, folder: &Path) -> Server {
        self.start_with(
            folder,
            &OFFICE.replace("durability = \"memory\"", "durability = \"grouped\""),
        )
    }

    /// The same, by another config.
    fn start_with(&self, folder: &Path, config: &str) -> Server {
        let file = self.file.clone();
        let environment = [
            ("LD_PRELOAD", PathBuf::from(LIBRARY)),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ];
        Server::start_in(folder, (config, "json"), &environment)
    }
}

/// A phone that knows its password.
struct Phone {
    asker: Asker,
    answers: Answers,
}

impl Phone {
    fn new(server: &Server) -> Self {
        let asker = Asker::new(server);
        let own = Credentials::for_any_realm("101", "correct horse battery");
        Self { asker, answers: Answers::new(vec![own]) }
    }

    /// Says who it is with the nonce that it has, and with a new one where that is asked for: the answer's seconds for its contact, and whether it
    /// was asked.
    fn registers(&mut self, call: &str, rows: &str) -> (Vec<u32>, bool) {
        let mut asked = false;
        let mut tries = Tries::default();
        for attempt in 0..3 {
            let own = self.answers.rows("REGISTER", self.asker.uri().as_bytes(), b"");
            let own: String = own
                .iter()
                .map(|(name, value)| {
                    format!("{}: {}\r\n", name.as_str(), String::from_utf8_lossy(value))
                })
                .collect();
            let answer =
                self.asker.registers(&format!("{call}-{attempt}"), &format!("{own}{rows}"));
            if status(&answer) == 401 {
                asked = true;
                self.answers.learn(&answer, &mut tries, &mut Dice::new(1)).expect("understood");
                continue;
            }
            assert_eq!(status(&answer), 200, "{call}");
            let left = |row: &[u8]| {
                let row = String::from_utf8_lossy(row).into_owned();
                let text = row.rsplit_once("expires=").map_or("", |(_, text)| text).to_owned();
                text.parse().expect("seconds")
            };
            return (answer.rows(Name::Contact).map(left).collect(), asked);
        }
        panic!("{call}: asked again and again");
    }
}

const CONTACT: &str = "Contact: <sip:101@192.0.2.7>;expires=3600\r\n";

fn is_an_hour(left: &[u32]) {
    let [left] = left else { panic!("one contact: {left:?}") };
    assert!((3_000..=3_600).contains(left), "{left}");
}

#[test]
fn a_clock_that_is_set_while_it_runs_changes_nothing() {
    let folder = folder("serve-clock-set");
    let clock = Clock::new(&folder);
    let mut server = clock.start(&folder);
    let mut phone = Phone::new(&server);
    is_an_hour(&phone.registers("first", CONTACT).0);
    let mut days = std::collections::BTreeSet::new();
    for (nth, offset) in ["+1h", "-1h", "+3d", "-3d", "+0"].iter().enumerate() {
        clock.set(offset);
        let (left, asked) = phone.registers(&format!("asks-{nth}"), "");
        is_an_hour(&left);
        assert!(!asked, "{offset}: the nonce is as good as before");
        is_an_hour(&phone.registers(&format!("again-{nth}"), CONTACT).0);
        let mut other = Phone::new(&server);
        assert!(other.registers(&format!("other-{nth}"), "").1, "a new nonce, that is good");
        // The log lives by the clock on the wall.
        let line = server.line(&format!("\"call_id\":\"again-{nth}"));
        days.insert(crate::between(&line, "\"time\":\"", "T").to_owned());
    }
    assert!(days.len() >= 3, "the log knows no other day than {days:?}");
}

#[test]
fn a_clock_that_was_set_between_two_lives_ends_nobody() {
    let folder = folder("serve-clock-between");
    let clock = Clock::new(&folder);
    let mut phone = None;
    for (nth, offset) in ["+0", "+1h", "-1h", "+3d", "-3d"].iter().enumerate() {
        clock.set(offset);
        let server = clock.start(&folder);
        if nth == 0 {
            is_an_hour(&Phone::new(&server).registers("first", CONTACT).0);
        }
        let mut other = Phone::new(&server);
        is_an_hour(&other.registers(&format!("asks-{nth}"), "").0);
        phone = Some(other);
    }
    drop(phone);
}

/// Who watches the phones of 101 (RFC 3680).
struct Watcher {
    socket: UdpSocket,
    server: String,
    said: u32,
}

impl Watcher {
    fn new(server: &Server) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
        socket.set_read_timeout(Some(Duration::from_secs(40))).expect("set");
        Self { socket, server: server.udp.clone(), said: 0 }
    }

    /// Says something in a call of its own; the next thing that comes must be the answer.
    fn says(&mut self, method: &str, rows: &str) {
        self.said += 1;
        let (said, us) = (self.said, self.socket.local_addr().expect("bound"));
        let whom = if method == "SUBSCRIBE" { "101@" } else { "" };
        let wire = format!(
            "{method} sip:{whom}office.test SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{said}\r\nFrom: <sip:101@office.test>;tag=1\r\n\
             To: <sip:101@office.test>\r\nCall-ID: {method}-{said}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n{rows}Content-Length: 0\r\n\r\n"
        );
        self.socket.send_to(wire.as_bytes(), &self.server).expect("sent");
        let answer = self.hears().expect("an answer");
        assert!(answer.starts_with("SIP/2.0 200 "), "{method}: {answer}");
    }

    /// What comes next; nothing, when nothing comes for so long.
    fn hears(&self) -> Option<String> {
        let mut octets = [0; 4096];
        let length = self.socket.recv(&mut octets).ok()?;
        Some(String::from_utf8_lossy(octets.get(..length)?).into_owned())
    }

    /// A phone registers: that is told, and it is said that it will be told on.
    fn hears_of(&mut self, phone: u32) {
        self.says("REGISTER", &format!("Contact: <sip:101@192.0.2.{phone}>;expires=3600\r\n"));
        self.is_notified(&format!("sip:101@192.0.2.{phone}"));
    }

    fn is_notified(&self, what: &str) {
        let notify = self.hears().expect("a NOTIFY");
        assert!(notify.starts_with("NOTIFY ") && notify.contains(what), "{what}: {notify}");
        let left = crate::between(&notify, "Subscription-State: active;expires=", "\r\n");
        assert!(left.parse().is_ok_and(|left: u32| (3_000..=3_600).contains(&left)), "{notify}");
        let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
        let rows = notify.lines().filter(|row| copied.iter().any(|name| row.starts_with(name)));
        let rows: String = rows.map(|row| format!("{row}\r\n")).collect();
        let wire = format!("SIP/2.0 200 OK\r\n{rows}Content-Length: 0\r\n\r\n");
        self.socket.send_to(wire.as_bytes(), &self.server).expect("sent");
    }
}

/// Nobody is told anything because of a clock, and who watches hears on.
#[test]
fn a_subscription_lives_through_a_clock_that_is_set_and_nothing_is_sent_for_that() {
    let folder = folder("serve-clock-watched");
    let clock = Clock::new(&folder);
    let server = clock.start_with(&folder, &format!("{OFFICE}[auth]\nchallenge = []\n"));
    let mut watcher = Watcher::new(&server);
    watcher.says("REGISTER", "Contact: <sip:101@192.0.2.1>;expires=3600\r\n");
    let us = watcher.socket.local_addr().expect("bound");
    let rows = format!("Event: reg\r\nExpires: 3600\r\nContact: <sip:101@{us}>\r\n");
    watcher.says("SUBSCRIBE", &rows);
    watcher.is_notified("sip:101@192.0.2.1");
    for (phone, offset) in (2..).zip(["+1h", "-1h", "+3d", "-3d", "+0"]) {
        clock.set(offset);
        for _ in 0..10 {
            watcher.says("OPTIONS", "");
        }
        if offset == "+3d" {
            watcher.hears_of(phone);
        }
    }
    watcher.socket.set_read_timeout(Some(Duration::from_secs(2))).expect("set");
    assert_eq!(watcher.hears(), None, "nobody asked for it");
    watcher.socket.set_read_timeout(Some(Duration::from_secs(40))).expect("set");
    watcher.hears_of(9);
}
