//! A server that is killed in the middle of everything, and started again: what was acknowledged is there (RELIABILITY R1).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::net::UdpSocket;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use machine::Dice;
use protocol::auth::{Answers, Credentials, Tries};
use sip::header::CSeq;
use sip::{Message, Name};

use crate::strangers::status;
use crate::{Server, folder};

/// Everybody comes from one address.
const KEEPING: &str = "[listen]\nudp = \"127.0.0.1:0\"\ntcp = []\n[registrar]\njitter = 0\n[overload]\nunlimited = [\"127.0.0.1/32\"]\n";

/// So many phones, of which each has to say its password.
fn with_passwords(phones: u32) -> String {
    let each = |phone| {
        format!("[[extension]]\nnumber = \"{phone}\"\npassword = \"{}\"\n", password(phone))
    };
    format!("{KEEPING}[auth]\nchallenge = [\"REGISTER\"]\n")
        + &(0..phones).map(each).collect::<String>()
}

fn trusting() -> String {
    format!("{KEEPING}[auth]\nchallenge = []\n")
}

fn password(phone: u32) -> String {
    format!("of phone {phone}")
}

/// Phones, some hundred at once, each of which registers with its password; each eighth signs off as soon as it has.
struct Crowd {
    socket: UdpSocket,
    /// Whose first REGISTER was sent, of those who have no last answer yet.
    begun: BTreeSet<u32>,
    /// Who has the 200, and when it came.
    promised: BTreeMap<u32, Instant>,
    /// Who has the 200 to its sign-off.
    gone: BTreeSet<u32>,
}

impl Crowd {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
        socket.set_read_timeout(Some(Duration::from_secs(60))).expect("set");
        Self { socket, begun: BTreeSet::new(), promised: BTreeMap::new(), gone: BTreeSet::new() }
    }

    /// Registers phones, and kills the server when so many answers have come; who has not begun yet.
    fn register_and_kill(
        &mut self,
        server: &mut Server,
        phones: Range<u32>,
        answers: u64,
    ) -> Range<u32> {
        self.begun.clear();
        let mut phones = phones;
        for _ in 0..answers {
            while self.begun.len() < AT_ONCE
                && let Some(phone) = phones.next()
            {
                self.begun.insert(phone);
                self.says(server, (phone, 1), "");
            }
            if self.begun.is_empty() {
                break;
            }
            let (phone, cseq, answer) = answer(&self.socket).expect("an answer");
            self.hears(Some(server), (phone, cseq), &answer);
        }
        server.signal("KILL");
        server.child.wait().expect("ended");
        // What it had sent before it died lies in our socket.
        self.socket.set_nonblocking(true).expect("set");
        while let Some((phone, cseq, answer)) = answer(&self.socket) {
            self.hears(None, (phone, cseq), &answer);
        }
        self.socket.set_nonblocking(false).expect("set");
        phones
    }

    fn says(&self, server: &Server, (phone, cseq): (u32, u32), credentials: &str) {
        let lasts = if cseq < SIGNS_OFF { lasts(phone) } else { 0 };
        let rows = format!("{credentials}Contact: <{}>;expires={lasts}\r\n", contact(phone));
        let wire = request(&self.socket, (phone, cseq), &rows);
        self.socket.send_to(wire.as_bytes(), &server.udp).expect("sent");
    }

    /// Takes an answer, and says what comes next to a server that lives.
    fn hears(&mut self, server: Option<&Server>, (phone, cseq): (u32, u32), answer: &Message) {
        match (status(answer), cseq) {
            (401, _) => {
                let Some(server) = server else { return };
                let own = Credentials::for_any_realm(&phone.to_string(), &password(phone));
                let mut answers = Answers::new(vec![own]);
                let learnt =
                    answers.learn(answer, &mut Tries::default(), &mut Dice::new(phone.into()));
                learnt.expect("understood");
                let row = |(name, value): &(Name, Vec<u8>)| {
                    format!("{}: {}\r\n", name.as_str(), String::from_utf8_lossy(value))
                };
                let rows = answers.rows("REGISTER", b"sip:127.0.0.1", b"");
                let rows: String = rows.iter().map(row).collect();
                self.says(server, (phone, cseq + 1), &rows);
            }
            (200, ..SIGNS_OFF) if leaves(phone) => {
                // Until its sign-off is answered nobody knows whether it is there.
                if let Some(server) = server {
                    self.says(server, (phone, SIGNS_OFF), "");
                } else {
                    self.promised.insert(phone, Instant::now());
                }
            }
            (200, ..SIGNS_OFF) => {
                self.promised.insert(phone, Instant::now());
                self.begun.remove(&phone);
            }
            (200, _) => {
                self.gone.insert(phone);
                self.begun.remove(&phone);
            }
            // The machine is busy with something else. What comes of its REGISTER it does not know.
            (503, _) => _ = self.begun.remove(&phone),
            (other, _) => panic!("{other} to {phone}"),
        }
    }

    /// What is found must be what was promised.
    fn compare(&self, found: &BTreeMap<u32, Left>, began: Instant) {
        let lost: Vec<_> =
            self.promised.keys().filter(|phone| !found.contains_key(phone)).take(3).collect();
        assert!(lost.is_empty(), "{lost:?} of {} are lost", self.promised.len());
        let back: Vec<_> =
            self.gone.iter().filter(|phone| found.contains_key(phone)).take(3).collect();
        assert!(back.is_empty(), "{back:?} of {} had signed off", self.gone.len());
        for (phone, Left { asked, left }) in found {
            let whole = Duration::from_secs(lasts(*phone).into());
            let left = Duration::from_secs(*left);
            let passed = self.promised.get(phone).map_or(Duration::ZERO, |since| *asked - *since);
            assert!(left <= whole - passed + ROUGHLY, "{phone}: {left:?} after {passed:?}");
            assert!(left + began.elapsed() + ROUGHLY >= whole, "{phone}: {left:?} is too little");
        }
    }
}

