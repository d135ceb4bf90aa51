//! Peers that are slow on purpose: thousands of connections that say nothing, or half of something, or never read. Whoever means it is
//! served all the same, and they cost next to nothing.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::offhook::Offhook;
use crate::phone::Phone;
use crate::place;

/// As many as the promise says.
const CROWD: usize = 10_000;

/// One that is slow, and how.
struct Slow {
    stream: TcpStream,
    trickles: bool,
}

/// So many connections, which take turns with these source addresses and with four ways of being slow.
fn crowd(server: SocketAddr, sources: &[IpAddr]) -> Vec<Slow> {
    let half_a_body = request(100) + "0123456789";
    let half_a_header = "OPTIONS sip:localhost SIP/2.0\r\nVia: SIP/2.0/TCP 127.";
    crowd_that_says(&["", half_a_header, "O", &half_a_body], server, sources)
}

fn crowd_that_says(says: &[&str], server: SocketAddr, sources: &[IpAddr]) -> Vec<Slow> {
    let mut crowd = Vec::with_capacity(CROWD);
    for number in 0..CROWD {
        let mut stream = connect(server, sources[number % sources.len()]);
        let word = says[number / sources.len() % says.len()];
        // It may have been shown the door already.
        let _ = stream.write_all(word.as_bytes());
        stream.set_nonblocking(true).unwrap();
        crowd.push(Slow { stream, trickles: word == "O" });
    }
    crowd
}

fn connect(server: SocketAddr, source: IpAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(source, 0).into()).unwrap();
    socket.connect(&server.into()).unwrap_or_else(|error| panic!("{source}: {error}"));
    socket.into()
}

/// A request that nobody has sent before, with a body of so many octets, without the body.
fn request(body: usize) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!(
        "OPTIONS sip:localhost SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK-{count}\r\nMax-Forwards: 70\r\n\
         From: <sip:x@localhost>;tag=1\r\nTo: <sip:localhost>\r\nCall-ID: {count}\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: {body}\r\n\r\n"
    )
}

fn hundred() -> Vec<IpAddr> {
    (1..=100).map(|last| [127, 8, 0, last].into()).collect()
}

/// How many of them the server still has. Those that trickle say one octet more.
fn still_there(crowd: &mut Vec<Slow>, octet: &[u8]) -> usize {
    crowd.retain_mut(|slow| {
        let trickled = !slow.trickles || slow.stream.write_all(octet).is_ok();
        let read = slow.stream.read(&mut [0; 512]);
        trickled && read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    });
    crowd.len()
}

/// Asks the server once, by a new connection; how long the answer took.
fn ask(server: SocketAddr) -> Duration {
    let began = Instant::now();
    let mut stream = connect(server, [127, 0, 0, 1].into());
    stream.set_read_timeout(Some(SERVED)).unwrap();
    stream.write_all(request(0).as_bytes()).unwrap();
    let mut answer = [0; 512];
    let length = stream.read(&mut answer).expect("an answer in time");
    assert!(answer[..length].starts_with(b"SIP/2.0 200"), "{}", answer[..length].escape_ascii());
    began.elapsed()
}

/// Asks every now and then until told to stop; how long the answers took.
fn ask_often(server: SocketAddr, stop: &AtomicBool) -> Vec<Duration> {
    let mut took = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        took.push(ask(server));
        thread::park_timeout(Duration::from_millis(20));
    }
    took
}

/// Lets others go on until it is dropped, also when the test fails.
struct UntilDropped<'a>(&'a AtomicBool);

