//! baresip, a phone that we did not write: registers, calls, is called; plays a file and records what it hears.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::account::Account;
use crate::handset::Handset;
use crate::offhook::Offhook;
use crate::peer::Peer;
use crate::{place, sound, table};

/// A phone with its tone.
pub(crate) struct Baresip {
    pub(crate) peer: Peer,
    folder: PathBuf,
}

impl Baresip {
    /// Starts a phone that plays its tone, answers by itself, and waits until it is registered.
    pub(crate) fn register(folder: &Path, account: &Account) -> Self {
        let Account { number, server, domain, transport, host, tone, trust, ways, .. } = account;
        let folder = folder.join(number);
        let heard = folder.join("heard");
        std::fs::create_dir_all(&heard).unwrap();
        let play = folder.join("tone.wav");
        sound::write_tone(&play, *tone);
        let mut config = String::from(CONFIG);
        writeln!(config, "sip_listen {}\nnet_interface {}", host.at(0), host.ip).unwrap();
        writeln!(config, "audio_source aufile,{}", play.display()).unwrap();
        writeln!(config, "audio_player aubridge,ear-{number}").unwrap();
        writeln!(config, "audio_alert aubridge,bell-{number}").unwrap();
        writeln!(config, "snd_path {}", heard.display()).unwrap();
        if let Some(authority) = trust {
            writeln!(config, "sip_cafile {}", authority.display()).unwrap();
        }
        std::fs::write(folder.join("config"), config).unwrap();
        let mut address = format!(
            "<{};transport={transport}>;auth_user={number};auth_pass=pw-{number};regint=60;answermode=auto",
            account.uri()
        );
        if account.secret {
            address += ";mediaenc=srtp-mand";
        }
        if let Some(codec) = account.codec {
            write!(address, ";audio_codecs={codec}").unwrap();
        }
        for (place, way) in ways.iter().enumerate() {
            write!(address, ";outbound{}=\"{way}\"", place + 1).unwrap();
        }
        if !ways.is_empty() {
            address += ";sipnat=outbound";
        } else if *domain != server.to_string() {
            write!(address, ";outbound=\"sip:{server};transport={transport}\"").unwrap();
        }
        std::fs::write(folder.join("accounts"), address + "\n").unwrap();
        std::fs::write(folder.join("contacts"), "").unwrap();
        let mut program = Command::new("baresip");
        let family = if host.ip.is_ipv4() { "-4" } else { "-6" };
        program.args([family, "-v", "-s", "-f"]).arg(&folder);
        let mut peer = Peer::start(&format!("baresip {number}"), &mut host.run(&program));
        peer.wait_for("200 OK", PATIENCE);
        Self { peer, folder }
    }

    pub(crate) fn dial(&mut self, uri: &str) {
        self.peer.type_line(&format!("/dial {uri}"));
        self.peer.wait_for("Call established", PATIENCE);
    }

    /// Waits until it has heard so many seconds of sound, whatever it was.
    pub(crate) fn listen(&mut self, seconds: u64) {
        let heard = self.folder.join("heard");
        let grown = move || recordings(&heard).last().is_some_and(|it| lasts(it) >= seconds);
        self.peer.wait_until("long enough heard", PATIENCE, grown);
    }

    pub(crate) fn hang_up(&mut self) {
        self.peer.type_line("/hangup");
    }

    /// The Via headers of the last message that it received or sent and that begins so: the last hop first.
    pub(crate) fn vias(&self, start: &str) -> Vec<String> {
        let said = self.peer.said();
        let from = said.rfind(start).unwrap_or_else(|| panic!("no {start:?}:\n{said}"));
        let lines = said[from..].lines().take_while(|line| !line.is_empty());
        lines.filter(|line| line.starts_with("Via:")).map(Into::into).collect()
    }

    /// Ends the phone; what it heard.
    pub(crate) fn quit(mut self) -> Vec<i16> {
        self.peer.type_line("/quit");
        self.peer.end(PATIENCE);
        let files = recordings(&self.folder.join("heard"));
        let Some(file) = files.last() else { panic!("{}", self.peer.said()) };
        sound::read(file)
    }
}

/// How many seconds a WAV file has, while it is being written: its length by the octets a second that its head says.
fn lasts(file: &Path) -> u64 {
    let octets = std::fs::read(file).unwrap_or_default();
    let rate = octets.get(28..32).and_then(|rate| rate.try_into().ok());
    let rate = u64::from(rate.map_or(0, u32::from_le_bytes));
    (octets.len() as u64).checked_div(rate).unwrap_or(0)
}

/// The files of what was heard, a call each, the last one last.
fn recordings(folder: &Path) -> Vec<PathBuf> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let heard = names.filter(|path| path.to_string_lossy().ends_with("-dec.wav"));
    let mut heard: Vec<_> = heard.collect();
    heard.sort(); // their names begin with the time
    heard
}

