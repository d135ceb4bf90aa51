//! Asterisk, a PBX that we did not write: `offhook phone` is a phone of it, and it and our server are trunks of each other.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::account::Account;
use crate::authority::Authority;
use crate::baresip::PATIENCE;
use crate::handset::{self, Handset};
use crate::land::{Host, Land};
use crate::offhook::Offhook;
use crate::peer::Peer;
use crate::phone::Phone;
use crate::{place, sound, table};

/// What an Asterisk is told beside what all are told.
struct Wishes<'a> {
    codecs: &'a str,
    /// More lines of what it says of each phone.
    media: &'a str,
    /// The server that it is a trunk of.
    trunk: SocketAddr,
}

impl Wishes<'static> {
    /// G.711, for everybody to hear; nobody at the other end of the trunk.
    const PLAIN: Self = Self { codecs: "ulaw,alaw", media: "", trunk: Host::HERE.at(9) };
}

/// An Asterisk with the phones 101, 102 and 103.
struct Asterisk {
    peer: Peer,
    /// Where it listens for datagrams, and for connections.
    at: SocketAddr,
    tls: SocketAddr,
    authority: Authority,
    folder: PathBuf,
}

impl Asterisk {
    /// Whether it is there. If not, says so; where peers are required, as in CI, that is a failure, but for a day on which Debian has none.
    fn is_there() -> bool {
        let there = place::brought("asterisk/run").exists();
        let none_today = std::fs::read_to_string(place::brought("asterisk/none"));
        let missing =
            none_today.as_deref().unwrap_or("Asterisk is not here (.ci/install brings it)");
        let required = std::env::var_os("OFFHOOK_REQUIRE_PEERS").is_some();
        assert!(there || none_today.is_ok() || !required, "{missing}");
        if !there {
            println!("skipped: {missing}");
        }
        there
    }

    /// Starts one on a host.
    fn start(host: &Host, folder: &Path, wishes: &Wishes<'_>) -> Self {
        let folder = folder.join("asterisk");
        std::fs::create_dir_all(&folder).unwrap();
        let authority = Authority::new();
        let proof = authority.certify(&["localhost"]);
        let (at, tls) = (host.at(place::free_port()), host.at(place::free_port()));
        let root = place::brought("asterisk/usr");
        let modules = std::fs::read_dir(root.join("lib")).unwrap().filter_map(Result::ok);
        let modules = modules.map(|it| it.path().join("asterisk/modules")).find(|it| it.exists());
        let words = [
            ("FOLDER", folder.display().to_string()),
            ("SHARED", root.join("share/asterisk").display().to_string()),
            ("MODULES", modules.expect("its modules").display().to_string()),
            ("ADDRESS", at.to_string()),
            ("SECURE", tls.to_string()),
            ("CERTIFICATE", proof.certificate.display().to_string()),
            ("=KEY", format!("={}", proof.key.display())),
            ("AUTHORITY", authority.file().display().to_string()),
            ("CODECS", wishes.codecs.to_owned()),
            ("MEDIA", wishes.media.to_owned()),
            ("TRUNKIP", wishes.trunk.ip().to_string()),
            ("TRUNK", wishes.trunk.to_string()),
        ];
        for (name, text) in FILES {
            let text =
                words.iter().fold(text.to_owned(), |text, (word, it)| text.replace(word, it));
            std::fs::write(folder.join(name), text).unwrap();
        }
        let mut program = Command::new(place::brought("asterisk/run"));
        program.args(["-f", "-n", "-C"]).arg(folder.join("asterisk.conf"));
        let mut peer = Peer::start("asterisk", &mut host.run(&program));
        peer.wait_for("Asterisk Ready.", START);
        Self { peer, at, tls, authority, folder }
    }

    /// A phone of it, by UDP.
    fn account(&self, number: &str) -> Account {
        Account::new(number, self.at)
    }

