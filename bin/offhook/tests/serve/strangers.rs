//! The whole program among strangers: what is heard cannot be said again, and nothing that they send hinders others.

use std::io::Write as _;
use std::net::{TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use machine::Dice;
use protocol::auth::{Answers, Credentials, Tries};
use sip::{Message, Name};

use super::{Server, address, folder};

pub(crate) const OFFICE: &str = "domains = [\"office.test\", \"127.0.0.1\"]\n[listen]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\n\
                      [server]\nshards = 4\n[store]\ndurability = \"memory\"\n\
                      [[extension]]\nnumber = \"101\"\npassword = \"correct horse battery\"\n";

/// Somebody with a socket.
pub(crate) struct Asker {
    socket: UdpSocket,
    server: String,
}

impl Asker {
    pub(crate) fn new(server: &Server) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
        Self { socket, server: server.udp.clone() }
    }

    pub(crate) fn uri(&self) -> String {
        format!("sip:{}", self.server)
    }

    fn request(&self, method: &str, call: &str, rows: &str) -> String {
        let us = self.socket.local_addr().expect("bound");
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{call}{}\r\nFrom: <sip:101@office.test>;tag=1\r\n\
             To: <{uri}>\r\nCall-ID: {call}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n{rows}Content-Length: 0\r\n\r\n",
            rows.len(),
            uri = self.uri()
        )
    }

    fn send(&self, octets: &[u8]) {
        // The kernel refuses what no datagram can hold.
        let _ = self.socket.send_to(octets, &self.server);
    }

    /// Asks what the server can, and asks again, as RFC 3261 wants, while others flood it.
    pub(crate) fn patiently(&self, call: &str) -> Message {
        let request = self.request("OPTIONS", call, "");
        for tries in 0..8 {
            self.send(request.as_bytes());
            let wait = Duration::from_millis(500 << tries.min(3));
            self.socket.set_read_timeout(Some(wait)).expect("set");
            let mut octets = [0; 4096];
            while let Ok(length) = self.socket.recv(&mut octets) {
                let answer = Message::parse(octets.get(..length).expect("it fits").to_vec());
                if let Ok(answer) = answer
                    && answer.call_id() == call.as_bytes()
                {
                    return answer;
                }
            }
        }
        panic!("no answer in {call}")
    }

    /// Asks what the server can, in a call of its own; the answer to that.
    pub(crate) fn options(&self, call: &str, rows: &str) -> Message {
        self.asks(&self.request("OPTIONS", call, rows), call)
    }

    /// Registers, or asks what is registered, in a call of its own; the answer to that.
    pub(crate) fn registers(&self, call: &str, rows: &str) -> Message {
        let to = format!("To: <{}>", self.uri());
        let request = self.request("REGISTER", call, rows);
        self.asks(&request.replace(&to, "To: <sip:101@office.test>"), call)
    }

    fn asks(&self, request: &str, call: &str) -> Message {
        self.socket.send_to(request.as_bytes(), &self.server).expect("sent");
        loop {
            let mut octets = [0; 4096];
            let length = self.socket.recv(&mut octets).expect("an answer");
            let answer = Message::parse(octets.get(..length).expect("it fits").to_vec());
            // Answers to what was sent before may still come.
            if let Ok(answer) = answer
                && answer.call_id() == call.as_bytes()
            {
                return answer;
            }
        }
    }
}

pub(crate) fn status(answer: &Message) -> u16 {
    answer.status().map_or(0, sip::Status::code)
}

/// Trap 34, with real shards: one nonce serves calls that are at home on all of them, and what was heard opens nothing on any.
#[test]
fn trap_34_a_nonce_serves_every_shard_and_each_of_its_counts_once() {
    let server = Server::start(&folder("serve-nonces"), OFFICE);
    let phone = Asker::new(&server);
    let challenge = phone.options("first", "");
    assert_eq!(status(&challenge), 401);
    let own = Credentials::for_any_realm("101", "correct horse battery");
    let mut answers = Answers::new(vec![own]);
    answers.learn(&challenge, &mut Tries::default(), &mut Dice::new(1)).expect("understood");
    let mut said = Vec::new();
    for call in 0..40 {
        let rows = answers.rows("OPTIONS", phone.uri().as_bytes(), b"");
        let (name, value) = rows.first().expect("credentials");
        let row = format!("{}: {}\r\n", name.as_str(), String::from_utf8_lossy(value));
        assert_eq!(status(&phone.options(&format!("call-{call}"), &row)), 200, "{call}");
        said.push(row);
    }
    for (nth, row) in said.iter().enumerate() {
        let answer = phone.options(&format!("again-{nth}"), row);
        assert_eq!(status(&answer), 401, "{nth}");
        let stale = |row: &[u8]| String::from_utf8_lossy(row).contains("stale=true");
        assert!(answer.rows(Name::WwwAuthenticate).all(stale), "{nth}");
    }
}

