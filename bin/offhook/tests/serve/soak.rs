//! A server that works for a long time: twenty calls a second, a tenth of them refused, each other one changed while it is up, a tenth transferred,
//! while connections come and go. Its memory and its files stay what they are (RELIABILITY R27).

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use crate::both::Phone;
use crate::{Server, ask, between, folder};

/// What a process has.
#[derive(Clone, Copy, Debug)]
struct Size {
    kilobytes: u64,
    files: usize,
}

fn size(server: &Server) -> Size {
    let id = server.child.id();
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("it lives");
    let kilobytes = between(&status, "VmRSS:", "kB").trim().parse().expect("a number");
    let files = std::fs::read_dir(format!("/proc/{id}/fd")).expect("it lives").count();
    Size { kilobytes, files }
}

/// What all who make work share.
struct Work {
    over: AtomicBool,
    calls: AtomicU64,
}

impl Work {
    /// Does something each so often until the end.
    fn each(&self, pause: Duration, mut what: impl FnMut(u64)) {
        let (_keep, pace) = channel::<()>();
        let began = Instant::now();
        let mut next = Duration::ZERO;
        for nth in 0.. {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            what(nth);
            next += pause;
            // Who is late goes on at once.
            let _ = pace.recv_timeout(next.saturating_sub(began.elapsed()));
        }
    }
}

fn config(folder: &std::path::Path, peers: &[&Phone]) -> String {
    let route = |(nth, phone): (usize, &&Phone)| {
        let from = phone.us.rsplit_once(':').map_or("", |(host, _)| host);
        format!(
            "[[route]]\nname = \"{nth}\"\nmatch = {{ prefix = \"+{nth}\", network = \"{from}\" }}\nto = \"sip:{}\"\n",
            phone.us
        )
    };
    let routes: String = peers.iter().enumerate().map(route).collect();
    format!(
        "domains = [\"127.0.0.1\"]\n[listen]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\n[auth]\nchallenge = []\n[records]\n\
         json = \"{0}/calls.jsonl\"\nmax_size = 1\nkeep = 3\n{routes}",
        folder.display()
    )
}

/// Lives for so long, with so many times twenty calls a second; what the server had after each part of it.
fn live(name: &str, (part, parts): (Duration, u32), times: u32) -> (Vec<Size>, u64) {
    let folder = folder(name);
    let mut phones: Vec<_> = (0..5).map(|_| Phone::new()).collect();
    let mut server = Server::start(&folder, &config(&folder, &phones.iter().collect::<Vec<_>>()));
    let tcp = crate::address(&server.line("\"transport\":\"tcp\""));
    for (nth, phone) in phones.iter_mut().enumerate() {
        phone.calls_through(&server.udp, &format!("+{nth}"));
    }
    let work = Work { over: false.into(), calls: 0.into() };
    let udp = server.udp.clone();
    let mut sizes = Vec::new();
    thread::scope(|scope| {
        for (nth, phone) in phones.iter().enumerate() {
            let work = &work;
            scope.spawn(move || {
                work.each(Duration::from_millis(250) / times, |call| {
                    make_a_call(phone, &format!("{nth}-{call}"), call);
                    work.calls.fetch_add(1, Ordering::Relaxed);
                })
            });
        }
        scope.spawn(|| work.each(Duration::from_millis(500), |_| come_and_go(&tcp)));
        scope.spawn(|| {
            work.each(Duration::from_millis(200), |_| {
                let answer = ask(&udp, "OPTIONS");
                assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
            });
        });
        for _ in 0..parts {
            // Its log is read, or it would wait there: each call leaves a line.
            let began = Instant::now();
            while began.elapsed() < part {
                server.line("event");
            }
            sizes.push(size(&server));
            println!("{} calls, {:?}", work.calls.load(Ordering::Relaxed), sizes.last());
        }
        work.over.store(true, Ordering::Relaxed);
    });
    let calls = work.calls.load(Ordering::Relaxed);
    server.signal("TERM");
    server.line("\"event\":\"stopped\"");
    (sizes, calls)
}

fn make_a_call(phone: &Phone, id: &str, nth: u64) {
    match nth % 10 {
        3 => phone.is_refused(id, "486 Busy Here"),
        kind => {
            let mut call = phone.call(id);
            if kind % 2 == 0 {
                call.invites_again();
            }
            if kind == 5 {
                call.refers();
            }
            call.hangs_up();
        }
    }
}