    /// The same, by TLS and with SRTP alone.
    fn in_secret(&self, number: &str) -> Account {
        let name = format!("localhost:{}", self.tls.port());
        Account::new(number, self.tls).of(&name).trusting(&self.authority).in_secret()
    }

    /// Waits until the two sides of a call are brought together. A hold that comes before it passes on, and never takes back.
    fn connects(&mut self) {
        for _ in 0..2 {
            self.peer.wait_for("joined 'simple_bridge'", START);
        }
    }

    /// A message waits in the box of 101.
    fn has_a_message(&self) {
        let inbox = self.folder.join("voicemail/default/101/INBOX");
        std::fs::create_dir_all(&inbox).unwrap();
        sound::write_tone(&inbox.join("msg0000.wav"), 440.0);
        std::fs::write(inbox.join("msg0000.txt"), "[message]\n").unwrap();
    }
}

/// An Asterisk of a test's own, and its folder.
fn plain(name: &str) -> Option<(Asterisk, PathBuf)> {
    if !Asterisk::is_there() {
        return None;
    }
    let folder = place::folder(name);
    Some((Asterisk::start(&Host::HERE, &folder, &Wishes::PLAIN), folder))
}

fn passed(feature: &str, transport: &str) {
    table::passed(&table::ASTERISK, feature, transport);
}

#[test]
fn two_phones_of_asterisk_call_and_hold_each_other() {
    let Some((asterisk, folder)) = plain("asterisk-calls") else { return };
    handset::call_and_hold(&folder, |number| asterisk.account(number));
    passed(
        "`offhook phone` registers with digest, calls through it and is called; each records the other's tone",
        "UDP",
    );
    passed(
        "`offhook phone` holds and takes back through it; it holds `offhook phone` and takes it back",
        "UDP",
    );
}

#[test]
fn asterisk_is_told_to_transfer_and_transfers() {
    let Some((mut asterisk, folder)) = plain("asterisk-transfers") else { return };
    let register = |number: &str, tone: f64| {
        Handset::register(&folder, &asterisk.account(number).playing(tone), &[])
    };
    let (mut alice, mut bob, mut carol) =
        (register("101", 440.0), register("102", 1000.0), register("103", 660.0));
    // Blind.
    alice.reaches("102", &mut bob);
    asterisk.connects();
    alice.says("transfer 103");
    carol.picks_up();
    alice.is_told_of_success();
    alice.is_done();
    asterisk.connects();
    carol.hears(1, 1000.0);
    bob.hears(1, 660.0);
    carol.hangs_up();
    bob.is_done();
    // Attended.
    alice.reaches("102", &mut bob);
    asterisk.connects();
    alice.reaches("103", &mut carol);
    asterisk.connects();
    alice.says("join 1");
    alice.is_told_of_success();
    alice.is_done();
    carol.hears(2, 1000.0);
    bob.hears(2, 660.0);
    carol.hangs_up();
    bob.is_done();
    // By it: its application Transfer sends REFER.
    bob.calls("620");
    bob.learns("\"referred\"");
    bob.says("follow");
    carol.picks_up();
    bob.learns("\"goes_on\"");
    carol.hears(3, 1000.0);
    carol.hangs_up();
    let (bobs, carols) = (bob.quit(), carol.quit());
    for call in &carols {
        sound::assert_heard(call, 1000.0, 660.0);
    }
    for call in &bobs[..2] {
        sound::assert_heard(call, 660.0, 1000.0);
    }
    assert_eq!(carols.len(), 3, "a call of each transfer");
    passed(
        "`offhook phone` has it transfer a call blind (REFER); the two others hear each other",
        "UDP",
    );
    passed(
        "`offhook phone` has it transfer a call attended (REFER with Replaces); the two others hear each other",
        "UDP",
    );
    passed("It transfers `offhook phone` blind (REFER), which follows", "UDP");
}

