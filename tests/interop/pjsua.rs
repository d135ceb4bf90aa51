//! PJSIP, the phone inside of many phones, by its Python library: registers, calls and is called, holds.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::offhook::Offhook;
use crate::peer::Peer;
use crate::phone::Phone;
use crate::{place, sound, table};

/// A phone that answers by itself.
pub(crate) struct Pjsua {
    pub(crate) peer: Peer,
    heard: PathBuf,
}

impl Pjsua {
    /// Whether the library is there. If not, says so; where peers are required, as in CI, that is a failure.
    pub(crate) fn is_there() -> bool {
        let there = python().args(["-c", "import pjsua2"]).output();
        let there = there.is_ok_and(|output| output.status.success());
        let missing = "pjsua2 is not installed (.ci/install brings it)";
        assert!(there || std::env::var_os("OFFHOOK_REQUIRE_PEERS").is_none(), "{missing}");
        if !there {
            println!("skipped: {missing}");
        }
        there
    }

    /// Starts a phone and waits until it is registered.
    pub(crate) fn register(folder: &Path, account: &Account) -> Self {
        let Account { number, server, domain, transport, host, tone, trust, .. } = account;
        let (play, heard) = (folder.join("pjsua-tone.wav"), folder.join("pjsua-heard.wav"));
        sound::write_tone(&play, *tone);
        let mut program = python();
        program.args([
            SCRIPT,
            number,
            domain,
            &server.to_string(),
            transport,
            &host.ip.to_string(),
        ]);
        program.arg(&play).arg(&heard).args(trust);
        if account.secret {
            program.env("SRTP", "required");
        }
        let mut peer = Peer::start(&format!("pjsua {number}"), &mut host.run(&program));
        peer.wait_for("register 200", PATIENCE);
        Self { peer, heard }
    }

    /// Types a command until the phone at the other side says what came of it: while an exchange of its own is under way, PJSIP puts the new
    /// offer into an ACK, where it is none.
    fn brings(&mut self, command: &str, phone: &mut Phone, event: &str) {
        for _ in 0..3 {
            self.peer.type_line(command);
            if phone.peer.seek(event, Duration::from_secs(5)).is_ok() {
                return;
            }
        }
        panic!("{command} has not come through three times: {}", phone.peer.said());
    }

    /// Waits until it has heard so many more seconds of sound, whatever it was.
    fn listen(&mut self, seconds: u64) {
        let length = |file: &Path| file.metadata().map_or(0, |file| file.len());
        let enough = length(&self.heard) + seconds * sound::SECOND;
        let heard = self.heard.clone();
        self.peer.wait_until("long enough heard", PATIENCE, || length(&heard) > enough);
    }

    /// Ends the phone; what it heard.
    pub(crate) fn quit(mut self) -> Vec<i16> {
        self.peer.type_line("quit");
        self.peer.end(PATIENCE);
        sound::read(&self.heard)
    }
}

/// Python, with the library that `.ci/install` brings.
fn python() -> Command {
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", place::brought("python"));
    python
}

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop/pjsua.py");

fn both_ways(transport: &'static str) {
    if !Pjsua::is_there() {
        return;
    }
    let folder = place::folder(&format!("pjsua-{transport}"));
    let (server, account) = Offhook::office(&folder, transport, "127.0.0.1");
    let mut bob = Pjsua::register(&folder, &account("102").playing(1000.0));

    let deed = ["call", "102", "--hangup-after", "5s"];
    let alice = Phone::start(&folder, &account("101"), &deed);
    bob.peer.wait_for("call DISCONNECTED", PATIENCE);
    sound::assert_heard(&alice.ends_well(), 1000.0, 440.0);

    let mut alice = Phone::start(&folder, &account("101"), &["answer"]);
    alice.peer.wait_for("\"registered\"", PATIENCE);
    bob.peer.type_line(&format!("call {}", account("101").uri()));
    bob.peer.wait_for("call CONFIRMED", PATIENCE);
    bob.listen(1); // before the hold: it has an UPDATE of its own under way, and would put the hold into an ACK
    bob.brings("hold", &mut alice, "\"held\":true");
    bob.brings("resume", &mut alice, "\"held\":false");
    bob.listen(3);
    bob.peer.type_line("hangup");
    sound::assert_heard(&alice.ends_well(), 1000.0, 440.0);
    sound::assert_heard(&bob.quit(), 440.0, 1000.0);
    server.stop();
    let feature = "It is called by `offhook phone`; it calls it, holds it, takes it back and hangs up; each records the other's tone";
    table::passed(&table::PJSIP, feature, &transport.to_uppercase());
}

#[test]
fn pjsua_is_called_and_calls_over_udp() {
    both_ways("udp");
}

#[test]
fn pjsua_is_called_and_calls_over_tcp() {
    both_ways("tcp");
}

#[test]
fn pjsua_is_called_and_calls_over_tls() {
    both_ways("tls");
}
