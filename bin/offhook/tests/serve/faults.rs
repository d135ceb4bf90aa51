//! A server whose kernel refuses what it is asked, each third time: datagrams, connections, files, the disk (RELIABILITY R28, R24). It lives, says
//! nothing that is not so, and when the kernel does its work again, so does the server. strace puts the faults in.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use crate::both::Phone;
use crate::console::Console;
use crate::{Server, folder};

/// How long anything may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);
/// After this long what was not answered is said again, as timer E does (RFC 3261 §17.1.2.2).
const AGAIN: Duration = Duration::from_millis(300);
/// Phones that register, and connections that ask, while a fault lasts.
const ROUNDS: usize = 12;

const CONFIG: &str = "[listen]\nudp = \"127.0.0.1:0\"\ntcp = \"127.0.0.1:0\"\n[auth]\nchallenge = []\n[registrar]\njitter = 0\n[server]\nshards = 1\n";

/// What makes a program's system calls fail, ended by its id; what it has written of that; and where it says whom it sees.
struct Fault(
    Child,
    PathBuf,
    #[allow(dead_code, reason = "where it says more")] BufReader<ChildStderr>,
);

impl Fault {
    /// From now on this happens to these system calls of the server (strace(1), tampering).
    fn begin(server: &Server, fault: (&str, &str), seen: PathBuf) -> Self {
        Self::attach(&["-p", &threads(server)], fault, seen)
    }

    /// The same, and to those of threads that begin later.
    fn begin_for_all(server: &Server, fault: (&str, &str), seen: PathBuf) -> Self {
        Self::attach(&["-f", "-p", &server.child.id().to_string()], fault, seen)
    }

    fn attach(whom: &[&str], (calls, what): (&str, &str), seen: PathBuf) -> Self {
        let threads = whom.last().copied().unwrap_or_default();
        let mut strace = Command::new("strace")
            .args(whom)
            .arg("-o")
            .arg(&seen)
            .args(["-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={calls}:{what}")])
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace is there");
        let mut lines = BufReader::new(strace.stderr.take().expect("piped"));
        for _ in threads.split(',') {
            let mut said = String::new();
            lines.read_line(&mut said).expect("it says of each thread that it is there");
            assert!(said.contains("attached"), "{said}");
        }
        Self(strace, seen, lines)
    }

    /// How many calls have failed.
    fn end(self) -> usize {
        let seen = self.1.clone();
        drop(self);
        std::fs::read_to_string(seen).expect("written").matches("(INJECTED)").count()
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        // It lets go of the server and ends; had it been killed, the server would have been stopped with it. A signal that comes just
        // before it begins to wait for the server wakes it up no more: then the next one does.
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && matches!(self.0.try_wait(), Ok(None)) {
            let _ = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The threads of a server, but the one that hears signals: what it reads has no kernel's memory and no peer behind it.
fn threads(server: &Server) -> String {
    let folder = std::fs::read_dir(format!("/proc/{}/task", server.child.id())).expect("it lives");
    let works = |path: &PathBuf| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() != "signals")
    };
    let paths = folder.filter_map(|entry| Some(entry.ok()?.path())).filter(works);
    let ids: Vec<_> =
        paths.filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect();
    ids.join(",")
}

fn request(method: &str, phone: u32, (transport, us): (&str, &str)) -> String {
    let contact = format!("Contact: <sip:{phone}@192.0.2.7:{}>\r\n", 1000 + phone);
    let contact = if method == "REGISTER" { &contact } else { "" };
    format!(
        "{method} sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} {us};branch=z9hG4bK{method}{phone}\r\nFrom: <sip:{phone}@127.0.0.1>;tag=1\r\n\
         To: <sip:{phone}@127.0.0.1>\r\nCall-ID: {method}-{phone}-{transport}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n{contact}Content-Length: 0\r\n\r\n"
    )
}

/// Asks by datagrams until there is a final answer: its status.
fn ask(server: &Server, method: &str, phone: u32) -> u16 {
    let text = answer(server, method, phone);
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.expect("a status")
}