/// What is said of a binding, and when that was asked.
struct Left {
    asked: Instant,
    left: u64,
}

/// Kills the server so many times, each time at some other moment, while phones register; so many phones in all.
fn kill(name: &str, (times, phones): (u32, u32)) {
    let seed = std::env::var("OFFHOOK_SEED").ok().and_then(|seed| seed.parse().ok());
    let fresh = || SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
    let seed: u128 = seed.unwrap_or_else(fresh);
    println!("OFFHOOK_SEED={seed} kills after as many answers again");
    let (folder, mut dice) = (folder(name), Dice::new(seed));
    let (a_round, began, mut crowd) = (phones / times, Instant::now(), Crowd::new());
    let mut silent = Vec::new();
    for round in 0..times {
        let mut server = Server::start(&folder, &with_passwords(phones));
        let (from, to) = (a_round * round, a_round * (round + 1));
        // A 401 and a 200 for each; what is later than that is in the next round.
        let answers = 1 + dice.below(u64::from(a_round) * 2);
        silent.extend(crowd.register_and_kill(&mut server, from..to, answers));
        drop(server);
        let found = found(&folder, to);
        crowd.compare(&found, began);
        let invented: Vec<_> = silent.iter().filter(|phone| found.contains_key(phone)).collect();
        assert!(invented.is_empty(), "round {round}: {invented:?} never said anything");
    }
    let (promised, gone) = (crowd.promised.len(), crowd.gone.len());
    println!("{promised} of {phones} registered, {gone} signed off, {times} kills, none lost");
    assert!(promised >= times as usize);
}

fn contact(phone: u32) -> String {
    format!("sip:{phone}@192.0.2.7:{}", 1 + phone % 60_000)
}

/// For how many seconds it registers.
const fn lasts(phone: u32) -> u32 {
    if phone.is_multiple_of(2) { 3_600 } else { 1_800 }
}

const fn leaves(phone: u32) -> bool {
    phone.is_multiple_of(8)
}

/// The first REGISTER of a sign-off.
const SIGNS_OFF: u32 = 3;

const AT_ONCE: usize = 200;

/// Seconds are whole in a Contact, and over a restart two clocks are compared.
const ROUGHLY: Duration = Duration::from_secs(3);

