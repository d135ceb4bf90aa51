//! aiortc, the media of a browser in Python, which we did not write: ICE by aioice, DTLS by OpenSSL, Opus by FFmpeg. Its SIP is the script's.

use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::handset::Handset;
use crate::land::Land;
use crate::offhook::{Offhook, listen_at};
use crate::peer::Peer;
use crate::{place, sound, table};

/// A phone that answers by itself.
struct Aiortc {
    peer: Peer,
    /// Where it records its calls.
    folder: PathBuf,
}

impl Aiortc {
    /// Starts a phone and waits until it is registered.
    fn register(folder: &Path, account: &Account) -> Self {
        let Account { number, server, host, tone, .. } = account;
        let folder = folder.join(format!("aiortc-{number}"));
        std::fs::create_dir_all(&folder).unwrap();
        let mut program = place::python();
        program.args([SCRIPT, number, &host.ip.to_string(), &server.to_string()]);
        program.arg(tone.to_string()).arg(&folder);
        let mut peer = Peer::start(&format!("aiortc {number}"), &mut host.run(&program));
        peer.wait_for("register 200", PATIENCE);
        Self { peer, folder }
    }

    /// Waits until it has heard this tone for as long as tests want, in its call of that number; calls are counted from 1.
    fn hears(&mut self, call: u32, hz: f64) {
        self.peer.wait_for("way connected", PATIENCE);
        let heard = sound::heard(self.recording(call), hz);
        self.peer.wait_until(&format!("{hz} Hz heard"), PATIENCE, heard);
    }

    fn hangs_up(&mut self) {
        self.peer.type_line("hangup");
        self.is_done();
    }

    fn is_done(&mut self) {
        self.peer.wait_for("over", PATIENCE);
    }

    /// Leaves: what it heard in its calls.
    fn quit(mut self) -> Vec<Vec<i16>> {
        self.peer.type_line("quit");
        assert!(self.peer.end(PATIENCE).success(), "{}", self.peer.said());
        let files = (1..).map(|call| self.recording(call)).take_while(|file| file.exists());
        files.map(|file| sound::so_far(&file)).collect()
    }

    fn recording(&self, call: u32) -> PathBuf {
        self.folder.join(format!("heard-{call}.wav"))
    }
}

/// aioice passes loopback over, so this has a network of its own.
#[test]
fn aiortc_looks_for_ways_and_makes_keys() {
    if !place::imports("aiortc") {
        return;
    }
    let Some(mut land) = Land::new("aiortc") else { return };
    let (centre, desk) =
        (land.host("centre", &["10.77.0.1/24"]), land.host("desk", &["10.77.0.2/24"]));
    let folder = place::folder("aiortc");
    let lines = format!("domains = [\"example.test\"]\n{}", listen_at(&centre));
    let server = Offhook::serve_on(&centre, &folder, &["101", "102"], &lines);
    let account = |number: &str, at| Account::new(number, at).of("example.test").on(&desk);
    let mut bob = Aiortc::register(&folder, &account("102", server.tcp).playing(1000.0));
    let alice = account("101", server.udp);
    let mut alice = Handset::register(&folder, &alice, &["--srtp", "dtls", "--ice", "on"]);
    alice.calls("102");
    alice.hears(1, 1000.0);
    bob.hears(1, 440.0);
    let outwards = alice.hangs_up();
    bob.is_done();
    bob.peer.type_line("call sip:101@example.test");
    alice.picks_up();
    bob.peer.wait_for("call 200", PATIENCE);
    alice.hears(2, 1000.0);
    bob.hears(2, 440.0);
    bob.hangs_up();
    let inwards = alice.is_done();
    for quality in [outwards, inwards] {
        assert_eq!(quality["codec"], "opus");
        assert_ne!(quality["srtp"], serde_json::Value::Null, "{quality}");
    }
    for call in alice.quit() {
        sound::assert_heard(&call, 1000.0, 440.0);
    }
    for call in bob.quit() {
        sound::assert_heard(&call, 440.0, 1000.0);
    }
    server.stop();
    let feature = "`offhook phone` calls it and is called: ICE, DTLS-SRTP, Opus, one port for all (BUNDLE, rtcp-mux); each records the other's tone";
    table::passed(&table::AIORTC, feature, "TCP; UDP on our side");
}

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/interop/aiortc_phone.py");