/// The same, whole.
fn answer(server: &Server, method: &str, phone: u32) -> String {
    answer_to(server, |us| request(method, phone, ("UDP", us)))
}

/// The answer to what somebody says who is at an address.
fn answer_to(server: &Server, wire: impl Fn(&str) -> String) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    socket.set_read_timeout(Some(AGAIN)).expect("set");
    let us = socket.local_addr().expect("bound").to_string();
    let request = wire(&us);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        socket.send_to(request.as_bytes(), &server.udp).expect("sent");
        let mut octets = [0; 4096];
        if let Ok(length) = socket.recv(&mut octets) {
            return String::from_utf8_lossy(octets.get(..length).expect("it fits")).into_owned();
        }
    }
    panic!("never answered: {request}");
}

/// Asks over connections until one brings the answer.
fn connects(tcp: &str, phone: u32) {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let Ok(mut stream) = TcpStream::connect(tcp) else { continue };
        stream.set_read_timeout(Some(AGAIN * 3)).expect("set");
        if stream.write_all(request("OPTIONS", phone, ("TCP", tcp)).as_bytes()).is_err() {
            continue;
        }
        let mut octets = [0; 12];
        if stream.read_exact(&mut octets).is_ok() {
            assert_eq!(&octets, b"SIP/2.0 200 ");
            return;
        }
    }
    panic!("no connection of {phone} was answered");
}

/// Who of them is registered.
fn registered(server: &Server, phones: u32) -> BTreeSet<u32> {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    socket.set_read_timeout(Some(PATIENCE)).expect("set");
    let us = socket.local_addr().expect("bound").to_string();
    let is_there = |phone: &u32| {
        let rows = format!("Contact: <sip:{phone}@192.0.2.7:{}>\r\n", 1000 + phone);
        let question = request("REGISTER", *phone, ("UDP", &us)).replace(&rows, "");
        let question =
            question.replace("Call-ID: ", "Call-ID: asks-").replace("z9hG4bK", "z9hG4bKasks");
        socket.send_to(question.as_bytes(), &server.udp).expect("sent");
        let mut octets = [0; 4096];
        let length = socket.recv(&mut octets).expect("an answer");
        String::from_utf8_lossy(octets.get(..length).expect("it fits")).contains("\r\nContact: ")
    };
    (0..phones).filter(is_there).collect()
}

/// What fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fails {
    TheNetwork,
    /// Who calls does not notice that.
    TheDisk,
}

