//! Folders and ports of a test's own, and whether a peer is there at all.

use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether a program is installed. If not, says so and which Debian package brings it; where peers are required, as in CI, that is a
/// failure.
pub(crate) fn installed(program: &str, package: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(program));
    places.any(|place| place.is_file()) || is_missing(program, package)
}

/// The same for a file that no command is: a library.
pub(crate) fn there(file: &str, package: &str) -> bool {
    Path::new(file).is_file() || is_missing(file, package)
}

/// Never true.
fn is_missing(program: &str, package: &str) -> bool {
    let missing = format!("{program} is not installed (apt-get install {package})");
    assert!(std::env::var_os("OFFHOOK_REQUIRE_PEERS").is_none(), "{missing}");
    println!("skipped: {missing}");
    false
}

/// An empty folder of this test's own.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("interop").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// What `.ci/install` has brought that is no package of this machine's.
pub(crate) fn brought(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/ci")).join(name)
}

/// Whether Python has a library that `.ci/install` brings. If not, says so; where peers are required, as in CI, that is a failure.
pub(crate) fn imports(library: &str) -> bool {
    let there = python().args(["-c", &format!("import {library}")]).output();
    if there.is_ok_and(|output| output.status.success()) {
        return true;
    }
    let missing = format!("{library} is not installed (.ci/install brings it)");
    assert!(std::env::var_os("OFFHOOK_REQUIRE_PEERS").is_none(), "{missing}");
    println!("skipped: {missing}");
    false
}

/// Python, with the libraries that `.ci/install` brings.
pub(crate) fn python() -> Command {
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", brought("python"));
    python
}

/// A port that is free at this moment, over UDP and TCP, for peers that cannot take port 0. Somebody else may be quicker: who uses it
/// tries again with another.
pub(crate) fn free_port() -> u16 {
    (0..100)
        .find_map(|_| {
            let udp = UdpSocket::bind("127.0.0.1:0").ok()?;
            let address = udp.local_addr().ok()?;
            TcpListener::bind(address).ok().map(|_| address.port())
        })
        .expect("a free port")
}

/// Whether somebody waits on this port of loopback, for datagrams or for connections. It asks the kernel and touches nothing.
pub(crate) fn is_taken(port: u16) -> bool {
    let local = format!(": 0100007F:{port:04X} ");
    let is_listed = |file, state: &str| {
        let table = std::fs::read_to_string(file).unwrap();
        table
            .lines()
            .any(|line| line.contains(&local) && line.split_whitespace().nth(3) == Some(state))
    };
    is_listed("/proc/net/udp", "07") || is_listed("/proc/net/tcp", "0A")
}
