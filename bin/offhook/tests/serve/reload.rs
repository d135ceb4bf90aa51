//! SIGHUP: the config is read again while the server runs; all of it or nothing.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::authority::{Authority, Flaw, Pair};
use crate::logs::ends;
use crate::{Server, address, ask, between, folder};

impl Server {
    /// Writes another config and has it read; the line of the log that says what came of it.
    pub(crate) fn reload(&mut self, folder: &Path, config: &str, outcome: &str) -> String {
        std::fs::write(folder.join("offhook.toml"), config).expect("written");
        self.signal("HUP");
        self.line(&format!("\"event\":\"{outcome}\""))
    }
}

/// Sends a request for a user over UDP; the answer.
pub(crate) fn request(server: &str, (method, user): (&str, &str), rows: &str) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    socket.set_read_timeout(Some(Duration::from_secs(40))).expect("set");
    let us = socket.local_addr().expect("bound");
    let uri =
        if method == "REGISTER" { "sip:localhost".into() } else { format!("sip:{user}@localhost") };
    let request = format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{method}{user}\r\nFrom: <sip:a@b.test>;tag=1\r\n\
         To: <sip:{user}@localhost>\r\nCall-ID: {us}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n{rows}Content-Length: 0\r\n\r\n"
    );
    socket.send_to(request.as_bytes(), server).expect("sent");
    let mut octets = [0; 4096];
    let length = socket.recv(&mut octets).expect("an answer");
    String::from_utf8_lossy(octets.get(..length).expect("it fits")).into_owned()
}

const OPEN: &str =
    "[listen]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\n[auth]\nchallenge = [\"PUBLISH\"]\n";

/// A config with these users.
fn with(users: &[&str]) -> String {
    let user = |user: &&str| {
        format!("[[extension]]\nnumber = \"{user}\"\npassword = \"long enough {user}\"\n")
    };
    format!("{OPEN}{}", users.iter().map(user).collect::<String>())
}

/// A secret that comes through a pipe, and nobody writes it again: the reload waits, and the signal to end does not wait behind it.
#[test]
fn a_reload_that_hangs_holds_up_no_end() {
    let folder = folder("reload-hangs");
    let token = folder.join("token");
    assert!(Command::new("mkfifo").arg(&token).status().expect("mkfifo is there").success());
    let there = token.clone();
    let writes =
        std::thread::spawn(move || std::fs::write(there, "0123456789abcdef0123456789abcdef"));
    let console = "[listen]\nconsole = \"127.0.0.1:0\"\n";
    let config =
        format!("{}[console]\ntoken_file = {token:?}\n", OPEN.replace("[listen]\n", console));
    let mut server = Server::start(&folder, &config);
    writes.join().expect("no panic").expect("written");
    // The second one waits for the first, and a third is the same as the second.
    (0..3).for_each(|_| server.signal("HUP"));
    server.signal("TERM");
    assert!(ends(&mut server.child), "it waits for a reload, and does not end");
}

#[test]
fn users_come_and_go_and_take_their_registrations_with_them() {
    let folder = folder("reload-users");
    let mut server = Server::start(&folder, &with(&["101", "102"]));
    let udp = server.udp.clone();
    let register = |user: &str, rows: &str| request(&udp, ("REGISTER", user), rows);
    for user in ["101", "102"] {
        let answer = register(user, "Contact: <sip:x@192.0.2.7>\r\n");
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
    }
    assert!(register("103", "").starts_with("SIP/2.0 404 "));
    std::fs::write(folder.join("offhook.toml"), with(&["102", "103"])).expect("written");
    server.signal("HUP");
    let (seen, line) = server.lines_to("\"event\":\"reloaded\"");
    assert!(line.contains("\"generation\":2"), "{line}");
    // Either may be written first.
    let gone = "\"event\":\"unregistered\"";
    let line = if seen.contains(gone) { seen } else { server.line(gone) };
    assert!(line.contains("sip:101@localhost"), "{line}");
    assert!(register("101", "").starts_with("SIP/2.0 404 "));
    assert!(register("102", "").contains("Contact: <sip:x@192.0.2.7>"));
    assert!(register("103", "").starts_with("SIP/2.0 200 "));
    // Who comes back begins anew, also on disk.
    server.reload(&folder, &with(&["101", "102"]), "reloaded");
    assert!(!register("101", "").contains("Contact: "));
    drop(server);
    let server = Server::start(&folder, &with(&["101", "102"]));
    assert!(!request(&server.udp, ("REGISTER", "101"), "").contains("Contact: "));
    assert!(request(&server.udp, ("REGISTER", "102"), "").contains("Contact: <sip:x@192.0.2.7>"));
}

