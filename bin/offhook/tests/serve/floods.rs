//! Floods against the whole program (RELIABILITY R10): memory stays bounded, nothing is kept of strangers, and others are answered.

use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::strangers::{Asker, status};
use crate::{Server, folder};

/// Strangers on this machine are strangers: each address has its share only.
const OFFICE: &str = "domains = [\"office.test\", \"127.0.0.1\", \"localhost\"]\n[listen]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\n[server]\nshards = 2\n\
                      [store]\ndurability = \"memory\"\n[overload]\nunlimited = []\n\
                      [[extension]]\nnumber = \"102\"\npassword = \"correct horse battery\"\n";

/// What the server has of memory, or had at most, in octets.
fn memory(server: u32, row: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{server}/status")).expect("it lives");
    let row = status.lines().find_map(|line| line.strip_prefix(row)).expect("Linux says so");
    let number = row.trim_start_matches(':').trim().trim_end_matches(" kB");
    number.parse::<u64>().expect("a number") * 1024
}

/// So much memory must do.
const ENOUGH: u64 = 256 << 20;

/// A control group that has no more memory than that: whoever wants more is killed by the kernel.
struct Cage {
    folder: PathBuf,
    /// The file that says how much it had at most.
    most: &'static str,
}

impl Cage {
    /// None, and a word about it, where control groups cannot be made.
    fn new(name: &str) -> Option<Self> {
        let first = ("memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes");
        let second = |place| (place, "memory.max", "memory.peak");
        let made = [first, second("unified"), second(".")].into_iter().find_map(|place| {
            let (place, limit, most) = place;
            let name = format!("offhook-{name}-{}", std::process::id());
            let folder = Path::new("/sys/fs/cgroup").join(place).join(name);
            std::fs::create_dir(&folder).ok()?;
            let cage = Self { folder, most };
            std::fs::write(cage.folder.join(limit), ENOUGH.to_string()).ok()?;
            Some(cage)
        });
        if made.is_none() {
            println!("its memory is only looked at: no control group can be made");
        }
        made
    }

    /// The program, in it from its first octet.
    fn program(&self) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]);
        command.arg(self.folder.join("cgroup.procs")).arg(crate::program());
        command
    }

    /// How many octets the kernel has counted for it at most, its buffers too.
    fn most(&self) -> String {
        std::fs::read_to_string(self.folder.join(self.most)).unwrap_or_default().trim().into()
    }
}

impl Drop for Cage {
    fn drop(&mut self) {
        // It is empty a moment after its server has ended.
        let patience = Instant::now() + Duration::from_secs(10);
        while std::fs::remove_dir(&self.folder).is_err() && Instant::now() < patience {
            std::thread::yield_now();
        }
    }
}

/// A socket of the nth stranger: an address of its own, which loopback has plenty of.
fn stranger(nth: u32) -> UdpSocket {
    let ip = Ipv4Addr::from_bits(0x7f01_0000 + nth);
    UdpSocket::bind((ip, 0)).expect("bound")
}

/// An INVITE or REGISTER of somebody who was never seen.
fn request(nth: u32, from: &UdpSocket) -> String {
    let from = from.local_addr().expect("bound");
    let method = if nth.is_multiple_of(2) { "INVITE" } else { "REGISTER" };
    format!(
        "{method} sip:office.test SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKf{nth}\r\nMax-Forwards: 70\r\n\
         From: <sip:u{nth}@office.test>;tag=t{nth}\r\nTo: <sip:u{nth}@office.test>\r\nCall-ID: flood-{nth}\r\n\
         CSeq: 1 {method}\r\nContact: <sip:u{nth}@{from}>\r\nContent-Length: 0\r\n\r\n"
    )
}

/// So many requests, each of a new user with a new Call-ID and branch, from so many addresses. All the while somebody good is answered.
fn distinct(name: &str, (messages, sources): (u32, u32)) {
    // It is there longer than its server.
    let cage = Cage::new(name);
    let program = cage.as_ref().map_or_else(|| Command::new(crate::program()), Cage::program);
    let mut server = Server::start_as(program, &folder(name), (OFFICE, "json"), &[]);
    let good = Asker::new(&server);
    let each = messages / sources;
    let mut settled = 0;
    for source in 0..sources {
        let socket = stranger(source);
        for nth in source * each..(source + 1) * each {
            let octets = request(nth, &socket);
            socket.send_to(octets.as_bytes(), &server.udp).expect("sent");
        }
        if source % (2000 / each).max(1) == 0 {
            let status = status(&good.patiently(&format!("good-{source}")));
            assert!([401, 503].contains(&status), "{status}");
        }
        if source == sources / 5 {
            settled = memory(server.child.id(), "VmRSS");
        }
    }
    let (at_end, most) = (memory(server.child.id(), "VmRSS"), memory(server.child.id(), "VmHWM"));
    let counted = cage.as_ref().map_or_else(|| "not".into(), Cage::most);
    println!(
        "{messages} from {sources}: {settled} octets after a fifth, {at_end} at the end, {most} at most; counted by the kernel: {counted} of {ENOUGH}"
    );
    assert!(most <= ENOUGH, "{most} octets");
    assert!(server.child.try_wait().expect("it is ours").is_none(), "it lives");
    // What is remembered of a source has its bound; of a request nothing is.
    assert!(at_end < settled + (16 << 20), "{settled} octets after a fifth, {at_end} at the end");
}

/// R10, short.
#[test]
fn ten_thousand_strangers_leave_nothing_in_memory() {
    distinct("serve-flood", (20_000, 400));
}

/// R10: a million of them, from ten thousand addresses.
#[test]
#[ignore = "a minute of full load"]
fn r10_a_million_strangers_leave_nothing_in_memory() {
    distinct("serve-flood-long", (1_000_000, 10_000));
}
