//! The screen of `offhook phone` in a terminal that the test types into: what a person sees of real calls, and the terminal afterwards.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use pty_process::Size;
use pty_process::blocking::Pty;

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::offhook::Offhook;
use crate::phone::Phone;
use crate::{place, sound};

/// A terminal with the phone of 101 in it.
struct Screen {
    pty: Pty,
    child: Child,
    shown: vt100::Parser,
    /// What the program writes; the end, when it has ended.
    written: Receiver<Vec<u8>>,
}

impl Screen {
    fn open(folder: &Path, server: &Offhook) -> Self {
        let (pty, inside) = pty_process::blocking::open().unwrap();
        pty.resize(Size::new(24, 80)).unwrap();
        let at = server.udp.to_string();
        let program = pty_process::blocking::Command::new(env!("CARGO_BIN_EXE_offhook"))
            .args(["phone", "--account", &format!("sip:101@{at}"), "--server", &at])
            .args(["--bind", "127.0.0.1", "--play", "tone:440"])
            .env("OFFHOOK_PASSWORD", "pw-101")
            .env("XDG_STATE_HOME", folder.join("state"))
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8");
        let child = program.spawn(inside).unwrap();
        let mut reader = File::from(pty.as_fd().try_clone_to_owned().unwrap());
        let (sender, written) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // At its end a terminal says that it is broken.
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { pty, child, shown: vt100::Parser::new(24, 80, 0), written }
    }

    fn types(&mut self, keys: &str) {
        self.pty.write_all(keys.as_bytes()).unwrap();
    }

    fn text(&self) -> String {
        self.shown.screen().contents()
    }

    /// Looks until this is to be seen.
    fn sees(&mut self, what: &str) {
        self.sees_that(what, |text| text.contains(what));
    }

    fn sees_that(&mut self, what: &str, is_so: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(&self.text()) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.written.recv_timeout(left) {
                Ok(octets) => self.shown.process(&octets),
                Err(why) => panic!("no {what:?}, {why}, in\n{}", self.text()),
            }
        }
    }

    /// The program has gone: how, and the terminal is as it was.
    fn ends(mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.written.recv_timeout(left) {
                Ok(octets) => self.shown.process(&octets),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end:\n{}", self.text()),
            }
        }
        let screen = self.shown.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
        let terminal = File::from(self.pty.as_fd().try_clone_to_owned().unwrap());
        let settings =
            Command::new("stty").arg("-a").stdin(Stdio::from(terminal)).output().unwrap();
        let settings = String::from_utf8(settings.stdout).unwrap();
        for setting in ["icanon", "echo", "isig", "opost"] {
            let is_set = settings.split_whitespace().any(|word| word == setting);
            assert!(is_set, "no {setting} in {settings}");
        }
        self.child.wait().unwrap()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_person_calls_holds_presses_keys_transfers_and_hangs_up() {
    let folder = place::folder("phone-screen");
    let server = Offhook::serve(&folder, &["101", "102", "103", "104"], "");
    let start = |number: &str, deed: &[&str]| {
        let mut phone = Phone::start(&folder, &Account::new(number, server.udp), deed);
        phone.peer.wait_for("\"registered\"", PATIENCE);
        phone
    };
    let mut bob = start("102", &["answer", "--follow-transfers"]);
    let mut carol = start("103", &["answer"]);
    let mut screen = Screen::open(&folder, &server);
    screen.sees("registered for");
    screen.types("c102\r");
    screen.sees("talking 00:0");
    // Bob's tone moves the meter, and his reports tell how he hears ours.
    screen.sees("they say ██");
    screen.sees_that("a quality", |text| text.matches("MOS 4.").count() == 2);
    screen.types("h");
    screen.sees("on hold 00:");
    assert!(bob.peer.wait_for("\"held\"", PATIENCE).contains("true"));
    screen.types("h");
    screen.sees("talking 00:");
    assert!(bob.peer.wait_for("\"held\"", PATIENCE).contains("false"));
    screen.types("m");
    screen.sees("MUTED");
    screen.types("m5");
    assert!(bob.peer.wait_for("\"key\"", PATIENCE).contains("\"5\""));
    screen.pty.resize(Size::new(30, 100)).unwrap();
    screen.shown.screen_mut().set_size(30, 100);
    screen.sees(&"─".repeat(85));
    screen.types("t103\r");
    carol.peer.wait_for("\"established\"", PATIENCE);
    screen.sees("none: c calls somebody");
    screen.sees_that("a past call", |text| text.contains(" to   102 "));
    screen.types("?");
    screen.sees("bring whom you called before");
    screen.types("?");
    let mut erna = start("104", &["answer"]);
    screen.types("104\r");
    screen.sees("talking 00:0");
    screen.types("x");
    erna.peer.wait_for("\"ended\"", PATIENCE);
    screen.sees("none: c calls somebody");
    screen.types("q");
    assert!(screen.ends().success());
    drop((bob, carol, erna));
    server.stop();
}