/// A server works, these system calls of it fail for a while, and it works again; what it had said is so after a kill.
fn fails(name: &str, what: Fails, (calls, error): (&str, &str)) {
    let (folder, mut callers) = (folder(&format!("serve-fault-{name}")), Phone::new());
    let route = format!("[[route]]\nmatch = {{ prefix = \"+\" }}\nto = \"sip:{}\"\n", callers.us);
    let config = format!("{CONFIG}{route}");
    let mut server = Server::start(&folder, &config);
    callers.calls_through(&server.udp, "+4930");
    let tcp = crate::address(&server.line("\"transport\":\"tcp\""));
    assert_eq!(ask(&server, "REGISTER", 0), 200);
    let mut acknowledged = BTreeSet::from([0]);
    let each_third = format!("error={error}:when=1+3");
    let (mut phones, mut failed) = (1.., 0);
    // On a busy machine strace was once seen to say that it is there, and to see nothing.
    for _ in 0..3 {
        let fault = Fault::begin(&server, (calls, &each_third), folder.join("faults"));
        for phone in phones.by_ref().take(ROUNDS) {
            let said = answer(&server, "REGISTER", phone);
            if said.starts_with("SIP/2.0 200 ") {
                acknowledged.insert(phone);
            } else {
                // What is not safe on the disk is not acknowledged (RFC 3261 §21.5.4).
                assert!(said.starts_with("SIP/2.0 503 "), "{calls} {error}: {said}");
                assert!(said.contains("\r\nRetry-After: "), "{calls} {error}: {said}");
            }
            assert_eq!(ask(&server, "OPTIONS", phone), 200);
            if what == Fails::TheDisk {
                callers.call(&format!("meanwhile-{phone}")).hangs_up();
            }
            connects(&tcp, phone);
        }
        failed = fault.end();
        if failed > 0 {
            break;
        }
    }
    assert!(failed > 0, "{calls}: nothing failed");
    println!("{calls}: {failed} times {error}");
    let deadline = Instant::now() + PATIENCE;
    let after = loop {
        let after = phones.next().expect("without end");
        if ask(&server, "REGISTER", after) == 200 {
            break after;
        }
        assert!(Instant::now() < deadline, "{calls} {error}: it takes no registration any more");
    };
    acknowledged.insert(after);
    connects(&tcp, after);
    server.signal("KILL");
    let (seen, _) = drain(&mut server);
    assert!(!seen.contains("panicked"), "{calls} {error}: {seen}");
    if what == Fails::TheDisk {
        let (began, ended) = (seen.find("\"store_refuses\""), seen.rfind("\"store_works_again\""));
        assert!(began.is_some() && began < ended, "{calls} {error}: {seen}");
    }
    let server = Server::start(&folder, &config);
    let found = registered(&server, after + 1);
    let lost: Vec<_> = acknowledged.difference(&found).collect();
    assert!(lost.is_empty(), "{calls} {error}: {lost:?} were acknowledged and are lost");
    let invented: Vec<_> = found.difference(&acknowledged).collect();
    assert!(invented.is_empty(), "{calls} {error}: {invented:?} were refused and are there");
}

/// What is left of a log whose writer has ended.
fn drain(server: &mut Server) -> (String, usize) {
    let lines: Vec<_> = server.log.by_ref().map_while(Result::ok).collect();
    (lines.join("\n"), lines.len())
}

#[test]
fn datagrams_that_cannot_be_sent() {
    fails("send", Fails::TheNetwork, ("sendto,sendmsg,sendmmsg", "ENOBUFS"));
}

#[test]
fn datagrams_that_may_not_be_sent() {
    fails("forbidden", Fails::TheNetwork, ("sendto,sendmsg,sendmmsg", "EPERM"));
}

#[test]
fn reading_without_memory() {
    fails("receive", Fails::TheNetwork, ("recvfrom,recvmsg,recvmmsg,readv", "ENOMEM"));
}

#[test]
fn connections_that_are_gone_before_they_are_taken() {
    fails("accept", Fails::TheNetwork, ("accept4", "ECONNABORTED"));
}

#[test]
fn connections_that_the_system_has_no_room_for() {
    fails("room", Fails::TheNetwork, ("accept4,epoll_ctl", "ENOMEM"));
}

#[test]
fn connections_that_break_while_they_are_written_to() {
    fails("broken", Fails::TheNetwork, ("write,writev", "EPIPE"));
}

#[test]
fn waiting_that_is_interrupted() {
    fails(
        "interrupted",
        Fails::TheNetwork,
        ("epoll_wait,epoll_pwait,ppoll,poll,clock_nanosleep", "EINTR"),
    );
}

#[test]
fn a_disk_that_is_full() {
    fails("full", Fails::TheDisk, ("pwrite64,ftruncate", "ENOSPC"));
}

/// As a disk becomes with which something is wrong.
#[test]
fn a_disk_that_is_read_only() {
    fails("read-only", Fails::TheDisk, ("pwrite64,ftruncate", "EROFS"));
}

#[test]
fn a_disk_that_does_not_sync() {
    fails("sync", Fails::TheDisk, ("fsync,fdatasync", "EIO"));
}