fn between_two(transport: &'static str) {
    if !place::installed("baresip", "baresip-core") {
        return;
    }
    let folder = place::folder(&format!("baresip-{transport}"));
    let (server, account) = Offhook::office(&folder, transport, "127.0.0.1");
    let mut bob = Baresip::register(&folder, &account("102").playing(1000.0));
    let mut alice = Baresip::register(&folder, &account("101"));
    let parameter = if transport == "udp" { "" } else { &format!(";transport={transport}") };
    alice.dial(&format!("{}{parameter}", account("102").uri()));
    bob.peer.wait_for("Call established", PATIENCE);
    alice.listen(4);
    bob.listen(4);
    alice.hang_up();
    bob.peer.wait_for("terminated", PATIENCE);
    sound::assert_heard(&alice.quit(), 1000.0, 440.0);
    sound::assert_heard(&bob.quit(), 440.0, 1000.0);
    server.stop();
    let feature =
        "Two phones register with digest and call each other; each records the other's tone";
    table::passed(&table::BARESIP, feature, &transport.to_uppercase());
}

#[test]
fn two_phones_register_call_and_hear_each_other_over_udp() {
    between_two("udp");
}

#[test]
fn two_phones_register_call_and_hear_each_other_over_tcp() {
    between_two("tcp");
}

#[test]
fn two_phones_register_call_and_hear_each_other_over_tls() {
    between_two("tls");
}

/// A phone keeps two ways open (RFC 5626), one by UDP and one by TCP: it is told that they are kept, and its calls come by one of them. It gives
/// its GRUU (RFC 5627) as its Contact, and the ACK and the BYE find it by that.
#[test]
fn a_phone_that_keeps_two_ways_open_gets_one_call() {
    if !place::installed("baresip", "baresip-core") {
        return;
    }
    let folder = place::folder("baresip-outbound");
    let server = Offhook::serve(&folder, &["101", "102"], "");
    let ways = [format!("sip:{}", server.udp), format!("sip:{};transport=tcp", server.tcp)];
    let mut bob =
        Baresip::register(&folder, &Account::new("102", server.udp).of("localhost").keeping(&ways));
    let kept = |said: &str| {
        let answers = said.split("SIP/2.0 200 OK").skip(1);
        let both = |answer: &&str| answer.contains("reg-id=1") && answer.contains("reg-id=2");
        answers.filter(both).any(|answer| answer.contains("Require: outbound"))
    };
    while !kept(&bob.peer.said()) {
        bob.peer.wait_for("Require: outbound", PATIENCE);
    }
    let mut alice = Baresip::register(&folder, &Account::new("101", server.udp));
    alice.dial(&format!("sip:102@{}", server.udp));
    bob.peer.wait_for("Call established", PATIENCE);
    assert_eq!(bob.peer.said().matches("\nINVITE sip:102-").count(), 1, "{}", bob.peer.said());
    alice.listen(1);
    bob.listen(1);
    alice.hang_up();
    bob.peer.wait_for("session closed", PATIENCE);
    alice.quit();
    bob.quit();
    server.stop();
    let feature = "A phone registers by two flows (RFC 5626), and gets one call";
    table::passed(&table::BARESIP, feature, "UDP and TCP");
}

/// In Opus, beside which it lists keys at 8000 Hz alone.
#[test]
fn baresip_presses_keys() {
    if !place::installed("baresip", "baresip-core") {
        return;
    }
    let folder = place::folder("baresip-keys");
    let server = Offhook::serve(&folder, &["101", "102"], "");
    let mut bob = Baresip::register(&folder, &Account::new("102", server.udp));
    let mut alice = Handset::register(&folder, &Account::new("101", server.udp), &[]);
    alice.calls("102");
    bob.peer.wait_for("Call established", PATIENCE);
    for key in "1*7#".chars() {
        bob.peer.type_line(&format!("/sndcode {key}"));
        alice.hears_keys(&key.to_string());
    }
    alice.hangs_up();
    alice.quit();
    bob.quit();
    server.stop();
    table::passed(
        &table::BARESIP,
        "`offhook phone` reads its keys as events (RFC 4733), in a call in Opus",
        "UDP",
    );
}

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// No sound card: a file is the microphone, nothing the loudspeaker, and what is heard goes into a file. Commands come by stdin, so
/// no port has to be guessed.
const CONFIG: &str = "\
poll_method epoll
call_local_timeout 120
call_max_calls 4
audio_buffer 20-160
ausrc_srate 16000
ausrc_channels 1
ausrc_format s16
auplay_srate 16000
auplay_channels 1
auplay_format s16
rtcp_mux no
rtp_stats yes
module_path /usr/lib/baresip/modules
module stdio.so
module opus.so
module g722.so
module g711.so
module srtp.so
module aufile.so
module aubridge.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app debug_cmd.so
";