#[test]
fn asterisk_reads_keys_and_presses_keys() {
    let Some((mut asterisk, folder)) = plain("asterisk-keys") else { return };
    let mut alice = Handset::register(&folder, &asterisk.account("101"), &[]);
    alice.calls("610");
    alice.says("keys 1*7D");
    asterisk.peer.wait_for("they pressed 1*7D", Duration::from_secs(10));
    alice.hears_keys("1*7D");
    alice.is_done();
    alice.quit();
    passed("Keys as events (RFC 4733): it reads those of `offhook phone`, which reads its", "UDP");
}

#[test]
fn asterisk_is_heard_in_secret_and_in_opus() {
    if !Asterisk::is_there() {
        return;
    }
    let folder = place::folder("asterisk-tls");
    let wishes = Wishes { codecs: "opus,alaw", media: "media_encryption=sdes", ..Wishes::PLAIN };
    let asterisk = Asterisk::start(&Host::HERE, &folder, &wishes);
    let mut alice = Handset::register(&folder, &asterisk.in_secret("101"), &[]);
    let bob = asterisk.in_secret("102").playing(1000.0);
    // It has to translate.
    let mut bob = Handset::register(&folder, &bob, &["--codecs", "PCMA"]);
    alice.reaches("102", &mut bob);
    alice.hears(1, 1000.0);
    bob.hears(1, 440.0);
    let (ours, theirs) = (alice.hangs_up(), bob.is_done());
    assert_eq!((&ours["codec"], &theirs["codec"]), (&"opus".into(), &"PCMA".into()));
    assert_eq!(ours["srtp"], "AES_CM_128_HMAC_SHA1_80");
    sound::assert_heard(&alice.quit()[0], 1000.0, 440.0);
    sound::assert_heard(&bob.quit()[0], 440.0, 1000.0);
    passed(
        "`offhook phone` calls another through it, with SRTP alone (keys in SDP), one in Opus, one in G.711; each records the other's tone",
        "TLS",
    );
}

/// As browsers do it: ICE, DTLS-SRTP, RTP and RTCP on one port. ICE as Asterisk has it passes loopback over.
#[test]
fn asterisk_looks_for_ways_and_makes_keys() {
    if !Asterisk::is_there() {
        return;
    }
    let Some(mut land) = Land::new("asterisk") else { return };
    let pbx = land.host("pbx", &["10.76.0.1/24"]);
    let desk = land.host("desk", &["10.76.0.2/24"]);
    let folder = place::folder("asterisk-dtls");
    let media = "media_encryption=dtls\ndtls_auto_generate_cert=yes\nice_support=yes\nrtcp_mux=yes";
    let wishes = Wishes { codecs: "opus", media, ..Wishes::PLAIN };
    let asterisk = Asterisk::start(&pbx, &folder, &wishes);
    let register = |number: &str, tone: f64| {
        let account = asterisk.account(number).on(&desk).playing(tone);
        Handset::register(&folder, &account, &["--srtp", "dtls", "--ice", "on"])
    };
    let (mut alice, mut bob) = (register("101", 440.0), register("102", 1000.0));
    alice.reaches("102", &mut bob);
    alice.hears(1, 1000.0);
    bob.hears(1, 440.0);
    let quality = alice.hangs_up();
    assert_eq!(quality["codec"], "opus");
    assert_ne!(quality["srtp"], serde_json::Value::Null);
    bob.is_done();
    sound::assert_heard(&alice.quit()[0], 1000.0, 440.0);
    sound::assert_heard(&bob.quit()[0], 440.0, 1000.0);
    passed(
        "`offhook phone` calls another through it: ICE, DTLS-SRTP, Opus, RTP and RTCP on one port; each records the other's tone",
        "UDP",
    );
}