/// Where the server listens for TCP: its log says so once.
fn tcp(server: &mut Server) -> String {
    address(&server.line("\"transport\":\"tcp\""))
}

/// The samples beside the project that were made to hurt servers.
pub(crate) fn samples() -> Vec<(PathBuf, Vec<u8>)> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let root = std::env::var_os("OFFHOOK_SHARED").map_or_else(beside, PathBuf::from);
    let folders = ["cve-sip", "sip-rfc4475", "sip-rfc5118", "sip-fuzz", "sip-messages"];
    let read = |folder: &Path| -> Vec<(PathBuf, Vec<u8>)> {
        let Ok(files) = std::fs::read_dir(folder) else {
            let missing = format!("{} is not there (set OFFHOOK_SHARED)", folder.display());
            assert!(std::env::var_os("OFFHOOK_REQUIRE_SAMPLES").is_none(), "{missing}");
            println!("skipped: {missing}");
            return Vec::new();
        };
        let files = files.flatten().map(|file| file.path());
        files.filter_map(|path| Some((path.clone(), std::fs::read(path).ok()?))).collect()
    };
    folders.iter().flat_map(|folder| read(&root.join("corpus").join(folder))).collect()
}

/// How many files the server has open.
fn files(server: &Server) -> usize {
    let folder = format!("/proc/{}/fd", server.child.id());
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

/// Waits for the number of open files to be what it was: a connection is closed a moment after its peer has gone. A few of the server's own
/// may have been opened after the first count.
fn assert_files_return(server: &Server, before: usize) {
    let before = before + 8;
    let patience = Instant::now() + Duration::from_secs(10);
    while files(server) > before && Instant::now() < patience {
        std::thread::yield_now();
    }
    assert!(files(server) <= before, "{} files, {before} before", files(server));
}

/// Class 59, with real sockets: one bad, one good, over every sample, as a datagram and on a stream that ends within it.
#[test]
fn class_59_one_bad_one_good_over_every_sample_with_real_sockets() {
    let mut server = Server::start(&folder("serve-samples"), OFFICE);
    let tcp = tcp(&mut server);
    let (good, bad) = (Asker::new(&server), Asker::new(&server));
    let before = files(&server);
    for (nth, (path, octets)) in samples().iter().enumerate() {
        // The kernel refuses what no datagram can hold.
        let _ = bad.socket.send_to(octets, &server.udp);
        if let Ok(mut stream) = TcpStream::connect(&tcp) {
            // The server may have had enough before all is written.
            let _ = stream.write_all(octets);
        }
        let answer = good.options(&format!("good-{nth}"), "");
        assert_eq!(status(&answer), 401, "{}", path.display());
    }
    assert_files_return(&server, before);
}

/// Class 21: peers that reset their connections after an INVITE (CVE-2018-7286).
#[test]
fn class_21_a_thousand_resets_leave_nothing_behind() {
    let mut server = Server::start(&folder("serve-resets"), OFFICE);
    let tcp = tcp(&mut server);
    let good = Asker::new(&server);
    let before = files(&server);
    for nth in 0..1_000 {
        let stream = TcpStream::connect(&tcp).expect("connected");
        let socket = socket2::Socket::from(stream);
        socket.set_linger(Some(Duration::ZERO)).expect("set");
        let invite = good.request("INVITE", &format!("reset-{nth}"), "");
        let _ = (&socket).write_all(invite.replace("/UDP ", "/TCP ").as_bytes());
        drop(socket);
        if nth % 50 == 0 {
            assert_eq!(status(&good.options(&format!("good-{nth}"), "")), 401);
        }
    }
    assert_files_return(&server, before);
}
