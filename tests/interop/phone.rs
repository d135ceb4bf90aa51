//! `offhook phone` as a script calls it: with baresip, both ways, and with another of its kind.

use std::path::{Path, PathBuf};
use std::time::Duration;

use media::detect;

use crate::account::Account;
use crate::baresip::{Baresip, PATIENCE};
use crate::offhook::{Offhook, command};
use crate::peer::Peer;
use crate::{place, sound, table};

/// Ours at work.
pub(crate) struct Phone {
    pub(crate) peer: Peer,
    heard: PathBuf,
}

impl Phone {
    /// Does something (`call 102`, `answer`), plays a tone and records what it hears.
    pub(crate) fn start(folder: &Path, account: &Account, deed: &[&str]) -> Self {
        let ip = account.host.ip.to_string();
        Self::start_with(folder, account, &["--bind", &ip], deed)
    }

    /// The same, at whatever address its machine has: with these words before the deed.
    pub(crate) fn start_with(
        folder: &Path,
        account: &Account,
        words: &[&str],
        deed: &[&str],
    ) -> Self {
        let Account { number, server, transport, host, tone, trust, .. } = account;
        let heard = folder.join(format!("heard-{number}.wav"));
        let (uri, server) = (account.uri(), server.to_string());
        let mut program = command(&["phone", "--json", "--account", &uri, "--server", &server]);
        program.args(["--transport", transport]).args(words).arg("--record");
        program.arg(&heard).args(["--play", &format!("tone:{tone}")]).args(deed);
        if account.secret {
            program.args(["--srtp", "required"]);
        }
        if let Some(authority) = trust {
            program.arg("--ca").arg(authority);
        }
        // Whom it has called is no business of the machine that tests it.
        program.env("XDG_STATE_HOME", folder.join("state"));
        // Not on the command line, where others could read it.
        program.env("OFFHOOK_PASSWORD", format!("pw-{number}"));
        let peer = Peer::start(&format!("offhook phone {number}"), &mut host.run(&program));
        Self { peer, heard }
    }

    /// Waits until it has heard something for a while: its call has stood for as long.
    pub(crate) fn hears(&mut self) {
        let long_enough =
            || std::fs::metadata(&self.heard).is_ok_and(|file| file.len() > sound::SECOND);
        self.peer.wait_until("hearing anybody", PATIENCE, long_enough);
    }

    /// Waits until it has heard so many seconds more.
    pub(crate) fn hears_more(&mut self, seconds: u64) {
        let length = || std::fs::metadata(&self.heard).map_or(0, |file| file.len());
        let enough = length() + seconds * sound::SECOND;
        self.peer.wait_until("hearing more", PATIENCE, || length() > enough);
    }

    /// Waits until it has heard this tone for a second in all, from now on.
    pub(crate) fn hears_now(&mut self, hz: f64) {
        let from = sound::so_far(&self.heard).len();
        let heard = || {
            let samples = sound::so_far(&self.heard);
            let new = samples.get(from..).unwrap_or_default();
            detect::tone(new, hz).lasted >= Duration::from_secs(1)
        };
        self.peer.wait_until("hearing the other", PATIENCE, heard);
    }

    /// Its end, well done; what it heard.
    pub(crate) fn ends_well(self) -> Vec<i16> {
        self.ends_with_quality().0
    }

    /// The same, and what it says of the call's quality.
    pub(crate) fn ends_with_quality(mut self) -> (Vec<i16>, serde_json::Value) {
        let ended = self.peer.end(PATIENCE);
        assert!(ended.success(), "{ended}\n{}", self.peer.said());
        let said = self.peer.said();
        let quality = said.lines().find(|line| line.contains("\"event\":\"quality\""));
        let quality = quality.unwrap_or_else(|| panic!("no quality in\n{said}"));
        (sound::read(&self.heard), serde_json::from_str(quality).unwrap())
    }
}

/// A server with 101 and 102, and a baresip that is 102 and plays 1000 Hz.
fn with_baresip(name: &str) -> Option<(Offhook, Baresip, PathBuf)> {
    if !place::installed("baresip", "baresip-core") {
        return None;
    }
    let folder = place::folder(name);
    let server = Offhook::serve(&folder, &["101", "102"], "");
    let bob = Baresip::register(&folder, &Account::new("102", server.udp).playing(1000.0));
    Some((server, bob, folder))
}