#[test]
fn asterisk_tells_who_is_there_who_talks_and_what_waits() {
    let Some((asterisk, folder)) = plain("asterisk-watch") else { return };
    let mut alice = Handset::register(&folder, &asterisk.account("101"), &[]);
    let mut bob = Handset::register(&folder, &asterisk.account("102"), &[]);
    let watch = |number: &str, words: &[&str]| {
        let deed = [&["watch"], words, &["--during", "60s"]].concat();
        Phone::start(&folder, &asterisk.account(number), &deed)
    };
    let mut presence = watch("103", &["102"]);
    presence.peer.wait_for("\"open\":true", PATIENCE);
    let mut dialogs = watch("103", &["102", "--what", "dialogs"]);
    let mut messages = watch("101", &[]);
    messages.peer.wait_for("\"waiting\":false", PATIENCE);
    asterisk.has_a_message();
    alice.reaches("102", &mut bob);
    dialogs.peer.wait_for("\"state\":\"talking\"", PATIENCE);
    presence.peer.wait_for("On the phone", PATIENCE);
    messages.peer.wait_for("\"waiting\":true", PATIENCE);
    alice.hangs_up();
    bob.is_done();
    alice.quit();
    bob.quit();
    for mut watcher in [presence, dialogs, messages] {
        watcher.peer.terminate();
        watcher.peer.end(PATIENCE);
    }
    passed(
        "`offhook phone watch` subscribes at it to presence (PIDF), calls (dialog-info) and messages that wait, and is told what changes",
        "UDP",
    );
}

#[test]
fn asterisk_and_our_server_are_trunks_of_each_other() {
    if !Asterisk::is_there() {
        return;
    }
    let folder = place::folder("asterisk-trunk");
    // Each must know where the other is before it starts.
    let port = place::free_port();
    let wishes = Wishes { trunk: Host::HERE.at(port), ..Wishes::PLAIN };
    let asterisk = Asterisk::start(&Host::HERE, &folder, &wishes);
    let lines = format!(
        "listen = {{ udp = \"127.0.0.1:{port}\", tcp = \"127.0.0.1:0\" }}\nstore = {{ durability = \"memory\" }}\n\
         [[route]]\nmatch = {{ prefix = \"1\" }}\nto = \"sip:{at}\"\n\
         [[route]]\nmatch = {{ domain = \"pbx.test\" }}\nto = \"sip:{at}\"\n",
        at = asterisk.at
    );
    let server = Offhook::serve_on(&Host::HERE, &folder, &["201"], &lines);
    let ours = Account::new("201", server.udp).playing(1000.0);
    let mut ours = Handset::register(&folder, &ours, &[]);
    let mut theirs = Handset::register(&folder, &asterisk.account("103"), &[]);
    ours.reaches("103", &mut theirs);
    ours.hears(1, 440.0);
    theirs.hears(1, 1000.0);
    ours.hangs_up();
    theirs.is_done();
    theirs.reaches("9201", &mut ours);
    ours.hears(2, 440.0);
    theirs.hears(2, 1000.0);
    theirs.hangs_up();
    ours.is_done();
    for call in ours.quit() {
        sound::assert_heard(&call, 440.0, 1000.0);
    }
    for call in theirs.quit() {
        sound::assert_heard(&call, 1000.0, 440.0);
    }
    server.stop();
    passed(
        "Our server and it are trunks of each other: a phone of each calls one of the other's; each records the other's tone",
        "UDP",
    );
}

/// Its config; what stands there in capitals is written by the test.
const FILES: [(&str, &str); 7] = [
    ("asterisk.conf", include_str!("asterisk/asterisk.conf")),
    ("extensions.conf", include_str!("asterisk/extensions.conf")),
    ("logger.conf", include_str!("asterisk/logger.conf")),
    ("modules.conf", include_str!("asterisk/modules.conf")),
    ("pjsip.conf", include_str!("asterisk/pjsip.conf")),
    ("rtp.conf", include_str!("asterisk/rtp.conf")),
    ("voicemail.conf", include_str!("asterisk/voicemail.conf")),
];
/// A busy machine needs its time.
const START: Duration = Duration::from_secs(30);
