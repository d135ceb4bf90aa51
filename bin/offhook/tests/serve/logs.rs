//! Whoever reads the log, and does not any more: the server goes on, ends when it is told to, and says what is missing when it is read again.

use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::console::ctl;
use crate::reload::request;
use crate::{Server, between, folder, program};

/// How long anything may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

const OPEN: &str = "[listen]\nudp = \"127.0.0.1:0\"\ntcp = []\n[auth]\nchallenge = []\n[store]\ndurability = \"memory\"\n";

/// Lines of the log that no pipe holds.
const MANY: usize = 1_000;

/// Something happens, and is said, so often.
fn happens(server: &str, times: usize) {
    for _ in 0..times {
        let answer = request(server, ("REGISTER", "101"), "Contact: <sip:x@192.0.2.7>\r\n");
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
    }
}

/// Whether it ends in time; if not, it is ended.
pub(crate) fn ends(child: &mut Child) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if child.try_wait().expect("it is ours").is_some() {
            return true;
        }
        std::thread::yield_now();
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}

/// A server whose log goes there, ended by its id.
struct Logged(Child);

impl Logged {
    fn start(folder: &Path, listen: &str, log: Stdio) -> Self {
        let (file, socket) = (folder.join("offhook.toml"), folder.join("console.sock"));
        let listen = format!("[listen]\nconsole_socket = {socket:?}\n{listen}");
        std::fs::write(&file, OPEN.replace("[listen]\n", &listen)).expect("written");
        let mut serve = Command::new(program());
        serve.args(["--log", "json", "serve", "--config"]).arg(file).stderr(log);
        Self(serve.spawn().expect("the program starts"))
    }
}

impl Drop for Logged {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How many lines are lost, by the metrics; waits until the console is there.
fn lost(folder: &Path) -> u64 {
    let url = format!("unix:{}", folder.join("console.sock").display());
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (code, page, why) = ctl(&["--url", &url, "metrics"]);
        if code == Some(0) {
            return between(&page, "\noffhook_log_lines_lost_total ", "\n").parse().expect("there");
        }
        assert!(Instant::now() < deadline, "{why}");
    }
}

/// `journalctl` is stopped, a terminal is at Ctrl-S: the pipe is full, and SIGTERM is obeyed all the same.
#[test]
fn a_reader_of_the_log_who_has_stopped_holds_up_no_end() {
    let mut server = Server::start(&folder("serve-log-stopped"), OPEN);
    happens(&server.udp, MANY);
    server.signal("TERM");
    assert!(ends(&mut server.child), "nobody reads its log, so it does not end");
}

#[test]
fn lines_that_find_no_room_are_counted() {
    let folder = folder("serve-log-full");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("open");
    let _server = Logged::start(&folder, "", full.into());
    // Where it listens, for one.
    assert!(lost(&folder) > 0);
}

/// What is missing is said where it is missing, and half a line spoils no whole one.
#[test]
fn a_log_says_how_many_lines_are_missing_in_it() {
    let folder = folder("serve-log-missing");
    let (mut ours, theirs) = UnixStream::pair().expect("a pair");
    // Whoever writes to it is not kept waiting, but told that there is no room.
    theirs.set_nonblocking(true).expect("set");
    ours.set_read_timeout(Some(PATIENCE)).expect("set");
    let _server = Logged::start(&folder, "", OwnedFd::from(theirs).into());
    let mut log = Vec::new();
    let mut hear = |until: &dyn Fn(&str) -> bool| loop {
        let text = String::from_utf8_lossy(&log).into_owned();
        if until(&text) {
            return text;
        }
        let mut octets = [0; 4096];
        let length = ours.read(&mut octets).expect("it says something");
        assert!(length > 0, "{text}");
        log.extend(octets.iter().take(length));
    };
    let said = hear(&|said| said.contains("\"transport\":\"udp\"") && said.ends_with('\n'));
    let udp = between(&said, "\"transport\":\"udp\",\"address\":\"", "\"").to_owned();
    while lost(&folder) == 0 {
        happens(&udp, MANY / 10);
    }
    // It is read again. What waits there is read first: then there is room for what comes.
    let waits = hear(&|said| said.len() > 50_000);
    happens(&udp, 1);
    drop(waits);
    let text = hear(&|said| {
        said.rsplit_once("\"event\":\"log_lost\"").is_some_and(|(_, rest)| rest.lines().count() > 1)
    });
    let parsed = text.lines().map(serde_json::from_str::<Value>);
    let (whole, half): (Vec<_>, Vec<_>) = parsed.partition(Result::is_ok);
    let missing = whole.iter().flatten().filter(|line| line["event"] == "log_lost");
    let missing: u64 = missing.filter_map(|line| line["lines"].as_u64()).sum();
    assert!(missing > 0 && half.len() <= 2, "{missing} {half:?}");
}