#[test]
fn a_broken_file_changes_nothing_and_is_named() {
    let folder = folder("reload-broken");
    let redirect = |to: &str| format!("{OPEN}[[redirect]]\nuser = \"sales\"\nto = \"{to}\"\n");
    let mut server = Server::start(&folder, &redirect("sip:first@192.0.2.1"));
    let answers = |server: &Server, to: &str| {
        let answer = request(&server.udp, ("INVITE", "sales"), "");
        assert!(answer.starts_with("SIP/2.0 302 ") && answer.contains(to), "{answer}");
    };
    answers(&server, "sip:first@192.0.2.1");
    let broken = redirect("sip:second@192.0.2.1").replace("[auth]", "[auth]\nrealmm = \"x\"");
    let line = server.reload(&folder, &broken, "config_refused");
    assert_eq!(between(&line, "offhook.toml:", "\""), "5:1", "{line}");
    assert!(line.contains("realmm"), "{line}");
    assert!(server.line("not_reloaded").contains("\"generation\":1"));
    answers(&server, "sip:first@192.0.2.1");
    // What takes a restart, and what the machine does not give.
    let shards = format!("{}[server]\nshards = 7\n", redirect("sip:second@192.0.2.1"));
    let line = server.reload(&folder, &shards, "config_refused");
    assert!(
        line.contains("offhook.toml:10:10") && line.contains("`shards` cannot change"),
        "{line}"
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let taken = taken.local_addr().expect("bound").to_string();
    let busy = redirect("sip:second@192.0.2.1")
        .replace("tcp = \"127.0.0.1:0\"", &format!("tcp = \"{taken}\""));
    let line = server.reload(&folder, &busy, "config_refused");
    assert!(line.contains("offhook.toml:3:7") && line.contains("is taken by process"), "{line}");
    answers(&server, "sip:first@192.0.2.1");
    let line = server.reload(&folder, &redirect("sip:second@192.0.2.1"), "reloaded");
    assert!(line.contains("\"generation\":2"), "{line}");
    answers(&server, "sip:second@192.0.2.1");
}

#[test]
fn listeners_come_and_go() {
    let folder = folder("reload-listeners");
    let mut server = Server::start(&folder, OPEN);
    let tcp = address(&server.line("\"transport\":\"tcp\""));
    let mut old = TcpStream::connect(&tcp).expect("connected");
    let two = OPEN
        .replace("tcp = \"127.0.0.1:0\"", "tcp = []\nws = \"127.0.0.1:0\"")
        .replace("udp = \"127.0.0.1:0\"", "udp = [\"127.0.0.1:0\", \"127.0.0.1:0\"]");
    server.reload(&folder, &two, "listening");
    let new = address(&server.line("\"transport\":\"ws\""));
    server.line("\"event\":\"listening_no_more\"");
    server.line("\"event\":\"reloaded\"");
    assert!(ask(&server.udp, "OPTIONS").starts_with("SIP/2.0 200 "));
    TcpStream::connect(&new).expect("connected");
    assert!(TcpStream::connect(&tcp).is_err(), "nobody else comes in");
    // Who is in stays in.
    let request = "OPTIONS sip:localhost SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.7;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
                   To: <sip:localhost>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
    old.write_all(request.as_bytes()).expect("written");
    old.set_read_timeout(Some(Duration::from_secs(40))).expect("set");
    let mut answer = [0; 12];
    old.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"SIP/2.0 200 ");
}

#[test]
fn name_servers_change() {
    let folder = folder("reload-dns");
    let servers = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").expect("bound"));
    let config = |server: &UdpSocket| {
        let at = server.local_addr().expect("bound");
        let open = OPEN.replace("\"PUBLISH\"", "");
        format!("{open}[dns]\nservers = [\"{at}\"]\n")
    };
    let [first, second] = &servers;
    let mut server = Server::start(&folder, &config(first));
    let asked = |server: &Server, dns: &UdpSocket, name: &str| {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
        let us = socket.local_addr().expect("bound");
        let request = format!(
            "MESSAGE sip:x@{name}.test SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{name}\r\nFrom: <sip:a@b.test>;tag=1\r\n\
             To: <sip:x@{name}.test>\r\nCall-ID: {us}\r\nCSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        );
        socket.send_to(request.as_bytes(), &server.udp).expect("sent");
        dns.set_read_timeout(Some(Duration::from_secs(40))).expect("set");
        let mut question = [0; 512];
        let length = dns.recv(&mut question).expect("a question");
        let question = question.get(..length).expect("it fits");
        assert!(question.windows(name.len()).any(|part| part == name.as_bytes()));
    };
    asked(&server, first, "before");
    server.reload(&folder, &config(second), "reloaded");
    asked(&server, second, "after");
}

/// The certificate that a server shows.
fn shown(tls: &str) -> String {
    let output = Command::new("openssl")
        .args(["s_client", "-showcerts", "-connect", tls])
        .stdin(Stdio::null())
        .output()
        .expect("openssl");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let begin = text.find("-----BEGIN").unwrap_or_default();
    between(text.get(begin..).unwrap_or_default(), "-----BEGIN CERTIFICATE-----", "-----END")
        .trim()
        .to_owned()
}

#[test]
fn certificates_change_and_one_that_is_of_no_use_is_named() {
    let folder = folder("reload-certificates");
    let authority = Authority::new();
    let pairs = ["one", "two"].map(|name| authority.issue(name, &["localhost"], Flaw::None));
    let config = |pair: &Pair| {
        let (certificate, key) = (pair.certificate.display(), pair.key.display());
        format!("{OPEN}[tls]\ncertificate = \"{certificate}\"\nprivate_key = \"{key}\"\n")
            .replace("tcp =", "tls = \"127.0.0.1:0\"\ntcp =")
    };
    let [one, two] = &pairs;
    let mut server = Server::start(&folder, &config(one));
    let tls = address(&server.line("\"transport\":\"tls\""));
    let shows = |pair: &Pair| {
        let file = std::fs::read_to_string(&pair.certificate).expect("written");
        let own =
            between(&file, "-----BEGIN CERTIFICATE-----", "-----END").trim().replace("\r\n", "\n");
        assert_eq!(shown(&tls), own);
    };
    shows(one);
    server.reload(&folder, &config(two), "reloaded");
    shows(two);
    let mixed = Pair { key: one.key.clone(), certificate: two.certificate.clone() };
    let line = server.reload(&folder, &config(&mixed), "config_refused");
    assert!(line.contains("offhook.toml:8:15") && line.contains("this is not the key"), "{line}");
    shows(two);
}
