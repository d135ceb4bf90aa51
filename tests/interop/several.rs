//! `offhook phone` with several accounts: calls out by the one that is chosen and in by any, several at once, and what is known after a restart.

use std::path::Path;

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::offhook::{Offhook, command};
use crate::peer::Peer;
use crate::phone::Phone;
use crate::{place, sound};

/// The phone of 101 and 102, with what it is told beside.
fn desk(folder: &Path, server: &Offhook, more: &[&str]) -> Peer {
    let at = server.udp;
    let file = format!(
        "server = \"{at}\"\n\
         [[account]]\naddress = \"sip:101@{at}\"\npassword = \"pw-101\"\n\
         [[account]]\naddress = \"sip:102@{at}\"\npassword = \"pw-102\"\n"
    );
    std::fs::write(folder.join("phone.toml"), file).unwrap();
    let mut program = command(&["phone", "--json", "--config", "phone.toml"]);
    program.args(more).current_dir(folder).env("XDG_STATE_HOME", folder.join("state"));
    Peer::start("offhook phone 101 and 102", &mut program)
}

/// Its end, well done. There may have been no time for sound.
fn ends(mut phone: Phone) {
    let ended = phone.peer.end(PATIENCE);
    assert!(ended.success(), "{ended}\n{}", phone.peer.said());
}

#[test]
fn calls_go_out_by_the_chosen_account_and_come_in_by_any() {
    let folder = place::folder("phone-several");
    let server = Offhook::serve(&folder, &["101", "102", "103", "104"], "");
    let start = |number: &str, deed: &[&str]| {
        Phone::start(&folder, &Account::new(number, server.udp), deed)
    };
    let [mut carol, mut dave] = ["103", "104"].map(|number| start(number, &["answer"]));
    carol.peer.wait_for("\"registered\"", PATIENCE);
    dave.peer.wait_for("\"registered\"", PATIENCE);
    let mut desk_phone = desk(&folder, &server, &[]);
    for _ in 0..2 {
        let registered = desk_phone.wait_for("\"registered\"", PATIENCE);
        assert!(registered.contains("\"account\":\"sip:10"), "{registered}");
    }
    desk_phone.type_line("call 103");
    let up = desk_phone.wait_for("\"established\"", PATIENCE);
    assert!(up.contains("\"account\":\"sip:101@"), "{up}");
    // A second call, by the other account: whom we talked with waits.
    desk_phone.type_line("account 102");
    desk_phone.type_line("call 104");
    let held = carol.peer.wait_for("\"held\"", PATIENCE);
    assert!(held.contains("true"), "{held}");
    let up = desk_phone.wait_for("\"established\"", PATIENCE);
    assert!(up.contains("\"account\":\"sip:102@"), "{up}");
    assert!(dave.peer.wait_for("\"incoming\"", PATIENCE).contains("102@"));
    desk_phone.type_line("pick 1");
    let held = dave.peer.wait_for("\"held\"", PATIENCE);
    assert!(held.contains("true"), "{held}");
    let back = carol.peer.wait_for("\"held\"", PATIENCE);
    assert!(back.contains("false"), "{back}");
    desk_phone.type_line("hangup");
    carol.peer.wait_for("\"ended\"", PATIENCE);
    // Somebody calls the second account, while a call of it waits.
    let mut erna = start("103", &["call", "102"]);
    let comes = desk_phone.wait_for("\"incoming\"", PATIENCE);
    assert!(comes.contains("\"account\":\"sip:102@"), "{comes}");
    desk_phone.type_line("refuse");
    assert_eq!(erna.peer.end(PATIENCE).code(), Some(3), "{}", erna.peer.said());
    desk_phone.type_line("quit");
    let ended = desk_phone.end(PATIENCE);
    assert!(ended.success(), "{ended}\n{}", desk_phone.said());
    ends(dave);
    ends(carol);
    the_last_call_is_known_after_a_restart(&folder, &server);
    server.stop();
}

fn the_last_call_is_known_after_a_restart(folder: &Path, server: &Offhook) {
    let mut dave = Phone::start(folder, &Account::new("104", server.udp), &["answer"]);
    dave.peer.wait_for("\"registered\"", PATIENCE);
    let mut again = desk(folder, server, &[]);
    again.type_line("history");
    let first = again.wait_for(" to 103, ", PATIENCE);
    assert!(first.contains(" s\""), "it was up: {first}");
    again.wait_for("missed", PATIENCE);
    again.type_line("redial");
    let up = again.wait_for("\"established\"", PATIENCE);
    assert!(up.contains("\"account\":\"sip:102@"), "104 was called by 102: {up}");
    again.type_line("quit");
    assert!(again.end(PATIENCE).success(), "{}", again.said());
    ends(dave);
}