/// What was written and could not be synced is not safe, and stands in the file all the same, whole: the next life is not to believe it, also when the disk has
/// not worked since.
#[test]
fn what_was_refused_because_the_disk_does_not_sync_is_not_so_after_a_kill() {
    let folder = folder("serve-fault-refused");
    let mut server = Server::start(&folder, CONFIG);
    assert_eq!(ask(&server, "REGISTER", 0), 200);
    let fault = Fault::begin(&server, ("fsync,fdatasync", "error=EIO"), folder.join("faults"));
    let signs_off = |us: &str| {
        let register = request("REGISTER", 0, ("UDP", us)).replace("CSeq: 1 ", "CSeq: 2 ");
        register.replace("z9hG4bK", "z9hG4bKoff").replace("Max-", "Expires: 0\r\nMax-")
    };
    assert!(answer_to(&server, signs_off).starts_with("SIP/2.0 503 "));
    for phone in 1..4 {
        assert_eq!(ask(&server, "REGISTER", phone), 503);
    }
    server.signal("KILL");
    server.child.wait().expect("ended");
    assert!(fault.end() > 0);
    let server = Server::start(&folder, CONFIG);
    assert_eq!(registered(&server, 4), BTreeSet::from([0]));
}

/// Whose bindings an operator takes away because the password is stolen: it is not said that they are gone as long as a restart would bring them back, and
/// nobody has to ask again when the disk works again.
#[test]
fn what_the_disk_does_not_forget_is_not_said_to_be_gone() {
    let folder = folder("serve-fault-away");
    let mut console = Console::start(&folder, "[server]\nshards = 1\n");
    console.register("101");
    let fault = Fault::begin(
        &console.server,
        ("pwrite64,ftruncate", "error=ENOSPC"),
        folder.join("faults"),
    );
    for _ in 0..2 {
        let (code, said, why) = console.ctl(&["unregister", "101"]);
        assert!(code == Some(1) && why.contains("nothing can be written"), "{said}{why}");
    }
    // Whoever calls does not find it.
    assert_eq!(console.curl("/api/v1/registrations/101", &[]).0, 404);
    assert!(fault.end() > 0);
    console.server.line("\"event\":\"store_works_again\"");
    let (code, said, why) = console.ctl(&["unregister", "101"]);
    assert!(code == Some(1) && why.contains("has no such binding now"), "{said}{why}");
    console.server.signal("KILL");
    console.server.child.wait().expect("ended");
    let console = Console::start(&folder, "");
    assert_eq!(console.curl("/api/v1/registrations/101", &[]).0, 404);
}

/// Somebody who answers what comes by a connection.
fn answers() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = listener.local_addr().expect("bound").to_string();
    std::thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        let Ok(heard) = stream.try_clone() else { return };
        let mut lines = BufReader::new(heard).lines().map_while(Result::ok).peekable();
        while lines.peek().is_some() {
            let request = lines.by_ref().take_while(|line| !line.is_empty());
            let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
            let rows = request.filter(|row| copied.iter().any(|name| row.starts_with(name)));
            let rows: String = rows.map(|row| row + "\r\n").collect();
            let wire = format!("SIP/2.0 200 OK\r\n{rows}Content-Length: 0\r\n\r\n");
            if !rows.is_empty() && stream.write_all(wire.as_bytes()).is_err() {
                return;
            }
        }
    });
    address
}