impl Drop for UntilDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Octets of memory that a process holds.
fn resident(server: &Offhook) -> usize {
    let file = format!("/proc/{}/status", server.peer.id());
    let status = std::fs::read_to_string(file).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// One crowd at a time: two would need more files than a process may open.
static CROWDED: Mutex<()> = Mutex::new(());

/// May we open as many files? The kernel lets each process raise its own limit to the hard one.
fn may_open(files: usize) -> bool {
    let us = std::process::id().to_string();
    let prlimit =
        |arguments: &[&str]| Command::new("prlimit").args(["--pid", &us]).args(arguments).output();
    let hard = prlimit(&["--nofile", "-o", "HARD", "--noheadings"]);
    let hard = hard.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let hard = hard.unwrap_or_default();
    let raised = prlimit(&[&format!("--nofile={hard}")]);
    let enough = raised.is_ok_and(|output| output.status.success())
        && (hard == "unlimited" || hard.parse::<usize>().is_ok_and(|hard| hard >= files));
    let missing = format!("{files} files cannot be opened (ulimit -Hn: {hard})");
    assert!(enough || std::env::var_os("OFFHOOK_REQUIRE_PEERS").is_none(), "{missing}");
    if !enough {
        println!("skipped: {missing}");
    }
    enough
}

#[test]
fn ten_thousand_slow_connections_cost_little_and_hinder_nobody() {
    if !may_open(CROWD + 2_000) {
        return;
    }
    let _alone = CROWDED.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = place::folder("slow");
    let server = Offhook::serve(&folder, &["101"], "auth = { challenge = [\"REGISTER\"] }");
    let hundred = hundred();
    let before = resident(&server);
    let (at, stop) = (server.tcp, AtomicBool::new(false));
    let took = thread::scope(|scope| {
        let asking = UntilDropped(&stop);
        let good = scope.spawn(|| ask_often(at, &stop));
        let began = Instant::now();
        let mut slow = crowd(at, &hundred);
        assert!(still_there(&mut slow, b"") > CROWD * 99 / 100, "{} are there", slow.len());
        let each = (resident(&server) - before) / CROWD;
        println!("{CROWD} slow connections after {:?}: {each} octets each", began.elapsed());
        assert!(each < 8 * 1024, "{each} octets a connection");
        while still_there(&mut slow, b"x") > 0 {
            assert!(began.elapsed() < GONE, "{} are still there", slow.len());
            thread::park_timeout(Duration::from_secs(4));
        }
        println!("all gone after {:?}", began.elapsed());
        // A single source is let have fewer.
        let mut slow = crowd(at, &[[127, 8, 1, 1].into()]);
        // The kernel lets them in; the server closes those that are too many, one by one, and long before it calls any of them slow.
        let closed_by = Instant::now() + SERVED;
        while still_there(&mut slow, b"") > 2_000 && Instant::now() < closed_by {
            thread::park_timeout(Duration::from_millis(50));
        }
        let left = slow.len();
        println!("{left} of {CROWD} from one source are let in");
        assert!(left <= 2_000, "{left} from one source");
        drop(asking);
        good.join().unwrap()
    });
    let longest = took.iter().max().unwrap();
    println!("meanwhile {} answers, the longest after {longest:?}", took.len());
    server.stop();
}

/// The same on the door for TLS: nobody shakes hands, half of them begin to.
#[test]
fn ten_thousand_who_never_shake_hands_cost_little_and_keep_nobody_out() {
    if !may_open(CROWD + 2_000) {
        return;
    }
    let _alone = CROWDED.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = place::folder("slow-tls");
    let (server, account) = Offhook::office(&folder, "tls", "127.0.0.1");
    let (at, hundred) = (account("101").server, hundred());
    let before = resident(&server);
    let began = Instant::now();
    let mut slow = crowd_that_says(&["", "\x16\x03\x01"], at, &hundred);
    let grown = resident(&server).saturating_sub(before);
    let there = still_there(&mut slow, b"");
    println!("{there} of {CROWD} are there after {:?}, for {grown} octets", began.elapsed());
    assert!(grown < CROWD * 8 * 1024, "{grown} octets for {CROWD} connections");
    let mut took = Vec::new();
    // Meanwhile somebody who means it is let in, time and again.
    while still_there(&mut slow, b"") > 0 {
        assert!(began.elapsed() < GONE, "{} are still there", slow.len());
        let began = Instant::now();
        let mut phone = Phone::start(&folder, &account("101"), &["register"]);
        assert!(phone.peer.end(SERVED).success(), "{}", phone.peer.said());
        took.push(began.elapsed());
    }
    println!("meanwhile {} phones registered, each within {:?}", took.len(), took.iter().max());
    server.stop();
}

#[test]
fn a_peer_that_never_reads_is_shown_the_door_and_hinders_nobody() {
    let folder = place::folder("slow-reader");
    let server = Offhook::serve(&folder, &["101"], "auth = { challenge = [\"REGISTER\"] }");
    let before = resident(&server);
    let mut deaf = connect(server.tcp, [127, 8, 2, 1].into());
    deaf.set_write_timeout(Some(GONE)).unwrap();
    let (mut asked, mut longest) = (0, Duration::ZERO);
    let why = loop {
        let many: String = (0..100).map(|_| request(0)).collect();
        if let Err(error) = deaf.write_all(many.as_bytes()) {
            break error;
        }
        asked += 100;
        assert!(asked < 1_000_000, "it is never shown the door");
        // Meanwhile somebody else is served.
        longest = longest.max(ask(server.tcp));
    };
    assert!(matches!(why.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{why}");
    println!("shown the door after {asked} requests; nobody else waited longer than {longest:?}");
    let grown = resident(&server).saturating_sub(before);
    // What the allocator has not given back to the system yet counts too.
    assert!(grown < 64 << 20, "{grown} octets for one peer");
    server.stop();
}

/// So soon a good client is served, on a machine where tests run: the wait is what the test is about, not its milliseconds.
const SERVED: Duration = Duration::from_secs(5);
/// So soon a connection that says nothing whole is gone: the server waits 20 s.
const GONE: Duration = Duration::from_secs(32);