/// Carol talks with 101, and Dave with 102, which is the same phone; whom it says its tone to, the other hears.
fn two_talks(folder: &Path, server: &Offhook) -> (Peer, [Phone; 2]) {
    let mut phones = [("103", 440.0), ("104", 1000.0)].map(|(number, tone)| {
        let account = Account::new(number, server.udp).playing(tone);
        let mut phone = Phone::start(folder, &account, &["answer", "--follow-transfers"]);
        phone.peer.wait_for("\"registered\"", PATIENCE);
        phone
    });
    let mut desk = desk(folder, server, &[]);
    for line in ["call 103", "account 102", "call 104"] {
        desk.type_line(line);
        if line.starts_with("call") {
            desk.wait_for("\"established\"", PATIENCE);
        }
    }
    // The first one waits by now.
    let held = phones[0].peer.wait_for("\"held\"", PATIENCE);
    assert!(held.contains("true"), "{held}");
    (desk, phones)
}

#[test]
fn calls_of_two_accounts_confer() {
    let folder = place::folder("phone-confers");
    let server = Offhook::serve(&folder, &["101", "102", "103", "104"], "");
    let (mut desk, [mut carol, mut dave]) = two_talks(&folder, &server);
    desk.type_line("conference");
    let back = carol.peer.wait_for("\"held\"", PATIENCE);
    assert!(back.contains("false"), "{back}");
    carol.hears();
    dave.hears();
    desk.type_line("calls");
    desk.wait_for("talks with all", PATIENCE);
    carol.hears_more(3);
    desk.type_line("quit");
    assert!(desk.end(PATIENCE).success(), "{}", desk.said());
    sound::assert_heard(&carol.ends_well(), 1000.0, 440.0);
    sound::assert_heard(&dave.ends_well(), 440.0, 1000.0);
    server.stop();
}

#[test]
fn calls_of_two_accounts_are_brought_together() {
    let folder = place::folder("phone-brings-together");
    let server = Offhook::serve(&folder, &["101", "102", "103", "104"], "");
    let (mut desk, [mut carol, dave]) = two_talks(&folder, &server);
    desk.type_line("join 1");
    // Both of its calls end: one is transferred, the other replaced.
    for _ in 0..2 {
        desk.wait_for("\"ended\"", PATIENCE);
    }
    carol.hears_more(4);
    desk.type_line("quit");
    assert!(desk.end(PATIENCE).success(), "{}", desk.said());
    carol.peer.terminate();
    sound::assert_heard(&dave.ends_well(), 440.0, 1000.0);
    server.stop();
}

#[test]
fn a_script_names_the_account_that_it_means_and_answers_for_all() {
    let folder = place::folder("phone-named");
    let server = Offhook::serve(&folder, &["101", "102", "103"], "");
    let mut both = desk(&folder, &server, &["answer", "--hangup-after", "1s"]);
    for _ in 0..2 {
        both.wait_for("\"registered\"", PATIENCE);
    }
    let mut carol = Phone::start(&folder, &Account::new("103", server.udp), &["call", "102"]);
    let comes = both.wait_for("\"incoming\"", PATIENCE);
    assert!(comes.contains("\"account\":\"sip:102@"), "{comes}");
    assert!(both.end(PATIENCE).success(), "{}", both.said());
    assert!(carol.peer.end(PATIENCE).success(), "{}", carol.peer.said());
    let mut carol = Phone::start(&folder, &Account::new("103", server.udp), &["answer"]);
    carol.peer.wait_for("\"registered\"", PATIENCE);
    let call = ["--account", "102", "call", "103", "--hangup-after", "1s"];
    let mut by_the_second = desk(&folder, &server, &call);
    let ended = by_the_second.end(PATIENCE);
    assert!(ended.success(), "{ended}\n{}", by_the_second.said());
    assert!(carol.peer.wait_for("\"incoming\"", PATIENCE).contains("102@"));
    ends(carol);
    server.stop();
}

#[test]
fn who_calls_a_script_that_talks_is_picked_up_when_it_has_ended() {
    let folder = place::folder("phone-waiting");
    let server = Offhook::serve(&folder, &["101", "102", "103"], "");
    let start = |number: &str, deed: &[&str]| {
        Phone::start(&folder, &Account::new(number, server.udp), deed)
    };
    let mut bob = start("102", &["answer", "--calls", "2"]);
    bob.peer.wait_for("\"registered\"", PATIENCE);
    let alice = start("101", &["call", "102"]);
    bob.peer.wait_for("\"established\"", PATIENCE);
    let carol = start("103", &["call", "102", "--hangup-after", "500ms"]);
    bob.peer.wait_for("\"incoming\"", PATIENCE);
    alice.peer.terminate();
    ends(carol);
    ends(bob);
    server.stop();
}
