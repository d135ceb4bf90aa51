//! A next hop that closes its TCP connection after each answer: the next request opens a new one, and is answered all the same.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use crate::{Server, between, folder};

const PATIENCE: Duration = Duration::from_secs(20);

/// Answers one request on each connection, and closes it.
fn curt() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = listener.local_addr().expect("bound").to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // One that was closed before it asked wants nothing.
            let _ = answer(&mut stream);
        }
    });
    address
}

/// Answers the first request of a connection.
fn answer(stream: &mut TcpStream) -> std::io::Result<()> {
    let (mut request, mut octet) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut octet)?;
        request.extend_from_slice(&octet);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let rows = request.split("\r\n").filter(|row| copied.iter().any(|name| row.starts_with(name)));
    let rows: String = rows.map(|row| format!("{row}\r\n")).collect();
    let answer = format!("SIP/2.0 200 OK\r\n{rows}Content-Length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes())
}

#[test]
fn a_next_hop_that_closes_after_each_answer_gets_each_request() {
    for shards in [1, 2] {
        let folder = folder(&format!("serve-closing-{shards}"));
        let hop = curt();
        let config = format!(
            "[listen]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\n[auth]\nchallenge = []\n[server]\nshards = {shards}\n\
             [overload]\nunlimited = [\"127.0.0.1/32\"]\n[[route]]\nmatch = {{ prefix = \"+\" }}\nto = \"sip:{hop};transport=tcp\"\n"
        );
        let server = Server::start(&folder, &config);
        let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
        socket.set_read_timeout(Some(PATIENCE)).expect("set");
        let us = socket.local_addr().expect("bound").to_string();
        let statuses: Vec<_> =
            (0..20).map(|number| ask(&socket, (&us, &server.udp), number)).collect();
        assert_eq!(statuses, ["200"; 20], "{shards} shards");
    }
}

/// The status of the answer to a request.
fn ask(socket: &UdpSocket, (us, server): (&str, &str), number: u32) -> String {
    let wire = format!(
        "OPTIONS sip:+4930@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bKclosing{number}\r\nFrom: <sip:a@127.0.0.1>;tag=1\r\n\
         To: <sip:+4930@127.0.0.1>\r\nCall-ID: closing-{number}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    socket.send_to(wire.as_bytes(), server).expect("sent");
    let mut octets = [0; 2048];
    let length = socket.recv(&mut octets).expect("an answer");
    let answer = String::from_utf8_lossy(octets.get(..length).expect("it fits")).into_owned();
    between(&answer, "SIP/2.0 ", " ").to_owned()
}
