//! A server that is killed in the middle of everything, and started again: what was acknowledged is there (RELIABILITY R1).

use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use crate::{Server, folder};

const KEEPING: &str =
    "[listen]\nudp = \"127.0.0.1:0\"\ntcp = []\n[auth]\nchallenge = []\n[registrar]\njitter = 0\n";

/// Kills the server so many times, always at another moment, while phones register; so many phones in all.
fn kill(name: &str, (times, phones): (u32, u32)) {
    let folder = folder(name);
    let a_round = phones / times;
    let mut acknowledged = BTreeSet::new();
    for round in 0..times {
        let mut server = Server::start(&folder, KEEPING);
        let (from, sent) = (a_round * round, a_round * (round + 1));
        // A different part of the round each time: from nearly none of it to nearly all.
        let enough = 1 + (round * 37 % times) * a_round / times;
        acknowledged.extend(register_and_kill(&mut server, from..sent, enough as usize));
        drop(server);
        let found = found(&folder, sent);
        let lost: Vec<_> = acknowledged.difference(&found).take(3).collect();
        assert!(lost.is_empty(), "round {round}: {lost:?} of {}", acknowledged.len());
    }
    assert!(acknowledged.len() >= times as usize);
    println!("{} of {phones} acknowledged, {times} kills, none lost", acknowledged.len());
}

/// Registers phones, some hundred at once, and kills the server when enough of them were acknowledged; those that were.
fn register_and_kill(server: &mut Server, mut phones: Range<u32>, enough: usize) -> BTreeSet<u32> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
    let (mut heard, mut sent) = (BTreeSet::new(), 0);
    while heard.len() < enough {
        while sent < heard.len() + AT_ONCE
            && let Some(phone) = phones.next()
        {
            let contact = format!("Contact: <{}>\r\n", contact(phone));
            socket
                .send_to(request(&socket, phone, &contact).as_bytes(), &server.udp)
                .expect("sent");
            sent += 1;
        }
        let (phone, text) = answer(&socket).expect("an answer");
        assert!(text.starts_with("SIP/2.0 200 "), "{text}");
        heard.insert(phone);
    }
    server.signal("KILL");
    server.child.wait().expect("ended");
    // What it had sent before it died lies in our socket.
    socket.set_nonblocking(true).expect("set");
    heard.extend(std::iter::from_fn(|| answer(&socket)).map(|(phone, _)| phone));
    heard
}

fn contact(phone: u32) -> String {
    format!("sip:{phone}@192.0.2.7:{}", 1 + phone % 60_000)
}

const AT_ONCE: usize = 200;

/// Starts the server again and asks for every phone: whose binding is there, with the time that it has left.
fn found(folder: &Path, phones: u32) -> BTreeSet<u32> {
    let server = Server::start(folder, KEEPING);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
    let has = |phone: &u32| {
        socket.send_to(request(&socket, *phone, "").as_bytes(), &server.udp).expect("sent");
        let (_, text) = answer(&socket).expect("an answer");
        let contacts: Vec<_> = text.lines().filter(|line| line.starts_with("Contact:")).collect();
        let [line] = contacts[..] else {
            assert!(contacts.is_empty(), "one contact each: {text}");
            return false;
        };
        assert!(line.contains(&contact(*phone)), "nothing is invented: {line}");
        let left = line.rsplit_once("expires=").map_or("", |(_, left)| left);
        let left: u32 = left.parse().expect("a number");
        assert!((3_000..=3_600).contains(&left), "{line}");
        true
    };
    (0..phones).filter(has).collect()
}

fn request(socket: &UdpSocket, phone: u32, contact: &str) -> String {
    let us = socket.local_addr().expect("bound");
    let what = if contact.is_empty() { "ask" } else { "tell" };
    format!(
        "REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK{what}{phone}-{}\r\n\
         From: <sip:{phone}@127.0.0.1>;tag=1\r\nTo: <sip:{phone}@127.0.0.1>\r\nCall-ID: {what}-{phone}\r\n\
         CSeq: 1 REGISTER\r\nMax-Forwards: 70\r\n{contact}Content-Length: 0\r\n\r\n",
        us.port()
    )
}

/// The next answer, and to which phone.
fn answer(socket: &UdpSocket) -> Option<(u32, String)> {
    let mut octets = [0; 2048];
    let length = socket.recv(&mut octets).ok()?;
    let text = String::from_utf8_lossy(octets.get(..length)?).into_owned();
    let id = text.lines().find_map(|line| line.strip_prefix("Call-ID: "))?;
    let phone = id.rsplit_once('-')?.1.parse().ok()?;
    Some((phone, text))
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

#[test]
fn a_second_server_does_not_serve_from_the_same_folder() {
    let folder = folder("serve-shared");
    let first = Server::start(&folder, KEEPING);
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
