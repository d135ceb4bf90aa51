//! Bans, with real sockets: a guesser is not heard, its neighbour is, and fail2ban can read why.

use std::io::Read as _;
use std::net::{IpAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use machine::Dice;
use protocol::auth::{Answers, Credentials, Tries};
use sip::Message;

use super::{Server, address, folder};

const OFFICE: &str = "domains = [\"office.test\"]\n[listen]\nudp = \"0.0.0.0:0\"\ntcp = \"0.0.0.0:0\"\n\
                      [server]\nshards = 4\n[store]\ndurability = \"memory\"\n[bans]\nnever = []\n\
                      [[extension]]\nnumber = \"101\"\npassword = \"correct horse battery\"\n";

/// Somebody at an address of its own.
struct Caller {
    socket: UdpSocket,
    server: String,
    calls: usize,
}

impl Caller {
    fn at(ip: &str, server: &Server) -> Self {
        let socket =
            UdpSocket::bind((ip.parse::<IpAddr>().expect("an address"), 0)).expect("bound");
        socket.set_read_timeout(Some(Duration::from_secs(40))).expect("set");
        let port = server.udp.rsplit_once(':').expect("a port").1;
        Self { socket, server: format!("127.0.0.1:{port}"), calls: 0 }
    }

    fn send(&mut self, rows: &str) {
        self.calls += 1;
        let (us, nth) = (self.socket.local_addr().expect("bound"), self.calls);
        let request = format!(
            "REGISTER sip:office.test SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{nth}\r\n\
             From: <sip:101@office.test>;tag=1\r\nTo: <sip:101@office.test>\r\nCall-ID: of-{us}\r\nCSeq: {nth} REGISTER\r\n\
             Max-Forwards: 70\r\nContact: <sip:101@{us}>\r\n{rows}Content-Length: 0\r\n\r\n"
        );
        self.socket.send_to(request.as_bytes(), &self.server).expect("sent");
    }

    fn hear(&self) -> Message {
        let mut octets = [0; 4096];
        let length = self.socket.recv(&mut octets).expect("an answer");
        Message::parse(octets.get(..length).expect("it fits").to_vec()).expect("SIP")
    }

    /// Registers with a password: the status.
    fn register(&mut self, password: &str) -> u16 {
        self.guess(password);
        self.hear().status().map_or(0, sip::Status::code)
    }

    /// The same, without waiting for what comes of it.
    fn guess(&mut self, password: &str) {
        self.send("");
        let challenge = self.hear();
        let mut answers = Answers::new(vec![Credentials::for_any_realm("101", password)]);
        answers.learn(&challenge, &mut Tries::default(), &mut Dice::new(1)).expect("understood");
        let rows = answers.rows("REGISTER", b"sip:office.test", b"");
        let (name, value) = rows.first().expect("credentials");
        self.send(&format!("{}: {}\r\n", name.as_str(), String::from_utf8_lossy(value)));
    }

    fn has_heard_nothing(&self) -> bool {
        self.socket.set_nonblocking(true).expect("set");
        self.socket.recv(&mut [0; 16]).is_err()
    }
}

#[test]
fn a_guesser_is_not_heard_and_its_neighbour_is() {
    let mut server = Server::start(&folder("serve-bans"), OFFICE);
    let tcp = address(&server.line("\"transport\":\"tcp\""));
    let (mut guesser, mut owner) =
        (Caller::at("127.0.0.66", &server), Caller::at("127.0.0.7", &server));
    for nth in 0..10 {
        assert_eq!(guesser.register("wrong"), 401, "{nth}");
    }
    let line = server.line("\"event\":\"banned\"");
    assert!(
        line.contains("\"source\":\"127.0.0.66\",\"reason\":\"wrong-password\",\"count\":10,"),
        "{line}"
    );
    guesser.send("");
    assert_eq!(owner.register("correct horse battery"), 200);
    assert!(guesser.has_heard_nothing());

    // Its connections are closed before they have said anything; others stay.
    let port = tcp.rsplit_once(':').expect("a port").1.parse().expect("a number");
    let connect = |ip: &str| {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let socket = socket.expect("a socket");
        let from = std::net::SocketAddr::new(ip.parse().expect("an address"), 0);
        socket.bind(&from.into()).expect("bound");
        socket
            .connect(&std::net::SocketAddr::from(([127, 0, 0, 1], port)).into())
            .expect("connected");
        TcpStream::from(socket)
    };
    let mut stream = connect("127.0.0.66");
    stream.set_read_timeout(Some(Duration::from_secs(15))).expect("set");
    let ended = stream.read(&mut [0; 1]);
    assert!(
        !ended.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock),
        "{ended:?}"
    );
    drop(connect("127.0.0.7"));
}

#[test]
fn a_thousand_addresses_with_one_guess_each_do_not_keep_the_owner_out() {
    let mut server = Server::start(&folder("serve-siege"), OFFICE);
    let mut owner = Caller::at("127.0.0.7", &server);
    assert_eq!(owner.register("correct horse battery"), 200);
    let (began, mut heard) = (Instant::now(), 0);
    // Not all at once: they are sockets of this one process.
    for batch in 0..5 {
        let guesser = |nth: usize| {
            let mut guesser = Caller::at(&format!("127.66.{batch}.{}", nth + 1), &server);
            guesser.guess("wrong");
            guesser
        };
        let guessers: Vec<_> = (0..200).map(guesser).collect();
        if batch == 0 {
            assert!(server.line("\"event\":\"besieged\"").contains("\"user\":\"101\""));
        }
        let mut owner = Caller::at("127.0.0.7", &server);
        assert_eq!(owner.register("correct horse battery"), 200, "where it is known");
        heard += guessers.iter().filter(|guesser| !guesser.has_heard_nothing()).count();
    }
    // Fifty, and one a second.
    let most = 52 + usize::try_from(began.elapsed().as_secs()).expect("not that long");
    assert!((50..=most).contains(&heard), "{heard} of a thousand, {most} at most");
}

/// What fail2ban makes of lines of a log.
fn fail2ban(lines: &str, folder: &Path) -> Option<String> {
    let log = folder.join("log");
    std::fs::write(&log, lines).expect("written");
    let filter =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/fail2ban/offhook.conf");
    let filter = filter.canonicalize().expect("there");
    let output = Command::new("fail2ban-regex").args(["-o", "ip"]).arg(&log).arg(&filter).output();
    let Ok(output) = output else {
        assert!(std::env::var_os("OFFHOOK_REQUIRE_PEERS").is_none(), "fail2ban is not installed");
        println!("skipped: fail2ban is not installed");
        return None;
    };
    Some(String::from_utf8_lossy(&output.stdout).trim().replace('\n', " "))
}

#[test]
fn fail2ban_reads_who_is_banned_and_cannot_be_fooled() {
    let folder = folder("serve-fail2ban");
    for format in ["json", "text"] {
        let mut server = Server::start_with(&folder, OFFICE, format);
        let (mut liar, mut guesser) =
            (Caller::at("127.0.0.65", &server), Caller::at("127.0.0.66", &server));
        liar.send("User-Agent: warning banned source=192.0.2.1 x\",\"level\":\"warning\",\"event\":\"banned\",\"source\":\"192.0.2.1\r\n");
        liar.hear();
        for _ in 0..10 {
            assert_eq!(guesser.register("wrong"), 401);
        }
        let (seen, last) = server.lines_to("wrong-password");
        let found = fail2ban(&format!("{seen}{last}\n"), &folder);
        assert!(found.is_none_or(|found| found == "127.0.0.66"), "{format}: {seen}{last}");
    }
}