/// A connection that asks something, and goes.
fn come_and_go(tcp: &str) {
    let mut stream = TcpStream::connect(tcp).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(40))).expect("set");
    let request = format!(
        "OPTIONS sip:{tcp} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKo\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:{tcp}>\r\n\
         Call-ID: o\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("an answer");
    assert!(line.starts_with("SIP/2.0 200 "), "{line}");
}

/// Nothing is left behind, once it is warm: its calls linger for half a minute, and the allocator takes its time.
fn nothing_is_left(sizes: &[Size], warm: usize) {
    let (first, last) = (sizes[sizes.len().min(warm) - 1], sizes[sizes.len() - 1]);
    println!("{first:?}, {last:?}");
    assert!(last.kilobytes <= first.kilobytes + 2 * 1024, "{first:?} {last:?}");
    // A connection may be there just now.
    assert!(last.files.abs_diff(first.files) <= 2, "{first:?} {last:?}");
}

/// RELIABILITY R27, the short form: two minutes with three times as many calls.
#[test]
fn two_minutes_of_calls_leave_neither_memory_nor_files_behind() {
    let (sizes, calls) = live("serve-short-soak", (Duration::from_secs(20), 6), 3);
    // A machine that has other things to do may not come to all of them.
    assert!(calls > 1_200, "{calls}");
    nothing_is_left(&sizes, 4);
}

/// RELIABILITY R27: MINUTES (10) at TIMES (1) twenty calls a second.
#[test]
#[ignore = "takes ten minutes: run by .ci/nightly"]
fn ten_minutes_of_calls_leave_neither_memory_nor_files_behind() {
    let asked =
        |name, usual| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (sizes, calls) =
        live("serve-soak", (Duration::from_secs(60), asked("MINUTES", 10)), asked("TIMES", 1));
    println!("{calls} calls");
    nothing_is_left(&sizes, 3);
    // What an hour says is more than what its two ends say.
    if let Some(warm) = sizes.get(20..).filter(|warm| warm.len() >= 60) {
        let growth = 60.0 * growth(warm);
        println!("{growth:.0} kB an hour");
        assert!(growth <= 1024.0, "{growth:.0} kB an hour");
    }
}

/// By how many kB memory grows from part to part: the line that comes nearest to all of them.
fn growth(sizes: &[Size]) -> f64 {
    let count = sizes.len() as f64;
    let (at, of) =
        ((count - 1.0) / 2.0, sizes.iter().map(|size| size.kilobytes as f64).sum::<f64>() / count);
    let (mut both, mut parts) = (0.0, 0.0);
    for (nth, size) in sizes.iter().enumerate() {
        both += (nth as f64 - at) * (size.kilobytes as f64 - of);
        parts += (nth as f64 - at).powi(2);
    }
    both / parts
}

#[test]
fn growth_is_that_of_the_whole_line() {
    let line = |kilobytes: &[u64]| {
        growth(&kilobytes.iter().map(|&kilobytes| Size { kilobytes, files: 0 }).collect::<Vec<_>>())
    };
    assert_eq!(line(&[7, 7, 7]), 0.0);
    assert_eq!(line(&[10, 20, 30, 40]), 10.0);
    // One part in which there was more for a moment is no growth.
    assert_eq!(line(&[10, 10, 90, 10, 10]), 0.0);
}

/// RELIABILITY R28: a pipe holds 64 KiB of the log; after that it waits, and is the only one who does.
#[test]
fn a_log_that_nobody_reads_stops_no_call() {
    let (folder, mut phone) = (folder("serve-unread"), Phone::new());
    let mut server = Server::start(&folder, &config(&folder, &[&phone]));
    phone.calls_through(&server.udp, "+0");
    for nth in 0..400 {
        phone
            .call(&format!("a-call-with-a-name-that-fills-the-pipe-of-the-log-soon-{nth}"))
            .hangs_up();
    }
    server.signal("TERM");
    server.line("\"event\":\"stopped\"");
    let records = std::fs::read_to_string(folder.join("calls.jsonl")).expect("written");
    assert_eq!(records.lines().count(), 400);
}