/// Each request goes on by a connection of its own. One that cannot be opened is no silence for who asks (RFC 3261 §16.7, §16.9), and is opened when the kernel
/// lets it.
fn cannot_connect(name: &str, calls: &str, error: &str) {
    let folder = folder(&format!("serve-fault-{name}"));
    let hops = 100..100 + ROUNDS as u32;
    let route = |hop: u32| {
        let to = answers();
        format!("[[route]]\nmatch = {{ prefix = \"+{hop}\" }}\nto = \"sip:{to};transport=tcp\"\n")
    };
    let config = CONFIG.to_owned() + &hops.clone().map(route).collect::<String>();
    let mut server = Server::start(&folder, &config);
    let mut asked = 0..;
    let mut asks = |hop: u32| {
        let nth = asked.next().expect("without end");
        let aims = format!("OPTIONS sip:+{hop}@");
        let wire = |us: &str| request("OPTIONS", nth, ("UDP", us)).replace("OPTIONS sip:", &aims);
        let said = answer_to(&server, wire);
        said.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok()).expect("a status")
    };
    let each_third = format!("error={error}:when=1+3");
    let fault = Fault::begin(&server, (calls, &each_third), folder.join("faults"));
    let said: Vec<_> = hops.clone().map(&mut asks).collect();
    let failed = fault.end();
    println!("{calls}: {failed} times {error}: {said:?}");
    assert!(failed > 0, "{calls}: nothing failed");
    assert!(said.iter().all(|status| [200, 500].contains(status)), "{calls} {error}: {said:?}");
    assert!(said.contains(&500) && said.contains(&200), "{calls} {error}: {said:?}");
    let deadline = Instant::now() + PATIENCE;
    for hop in hops {
        while asks(hop) != 200 {
            assert!(Instant::now() < deadline, "{calls} {error}: no way to {hop} any more");
        }
    }
    server.signal("KILL");
    let (seen, _) = drain(&mut server);
    assert!(!seen.contains("panicked"), "{calls} {error}: {seen}");
}

#[test]
fn connections_that_find_no_way() {
    cannot_connect("unreachable", "connect", "ENETUNREACH");
}

#[test]
fn connections_for_which_there_is_no_socket() {
    cannot_connect("no-socket", "socket", "ENOBUFS");
}

/// A reload that cannot open its files changes nothing and says why; who registers meanwhile does not notice.
#[test]
fn files_that_cannot_be_opened() {
    for (error, words) in [("EIO", "Input/output error"), ("EMFILE", "Too many open files")] {
        let folder = folder("serve-fault-open");
        let console = Console::start(&folder, "");
        console.register("101");
        let opens = ("open,openat", &*format!("error={error}"));
        let fault = Fault::begin_for_all(&console.server, opens, folder.join("faults"));
        // strace says that it is there a moment before it sees what threads do that begin then.
        let deadline = Instant::now() + PATIENCE;
        let why = loop {
            let (code, _, why) = console.ctl(&["reload"]);
            if code != Some(0) {
                break why;
            }
            assert!(Instant::now() < deadline, "{error}: it opens all");
        };
        assert!(why.contains(words) && why.contains("nothing has changed"), "{error}: {why}");
        console.register("102");
        assert!(fault.end() > 0, "{error}: nothing failed");
        let (code, said, why) = console.ctl(&["reload"]);
        assert!(code == Some(0) && said.contains("in force"), "{error}: {said}{why}");
        console.register("103");
    }
}

/// Who registers waits until it is safe; nobody else waits with them.
#[test]
fn a_slow_disk_holds_up_registrations_alone() {
    let folder = folder("serve-fault-slow");
    let server = Server::start(&folder, CONFIG);
    // Who has answered has all its threads, the disk's too.
    assert_eq!(ask(&server, "REGISTER", 0), 200);
    let half_a_second = ("fsync,fdatasync", "delay_enter=500000");
    let fault = Fault::begin(&server, half_a_second, folder.join("faults"));
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    socket.set_read_timeout(Some(PATIENCE)).expect("set");
    let us = socket.local_addr().expect("bound").to_string();
    let sends = |method: &str| {
        let wire = request(method, 1, ("UDP", &us));
        socket.send_to(wire.as_bytes(), &server.udp).expect("sent");
    };
    let hears = || {
        let mut octets = [0; 4096];
        let length = socket.recv(&mut octets).expect("an answer");
        let text = String::from_utf8_lossy(octets.get(..length).expect("it fits")).into_owned();
        assert!(text.starts_with("SIP/2.0 200 "), "{text}");
        text
    };
    sends("REGISTER");
    sends("OPTIONS");
    assert!(hears().contains("\r\nCSeq: 1 OPTIONS\r\n"));
    assert!(hears().contains("\r\nCSeq: 1 REGISTER\r\n"));
    drop(fault);
}
