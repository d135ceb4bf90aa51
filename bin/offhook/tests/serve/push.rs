//! A phone that sleeps is woken by a program of the operator, and the request for it goes on when it has registered again (RFC 8599).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use crate::{Server, folder};

/// A phone, or whoever calls one.
struct Peer(UdpSocket);

impl Peer {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
        Self(socket)
    }

    fn say(&self, server: &str, (method, uri): (&str, &str), cseq: u32, rows: &str) {
        let us = self.0.local_addr().expect("bound");
        let to = if method == "REGISTER" { "sip:101@localhost" } else { uri };
        let request = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{method}{cseq}\r\nFrom: <sip:101@localhost>;tag=1\r\n\
             To: <{to}>\r\nCall-ID: {us}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\n{rows}Content-Length: 0\r\n\r\n"
        );
        self.0.send_to(request.as_bytes(), server).expect("sent");
    }

    fn register(&self, server: &str, cseq: u32) -> String {
        let us = self.0.local_addr().expect("bound");
        let pn = "pn-provider=fcm;pn-param=project;pn-prid=phone-one";
        let contact = format!("Contact: <sip:101@{us};{pn}>\r\n");
        self.say(server, ("REGISTER", "sip:localhost"), cseq, &contact);
        self.hear()
    }

    fn hear(&self) -> String {
        let mut octets = [0; 4096];
        let length = self.0.recv(&mut octets).expect("a message");
        String::from_utf8_lossy(octets.get(..length).expect("it fits")).into_owned()
    }
}

/// Takes one POST; answers it; its body.
fn take(listener: &TcpListener, status: &str) -> String {
    let (mut stream, _) = listener.accept().expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
    let body = read(&stream);
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).expect("written");
    body
}

fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).expect("a line") > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a number");
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    String::from_utf8(body).expect("UTF-8")
}

#[test]
fn a_phone_is_woken_and_then_called() {
    let folder = folder("serve-push");
    let program = TcpListener::bind("127.0.0.1:0").expect("bound");
    let config = format!(
        "[listen]\nudp = \"127.0.0.1:0\"\ntcp = []\n[auth]\nchallenge = []\n[push]\nurl = \"http://{}/wake\"\n",
        program.local_addr().expect("bound")
    );
    let server = Server::start(&folder, &config);
    let (phone, caller) = (Peer::new(), Peer::new());
    let ok = phone.register(&server.udp, 1);
    assert!(
        ok.starts_with("SIP/2.0 200 ") && ok.contains("Feature-Caps: *;+sip.pns=\"fcm\"\r\n"),
        "{ok}"
    );
    caller.say(&server.udp, ("MESSAGE", "sip:101@localhost"), 1, "");
    let letter = take(&program, "204 No Content");
    for part in ["\"aor\":\"101\"", "\"prid\":\"phone-one\"", "\"param\":\"project\""] {
        assert!(letter.contains(part), "{letter}");
    }
    // The request does not wait until the disk has the registration; its answer does.
    let both = [phone.register(&server.udp, 2), phone.hear()];
    for begins in ["SIP/2.0 200 ", "MESSAGE sip:101@127.0.0.1"] {
        assert!(both.iter().any(|text| text.starts_with(begins)), "{both:?}");
    }
    // A program that refuses: the caller hears it, and the log says why.
    caller.say(&server.udp, ("MESSAGE", "sip:101@localhost"), 2, "");
    take(&program, "500 No");
    let refused = std::iter::from_fn(|| Some(caller.hear())).find(|text| text.contains("CSeq: 2 "));
    assert!(refused.expect("an answer").starts_with("SIP/2.0 480 "));
    let mut server = server;
    let line = server.line("not_woken");
    assert!(line.contains("it answered 500") && !line.contains("phone-one"), "{line}");
    // Another program takes over.
    let other = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = |program: &TcpListener| program.local_addr().expect("bound").to_string();
    let config = config.replace(&address(&program), &address(&other));
    server.reload(&folder, &config, "reloaded");
    caller.say(&server.udp, ("MESSAGE", "sip:101@localhost"), 3, "");
    assert!(take(&other, "204 No Content").contains("phone-one"));
}
