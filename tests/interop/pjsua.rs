//! PJSIP, the phone inside of many phones, by its Python library: registers, calls and is called, holds.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::handset::Handset;
use crate::land::Land;
use crate::offhook::{Offhook, listen_at};
use crate::peer::Peer;
use crate::phone::Phone;
use crate::{place, sound, table};

/// A phone that answers by itself.
pub(crate) struct Pjsua {
    pub(crate) peer: Peer,
    /// Where it records its calls.
    folder: PathBuf,
}

impl Pjsua {
    /// Whether the library is there.
    pub(crate) fn is_there() -> bool {
        place::imports("pjsua2")
    }

    /// Starts a phone and waits until it is registered.
    pub(crate) fn register(folder: &Path, account: &Account) -> Self {
        Self::register_with(folder, account, &[])
    }

    /// The same with these wishes, as the script names them.
    pub(crate) fn register_with(folder: &Path, account: &Account, wishes: &[(&str, &str)]) -> Self {
        let Account { number, server, domain, transport, host, tone, trust, .. } = account;
        let folder = folder.join(format!("pjsua-{number}"));
        std::fs::create_dir_all(&folder).unwrap();
        let play = folder.join("tone.wav");
        sound::write_tone(&play, *tone);
        let mut program = place::python();
        program.args([
            SCRIPT,
            number,
            domain,
            &server.to_string(),
            transport,
            &host.ip.to_string(),
        ]);
        program.arg(&play).arg(&folder).args(trust).envs(wishes.iter().copied());
        if account.secret {
            program.env("SRTP", "required");
        }
        let mut peer = Peer::start(&format!("pjsua {number}"), &mut host.run(&program));
        peer.wait_for("register 200", PATIENCE);
        Self { peer, folder }
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

    /// Waits until it has heard this tone for as long as tests want, in its call of that number; calls are counted from 1.
    pub(crate) fn hears(&mut self, call: u32, hz: f64) {
        let heard = sound::heard(self.recording(call), hz);
        self.peer.wait_until(&format!("{hz} Hz heard"), PATIENCE, heard);
    }

    pub(crate) fn says(&mut self, line: &str) {
        self.peer.type_line(line);
    }

    fn learns(&mut self, news: &str) -> String {
        self.peer.wait_for(news, PATIENCE)
    }

    /// Ends the phone; what it heard in its last call.
    pub(crate) fn quit(mut self) -> Vec<i16> {
        self.peer.type_line("quit");
        self.peer.end(PATIENCE);
        let files = (1..).map(|call| self.recording(call)).take_while(|file| file.exists());
        sound::so_far(&files.last().expect("a call"))
    }

    fn recording(&self, call: u32) -> PathBuf {
        self.folder.join(format!("heard-{call}.wav"))
    }
}

/// A server with 101, 102 and 103, and a PJSIP that is 102.
fn office(name: &str) -> Option<(Offhook, Pjsua, PathBuf)> {
    if !Pjsua::is_there() {
        return None;
    }
    let folder = place::folder(name);
    let server = Offhook::serve(&folder, &["101", "102", "103"], "");
    let bob = Pjsua::register(&folder, &Account::new("102", server.udp).playing(1000.0));
    Some((server, bob, folder))
}

fn passed(feature: &str) {
    table::passed(&table::PJSIP, feature, "UDP");
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
    bob.hears(2, 440.0); // before the hold: it has an UPDATE of its own under way, and would put the hold into an ACK
    bob.brings("hold", &mut alice, "\"held\":true");
    bob.brings("resume", &mut alice, "\"held\":false");
    alice.hears();
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

#[test]
fn pjsua_is_held_and_keys_go_both_ways() {
    let Some((server, mut bob, folder)) = office("pjsua-keys") else { return };
    let mut alice = Handset::register(&folder, &Account::new("101", server.udp), &[]);
    alice.calls("102");
    bob.hears(1, 440.0);
    alice.holds();
    bob.learns(HELD);
    alice.resumes();
    bob.learns("media 1");
    alice.says("keys 1*7D");
    for key in "1*7D".chars() {
        bob.learns(&format!("key {key}"));
    }
    bob.says("keys 4#A2");
    alice.hears_keys("4#A2");
    alice.hears(1, 1000.0);
    alice.hangs_up();
    sound::assert_heard(&alice.quit()[0], 1000.0, 440.0);
    sound::assert_heard(&bob.quit(), 440.0, 1000.0);
    server.stop();
    passed("`offhook phone` holds it and takes it back");
    passed("Keys as events (RFC 4733): it reads those of `offhook phone`, which reads its");
}

#[test]
fn pjsua_is_transferred() {
    let Some((server, mut bob, folder)) = office("pjsua-transferred") else { return };
    let register = |number: &str, tone: f64, words: &[&str]| {
        let account = Account::new(number, server.udp).playing(tone);
        Handset::register(&folder, &account, words)
    };
    let mut alice = register("101", 440.0, &[]);
    let mut carol = register("103", 660.0, &["--follow-transfers"]);
    // Blind.
    alice.calls("102");
    alice.says("transfer 103");
    carol.picks_up();
    alice.is_told_of_success();
    alice.is_done();
    bob.hears(2, 660.0);
    carol.hears(1, 1000.0);
    bob.says("hangup");
    carol.is_done();
    // Attended: it is told to take the place of the one who asked.
    alice.reaches("103", &mut carol);
    alice.calls("102");
    alice.says("join 1");
    alice.is_told_of_success();
    bob.hears(4, 660.0);
    carol.hears(2, 1000.0);
    carol.hangs_up();
    alice.is_done();
    // Attended: the other one is told, and takes that place in a call of its.
    alice.calls("102");
    alice.reaches("103", &mut carol);
    alice.says("join 1");
    bob.learns("replaced");
    alice.is_told_of_success();
    bob.hears(6, 660.0);
    carol.hangs_up();
    alice.quit();
    carol.quit();
    sound::assert_heard(&bob.quit(), 660.0, 1000.0);
    server.stop();
    passed("`offhook phone` transfers it blind to a third phone; those two hear each other");
    passed(
        "`offhook phone` transfers it attended: it calls with Replaces, and it is called with Replaces",
    );
}

#[test]
fn pjsua_transfers() {
    let Some((server, mut bob, folder)) = office("pjsua-transfers") else { return };
    let [mut alice, mut carol] = Handset::two_that_follow(&folder, server.udp);
    let uri = |number: &str| Account::new(number, server.udp).uri();
    // Blind.
    bob.says(&format!("call {}", uri("101")));
    alice.picks_up();
    bob.learns("call CONFIRMED");
    bob.says(&format!("transfer {}", uri("103")));
    carol.picks_up();
    bob.learns("transfer 200");
    bob.says("hangup");
    carol.hears(1, 440.0);
    carol.hangs_up();
    alice.learns("\"call\":2,\"event\":\"ended\"");
    // Attended.
    bob.says(&format!("call {}", uri("101")));
    alice.picks_up();
    bob.learns("call CONFIRMED");
    bob.says(&format!("call {}", uri("103")));
    carol.picks_up();
    bob.learns("call CONFIRMED");
    bob.says("join");
    bob.learns("transfer 200");
    carol.learns("\"goes_on\"");
    carol.hears(2, 440.0);
    carol.hangs_up();
    let (alices, carols) = (alice.quit(), carol.quit());
    sound::assert_heard(&alices[0], 660.0, 440.0);
    sound::assert_heard(&carols[0], 440.0, 660.0);
    bob.quit();
    server.stop();
    passed("It transfers `offhook phone` blind to a third phone; those two hear each other");
    passed(
        "It transfers `offhook phone` attended to a third phone (Replaces); those two hear each other",
    );
}

/// PJSIP as it is built there has no DTLS-SRTP, and looks for no way on loopback.
#[test]
fn pjsua_looks_for_ways() {
    if !Pjsua::is_there() {
        return;
    }
    let Some(mut land) = Land::new("pjsua") else { return };
    let (centre, desk) =
        (land.host("centre", &["10.75.0.1/24"]), land.host("desk", &["10.75.0.2/24"]));
    let folder = place::folder("pjsua-ways");
    let lines = listen_at(&centre);
    let server = Offhook::serve_on(&centre, &folder, &["101", "102"], &lines);
    let account = |number: &str| Account::new(number, server.udp).on(&desk);
    let bob = account("102").playing(1000.0);
    let mut bob = Pjsua::register_with(&folder, &bob, &[("ICE", "on")]);
    let mut alice = Handset::register(&folder, &account("101"), &["--ice", "on"]);
    alice.calls("102");
    alice.hears(1, 1000.0);
    bob.hears(1, 440.0);
    alice.hangs_up();
    bob.says(&format!("call {}", account("101").uri()));
    alice.picks_up();
    alice.hears(2, 1000.0);
    bob.hears(2, 440.0);
    alice.hangs_up();
    for call in alice.quit() {
        sound::assert_heard(&call, 1000.0, 440.0);
    }
    sound::assert_heard(&bob.quit(), 440.0, 1000.0);
    server.stop();
    passed(
        "`offhook phone` calls it and is called: both look for ways (ICE); each records the other's tone",
    );
}

/// What it calls the state of its sound when the other side holds it.
const HELD: &str = "media 3";
