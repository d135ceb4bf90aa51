//! SRTP with keys in the descriptions (RFC 4568), with phones that we did not write, over TLS: both ways, and both hear each other.

use crate::baresip::{Baresip, PATIENCE};
use crate::offhook::Offhook;
use crate::phone::Phone;
use crate::pjsua::Pjsua;
use crate::{place, sound, table};

const FEATURE: &str = "`offhook phone` calls it and is called, with SRTP alone (keys in SDP); each records the other's tone";

/// What the phone says of a call: with which suite it was.
fn assert_secret(quality: &serde_json::Value) {
    let suite = quality["srtp"].as_str().unwrap_or_else(|| panic!("not secret: {quality}"));
    assert!(suite.starts_with("AE"), "{suite}");
}

#[test]
fn baresip_calls_and_is_called_in_secret() {
    if !place::installed("baresip", "baresip-core") {
        return;
    }
    let folder = place::folder("baresip-srtp");
    let (server, account) = Offhook::office(&folder, "tls", "127.0.0.1");
    let account = |number: &str| account(number).in_secret();
    let mut bob = Baresip::register(&folder, &account("102").playing(1000.0));
    let alice = Phone::start(&folder, &account("101"), &["call", "102", "--hangup-after", "5s"]);
    bob.peer.wait_for("terminated", PATIENCE);
    let (heard, quality) = alice.ends_with_quality();
    sound::assert_heard(&heard, 1000.0, 440.0);
    assert_secret(&quality);
    let mut alice = Phone::start(&folder, &account("101"), &["answer", "--hangup-after", "5s"]);
    alice.peer.wait_for("\"registered\"", PATIENCE);
    bob.dial(&account("101").uri());
    bob.peer.wait_for("terminated", PATIENCE);
    let (heard, quality) = alice.ends_with_quality();
    sound::assert_heard(&heard, 1000.0, 440.0);
    assert_secret(&quality);
    sound::assert_heard(&bob.quit(), 440.0, 1000.0);
    server.stop();
    table::passed(&table::BARESIP, FEATURE, "TLS");
}

#[test]
fn pjsua_calls_and_is_called_in_secret() {
    if !Pjsua::is_there() {
        return;
    }
    let folder = place::folder("pjsua-srtp");
    let (server, account) = Offhook::office(&folder, "tls", "127.0.0.1");
    let account = |number: &str| account(number).in_secret();
    let mut bob = Pjsua::register(&folder, &account("102").playing(1000.0));
    let alice = Phone::start(&folder, &account("101"), &["call", "102", "--hangup-after", "5s"]);
    bob.peer.wait_for("call DISCONNECTED", PATIENCE);
    let (heard, quality) = alice.ends_with_quality();
    sound::assert_heard(&heard, 1000.0, 440.0);
    assert_secret(&quality);
    let mut alice = Phone::start(&folder, &account("101"), &["answer", "--hangup-after", "5s"]);
    alice.peer.wait_for("\"registered\"", PATIENCE);
    bob.peer.type_line(&format!("call {}", account("101").uri()));
    bob.peer.wait_for("call DISCONNECTED", PATIENCE);
    let (heard, quality) = alice.ends_with_quality();
    sound::assert_heard(&heard, 1000.0, 440.0);
    assert_secret(&quality);
    sound::assert_heard(&bob.quit(), 440.0, 1000.0);
    server.stop();
    table::passed(&table::PJSIP, FEATURE, "TLS");
}
