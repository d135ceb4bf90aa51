//! A server that can open no more files (RELIABILITY R28): who comes too late waits, everybody else is served, nothing turns in a circle, and
//! when there are files again all is as before.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::both::Phone;
use crate::{Server, ask, folder};

/// How long anything may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(40);

/// The number that its next file would get: the lowest that is free.
fn next_file(server: &Server) -> u32 {
    let folder = std::fs::read_dir(format!("/proc/{}/fd", server.child.id())).expect("it lives");
    let names = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let open: std::collections::BTreeSet<u32> = names.collect();
    (0..).find(|number| !open.contains(number)).expect("some number is free")
}

/// From now on the numbers of its files are below this one (getrlimit(2)).
fn allow(server: &Server, files: u32) {
    let (id, limit) = (server.child.id().to_string(), format!("--nofile={files}:"));
    let status = Command::new("prlimit").args(["--pid", &id, &limit]).status();
    assert!(status.expect("prlimit is there").success());
}

/// Waits for something.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "no {what}");
        std::thread::yield_now();
    }
}

/// Hundredths of a second that a process has worked so far (proc(5): `utime` and `stime`).
pub(crate) fn worked(server: &Server) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.child.id()));
    let stat = stat.expect("it lives");
    let behind = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let times = behind.split_whitespace().skip(11).take(2);
    times.filter_map(|time| time.parse::<u64>().ok()).sum()
}

#[test]
fn a_server_without_files_serves_whom_it_can_and_comes_back() {
    let (folder, mut phone) = (folder("serve-files"), Phone::new());
    let file = folder.join("calls.jsonl");
    let config = format!(
        "domains = [\"127.0.0.1\"]\n[listen]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\n[server]\nshards = 1\n[auth]\nchallenge = []\n\
         [records]\njson = \"{}\"\n[[route]]\nmatch = {{ prefix = \"+\" }}\nto = \"sip:{}\"\n",
        file.display(),
        phone.us
    );
    let mut server = Server::start(&folder, &config);
    let tcp = crate::address(&server.line("\"transport\":\"tcp\""));
    phone.calls_through(&server.udp, "+4930");
    phone.call("before").hangs_up();
    // The file of its records is its last.
    let written = || std::fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n'));
    until("a record", written);
    let before = next_file(&server);
    allow(&server, before);
    let mut late = TcpStream::connect(&tcp).expect("the kernel takes it");
    late.set_read_timeout(Some(PATIENCE)).expect("set");
    let request = format!(
        "OPTIONS sip:{tcp} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKlate\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:{tcp}>\r\n\
         Call-ID: late\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    late.write_all(request.as_bytes()).expect("sent");
    server.line("no more files can be opened");
    // It tries again a few times a second, and does not spin: it works a small part of that time.
    let (began, work) = (Instant::now(), worked(&server));
    for _ in 0..5 {
        server.line("no more files can be opened");
    }
    let (took, worked) = (began.elapsed(), worked(&server) - work);
    assert!(u128::from(worked) * 10 < 100 + took.as_millis() / 4, "{worked} ticks in {took:?}");
    // Datagrams need no file.
    assert!(ask(&server.udp, "OPTIONS").starts_with("SIP/2.0 200 "));
    phone.is_refused("refused", "486 Busy Here");
    phone.call("meanwhile").hangs_up();
    allow(&server, before + 64);
    let mut line = String::new();
    BufReader::new(&late).read_line(&mut line).expect("an answer");
    assert!(line.starts_with("SIP/2.0 200 "), "{line}");
    drop(late);
    until("file was given back", || next_file(&server) == before);
    phone.call("after").hangs_up();
    server.signal("TERM");
    server.line("\"event\":\"stopped\"");
    assert!(server.child.wait().expect("ended").success());
    let records = std::fs::read_to_string(file).expect("written");
    assert_eq!(records.lines().count(), 4, "{records}");
}
