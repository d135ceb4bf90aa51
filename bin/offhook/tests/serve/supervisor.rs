//! What systemd is told, by a socket of the test's own that stands for it (sd_notify(3)).

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::authority::{Authority, Flaw};
use crate::{ON_ANY_PORT, Server, folder};

/// The socket of the one who has started the server.
struct Systemd(UnixDatagram);

impl Systemd {
    fn new(folder: &Path) -> Self {
        let socket = UnixDatagram::bind(folder.join("notify")).expect("bound");
        socket.set_read_timeout(Some(Duration::from_secs(60))).expect("set");
        Self(socket)
    }

    /// What it is told next, but for meals of the watchdog.
    fn hear(&self) -> String {
        loop {
            let said = self.any();
            if said != "WATCHDOG=1\n" {
                return said;
            }
        }
    }

    fn any(&self) -> String {
        let mut octets = [0; 4096];
        let length = self.0.recv(&mut octets).expect("it is told something");
        String::from_utf8_lossy(octets.get(..length).expect("it fits")).into_owned()
    }
}

#[test]
fn systemd_is_told_that_we_serve_reload_live_and_stop() {
    let folder = folder("serve-systemd");
    let systemd = Systemd::new(&folder);
    let told = [("NOTIFY_SOCKET", folder.join("notify")), ("WATCHDOG_USEC", "400000".into())];
    let mut server = Server::start_in(&folder, (ON_ANY_PORT, "json"), &told);
    assert_eq!(systemd.hear(), "READY=1\nSTATUS=config 1, 2 listeners\n");
    for _ in 0..3 {
        assert_eq!(systemd.any(), "WATCHDOG=1\n");
    }
    server.reload(&folder, &format!("domains = \"a.example\"\n{ON_ANY_PORT}"), "reloaded");
    let said = systemd.hear();
    let since = said.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").map(str::trim_end);
    assert!(since.is_some_and(|since| since.parse::<u64>().is_ok()), "{said}");
    assert_eq!(systemd.hear(), "READY=1\nSTATUS=config 2, 2 listeners\n");
    server.reload(&folder, &format!("[listen]\n{ON_ANY_PORT}"), "not_reloaded");
    assert!(systemd.hear().starts_with("RELOADING=1\n"));
    let said = systemd.hear();
    assert!(
        said.starts_with("READY=1\nSTATUS=not reloaded: ") && said.contains("offhook.toml:2:2: "),
        "{said}"
    );
    assert!(said.ends_with("; config 2, 2 listeners\n"), "{said}");
    server.signal("TERM");
    assert!(systemd.hear().starts_with("STOPPING=1\n"));
    server.line("\"event\":\"stopped\"");
    assert!(server.child.wait().expect("ended").success());
}

/// The unit that we show runs what there is: commands and options that the program has.
#[test]
fn the_unit_on_display_starts_what_there_is() {
    let (folder, mut unit) = (folder("serve-unit"), Unit::default());
    unit.start(&folder, ON_ANY_PORT);
}

/// A certificate that has expired, or is not good yet because nobody has set the clock, is no reason to serve nobody: the telephones that do not need it
/// are served after a restart as before.
#[test]
fn the_unit_on_display_starts_with_a_certificate_that_has_expired() {
    let authority = Authority::new();
    for (name, flaw, word) in [
        ("serve-expired", Flaw::Expired, "expired on 2021-02-03"),
        ("serve-early", Flaw::NotYetValid, "is the clock right?"),
    ] {
        let pair = authority.issue(name, &["a.example"], flaw);
        let config = format!(
            "domains = \"a.example\"\n{ON_ANY_PORT}[tls]\ncertificate = \"{}\"\nprivate_key = \"{}\"\n",
            pair.certificate.display(),
            pair.key.display()
        );
        let (folder, mut unit) = (folder(name), Unit::default());
        let config = config.replace("[listen]\n", "[listen]\ntls = \"127.0.0.1:0\"\n");
        unit.start(&folder, &config);
        // Whoever asks is told.
        let check =
            program().arg("check").arg(folder.join("offhook.toml")).output().expect("it runs");
        let said = String::from_utf8_lossy(&check.stderr);
        assert!(check.status.success() && said.contains("error certificate"), "{said}");
        assert!(said.contains(word), "{said}");
    }
}

/// A service by the unit that we show, ended by its id.
#[derive(Default)]
struct Unit(Option<Child>);

impl Unit {
    /// Does what systemd does with it, here, until it is ready.
    fn start(&mut self, folder: &Path, config: &str) {
        let unit = include_str!("../../../../docs/examples/offhook.service");
        let file = folder.join("offhook.toml");
        std::fs::write(&file, config).expect("written");
        let place = |word: &str| match word {
            "/etc/offhook/offhook.toml" => file.display().to_string(),
            "/var/lib/offhook" => folder.join("data").display().to_string(),
            _ => word.to_owned(),
        };
        let lines = |key: &str| {
            let lines = unit.lines().filter_map(|line| line.strip_prefix(key));
            let words = |line: &str| line.split(' ').skip(1).map(place).collect::<Vec<_>>();
            lines.map(words).collect::<Vec<_>>()
        };
        for before in lines("ExecStartPre=") {
            let before = program().args(before).output().expect("it runs");
            assert!(before.status.success(), "{before:?}");
        }
        let systemd = Systemd::new(folder);
        let mut serve = program();
        serve.args(&lines("ExecStart=")[0]).env("NOTIFY_SOCKET", folder.join("notify"));
        self.0 = Some(serve.stderr(Stdio::null()).spawn().expect("it runs"));
        assert!(systemd.hear().starts_with("READY=1\n"));
    }
}

impl Drop for Unit {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            child.kill().expect("killed");
            child.wait().expect("ended");
        }
    }
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_offhook"))
}
