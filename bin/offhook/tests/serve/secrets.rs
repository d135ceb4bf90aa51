//! R32: no secret stands in a log, in what the console tells, in the arguments or the environment, or in an image of the memory.

use std::io::Write as _;
use std::net::{TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

use machine::Dice;
use protocol::auth::{Answers, Credentials, Tries};
use sip::Message;

use super::console::ctl;
use super::{Server, address, between, folder};

const PASSWORD: &str = "kw7-never-to-be-seen";
const IN_A_URI: &str = "uri-password-55";

/// `H(user:realm:password)` of the second user.
fn ha1() -> String {
    let mut program = Command::new("md5sum");
    let mut program = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("there");
    let text = format!("102:office.test:{PASSWORD}");
    program.stdin.take().expect("piped").write_all(text.as_bytes()).expect("written");
    let output = program.wait_with_output().expect("ended");
    between(&String::from_utf8_lossy(&output.stdout), "", " ").to_owned()
}

/// Somebody who speaks, and remembers the credentials that it has shown.
struct Speaker {
    socket: UdpSocket,
    server: String,
    calls: usize,
    shown: Vec<String>,
}

impl Speaker {
    fn new(server: &str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
        socket.set_read_timeout(Some(Duration::from_secs(40))).expect("set");
        Self { socket, server: server.to_owned(), calls: 0, shown: Vec::new() }
    }

    fn ask(&mut self, method: &str, uri: &str, rows: &str) -> Message {
        self.calls += 1;
        let (us, nth) = (self.socket.local_addr().expect("bound"), self.calls);
        let request = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{nth}\r\nFrom: <sip:101:{IN_A_URI}@office.test>;tag=1\r\n\
             To: <sip:101@office.test>\r\nCall-ID: {nth}-of-{us}\r\nCSeq: {nth} {method}\r\nMax-Forwards: 70\r\n\
             Contact: <sip:101:{IN_A_URI}@{us}>\r\n{rows}Content-Length: 0\r\n\r\n"
        );
        self.socket.send_to(request.as_bytes(), &self.server).expect("sent");
        loop {
            let mut octets = [0; 4096];
            let length = self.socket.recv(&mut octets).expect("an answer");
            let answer = Message::parse(octets.get(..length).expect("it fits").to_vec());
            let answer = answer.expect("SIP");
            if answer.status().is_some_and(|status| status.code() >= 200) {
                return answer;
            }
        }
    }

    /// The same with a password: the status.
    fn login(&mut self, method: &str, uri: &str, (user, password): (&str, &str)) -> u16 {
        let challenge = self.ask(method, uri, "");
        let mut answers = Answers::new(vec![Credentials::for_any_realm(user, password)]);
        answers.learn(&challenge, &mut Tries::default(), &mut Dice::new(1)).expect("understood");
        let rows = answers.rows(method, uri.as_bytes(), b"");
        let (name, value) = rows.first().expect("credentials");
        let value = String::from_utf8_lossy(value).into_owned();
        self.shown.push(between(&value, "response=\"", "\"").to_owned());
        let answer = self.ask(method, uri, &format!("{}: {value}\r\n", name.as_str()));
        answer.status().map_or(0, sip::Status::code)
    }
}

#[test]
fn r32_no_secret_is_written_anywhere() {
    let folder = folder("serve-secrets");
    let mut server = Server::start(
        &folder,
        &format!(
            "domains = [\"office.test\"]\n[listen]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\nconsole = \"127.0.0.1:0\"\n\
             [[extension]]\nnumber = \"101\"\npassword = \"{PASSWORD}\"\n\
             [[extension]]\nnumber = \"102\"\nha1 = {{ md5 = \"{}\" }}\n",
            ha1()
        ),
    );
    let tcp = address(&server.line("\"transport\":\"tcp\""));
    let console = address(&server.line("\"transport\":\"console\""));
    let mut speaker = Speaker::new(&server.udp);
    let own = "sip:office.test";
    assert_eq!(speaker.login("REGISTER", own, ("101", PASSWORD)), 200);
    for user in ["101", "102", "nobody"] {
        assert_eq!(speaker.login("REGISTER", own, (user, "wrong-but-mine")), 401);
    }
    let called = format!("sip:103:{IN_A_URI}@office.test");
    assert_eq!(speaker.login("INVITE", &called, ("101", PASSWORD)), 404);
    // Broken messages with credentials in them, on both transports.
    let shown = speaker.shown.first().expect("credentials").clone();
    let broken = format!(
        "REGISTER sip:x SIP/2.0\r\nAuthorization: Digest response=\"{shown}\"\r\nCSeq: none\r\n\r\n"
    );
    speaker.socket.send_to(broken.as_bytes(), &server.udp).expect("sent");
    let mut stream = TcpStream::connect(&tcp).expect("connected");
    stream.write_all(broken.as_bytes()).expect("sent");

    let url = format!("http://{console}");
    let mut pages = String::new();
    for path in ["status", "registrations", "calls", "bans", "targets", "openapi.json"] {
        pages += &curl(&format!("{url}/api/v1/{path}"));
    }
    pages += &curl(&format!("{url}/metrics"));
    for command in ["status", "registrations", "calls", "bans", "targets", "metrics"] {
        let (_, said, complained) = ctl(&["--url", &url, command]);
        pages += &(said + &complained);
    }
    assert!(pages.contains("101"), "{pages}");

    let of_process = |name: &str| {
        let octets = std::fs::read(format!("/proc/{}/{name}", server.child.id())).expect(name);
        String::from_utf8_lossy(&octets).into_owned()
    };
    let limits = of_process("limits");
    let cores = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line");
    let cores: Vec<_> = cores.split_whitespace().skip(4).take(2).collect();
    assert_eq!(cores, ["1", "1"], "no image of the memory is written");
    let process = of_process("cmdline") + &of_process("environ");

    server.signal("TERM");
    let log: String = server.log.by_ref().map(|line| line.expect("UTF-8") + "\n").collect();
    assert!(log.contains("Wrong Password") && log.contains("stopped"), "{log}");
    let mut secrets = vec![PASSWORD.to_owned(), ha1(), IN_A_URI.into(), "wrong-but-mine".into()];
    secrets.append(&mut speaker.shown);
    for secret in secrets {
        for (name, text) in [("log", &log), ("console", &pages), ("process", &process)] {
            assert!(!text.contains(&secret), "{secret} in the {name}: {text}");
        }
    }
}

fn curl(url: &str) -> String {
    let output =
        Command::new("curl").args(["--silent", "--fail", "--max-time", "40", url]).output();
    let output = output.expect("curl is there");
    assert!(output.status.success(), "{url}");
    String::from_utf8(output.stdout).expect("UTF-8")
}
