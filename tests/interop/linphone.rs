//! Linphone, a phone that we did not write: its daemon registers, calls, is called, and plays a file into its calls.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::handset::Handset;
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
        Self::register_with(folder, account, "")
    }

    /// The same, with a line more below `[sip]` in its config.
    fn register_with(folder: &Path, account: &Account, more: &str) -> Self {
        let Account { number, server, domain, transport, host, tone, trust, .. } = account;
        let home = folder.join(format!("linphone-{number}"));
        // Without the folder of its database it starts, and never registers.
        std::fs::create_dir_all(home.join(".local/share/linphone")).unwrap();
        let file = home.join("tone.wav");
        certify(&home.join(".local/share/linphone/linphone-dtls-default-identity.pem"));
        sound::write_tone(&file, *tone);
        let trusted =
            trust.as_ref().map_or(String::new(), |file| format!("root_ca={}", file.display()));
        let config = CONFIG.replace("[sip]", &format!("[sip]\n{trusted}\n{more}"));
        std::fs::write(home.join("linphonerc"), config).unwrap();
        // Tests run at the same time: each folder is one test's.
        let test = folder.file_name().unwrap().to_string_lossy();
        let name = format!("offhook-{}-{test}-{number}", std::process::id());
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

    /// Calls another phone, which picks up; the number by which it knows the call.
    fn reaches(&mut self, uri: &str, other: &mut Handset) -> String {
        let said = self.ask(&format!("call {uri}"));
        other.picks_up();
        let id = said.lines().find_map(|line| line.strip_prefix("Id: ")).expect(&said).to_owned();
        self.wait_for(&format!("call-status {id}"), "LinphoneCallStreamsRunning");
        id
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

    /// Waits until its call is in this state.
    fn is(&mut self, state: &str) {
        self.wait_for("call-status", state);
    }

    /// Waits until these keys have been pressed at the other side, in this order.
    fn hears_keys(&mut self, keys: &str) {
        let mut heard = String::new();
        let until = Instant::now() + PATIENCE;
        while heard != keys {
            assert!(Instant::now() < until, "{keys}: {heard}");
            let event = self.ask("pop-event");
            heard.extend(event.lines().filter_map(|line| line.strip_prefix("Tone: ")));
        }
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

/// The certificate of its own that it shows in DTLS-SRTP. It would make one with RSA, which our DTLS does not read.
fn certify(file: &Path) {
    let (key, certificate) = (file.with_extension("key"), file.with_extension("certificate"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    openssl.args(["-nodes", "-subj", "/CN=linphone-dtls-default-identity", "-days", "2"]);
    let made = openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate).output();
    assert!(made.is_ok_and(|output| output.status.success()), "openssl makes a certificate");
    let read = |file: &Path| std::fs::read_to_string(file).unwrap();
    std::fs::write(file, read(&certificate) + &read(&key)).unwrap();
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

/// A server with 101, 102 and 103, and a Linphone that is 102.
fn office(name: &str) -> Option<(Offhook, Linphone, PathBuf)> {
    if !place::installed("linphone-daemon", "linphone-cli") {
        return None;
    }
    let folder = place::folder(name);
    let server = Offhook::serve(&folder, &["101", "102", "103"], "");
    let bob = Linphone::register(&folder, &Account::new("102", server.udp).playing(1000.0));
    Some((server, bob, folder))
}

fn passed(feature: &str, transport: &str) {
    table::passed(&table::LINPHONE, feature, transport);
}

#[test]
fn linphone_holds_and_is_held_and_keys_go_both_ways() {
    let Some((server, mut bob, folder)) = office("linphone-keys") else { return };
    let mut alice = Handset::register(&folder, &Account::new("101", server.udp), &[]);
    alice.calls("102");
    bob.play();
    alice.hears(1, 1000.0);
    alice.holds();
    bob.is("LinphoneCallPausedByRemote");
    alice.resumes();
    bob.is("LinphoneCallStreamsRunning");
    bob.ask("call-pause");
    alice.is_held();
    bob.wait_for("call-status 1", "LinphoneCallPaused");
    bob.ask("call-resume 1");
    alice.is_taken_back();
    alice.says("keys 1*7#");
    bob.hears_keys("1*7#");
    for key in "4#A2".chars() {
        bob.ask(&format!("dtmf {key}"));
    }
    alice.hears_keys("4#A2");
    alice.hangs_up();
    sound::assert_heard(&alice.quit()[0], 1000.0, 440.0);
    bob.quit();
    server.stop();
    passed(
        "`offhook phone` holds it and takes it back; it holds `offhook phone` and takes it back",
        "UDP",
    );
    passed("Keys as events (RFC 4733): it reads those of `offhook phone`, which reads its", "UDP");
}

#[test]
fn linphone_transfers_and_is_transferred() {
    let Some((server, mut bob, folder)) = office("linphone-transfers") else { return };
    let [mut alice, mut carol] = Handset::two_that_follow(&folder, server.udp);
    let uri = |number: &str| Account::new(number, server.udp).uri();
    // By us, blind.
    alice.calls("102");
    alice.says(&format!("transfer {}", uri("103")));
    carol.picks_up();
    alice.is_told_of_success();
    alice.is_done();
    bob.play();
    carol.hears(1, 1000.0);
    carol.hangs_up();
    // By it, blind.
    let call = bob.reaches(&uri("101"), &mut alice);
    let answer = bob.ask(&format!("call-transfer {call} {}", uri("103")));
    assert!(answer.contains("Status: Ok"), "{answer}");
    carol.picks_up();
    carol.hears(2, 440.0);
    carol.hangs_up();
    alice.quit();
    carol.quit();
    bob.quit();
    server.stop();
    passed("`offhook phone` transfers it blind to a third phone, which hears it", "UDP");
    passed("It transfers `offhook phone` blind to a third phone, which hears it", "UDP");
}

#[test]
fn linphone_is_transferred_attended() {
    let Some((server, mut bob, folder)) = office("linphone-transferred") else { return };
    let register = |number: &str, tone: f64, words: &[&str]| {
        let account = Account::new(number, server.udp).playing(tone);
        Handset::register(&folder, &account, words)
    };
    let mut alice = register("101", 440.0, &[]);
    let mut carol = register("103", 660.0, &["--follow-transfers"]);
    // It is told to take the place of the one who asked.
    alice.reaches("103", &mut carol);
    alice.calls("102");
    bob.is("LinphoneCallStreamsRunning"); // until then it answers 491
    alice.says("join 1");
    alice.is_told_of_success();
    carol.learns("\"goes_on\"");
    bob.play();
    carol.hears(1, 1000.0);
    carol.hangs_up();
    alice.is_done();
    // The other one is told, and takes that place in a call of its.
    alice.calls("102");
    bob.is("LinphoneCallStreamsRunning");
    alice.reaches("103", &mut carol);
    alice.says("join 1");
    alice.is_told_of_success();
    bob.play();
    carol.hears(2, 1000.0);
    carol.hangs_up();
    alice.quit();
    carol.quit();
    bob.quit();
    server.stop();
    passed(
        "`offhook phone` transfers it attended: it calls with Replaces, and it is called with Replaces; the third phone hears it",
        "UDP",
    );
}

#[test]
fn linphone_transfers_attended() {
    let Some((server, mut bob, folder)) = office("linphone-attended") else { return };
    let [mut alice, mut carol] = Handset::two_that_follow(&folder, server.udp);
    let uri = |number: &str| Account::new(number, server.udp).uri();
    let first = bob.reaches(&uri("101"), &mut alice);
    let second = bob.reaches(&uri("103"), &mut carol);
    let answer = bob.ask(&format!("call-transfer {first} {second}"));
    assert!(answer.contains("Status: Ok"), "{answer}");
    carol.learns("\"goes_on\"");
    carol.hears(1, 440.0);
    carol.hangs_up();
    let (alices, carols) = (alice.quit(), carol.quit());
    sound::assert_heard(alices.last().unwrap(), 660.0, 440.0);
    sound::assert_heard(carols.last().unwrap(), 440.0, 660.0);
    bob.quit();
    server.stop();
    passed(
        "It transfers `offhook phone` attended to a third phone (Replaces); those two hear each other",
        "UDP",
    );
}

/// Both ways, with SRTP alone.
fn in_secret(keys: &str, words: &[&str], feature: &str) {
    if !place::installed("linphone-daemon", "linphone-cli") {
        return;
    }
    let folder = place::folder(&format!("linphone-{keys}"));
    let (server, account) = Offhook::office(&folder, "tls", "localhost");
    let more = format!("media_encryption={keys}\nmedia_encryption_mandatory=1");
    let mut bob = Linphone::register_with(&folder, &account("102").playing(1000.0), &more);
    let mut alice = Handset::register(&folder, &account("101"), words);
    alice.calls("102");
    bob.play();
    alice.hears(1, 1000.0);
    let outwards = alice.hangs_up();
    bob.ask(&format!("call {}", account("101").uri()));
    alice.picks_up();
    bob.play();
    alice.hears(2, 1000.0);
    let inwards = alice.hangs_up();
    for quality in [outwards, inwards] {
        assert_eq!(quality["codec"], "opus");
        assert_ne!(quality["srtp"], serde_json::Value::Null, "{quality}");
    }
    alice.quit();
    bob.quit();
    server.stop();
    passed(feature, "TLS");
}

#[test]
fn linphone_calls_and_is_called_in_secret() {
    let feature = "`offhook phone` calls it and is called, in Opus, with SRTP alone (keys in SDP); `offhook phone` hears its tone";
    in_secret("srtp", &["--srtp", "required"], feature);
}

#[test]
fn linphone_makes_keys() {
    let feature = "`offhook phone` calls it and is called, in Opus, with DTLS-SRTP alone and a certificate on an elliptic curve; `offhook phone` hears its tone";
    in_secret("dtls", &["--srtp", "dtls"], feature);
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