#[test]
fn it_calls_baresip_holds_it_and_both_hear_each_other() {
    let Some((server, mut bob, folder)) = with_baresip("phone-calls-baresip") else { return };
    let deed = ["call", "102", "--hangup-after", "9s", "--hold-after", "3s", "--dtmf", "17#"];
    let mut alice = Phone::start(&folder, &Account::new("101", server.udp), &deed);
    bob.peer.wait_for("Call established", PATIENCE);
    alice.peer.wait_for("\"status\":200", PATIENCE); // the hold was agreed to
    alice.peer.wait_for("\"status\":200", PATIENCE); // and its end
    bob.peer.wait_for("terminated", PATIENCE);
    sound::assert_heard(&alice.ends_well(), 1000.0, 440.0);
    sound::assert_heard(&bob.quit(), 440.0, 1000.0);
    server.stop();
    let feature = "`offhook phone` calls it, presses keys, holds and resumes, hangs up; each records the other's tone";
    table::passed(&table::BARESIP, feature, "UDP");
}

/// With a baresip that speaks nothing else; what it calls the codec, and what we do.
fn in_another_codec(theirs: &'static str, ours: &str, feature: &str) {
    if !place::installed("baresip", "baresip-core") {
        return;
    }
    let folder = place::folder(&format!("baresip-{ours}"));
    let server = Offhook::serve(&folder, &["101", "102"], "");
    let bob = Account::new("102", server.udp).playing(1000.0).speaking(theirs);
    let mut bob = Baresip::register(&folder, &bob);
    let account = Account::new("101", server.udp);
    let alice = Phone::start(&folder, &account, &["call", "102", "--hangup-after", "5s"]);
    bob.peer.wait_for("terminated", PATIENCE);
    let (heard, quality) = alice.ends_with_quality();
    sound::assert_heard(&heard, 1000.0, 440.0);
    assert_eq!(quality["codec"], ours);
    sound::assert_heard(&bob.quit(), 440.0, 1000.0);
    server.stop();
    table::passed(&table::BARESIP, feature, "UDP");
}

#[test]
fn it_calls_baresip_in_opus() {
    let feature = "`offhook phone` calls it in opus; each records the other's tone";
    in_another_codec("opus/48000/2", "opus", feature);
}

#[test]
fn it_calls_baresip_in_g722() {
    let feature = "`offhook phone` calls it in G722; each records the other's tone";
    in_another_codec("G722/16000/1", "G722", feature);
}

#[test]
fn it_is_called_by_baresip_and_both_hear_each_other() {
    let Some((server, mut bob, folder)) = with_baresip("baresip-calls-phone") else { return };
    let mut alice = Phone::start(
        &folder,
        &Account::new("101", server.udp),
        &["answer", "--hangup-after", "5s"],
    );
    alice.peer.wait_for("\"registered\"", PATIENCE);
    bob.dial(&format!("sip:101@{}", server.udp));
    bob.peer.wait_for("terminated", PATIENCE);
    sound::assert_heard(&alice.ends_well(), 1000.0, 440.0);
    sound::assert_heard(&bob.quit(), 440.0, 1000.0);
    server.stop();
    let feature = "It calls `offhook phone`, which picks up; each records the other's tone";
    table::passed(&table::BARESIP, feature, "UDP");
}

#[test]
fn it_is_held_by_baresip_and_taken_back() {
    let Some((server, mut bob, folder)) = with_baresip("baresip-holds-phone") else { return };
    let mut alice = Phone::start(&folder, &Account::new("101", server.udp), &["answer"]);
    alice.peer.wait_for("\"registered\"", PATIENCE);
    bob.dial(&format!("sip:101@{}", server.udp));
    bob.listen(3); // before the hold: baresip 1.0.0 plays nothing after it
    bob.peer.type_line("/hold");
    let held = alice.peer.wait_for("\"held\"", PATIENCE);
    assert!(held.contains("true"), "{held}");
    bob.peer.type_line("/resume");
    let back = alice.peer.wait_for("\"held\"", PATIENCE);
    assert!(back.contains("false"), "{back}");
    bob.peer.type_line("/hangup");
    sound::assert_heard(&alice.ends_well(), 1000.0, 440.0);
    sound::assert_heard(&bob.quit(), 440.0, 1000.0);
    server.stop();
    let feature = "It calls `offhook phone`, holds it, takes it back, hangs up; each records the other's tone";
    table::passed(&table::BARESIP, feature, "UDP");
}

