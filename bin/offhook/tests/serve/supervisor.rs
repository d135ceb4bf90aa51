//! What systemd is told, by a socket of the test's own that stands for it (sd_notify(3)).

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

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
    let unit = include_str!("../../../../docs/examples/offhook.service");
    let run = |key: &str| {
        let line = unit.lines().find_map(|line| line.strip_prefix(key)).expect(key);
        let words: Vec<_> = line.split(' ').skip(1).map(str::to_owned).collect();
        words
    };
    let folder = folder("serve-unit");
    let file = folder.join("offhook.toml");
    std::fs::write(&file, ON_ANY_PORT).expect("written");
    let here = |words: Vec<String>| {
        let place = |word: String| match word.as_str() {
            "/etc/offhook/offhook.toml" => file.display().to_string(),
            "/var/lib/offhook" => folder.join("data").display().to_string(),
            _ => word,
        };
        words.into_iter().map(place).collect::<Vec<_>>()
    };
    let program = || std::process::Command::new(env!("CARGO_BIN_EXE_offhook"));
    let check = program().args(here(run("ExecStartPre="))).output().expect("it runs");
    assert!(check.status.success(), "{check:?}");
    let systemd = Systemd::new(&folder);
    let mut serve = program()
        .args(here(run("ExecStart=")))
        .env("NOTIFY_SOCKET", folder.join("notify"))
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it runs");
    assert!(systemd.hear().starts_with("READY=1\n"));
    serve.kill().expect("killed");
    serve.wait().expect("ended");
}
