//! The unit of docs/examples, unchanged, under a real systemd: it is ready when it serves, is fed, reloads, is started anew when it hangs, and
//! ends when the last caller has been served.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::land::{Host, Land};
use crate::offhook::command;
use crate::peer::Peer;
use crate::phone::Phone;
use crate::place;

const CONFIG: &str = "domains = [\"127.0.0.1\"]\n\
    [listen]\nudp = \"127.0.0.1:5060\"\ntcp = \"127.0.0.1:5060\"\nconsole_socket = \"/run/offhook/console.sock\"\n\
    [[extension]]\nnumber = \"101\"\npassword = \"pw-101\"\n\
    [[extension]]\nnumber = \"102\"\npassword = \"pw-102\"\n\
    [[extension]]\nnumber = \"103\"\npassword = \"pw-103\"\n";

/// A machine of its own that systemd looks after.
struct Machine {
    shell: Peer,
    _branch: Branch,
    host: Host,
    folder: PathBuf,
    _land: Land,
}

/// Its branch of the control groups, which is gone when all of its processes are.
struct Branch(PathBuf);

impl Drop for Branch {
    fn drop(&mut self) {
        let patience = Instant::now() + Duration::from_secs(10);
        let cut = || {
            let mut find = Command::new("find");
            find.arg(&self.0).args(["-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
            // It is busy as long as somebody lives there.
            let _ = find.output();
            !self.0.exists()
        };
        while !cut() && Instant::now() < patience {
            std::thread::yield_now();
        }
    }
}

impl Machine {
    /// With the program and the unit installed; `None`, with words, where there is no systemd, or what it needs.
    fn new() -> Option<Self> {
        let there = place::installed("systemctl", "systemd") && Path::new(SYSTEMD).exists();
        let Some(groups) = groups().filter(|_| there) else {
            println!("skipped: no systemd, or no control groups of version 2 for it");
            return None;
        };
        let mut land = Land::new("systemd")?;
        let (host, folder) = (land.apart("machine"), place::folder("systemd"));
        std::fs::write(folder.join("offhook.toml"), CONFIG).unwrap();
        let name = format!("offhook-{}", std::process::id());
        let branch = Branch(groups.join(&name));
        let mut shell = Command::new("unshare");
        shell.args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
        shell.args(["--propagation", "private"]).arg(beside("tests/interop/systemd.sh"));
        shell.arg(Path::new(command(&[]).get_program()).canonicalize().unwrap());
        shell.arg(folder.join("offhook.toml")).arg(beside("docs/examples/offhook.service"));
        let mut shell = Peer::start("systemd", &mut host.run(shell.arg(&name)));
        shell.wait_for("ready", PATIENCE);
        Some(Self { shell, _branch: branch, host, folder, _land: land })
    }

    /// Runs a line there, to its end; whether it went well.
    fn tries(&mut self, line: &str) -> bool {
        self.shell.type_line(line);
        self.shell.wait_for("done ", PATIENCE) == "done 0"
    }

    fn does(&mut self, line: &str) {
        assert!(self.tries(line), "{line}:\n{}", self.shell.said());
    }

    /// What systemd knows of our service.
    fn knows(&mut self, what: &str) -> String {
        self.does(&format!("systemctl --user show -p {what} offhook"));
        let (said, line) = (self.shell.said(), format!("{what}="));
        said.lines().rev().find_map(|said| said.strip_prefix(&line)).unwrap().to_owned()
    }

    /// Waits until systemd knows that.
    fn waits_for(&mut self, what: &str, value: &str) {
        let patience = Instant::now() + PATIENCE;
        loop {
            let known = self.knows(what);
            if known == value {
                return;
            }
            assert!(Instant::now() < patience, "{what} is {known} and not {value}");
        }
    }

    fn phone(&self, number: &str, deed: &[&str]) -> Phone {
        let account = Account::new(number, self.host.at(5060)).on(&self.host);
        Phone::start(&self.folder, &account, deed)
    }
}

/// Where control groups of version 2 are.
fn groups() -> Option<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/mounts").ok()?;
    let mount = |line: &str| {
        let words: Vec<_> = line.split(' ').collect();
        (words.get(2) == Some(&"cgroup2")).then(|| PathBuf::from(words[1]))
    };
    mounts.lines().find_map(mount)
}

fn beside(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file).canonicalize().unwrap()
}

const SYSTEMD: &str = "/lib/systemd/systemd";

#[test]
fn the_unit_on_display_works_under_systemd() {
    let Some(mut machine) = Machine::new() else { return };

    // It is started when it serves, as the user and in the folder of the unit.
    machine.does("systemctl --user start offhook");
    assert_eq!(machine.knows("StatusText"), "config 1, 2 listeners");
    assert_eq!(machine.knows("ActiveState"), "active");
    machine.does("test $(stat -c %U:%a /var/lib/offhook) = offhook:700");
    machine.does("test $(systemctl --user show -P MainPID offhook | xargs -I{} stat -c %U /proc/{}) = offhook");
    // The socket of the console is where the documents say.
    machine.does("test $(stat -c %U:%a /run/offhook) = offhook:750");
    machine.does("/usr/local/bin/offhook ctl --url unix:/run/offhook/console.sock status");
    let mut bob = machine.phone("102", &["answer", "--after", "3s"]);
    bob.peer.wait_for("\"registered\"", PATIENCE);

    // A reload is said, and a config that is wrong is named and changes nothing.
    machine.does("echo '[server]' >>/etc/offhook/offhook.toml && systemctl --user reload offhook");
    machine.waits_for("StatusText", "config 2, 2 listeners");
    machine
        .does("echo 'shards = x' >>/etc/offhook/offhook.toml && systemctl --user reload offhook");
    machine.waits_for("ActiveState", "active");
    let status = machine.knows("StatusText");
    assert!(status.starts_with("not reloaded: ") && status.contains("offhook.toml:"), "{status}");
    machine.does("sed -i '$d' /etc/offhook/offhook.toml && systemctl --user reload offhook");

    // It hangs, and is started anew; who was registered still is.
    let hung = machine.knows("MainPID");
    machine.does(&format!("kill -STOP {hung}"));
    machine.waits_for("NRestarts", "1");
    machine.waits_for("ActiveState", "active");
    assert_ne!(machine.knows("MainPID"), hung);
    assert_eq!(machine.knows("StatusText"), "config 1, 2 listeners");

    // It is stopped while a phone rings: nobody new is let in, who called is connected, and only then it is gone.
    let mut alice = machine.phone("101", &["call", "102"]);
    alice.peer.wait_for("\"status\":180", PATIENCE);
    machine.does("systemctl --user stop --no-block offhook");
    machine.waits_for("StatusText", "going out of service");
    assert_eq!(machine.knows("ActiveState"), "deactivating");
    let mut late = machine.phone("103", &["call", "102"]);
    let ended = late.peer.end(PATIENCE);
    assert!(!ended.success() && late.peer.said().contains("503"), "{}", late.peer.said());
    alice.peer.wait_for("\"established\"", PATIENCE);
    machine.waits_for("ActiveState", "inactive");
    assert_eq!(machine.knows("Result"), "success");
}
