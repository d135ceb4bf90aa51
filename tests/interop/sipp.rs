//! SIPp: calls by the thousand, from its built-in scenarios, through our server.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::land::Host;
use crate::offhook::Offhook;
use crate::peer::Peer;
use crate::{place, table};

/// One SIPp and its statistics.
pub(crate) struct Sipp {
    pub(crate) peer: Peer,
    statistics: PathBuf,
    calls: u64,
}

impl Sipp {
    /// One of its built-in scenarios, or one in a file, so many calls.
    pub(crate) fn start(
        folder: &Path,
        (host, port): (&Host, u16),
        (scenario, calls): (&str, u64),
        arguments: &[&str],
    ) -> Self {
        let name = Path::new(scenario).file_stem().unwrap_or_default().to_string_lossy();
        let statistics = folder.join(format!("{name}.csv"));
        let mut program = Command::new("sipp");
        let from = if Path::new(scenario).extension().is_some() { "-sf" } else { "-sn" };
        program
            .args([from, scenario, "-i", &host.ip.to_string(), "-p", &port.to_string()])
            .args(["-m", &calls.to_string(), "-max_socket", "5000", "-nostdin"])
            .args(["-trace_stat", "-fd", "1", "-stf"])
            .arg(&statistics)
            .args(["-trace_err", "-error_file"])
            .arg(folder.join(format!("{name}.errors")))
            .args(arguments)
            .current_dir(folder);
        let peer = Peer::start(&format!("sipp {name}"), &mut host.run(&program));
        Self { peer, statistics, calls }
    }

    /// The name of a scenario in the folder: its own callee, which forgets a call four seconds after its BYE, but for that: it waits for as long as the
    /// BYE may be repeated (RFC 3261 §17.1.2.2, timer F).
    pub(crate) fn patient_callee(folder: &Path) -> &'static str {
        let dump = Command::new("sipp").args(["-sd", "uas"]).output().expect("sipp is there");
        let scenario = String::from_utf8(dump.stdout).expect("XML");
        let (before, after) =
            scenario.split_once("<timewait milliseconds=\"4000\"").expect("it waits");
        let patient = format!("{before}<timewait milliseconds=\"33000\"{after}");
        std::fs::write(folder.join("patient.xml"), patient).expect("written");
        "patient.xml"
    }

    /// One that answers. Another program may take the port between us and it: then another port is tried.
    pub(crate) fn answering(folder: &Path, scenario: (&str, u64), transport: &str) -> (Self, u16) {
        for _ in 0..5 {
            let port = place::free_port();
            let mut sipp = Self::start(folder, (&Host::HERE, port), scenario, &["-t", transport]);
            if sipp.peer.seek_until(PATIENCE, || place::is_taken(port)).is_ok() {
                return (sipp, port);
            }
        }
        panic!("sipp uas: five ports, and none was free");
    }

    /// What the last line of its statistics says of these columns.
    fn counted<const N: usize>(&self, columns: [&str; N]) -> [u64; N] {
        let text = std::fs::read_to_string(&self.statistics).unwrap();
        let names: Vec<_> = text.lines().next().unwrap().split(';').collect();
        let values: Vec<_> = text.lines().last().unwrap().split(';').collect();
        columns.map(|column| {
            let place = names
                .iter()
                .position(|name| *name == column)
                .unwrap_or_else(|| panic!("{names:?}"));
            values[place].parse().unwrap()
        })
    }

    pub(crate) fn assert_all_fine(&self) {
        let columns = ["SuccessfulCall(C)", "FailedCall(C)", "Retransmissions(C)"];
        let [fine, failed, again] = self.counted(columns);
        println!("{}: {fine} fine, {failed} failed, {again} sent again", self.statistics.display());
        assert_eq!((fine, failed), (self.calls, 0), "{}", self.statistics.display());
    }
}

/// Calls from uac to uas through the server: `uac` is how the caller connects, `uas` the callee (SIPp cannot answer with `tn`).
fn a_thousand_calls(name: &str, uac: &str, uas: &str) {
    if !place::installed("sipp", "sip-tester") {
        return;
    }
    let folder = place::folder(name);
    let (mut callee, port) = Sipp::answering(&folder, ("uas", CALLS), uas);
    let transport = if uas.starts_with('t') { "tcp" } else { "udp" };
    // SIPp's built-in scenarios know no passwords and register nothing: whoever dials 7… is connected to the one who answers.
    let config = format!(
        "auth = {{ challenge = [] }}\n\
         route = [{{ match = {{ prefix = \"7\" }}, to = \"sip:127.0.0.1:{port};transport={transport}\" }}]\n"
    );
    let server = Offhook::serve(&folder, &[], &config);
    let address: SocketAddr = if uac.starts_with('t') { server.tcp } else { server.udp };
    let (address, port) = (address.to_string(), place::free_port());
    let arguments =
        [&*address, "-s", "7000", "-t", uac, "-r", "100", "-timeout", "100s", "-timeout_error"];
    let mut caller = Sipp::start(&folder, (&Host::HERE, port), ("uac", CALLS), &arguments);
    let ended = caller.peer.end(Duration::from_secs(120));
    caller.assert_all_fine();
    assert!(ended.success(), "{ended}");
    callee.peer.end(PATIENCE);
    callee.assert_all_fine();
    server.stop();
    let feature = "Built-in uac and uas: 1,000 calls through the server, 100 a second";
    let connections = match uac {
        "u1" => "UDP",
        "t1" => "TCP, one connection on each side",
        _ => "TCP, a connection a call",
    };
    table::seen(&table::SIPP, feature, connections, "none failed");
}

#[test]
fn a_thousand_calls_over_udp() {
    a_thousand_calls("sipp-udp", "u1", "u1");
}

#[test]
fn a_thousand_calls_over_one_tcp_connection() {
    a_thousand_calls("sipp-tcp", "t1", "t1");
}

#[test]
fn a_thousand_calls_each_on_its_own_tcp_connection() {
    a_thousand_calls("sipp-tcp-each", "tn", "t1");
}

/// As many as the promise says: at 100 a second they take ten seconds.
const CALLS: u64 = 1_000;
/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
