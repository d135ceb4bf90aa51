//! SIPVicious: what scanners and guessers have been using for years. It learns nothing, and the list of bans says why it was stopped.

use std::process::Command;
use std::time::Duration;

use crate::land::{Host, Land};
use crate::offhook::{Offhook, listen_at};
use crate::peer::Peer;
use crate::{place, table};

/// A server, and two hosts at the same switch: who guesses, and who lives there.
struct Town {
    server: Offhook,
    guesser: Host,
    owner: Host,
    folder: std::path::PathBuf,
    /// Gone last: the others live in it.
    _land: Land,
}

impl Town {
    /// Some lines more of config; `None` where the tool is not there, or no land can be made. The tool knows only MD5.
    fn found(name: &str, more: &str) -> Option<Self> {
        if !place::imports("sipvicious") || !place::installed("sipsak", "sipsak") {
            return None;
        }
        let mut land = Land::new(name)?;
        let here = land.host("server", &["10.46.0.1/24"]);
        let (guesser, owner) =
            (land.host("guesser", &["10.46.0.66/24"]), land.host("owner", &["10.46.0.7/24"]));
        let folder = place::folder(&format!("sipvicious-{name}"));
        let lines = format!(
            "domains = [\"10.46.0.1\"]\n{}store = {{ durability = \"memory\" }}\nauth = {{ algorithms = [\"MD5\"] }}\n{more}",
            listen_at(&here)
        );
        let server = Offhook::serve_on(&here, &folder, &["101", "102"], &lines);
        Some(Self { server, guesser, owner, folder, _land: land })
    }

    /// Runs one of the tools to its end; what it said.
    fn run(&self, tool: &str, arguments: &[&str]) -> String {
        let mut peer = self.start(tool, arguments);
        peer.end(PATIENCE);
        peer.said()
    }

    fn start(&self, tool: &str, arguments: &[&str]) -> Peer {
        let mut python = place::python();
        let program = format!("import sys; from sipvicious.{tool} import main; sys.exit(main())");
        python.args(["-c", &program]).args(arguments).arg("10.46.0.1").current_dir(&self.folder);
        Peer::start(tool, &mut self.guesser.run(&python))
    }

    /// A word list of so many words, the right one at a place in it.
    fn words(&self, count: usize, right: usize) -> String {
        let word = |nth: usize| match nth == right {
            true => "pw-101\n".to_owned(),
            false => format!("guess-{nth}\n"),
        };
        let words: String = (1..=count).map(word).collect();
        std::fs::write(self.folder.join("words"), words).unwrap();
        "words".into()
    }

    /// A user registers from a host; whether that was well.
    fn registers(host: &Host, number: &str) -> bool {
        let (user, password) = (format!("sip:{number}@{}:5099", host.ip), format!("pw-{number}"));
        let to = format!("sip:{number}@10.46.0.1");
        let mut sipsak = Command::new("sipsak");
        sipsak.args(["-U", "-C", &user, "-s", &to, "-p", "10.46.0.1:5060", "-l", "5099"]);
        sipsak.args(["-u", number, "-a", &password, "-x", "600", "-vvv"]);
        let mut peer = Peer::start("sipsak", &mut host.run(&sipsak));
        peer.end(PATIENCE).success() && peer.said().contains("SIP/2.0 200")
    }

    /// The line of the log that says what was done with the guesser.
    fn treatment(&mut self) -> serde_json::Value {
        let line = self.server.peer.wait_for("\"source\":\"10.46.0.66\",\"reason\"", PATIENCE);
        serde_json::from_str(&line).unwrap()
    }
}

/// The tools give up ten seconds after they have heard the last answer.
const PATIENCE: Duration = Duration::from_secs(150);

