//! A start with many phones in the store: all are there with the first answer, and the server works no longer for that than is promised.

use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use net::Clock;
use protocol::Record;
use store::{Durability, Kept, Opened, Restored, Store};

use crate::both::Phone;
use crate::files::worked;
use crate::{Server, folder, program};

const CONFIG: &str =
    "[listen]\nudp = \"127.0.0.1:0\"\ntcp = []\n[auth]\nchallenge = []\n[registrar]\njitter = 0\n";

/// The first of them. All have as many digits.
const FIRST: usize = 1_000_000;

/// Registers with this contact, or asks without one; its 200.
fn registers(server: &Server, phone: usize, rows: &str) -> String {
    let text = says(server, phone, rows);
    assert!(text.starts_with("SIP/2.0 200 "), "{text}");
    text
}

/// The same, whatever the answer is.
fn says(server: &Server, phone: usize, rows: &str) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    socket.set_read_timeout(Some(Duration::from_secs(120))).expect("set");
    let us = socket.local_addr().expect("bound");
    let wire = format!(
        "REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{phone}\r\nFrom: <sip:{phone}@127.0.0.1>;tag=1\r\n\
         To: <sip:{phone}@127.0.0.1>\r\nCall-ID: {phone}\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\n{rows}Content-Length: 0\r\n\r\n"
    );
    socket.send_to(wire.as_bytes(), &server.udp).expect("sent");
    let mut octets = [0; 2048];
    let length = socket.recv(&mut octets).expect("an answer");
    String::from_utf8_lossy(octets.get(..length).expect("it fits")).into_owned()
}

/// What the server has kept of the first phone, for as many others too.
fn multiply(data: &Path, phones: usize) {
    let now = Clock::start().now();
    let opened = Store::open(data, Durability::Grouped, now, |_| ()).expect("it opens");
    let Opened { store, restored, .. } = opened;
    let [Restored { key, value, .. }] = &restored[..] else { panic!("one phone: {restored:?}") };
    let (first, until) = (FIRST.to_string(), now + Duration::from_secs(3_000));
    assert_eq!(&**key, first.as_bytes());
    let (tell, told) = channel();
    for from in (1..phones).step_by(10_000) {
        let some = from..phones.min(from + 10_000);
        for phone in some.clone() {
            let number = (FIRST + phone).to_string();
            let value = replaced(value, first.as_bytes(), number.as_bytes()).into();
            let tell = tell.clone();
            let record = Record { key: number.as_bytes().into(), value, until };
            store.keep(record, Box::new(move |kept| tell.send(kept).expect("heard")));
        }
        assert!(told.iter().take(some.len()).all(|kept| kept == Kept::Safely));
    }
}

fn replaced(octets: &[u8], what: &[u8], by: &[u8]) -> Vec<u8> {
    let mut octets = octets.to_vec();
    for at in 0..octets.len() {
        if octets[at..].starts_with(what) {
            octets[at..at + by.len()].copy_from_slice(by);
        }
    }
    octets
}

/// Starts a server that had so many phones when it was killed; for how many hundredths of a second it may work before its first answer.
fn starts(name: &str, phones: usize, most: u64) {
    let folder = folder(name);
    let mut server = Server::start(&folder, CONFIG);
    let contact = |phone: usize| format!("Contact: <sip:{phone}@192.0.2.7:5060>");
    registers(&server, FIRST, &format!("{}\r\n", contact(FIRST)));
    server.signal("KILL");
    server.child.wait().expect("ended");
    multiply(&folder.join("data"), phones);
    let began = Instant::now();
    let server = Server::start(&folder, CONFIG);
    let answer = registers(&server, FIRST + phones - 1, "");
    let (took, worked) = (began.elapsed(), worked(&server));
    println!(
        "{phones} phones: the first answer after {took:?}, {worked} hundredths of a second of work"
    );
    assert!(answer.contains(&contact(FIRST + phones - 1)), "{answer}");
    for phone in (0..phones).step_by(phones / 100) {
        let answer = registers(&server, FIRST + phone, "");
        assert!(answer.contains(&contact(FIRST + phone)), "{answer}");
    }
    assert!(worked <= most, "{worked} hundredths of a second");
}

/// RELIABILITY R1: a second for each hundred thousand. A debug build, as most run this, needs some seconds.
#[test]
fn a_hundred_thousand_phones_are_there_with_the_first_answer() {
    let most = if cfg!(debug_assertions) { 1_000 } else { 100 };
    starts("serve-starts", 100_000, most);
}

#[test]
#[ignore = "a million take half a minute to write: run by .ci/nightly"]
fn a_million_phones_are_there_with_the_first_answer() {
    starts("serve-starts-million", 1_000_000, 1_000);
}

/// In a mount namespace of its own the folder is a disk of one megabyte, which holds what a server has kept that was killed, and nothing else has room on it.
#[test]
fn a_server_that_is_started_on_a_full_disk_serves_calls() {
    if !Command::new("unshare").args(["--mount", "true"]).status().is_ok_and(|it| it.success()) {
        return println!("skipped: no disk can be mounted here");
    }
    let (folder, mut callers) = (folder("serve-starts-full"), Phone::new());
    let route = format!("[[route]]\nmatch = {{ prefix = \"+\" }}\nto = \"sip:{}\"\n", callers.us);
    let config = format!("{CONFIG}{route}");
    let mut server = Server::start(&folder, &config);
    let contact = format!("Contact: <sip:{FIRST}@192.0.2.7:5060>\r\n");
    registers(&server, FIRST, &contact);
    server.signal("KILL");
    server.child.wait().expect("ended");
    let (data, kept) = (folder.join("data"), folder.join("kept"));
    std::fs::rename(&data, &kept).expect("moved");
    std::fs::create_dir(&data).expect("made");
    let script = "mount -t tmpfs -o size=1m tmpfs \"$DATA\" && cp \"$KEPT\"/* \"$DATA\" && { cat /dev/zero >\"$DATA\"/ballast 2>&-; exec \"$0\" \"$@\"; }";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(program());
    let places = [("DATA", data.clone()), ("KEPT", kept)];
    let mut server = Server::start_as(command, &folder, (&config, "json"), &places);
    callers.calls_through(&server.udp, "+4930");
    callers.call("meanwhile").hangs_up();
    assert!(registers(&server, FIRST, "").contains(contact.trim_end()), "it is there");
    let refused = says(&server, FIRST + 1, &contact);
    assert!(
        refused.starts_with("SIP/2.0 503 ") && refused.contains("\r\nRetry-After: "),
        "{refused}"
    );
    server.line("\"event\":\"store_refuses\"");
    let id = server.child.id().to_string();
    let mut removes = Command::new("nsenter");
    removes.args(["--mount", "-t", &id, "rm"]).arg(data.join("ballast"));
    assert!(removes.status().expect("nsenter is there").success());
    registers(&server, FIRST + 2, &contact);
    server.line("\"event\":\"store_works_again\"");
}
