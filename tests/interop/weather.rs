//! Real programs in weather as bad as the simulated: every call comes about, and ends.

use std::time::Duration;

use sim::Weather;

use crate::account::Account;
use crate::land::{Host, Land};
use crate::offhook::{Offhook, listen_at};
use crate::phone::Phone;
use crate::sipp::Sipp;
use crate::wire::{Storm, Wire};
use crate::{place, table};

/// 100 ms and up to 30 more or less; 10 % lost, 5 % twice, 20 % overtake others.
const STORM: Storm = Storm {
    weather: Weather {
        delay: Duration::from_millis(70),
        jitter: Duration::from_millis(60),
        loss: 10,
        twice: 5,
        ..Weather::FAIR
    },
    early: 20,
    seed: 25,
};

/// A server at the far end of a wire with weather, and the host of those who call by it.
struct Afar {
    wire: Wire,
    server: Offhook,
    phones: Host,
    folder: std::path::PathBuf,
    /// Gone last: the others live in it.
    _land: Land,
}

fn afar(name: &str, numbers: &[&str], more: &str) -> Option<Afar> {
    let mut land = Land::new(name)?;
    let (phones, server) = (land.apart("phones"), land.apart("server"));
    let (here, there) = ("10.45.0.1/24", "10.45.0.2/24");
    let wire = Wire::lay((&phones, here), (&server, there), STORM);
    let (phones, server) = (phones.by("10.45.0.1"), server.by("10.45.0.2"));
    let folder = place::folder(name);
    let lines = format!("{}domains = [\"10.45.0.2\"]\n{more}", listen_at(&server));
    let server = Offhook::serve_on(&server, &folder, numbers, &lines);
    Some(Afar { wire, server, phones, folder, _land: land })
}

/// Three callers and three who answer, five calls each way after each other.
fn thirty_calls(transport: &'static str) {
    let numbers = ["101", "102", "103", "201", "202", "203"];
    let Some(afar) = afar(&format!("weather-{transport}"), &numbers, "") else { return };
    let (folder, phones, at) = (&afar.folder, &afar.phones, afar.server.udp);
    let account = |number: &str| Account::new(number, at).by(transport).on(phones);
    let pairs = [("101", "201"), ("102", "202"), ("103", "203")];
    std::thread::scope(|scope| {
        for (caller, callee) in pairs {
            scope.spawn(move || {
                let deed = ["answer", "--calls", "10"];
                let mut bob = Phone::start(folder, &account(callee), &deed);
                bob.peer.wait_for("\"registered\"", PATIENCE);
                for _ in 0..10 {
                    let deed = ["call", callee, "--hangup-after", "500ms"];
                    Phone::start(folder, &account(caller), &deed).ends_well();
                }
                bob.ends_well();
            });
        }
    });
    afar.wire.assert_was_bad();
    afar.server.stop();
}

#[test]
fn thirty_calls_in_a_storm_over_udp() {
    thirty_calls("udp");
}

#[test]
fn thirty_calls_in_a_storm_over_tcp() {
    thirty_calls("tcp");
}

/// SIPp repeats what gets lost as the RFC wants it. It is told not to hang up when a 180 comes after its 200, not to forget a call before its BYE can
/// be lost no more, and to let calls last: a BYE that overtakes its ACK is more than it can bear, and of five seconds one ACK in a thousand needs more.
#[test]
fn sipp_calls_sipp_in_a_storm() {
    if !place::installed("sipp", "sip-tester") {
        return;
    }
    let route = "auth = { challenge = [] }\n\
                 route = [{ match = { prefix = \"7\" }, to = \"sip:10.45.0.1:5070\" }]";
    let Some(afar) = afar("weather-sipp", &[], route) else { return };
    let (folder, phones, calls) = (&afar.folder, &afar.phones, 30);
    let patient = ["-default_behaviors", "all,-abortunexp", "-timeout", "100s", "-timeout_error"];
    let scenario = Sipp::patient_callee(folder);
    let mut callee = Sipp::start(folder, (phones, 5070), (scenario, calls), &patient);
    callee.peer.wait_until("there", PATIENCE, || phones.listens("-u", 5070));
    let at = afar.server.udp.to_string();
    let arguments = [&[&*at, "-s", "7000", "-r", "3", "-d", "15000"], &patient[..]].concat();
    let mut caller = Sipp::start(folder, (phones, 5071), ("uac", calls), &arguments);
    let ended = caller.peer.end(Duration::from_secs(120));
    caller.assert_all_fine();
    assert!(ended.success(), "{ended}");
    drop(callee); // it waits for repeats of the last BYE
    afar.wire.assert_was_bad();
    afar.server.stop();
    let feature = "30 calls between its uac and uas through the server, on a line of 100 ± 30 ms that loses 10 %, repeats 5 % and reorders 20 %";
    table::seen(&table::SIPP, feature, "UDP", "none failed");
}

/// So long a request may take, and its answer (RFC 3261 §17: 32 s).
const PATIENCE: Duration = Duration::from_secs(40);