#[test]
fn what_is_typed_before_it_has_registered_is_done_when_it_has() {
    let folder = place::folder("phone-typed");
    let server = Offhook::serve(&folder, &["101"], "");
    let mut phone = Phone::start(&folder, &Account::new("101", server.udp), &[]);
    for line in ["call", "quit"] {
        phone.peer.type_line(line);
    }
    let ended = phone.peer.end(PATIENCE);
    let said = phone.peer.said();
    assert!(ended.success() && said.contains("whom?"), "{ended}\n{said}");
    server.stop();
}

#[test]
fn scripts_learn_from_its_exit_code_how_a_call_went() {
    let folder = place::folder("phone-exit-codes");
    let server = Offhook::serve(&folder, &["101", "102"], "");
    let ends = |mut phone: Phone, code: i32, word: &str| {
        let ended = phone.peer.end(PATIENCE);
        let said = phone.peer.said();
        assert!(ended.code() == Some(code) && said.contains(word), "{ended}: no {word} in\n{said}");
    };
    let start = |number: &str, deed: &[&str]| {
        Phone::start(&folder, &Account::new(number, server.udp), deed)
    };
    ends(start("101", &["call", "999"]), 6, "404");
    ends(start("101", &["call", "102"]), 4, "480");
    ends(start("103", &["register"]), 7, "not_registered");
    ends(start("101", &["register"]), 0, "\"registered\"");
    ends(start("101", &["call", "sips:102@example.test"]), 1, "secure account");
    ends(start("101", &["call", "102", "--play", "nowhere.wav"]), 2, "nowhere.wav");
    let mut busy = start("102", &["answer", "--refuse", "486"]);
    busy.peer.wait_for("\"registered\"", PATIENCE);
    ends(start("101", &["call", "102"]), 3, "486");
    ends(busy, 0, "incoming");
    server.stop();
}

/// 102 and 103 are phones of ours that pick up; 102 calls whom it is asked to.
fn a_transfer_between_ours(name: &str, more: &[&str]) {
    let folder = place::folder(name);
    let server = Offhook::serve(&folder, &["101", "102", "103"], "");
    let start = |number: &str, tone: f64, deed: &[&str]| {
        Phone::start(&folder, &Account::new(number, server.udp).playing(tone), deed)
    };
    let mut bob = start("102", 1000.0, &["answer", "--follow-transfers"]);
    let mut carol = start("103", 660.0, &["answer", "--hangup-after", "6s"]);
    for phone in [&mut bob, &mut carol] {
        phone.peer.wait_for("\"registered\"", PATIENCE);
    }
    let deed = [&["call", "102", "--transfer-to", "103"], more].concat();
    let mut alice = start("101", 440.0, &deed);
    let ended = alice.peer.end(PATIENCE);
    let said = alice.peer.said();
    assert!(ended.success() && said.contains("\"transfer\""), "{ended}\n{said}");
    sound::assert_heard(&carol.ends_well(), 1000.0, 440.0);
    let (heard, _) = bob.ends_with_quality();
    sound::assert_heard(&heard, 660.0, 2000.0);
    server.stop();
}

#[test]
fn a_blind_transfer_brings_two_phones_together() {
    a_transfer_between_ours("phone-blind", &[]);
}

#[test]
fn an_attended_transfer_brings_two_phones_together() {
    a_transfer_between_ours("phone-attended", &["--attended"]);
}

#[test]
fn it_transfers_baresip_blind() {
    if !place::installed("baresip", "baresip-core") {
        return;
    }
    let folder = place::folder("phone-transfers-baresip");
    let server = Offhook::serve(&folder, &["101", "102", "103"], "");
    let bob = Baresip::register(&folder, &Account::new("102", server.udp).playing(1000.0));
    let carol = Account::new("103", server.udp).playing(660.0);
    let mut carol = Phone::start(&folder, &carol, &["answer", "--hangup-after", "6s"]);
    carol.peer.wait_for("\"registered\"", PATIENCE);
    let deed = ["call", "102", "--transfer-to", &format!("sip:103@{}", server.udp)];
    let mut alice = Phone::start(&folder, &Account::new("101", server.udp), &deed);
    let ended = alice.peer.end(PATIENCE);
    assert!(ended.success(), "{ended}\n{}", alice.peer.said());
    sound::assert_heard(&carol.ends_well(), 1000.0, 440.0);
    sound::assert_heard(&bob.quit(), 660.0, 2000.0);
    server.stop();
    let feature = "`offhook phone` transfers it blind to a third phone; those two hear each other";
    table::passed(&table::BARESIP, feature, "UDP");
}

