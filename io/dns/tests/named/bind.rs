//! `Named`: a BIND of a test's own, on loopback (Debian: bind9).

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A BIND of our own, and its folder.
pub(crate) struct Named {
    child: Child,
    folder: PathBuf,
    /// Where it answers.
    pub(crate) address: SocketAddr,
}

impl Named {
    /// Starts one with this zone of a.test; `None`, with words, when it is not installed.
    pub(crate) fn start(name: &str, zone: &str) -> Option<Self> {
        let zones = [("a.test", zone.to_owned())];
        // Somebody may take the port between our look and its start: then it says so, and another is tried.
        (0..5).find_map(|_| {
            Self::start_at(free_address(), name, &zones, |program| Command::new(program))
        })
    }

    /// Starts one at an address, with these domains and their zones. `run` makes the command of a program where it is to run.
    pub(crate) fn start_at(
        address: SocketAddr,
        name: &str,
        zones: &[(&str, String)],
        run: impl Fn(&str) -> Command,
    ) -> Option<Self> {
        let places = ["/usr/sbin/named", "/usr/bin/named", "/usr/local/sbin/named"];
        let Some(program) = places.iter().find(|place| Path::new(place).exists()) else {
            let missing = "named is not installed (Debian: bind9)";
            assert!(std::env::var_os("OFFHOOK_REQUIRE_PEERS").is_none(), "{missing}");
            println!("skipped: {missing}");
            return None;
        };
        let folder =
            std::env::temp_dir().join(format!("offhook-named-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let soa =
            "$TTL 60\n@ IN SOA ns hostmaster 1 3600 600 86400 30\n@ IN NS ns\nns IN A 127.0.0.1\n";
        let mut config = options(address, &folder);
        for (domain, zone) in zones {
            fs::write(folder.join(domain), format!("{soa}{zone}")).unwrap();
            config += &format!("zone \"{domain}\" {{ type primary; file \"{domain}\"; }};\n");
        }
        fs::write(folder.join("named.conf"), config).unwrap();
        Self::run(run(program), address, folder)
    }

    fn run(mut program: Command, address: SocketAddr, folder: PathBuf) -> Option<Self> {
        let file = folder.join("named.conf");
        let mut child = program
            .args(["-g", "-4", "-n", "1", "-c"])
            .arg(&file)
            .stderr(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = String::new();
        for line in lines.by_ref() {
            said += &line;
            said.push('\n');
            if line.ends_with(" running") {
                // It goes on talking; somebody must listen, or it stops.
                std::thread::spawn(move || lines.for_each(drop));
                return Some(Self { child, folder, address });
            }
        }
        drop(child.wait());
        assert!(said.contains("address in use"), "named does not start:\n{said}");
        None
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn options(address: SocketAddr, folder: &Path) -> String {
    let (ip, port, here) = (address.ip(), address.port(), folder.display());
    format!(
        "options {{ directory \"{here}\"; listen-on port {port} {{ {ip}; }}; listen-on-v6 {{ none; }};\n\
         recursion no; pid-file none; session-keyfile \"{here}/key\"; dnssec-validation no; }};\n\
         controls {{ }};\n"
    )
}

/// A port that is free by UDP and TCP.
fn free_address() -> SocketAddr {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = tcp.local_addr().unwrap();
        if UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
}
