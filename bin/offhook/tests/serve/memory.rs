//! A server that gets no more memory (RELIABILITY R28): it ends at once, says why, and what it has acknowledged is there when it is started again.

use std::io::Read as _;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::{Server, folder};

const PATIENCE: Duration = Duration::from_secs(120);
const PHONES: u32 = 20;
/// Octets of what each call brings along, as many as a datagram holds.
const BODY: usize = 60_000;
/// What it may have more than at the start.
const MORE: u64 = 24 << 20;

fn request(line: &str, (us, id): (&str, &str), rows: &str, body: &str) -> String {
    let method = line.split(' ').next().unwrap_or_default();
    format!(
        "{line} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{id}\r\nFrom: <sip:{id}@127.0.0.1>;tag=1\r\nTo: <sip:{id}@127.0.0.1>\r\n\
         Call-ID: {id}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n{rows}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// From now on it may have so many octets more (getrlimit(2), `RLIMIT_AS`).
fn allow(server: &Server, more: u64) {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id()));
    let status = status.expect("it lives");
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let size = size.and_then(|size| size.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let (id, limit) = (server.child.id().to_string(), size.expect("known") * 1024 + more);
    let limit = format!("--as={limit}:");
    let status = Command::new("prlimit").args(["--pid", &id, &limit]).status();
    assert!(status.expect("prlimit is there").success());
}

/// Registers, or asks who is registered.
fn registers(server: &Server, phone: u32, rows: &str) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    socket.set_read_timeout(Some(PATIENCE)).expect("set");
    let us = socket.local_addr().expect("bound").to_string();
    let wire = request("REGISTER sip:127.0.0.1", (&us, &phone.to_string()), rows, "");
    socket.send_to(wire.as_bytes(), &server.udp).expect("sent");
    let mut octets = [0; 2048];
    let length = socket.recv(&mut octets).expect("an answer");
    String::from_utf8_lossy(octets.get(..length).expect("it fits")).into_owned()
}

/// Somebody who takes all that comes and says nothing.
fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = listener.local_addr().expect("bound").to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut octets = vec![0; 1 << 16];
            while stream.read(&mut octets).is_ok_and(|length| length > 0) {}
        }
    });
    address
}

#[test]
fn a_server_without_memory_ends_and_what_it_acknowledged_is_there() {
    let folder = folder("serve-memory");
    let config = format!(
        "[listen]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\n[auth]\nchallenge = []\n[server]\nshards = 1\n\
         [overload]\nunlimited = [\"127.0.0.1/32\"]\n[[route]]\nmatch = {{ prefix = \"+\" }}\nto = \"sip:{};transport=tcp\"\n",
        silent()
    );
    // The allocator asks the kernel for what it needs when it needs it, and not for much more beforehand.
    let by_need = [("MIMALLOC_ARENA_RESERVE", "0".into())];
    let mut server = Server::start_in(&folder, (&config, "json"), &by_need);
    let contact = |phone: u32| format!("Contact: <sip:{phone}@192.0.2.7:5060>\r\n");
    for phone in 0..PHONES {
        assert!(registers(&server, phone, &contact(phone)).starts_with("SIP/2.0 200 "));
    }
    allow(&server, MORE);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    let (us, body) = (socket.local_addr().expect("bound").to_string(), "x".repeat(BODY));
    let deadline = Instant::now() + PATIENCE;
    let mut calls = 0;
    let ended = loop {
        if let Some(ended) = server.child.try_wait().expect("asked") {
            break ended;
        }
        assert!(Instant::now() < deadline, "it lives, with {calls} calls");
        calls += 1;
        let (id, rows) = (format!("call-{calls}"), format!("Contact: <sip:a@{us}>\r\n"));
        let wire = request("INVITE sip:+4930@127.0.0.1", (&us, &id), &rows, &body);
        // One that is gone refuses it.
        let _ = socket.send_to(wire.as_bytes(), &server.udp);
        std::thread::yield_now();
    };
    let said: Vec<_> = server.log.by_ref().map_while(Result::ok).collect();
    let said = said.join("\n");
    println!("{calls} calls, {ended}: {}", said.lines().last().unwrap_or_default());
    assert_eq!(ended.signal(), Some(6), "{said}");
    assert!(said.contains("memory allocation of "), "{said}");
    let server = Server::start(&folder, &config);
    for phone in 0..PHONES {
        let answer = registers(&server, phone, "");
        assert!(answer.contains(&contact(phone)[..20]), "{phone} is lost: {answer}");
    }
}