#[test]
fn it_is_transferred_by_baresip() {
    if !place::installed("baresip", "baresip-core") {
        return;
    }
    let folder = place::folder("baresip-transfers-phone");
    let server = Offhook::serve(&folder, &["101", "102", "103"], "");
    let mut bob = Baresip::register(&folder, &Account::new("102", server.udp).playing(1000.0));
    let start = |number: &str, tone: f64, deed: &[&str]| {
        let account = Account::new(number, server.udp).playing(tone);
        let mut phone = Phone::start(&folder, &account, deed);
        phone.peer.wait_for("\"registered\"", PATIENCE);
        phone
    };
    let alice = start("101", 440.0, &["answer", "--follow-transfers"]);
    let carol = start("103", 660.0, &["answer", "--hangup-after", "6s"]);
    bob.dial(&format!("sip:101@{}", server.udp));
    bob.peer.type_line(&format!("/transfer sip:103@{}", server.udp));
    sound::assert_heard(&carol.ends_well(), 440.0, 1000.0);
    sound::assert_heard(&alice.ends_well(), 660.0, 2000.0);
    bob.quit();
    server.stop();
    let feature = "It transfers `offhook phone` blind to a third phone; those two hear each other";
    table::passed(&table::BARESIP, feature, "UDP");
}

#[test]
fn texts_and_pings_say_whether_they_have_arrived() {
    let folder = place::folder("phone-texts");
    let server = Offhook::serve(&folder, &["101", "102"], "");
    let start = |number: &str, deed: &[&str]| {
        Phone::start(&folder, &Account::new(number, server.udp), deed)
    };
    let ends = |mut phone: Phone, code: i32, word: &str| {
        let ended = phone.peer.end(PATIENCE);
        let said = phone.peer.said();
        assert!(ended.code() == Some(code) && said.contains(word), "{ended}: no {word} in\n{said}");
    };
    ends(start("101", &["message", "102", "is anybody there?"]), 4, "480");
    let mut bob = start("102", &["answer"]);
    bob.peer.wait_for("\"registered\"", PATIENCE);
    ends(start("101", &["message", "102", "is anybody there?"]), 0, "\"status\":200");
    let heard = bob.peer.wait_for("\"message\"", PATIENCE);
    assert!(heard.contains("is anybody there?"), "{heard}");
    ends(start("101", &["options", "102", "--count", "2"]), 0, "PRACK");
    ends(start("101", &["watch", "102", "--news", "1"]), 5, "not_watched");
    ends(start("101", &["message", "102", &"x".repeat(1300)]), 1, "too long");
    ends(start("101", &["call", "102", "--hangup-after", "1s"]), 0, "established");
    bob.ends_well();
    server.stop();
}

#[test]
fn calls_are_shown_to_whom_is_listed_and_to_nobody_else() {
    let folder = place::folder("phone-shows-calls");
    let server = Offhook::serve(&folder, &["101", "102", "103"], "");
    let start = |number: &str, deed: &[&str]| {
        Phone::start(&folder, &Account::new(number, server.udp), deed)
    };
    let mut bob = start("102", &["answer", "--show-calls-to", "103"]);
    bob.peer.wait_for("\"registered\"", PATIENCE);
    // Another phone of Bob's own address is nobody either.
    for (who, code, word) in [("101", 5, "403"), ("102", 5, "403"), ("103", 0, "\"watched\"")] {
        let mut watch = start(who, &["watch", "102", "--what", "dialogs", "--news", "1"]);
        let ended = watch.peer.end(PATIENCE);
        let said = watch.peer.said();
        assert!(ended.code() == Some(code) && said.contains(word), "{who}: {ended}\n{said}");
    }
    let mut alice = start("101", &["call", "102", "--hangup-after", "1s"]);
    assert!(alice.peer.end(PATIENCE).success(), "{}", alice.peer.said());
    bob.ends_well();
    server.stop();
}