#[test]
fn three_talk_and_one_of_them_listens() {
    let folder = place::folder("phone-screen-three");
    let server = Offhook::serve(&folder, &["101", "102", "103"], "");
    let start = |number: &str, tone: f64| {
        let account = Account::new(number, server.udp).playing(tone);
        let mut phone = Phone::start(&folder, &account, &["answer"]);
        phone.peer.wait_for("\"registered\"", PATIENCE);
        phone
    };
    let (mut bob, carol) = (start("102", 660.0), start("103", 1000.0));
    let mut screen = Screen::open(&folder, &server);
    screen.sees("registered for");
    screen.types("c102\r");
    screen.sees("talking 00:0");
    screen.types("c103\r");
    screen.sees_that("two calls", |text| text.contains("on hold") && text.contains("talking"));
    // Muted, so that the two hear nobody but each other.
    screen.types("Cm");
    screen.sees_that("both joined", |text| text.matches("in conference, MUTED").count() == 2);
    assert!(bob.peer.wait_for("\"held\"", PATIENCE).contains("true"));
    assert!(bob.peer.wait_for("\"held\"", PATIENCE).contains("false"));
    let clock = |text: &str| {
        let of = |at: &str| format!("in conference, MUTED 00:{at}");
        (5..60).any(|seconds| text.matches(&of(&format!("{seconds:02}"))).count() > 0)
    };
    screen.sees_that("some seconds", clock);
    screen.types("qq");
    assert!(screen.ends().success());
    sound::assert_heard(&bob.ends_well(), 1000.0, 660.0);
    sound::assert_heard(&carol.ends_well(), 660.0, 1000.0);
    server.stop();
}

#[test]
fn a_person_is_called_and_answers_and_a_signal_leaves_the_terminal_as_it_was() {
    let folder = place::folder("phone-screen-signals");
    let server = Offhook::serve(&folder, &["101", "102"], "");
    for signal in ["-TERM", "-INT", "-HUP"] {
        let mut screen = Screen::open(&folder, &server);
        screen.sees("registered for");
        let mut bob = Phone::start(&folder, &Account::new("102", server.udp), &["call", "101"]);
        screen.sees("CALLS YOU");
        assert!(screen.shown.screen().alternate_screen());
        screen.types("a");
        screen.sees("talking 00:0");
        bob.peer.wait_for("\"established\"", PATIENCE);
        let id = screen.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        assert!(screen.ends().success(), "{signal}");
        // Who leaves hangs up.
        assert!(bob.peer.end(PATIENCE).success(), "{}", bob.peer.said());
    }
    server.stop();
}

#[test]
fn messages_come_and_go_and_nobody_is_disturbed() {
    let folder = place::folder("phone-screen-messages");
    let server = Offhook::serve(&folder, &["101", "102"], "");
    let start = |deed: &[&str]| Phone::start(&folder, &Account::new("102", server.udp), deed);
    let mut screen = Screen::open(&folder, &server);
    screen.sees("registered for");
    let mut bob = start(&["message", "101", "Dinner is ready"]);
    screen.types("\t");
    screen.sees(": Dinner is ready");
    assert!(bob.peer.end(PATIENCE).success(), "{}", bob.peer.said());
    screen.types("s102\rI come\r");
    screen.sees("I come (not arrived: 480");
    screen.types("n");
    screen.sees("DO NOT DISTURB");
    let mut bob = start(&["call", "101"]);
    assert_eq!(bob.peer.end(PATIENCE).code(), Some(4), "{}", bob.peer.said());
    // Past who is watched.
    screen.types("\t\t");
    screen.sees("missed");
    // Ctrl-C is a key, and leaves.
    screen.types("\x03");
    assert!(screen.ends().success());
    server.stop();
}
