//! Linphone, a phone that we did not write: its daemon registers, calls, is called, and plays a file into its calls.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::offhook::Offhook;
use crate::peer::Peer;
use crate::phone::Phone;
use crate::{place, sound, table};

/// A phone with its tone, that answers by itself.
pub(crate) struct Linphone {
    peer: Peer,
    tone: PathBuf,
    /// Where it takes commands: it puts the file into /tmp, whatever it is told.
    pipe: PathBuf,
    line: UnixStream,
}

impl Linphone {
    /// Starts a phone and waits until it is registered.
    pub(crate) fn register(folder: &Path, account: &Account) -> Self {
        let Account { number, server, domain, transport, host, tone, trust, .. } = account;
        let home = folder.join(format!("linphone-{number}"));
        // Without the folder of its database it starts, and never registers.
        std::fs::create_dir_all(home.join(".local/share/linphone")).unwrap();
        let file = home.join("tone.wav");
        sound::write_tone(&file, *tone);
        let config = match trust {
            Some(file) => CONFIG.replace("[sip]", &format!("[sip]\nroot_ca={}", file.display())),
            None => CONFIG.to_owned(),
        };
        std::fs::write(home.join("linphonerc"), config).unwrap();
        let name = format!("offhook-{}-{transport}-{number}", std::process::id());
        let pipe = Path::new("/tmp").join(&name);
        let mut program = Command::new("linphone-daemon");
        program.env("HOME", &home).args(["--auto-answer", "--pipe", &name, "--config"]);
        program.arg(home.join("linphonerc")).arg("--log").arg(home.join("log"));
        let mut peer = Peer::start(&format!("linphone {number}"), &mut host.run(&program));
        let (mut line, path) = (None, &pipe);
        peer.wait_until("listening", PATIENCE, || {
            line = UnixStream::connect(path).ok();
            line.is_some()
        });
        let line = line.unwrap();
        line.set_read_timeout(Some(A_MOMENT)).unwrap();
        let mut phone = Self { peer, tone: file, pipe, line };
        // It compares certificates with names alone.
        let server = match trust {
            Some(_) => format!("{domain}:{}", server.port()),
            None => server.to_string(),
        };
        let uri = account.uri();
        phone.ask(&format!("register {uri} <sip:{server};transport={transport}> pw-{number}"));
        phone.wait_for("register-status ALL", "LinphoneRegistrationOk");
        phone
    }

    /// Calls somebody, and plays its tone once the call is up.
    pub(crate) fn dial(&mut self, uri: &str) {
        self.ask(&format!("call {uri}"));
        self.play();
    }

    /// Plays its tone into the call that comes about.
    pub(crate) fn play(&mut self) {
        self.wait_for("call-status", "LinphoneCallStreamsRunning");
        let command = format!("incall-player-start {}", self.tone.display());
        let answer = self.ask(&command);
        assert!(answer.contains("Status: Ok"), "{answer}");
    }

    /// Waits until the call has been up for so many seconds.
    pub(crate) fn talk(&mut self, seconds: u64) {
        self.wait_for("call-status", &format!("Duration: {seconds}"));
    }

    pub(crate) fn hang_up(&mut self) {
        self.ask("terminate");
    }

    fn wait_for(&mut self, question: &str, answer: &str) {
        let until = Instant::now() + PATIENCE;
        let mut said = String::new();
        while Instant::now() < until {
            said = self.ask(question);
            if said.contains(answer) {
                return;
            }
        }
        panic!("linphone: {question}: no {answer}, but\n{said}");
    }

    /// Gives a command, and takes what is said until it says no more.
    fn ask(&mut self, command: &str) -> String {
        self.line.write_all(format!("{command}\n").as_bytes()).unwrap();
        let (mut said, mut buffer) = (String::new(), [0; 4096]);
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            match self.line.read(&mut buffer) {
                Ok(0) => panic!("linphone is gone after {command:?}: {said}"),
                Ok(length) => said += &String::from_utf8_lossy(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if said.contains("Status: ") {
                        break;
                    }
                }
                Err(error) => panic!("linphone: {command:?}: {error}"),
            }
        }
        said
    }

    /// Ends the phone.
    pub(crate) fn quit(mut self) {
        self.ask("quit");
        self.peer.end(PATIENCE);
    }
}

impl Drop for Linphone {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.pipe);
    }
}

/// What `offhook phone` heard is recorded; what Linphone heard it says in its RTCP reports.
fn assert_both_heard(phone: Phone) {
    let (heard, quality) = phone.ends_with_quality();
    sound::assert_heard(&heard, 1000.0, 440.0);
    assert!(quality["there"]["loss_percent"] == 0.0, "{quality}");
}

fn both_ways(transport: &'static str) {
    if !place::installed("linphone-daemon", "linphone-cli") {
        return;
    }
    let folder = place::folder(&format!("linphone-{transport}"));
    let (server, account) = Offhook::office(&folder, transport, "localhost");
    let mut bob = Linphone::register(&folder, &account("102").playing(1000.0));

    let deed = ["call", "102", "--hangup-after", "5s"];
    let alice = Phone::start(&folder, &account("101"), &deed);
    bob.play();
    assert_both_heard(alice);

    let mut alice = Phone::start(&folder, &account("101"), &["answer"]);
    alice.peer.wait_for("\"registered\"", PATIENCE);
    bob.dial(&account("101").uri());
    bob.talk(4);
    bob.hang_up();
    assert_both_heard(alice);
    bob.quit();
    server.stop();
    let feature =
        "It registers with digest, is called by `offhook phone` and calls it; sound both ways";
    table::passed(&table::LINPHONE, feature, &transport.to_uppercase());
}

#[test]
fn linphone_is_called_and_calls_over_udp() {
    both_ways("udp");
}

#[test]
fn linphone_is_called_and_calls_over_tcp() {
    both_ways("tcp");
}

#[test]
fn linphone_is_called_and_calls_over_tls() {
    both_ways("tls");
}

/// No ports of its own choice; no sound card, no video.
const CONFIG: &str = "\
[sip]
sip_port=-1
sip_tcp_port=-2
sip_tls_port=-2
guess_hostname=0
use_ipv6=0
[rtp]
audio_rtp_port=-1
[video]
enabled=0
";
/// So long after its last word it has nothing more to say.
const A_MOMENT: Duration = Duration::from_millis(100);
