//! BIND, a name server that nobody here wrote, answers the resolver on loopback (Debian: bind9).

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests are tests too: what cannot go on stops here"
)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use offhook_dns::{Resolver, Servers, Settings};
use protocol::Transport;
use protocol::locate::{Families, Hop, Means};
use sip::Uri;

const PATIENCE: Duration = Duration::from_secs(30);

/// A BIND of our own, and its folder.
struct Named {
    child: Child,
    folder: PathBuf,
    address: SocketAddr,
}

impl Named {
    /// Starts one with this zone; `None`, with words, when it is not installed.
    fn start(name: &str, zone: &str) -> Option<Self> {
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
        fs::write(folder.join("zone"), format!("{soa}{zone}")).unwrap();
        // Somebody may take the port between our look and its start: then it says so, and another is tried.
        (0..5).find_map(|_| Self::run(program, &folder))
    }

    fn run(program: &str, folder: &Path) -> Option<Self> {
        let address = free_address();
        let here = folder.display();
        let config = format!(
            "options {{ directory \"{here}\"; listen-on port {} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};\n\
             recursion no; pid-file none; session-keyfile \"{here}/key\"; dnssec-validation no; }};\n\
             controls {{ }};\nzone \"a.test\" {{ type primary; file \"zone\"; }};\n",
            address.port()
        );
        let file = folder.join("named.conf");
        fs::write(&file, config).unwrap();
        let mut child = Command::new(program)
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
                return Some(Self { child, folder: folder.to_owned(), address });
            }
        }
        drop(child.wait());
        assert!(said.contains("address in use"), "named does not start:\n{said}");
        None
    }

    fn resolver(&self) -> Resolver {
        let servers = Servers::These(vec![self.address]);
        Resolver::start(Settings { servers, hosts: None, ..Settings::default() }, 9).unwrap()
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
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

fn find(resolver: &Resolver, uri: &str) -> String {
    let hop = Hop::of_uri(Uri::parse(uri.as_bytes()).unwrap().sip().unwrap()).unwrap();
    let transports = vec![Transport::Udp, Transport::Tcp, Transport::Tls];
    let (told, heard) = channel();
    let means = Means { transports, families: Families::Both };
    resolver.locate(hop, means, move |outcome| drop(told.send(outcome)));
    match heard.recv_timeout(PATIENCE).unwrap() {
        Ok(targets) => targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        Err(why) => format!("{why:?}"),
    }
}

#[test]
fn a_domain_is_located_with_bind() {
    let zone = "
@ IN NAPTR 10 10 \"s\" \"SIPS+D2T\" \"\" _sips._tcp
@ IN NAPTR 20 10 \"s\" \"SIP+D2T\" \"\" _sip._tcp
@ IN A 192.0.2.9
_sips._tcp IN SRV 0 1 5061 one
_sip._tcp IN SRV 1 1 5070 two
_sip._tcp IN SRV 0 1 5070 one
one IN A 192.0.2.1
one IN AAAA 2001:db8::1
two IN CNAME really
really IN A 192.0.2.2
_sip._udp.shut IN SRV 0 0 0 .
shut IN A 192.0.2.5
";
    let Some(named) = Named::start("domain", zone) else { return };
    let resolver = named.resolver();
    for (uri, expected) in [
        ("sip:a.test", "TLS [2001:db8::1]:5061, TLS 192.0.2.1:5061"),
        ("sips:A.Test.", "TLS [2001:db8::1]:5061, TLS 192.0.2.1:5061"),
        (
            "sip:a.test;transport=tcp",
            "TCP [2001:db8::1]:5070, TCP 192.0.2.1:5070, TCP 192.0.2.2:5070",
        ),
        ("sip:a.test:5080", "UDP 192.0.2.9:5080"),
        ("sip:two.a.test", "UDP 192.0.2.2:5060"),
        ("sip:shut.a.test;transport=udp", "NotOffered"),
        ("sip:nobody.a.test", "Unknown"),
        // Not its zone: it refuses.
        ("sip:b.test:5060", "NoAnswer"),
    ] {
        assert_eq!(find(&resolver, uri), expected, "{uri}");
    }
    // All of that is kept, also that there is nobody.
    let sent = resolver.counts().sent.get();
    find(&resolver, "sip:a.test");
    find(&resolver, "sip:nobody.a.test");
    assert_eq!(resolver.counts().sent.get(), sent);
}

#[test]
fn a_long_answer_of_bind_comes_by_tcp() {
    let mut zone: String =
        (0..90).map(|at| format!("_sip._udp IN SRV {at} 1 5060 host-number-{at}\n")).collect();
    zone += "host-number-0 IN A 192.0.2.1\n";
    let Some(named) = Named::start("long", &zone) else { return };
    let resolver = named.resolver();
    assert_eq!(find(&resolver, "sip:a.test;transport=udp"), "UDP 192.0.2.1:5060");
    assert_eq!(resolver.counts().long.get(), 1);
}