#[test]
fn svmap_learns_no_version_and_svwar_no_extension() {
    let Some(town) = Town::found("enumeration", "") else { return };
    let said = town.run("svmap", &["-p", "5060"]);
    assert!(said.contains("10.46.0.1:5060") && said.contains("unknown"), "{said}");
    assert!(!said.contains(env!("CARGO_PKG_VERSION")), "{said}");
    for method in ["REGISTER", "INVITE", "OPTIONS"] {
        let said = town.run("svwar", &["-e95-110", "-m", method]);
        // It asks for an extension that there cannot be, and sees what it would see for any.
        assert!(said.contains("authentication request for an unknown extension"), "{said}");
        let said = town.run("svwar", &["-e95-110", "-m", method, "--force"]);
        assert!(said.contains("found nothing"), "{said}");
    }
    assert!(Town::registers(&town.owner, "101"));
    town.server.stop();
    let feature = "svmap learns neither name nor version";
    table::seen(&table::SIPVICIOUS, feature, "UDP", "\"unknown\"");
    let feature = "svwar by REGISTER, INVITE and OPTIONS, also with --force: no extension is told from another";
    table::seen(&table::SIPVICIOUS, feature, "UDP", "\"found nothing\"");
}

/// That it could: without bans, and by OPTIONS (its REGISTER has a Contact that no registrar can take), it finds the password. It counts `nc` on from nonce to nonce, and writes it in
/// decimal digits, which only its first guesses survive.
#[test]
fn svcrack_finds_a_password_where_nobody_is_banned() {
    let Some(town) = Town::found("unguarded", "bans = { failures = 0 }\n") else { return };
    let words = town.words(12, 8);
    let said = town.run("svcrack", &["-u101", "-m", "OPTIONS", "-d", &words]);
    assert!(said.contains("pw-101"), "{said}");
    town.server.stop();
}

#[test]
fn svcrack_is_banned_and_the_owner_registers_from_elsewhere() {
    let Some(mut town) = Town::found("guesses", "") else { return };
    let words = town.words(10_000, 9_000);
    let mut svcrack = town.start("svcrack", &["-u101", "-m", "OPTIONS", "-d", &words]);
    let ban = town.treatment();
    assert_eq!((&ban["event"], &ban["reason"]), (&"banned".into(), &"wrong-password".into()));
    assert!(
        ban["sample"].as_str().unwrap().contains("sip:101@10.46.0.1, friendly-scanner"),
        "{ban}"
    );
    assert!(ban["count"].as_u64().unwrap() <= 12, "{ban}");
    assert!(Town::registers(&town.owner, "101"), "from elsewhere");
    svcrack.end(PATIENCE);
    let said = svcrack.said();
    assert!(said.contains("found nothing") && !said.contains("pw-101"), "{said}");
    // Early words are not found either, where nobody would be patient with it.
    let words = town.words(12, 8);
    let said = town.run("svcrack", &["-u101", "-m", "OPTIONS", "-d", &words]);
    assert!(!said.contains("pw-101"), "{said}");
    town.server.stop();
    let feature = "svcrack with 10,000 words, one of them right: banned after a few, with the reason; the owner registers from elsewhere meanwhile";
    table::seen(&table::SIPVICIOUS, feature, "UDP", "\"found nothing\"");
}

#[test]
fn svcrack_beside_a_phone_is_slowed_and_the_phone_served() {
    let Some(mut town) = Town::found("neighbours", "") else { return };
    assert!(Town::registers(&town.guesser, "101"));
    let words = town.words(12, 8);
    let mut svcrack = town.start("svcrack", &["-u101", "-m", "OPTIONS", "-d", &words]);
    let slowed = town.treatment();
    assert_eq!(slowed["event"], "slowed", "{slowed}");
    assert!(Town::registers(&town.guesser, "101"), "from the same address");
    svcrack.end(PATIENCE);
    assert!(!svcrack.said().contains("pw-101"), "{}", svcrack.said());
    town.server.stop();
    let feature = "svcrack from the address of a phone that is registered: slowed, and the phone registers again from there";
    table::seen(&table::SIPVICIOUS, feature, "UDP", "\"found nothing\"");
}