/// Starts the server again, one that trusts everybody, and asks for every phone: whose binding is there.
fn found(folder: &Path, phones: u32) -> BTreeMap<u32, Left> {
    let server = Server::start(folder, &trusting());
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    socket.set_read_timeout(Some(Duration::from_secs(60))).expect("set");
    let has = |phone: u32| {
        let asked = Instant::now();
        let wire = request(&socket, (phone, 1), "").replace("Call-ID: ", "Call-ID: asks-");
        socket.send_to(wire.as_bytes(), &server.udp).expect("sent");
        let (_, _, answer) = answer(&socket).expect("an answer");
        let contacts: Vec<_> = answer.rows(Name::Contact).map(String::from_utf8_lossy).collect();
        let [line] = &contacts[..] else {
            assert!(contacts.is_empty(), "one contact each: {contacts:?}");
            return None;
        };
        assert!(line.contains(&contact(phone)), "nothing is invented: {line}");
        let left = line.rsplit_once("expires=").and_then(|(_, left)| left.parse().ok());
        Some((phone, Left { asked, left: left.expect("seconds") }))
    };
    (0..phones).filter_map(has).collect()
}

fn request(socket: &UdpSocket, (phone, cseq): (u32, u32), rows: &str) -> String {
    let us = socket.local_addr().expect("bound");
    format!(
        "REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{phone}-{cseq}-{}\r\n\
         From: <sip:{phone}@127.0.0.1>;tag=1\r\nTo: <sip:{phone}@127.0.0.1>\r\nCall-ID: {phone}\r\n\
         CSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n{rows}Content-Length: 0\r\n\r\n",
        rows.len()
    )
}

/// The next answer, to which phone, and to which of its requests.
fn answer(socket: &UdpSocket) -> Option<(u32, u32, Message)> {
    let mut octets = [0; 2048];
    let length = socket.recv(&mut octets).ok()?;
    let answer = Message::parse(octets.get(..length)?.to_vec()).ok()?;
    let id = String::from_utf8_lossy(answer.call_id()).into_owned();
    let phone = id.rsplit('-').next()?.parse().ok()?;
    let cseq = answer.expect::<CSeq>().ok()?.number;
    Some((phone, cseq, answer))
}

#[test]
fn what_was_acknowledged_outlives_a_kill() {
    kill("serve-killed", (4, 4_000));
}

/// The long form: RELIABILITY R1 with 10,000 phones.
#[test]
#[ignore = "takes a minute: run by .ci/nightly"]
fn what_was_acknowledged_outlives_twenty_kills_with_ten_thousand_phones() {
    kill("serve-killed-twenty", (20, 10_000));
}

/// What was written last is lost with the end of the log: that is said, and what stands before it is there.
#[test]
fn a_log_that_has_lost_its_end_is_told_of() {
    let folder = folder("serve-damaged");
    let mut server = Server::start(&folder, &trusting());
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    socket.set_read_timeout(Some(Duration::from_secs(60))).expect("set");
    // One at a time, so each is written by itself.
    for phone in 0..10 {
        let row = format!("Contact: <{}>\r\n", contact(phone));
        let wire = request(&socket, (phone, 1), &row);
        socket.send_to(wire.as_bytes(), &server.udp).expect("sent");
        let (_, _, answer) = answer(&socket).expect("an answer");
        assert_eq!(status(&answer), 200);
    }
    server.signal("KILL");
    server.child.wait().expect("ended");
    let log = OpenOptions::new().write(true).open(folder.join("data/offhook.db-wal"));
    let log = log.expect("it is there");
    let length = log.metadata().expect("known").len();
    log.set_len(length - 100).expect("cut");
    let mut server = Server::start(&folder, &trusting());
    let told = server.before.lines().find(|line| line.contains("\"event\":\"store_damaged\""));
    let told = told.expect("it is said").to_owned();
    assert!(told.contains("octets at the end of the log"), "{told}");
    server.signal("KILL");
    server.child.wait().expect("ended");
    let found = found(&folder, 10);
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), (0..9).collect::<Vec<_>>());
}

#[test]
fn a_second_server_does_not_serve_from_the_same_folder() {
    let folder = folder("serve-shared");
    let first = Server::start(&folder, &trusting());
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_offhook"))
        .args(["serve", "--config"])
        .arg(folder.join("offhook.toml"))
        .arg("--data")
        .arg(folder.join("data"))
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("another offhook serves from this folder"), "{said}");
    drop(first);
}
