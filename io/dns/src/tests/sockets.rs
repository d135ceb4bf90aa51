//! The resolver on real sockets of this machine, against a small server that does what a test wants.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use protocol::Transport;
use protocol::locate::{Families, Hop, Means};
use sip::Uri;

use super::zone::Zone;
use protocol::locate::{Target, Unlocated};

type Outcome = Result<Vec<Target>, Unlocated>;
use crate::{Resolver, Servers, Settings};

/// Long enough for a busy machine; nobody waits for it when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a server does with a question that came by UDP: who asked, and what.
type Habit = Box<dyn FnMut(&UdpSocket, SocketAddr, &[u8]) + Send>;

/// A server on 127.0.0.1, by UDP and TCP.
struct Server {
    address: SocketAddr,
    threads: Vec<JoinHandle<()>>,
}

impl Server {
    fn new(zone: Zone, mut habit: Habit) -> Self {
        // The port must be free for both.
        let (udp, tcp) = std::iter::repeat_with(|| UdpSocket::bind("127.0.0.1:0").unwrap())
            .find_map(|udp| Some((TcpListener::bind(udp.local_addr().unwrap()).ok()?, udp)))
            .map(|(tcp, udp)| (udp, tcp))
            .unwrap();
        let address = udp.local_addr().unwrap();
        let datagrams = thread::spawn(move || {
            let mut buffer = [0; 1_500];
            while let Ok((length @ 1.., from)) = udp.recv_from(&mut buffer) {
                habit(&udp, from, &buffer[..length]);
            }
        });
        let streams = thread::spawn(move || {
            while let Ok((mut stream, _)) = tcp.accept() {
                let mut length = [0; 2];
                if stream.read_exact(&mut length).is_err() {
                    return;
                }
                let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut query).unwrap();
                let answer = zone.answer_by_tcp(&query);
                let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
                // In pieces, as the network likes it.
                for piece in [&length[..1], &length[1..], &answer[..5], &answer[5..]] {
                    stream.write_all(piece).unwrap();
                    stream.flush().unwrap();
                }
            }
        });
        Self { address, threads: vec![datagrams, streams] }
    }

    fn honest(zone: Zone) -> Self {
        let known = zone.clone();
        Self::new(
            zone,
            Box::new(move |udp, from, query| {
                udp.send_to(&known.answer(query), from).unwrap();
            }),
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An empty datagram and an empty connection end the threads.
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&[], self.address).unwrap();
        drop(std::net::TcpStream::connect(self.address));
        self.threads.drain(..).for_each(|thread| thread.join().unwrap());
    }
}

fn resolver(servers: &[SocketAddr]) -> Resolver {
    let servers = Servers::These(servers.to_vec());
    Resolver::start(Settings { servers, hosts: None, ..Settings::default() }, 53).unwrap()
}

fn ask(resolver: &Resolver, uri: &str) -> Receiver<Outcome> {
    let hop = Hop::of_uri(Uri::parse(uri.as_bytes()).unwrap().sip().unwrap()).unwrap();
    let transports = vec![Transport::Udp, Transport::Tcp, Transport::Tls];
    let (told, heard) = channel();
    let means = Means { transports, families: Families::V4 };
    resolver.locate(hop, means, move |outcome| drop(told.send(outcome)));
    heard
}

fn words(heard: &Receiver<Outcome>) -> String {
    match heard.recv_timeout(PATIENCE).unwrap() {
        Ok(targets) => targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        Err(why) => format!("{why:?}"),
    }
}

#[test]
fn trap_30_a_silent_dns_holds_up_nobody() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = resolver(&[silent.local_addr().unwrap()]);
    let waiting: Vec<_> = (0..500).map(|at| ask(&resolver, &format!("sip:h{at}.test"))).collect();
    // What needs no DNS is answered while they wait, and none of them has been waited for.
    assert_eq!(words(&ask(&resolver, "sip:192.0.2.1")), "UDP 192.0.2.1:5060");
    assert_eq!(words(&ask(&resolver, "sip:localhost")), "UDP 127.0.0.1:5060");
    assert!(waiting.iter().all(|heard| heard.try_recv() == Err(TryRecvError::Empty)));
    // The end of the resolver is the end of their waiting.
    drop(resolver);
    assert!(waiting.iter().all(|heard| words(heard) == "NoAnswer"));
}

#[test]
fn a_long_answer_comes_by_tcp_in_pieces() {
    let mut text = String::new();
    for at in 0..1_000 {
        text += &format!("_sip._udp.a.test 60 SRV {at} 1 5060 h{at}.a.test\n");
        text += &format!("h{at}.a.test 60 A 198.51.{}.{}\n", at / 200, at % 200 + 1);
    }
    let server = Server::honest(Zone::of(&text));
    let resolver = resolver(&[server.address]);
    let found = words(&ask(&resolver, "sip:a.test;transport=udp"));
    // On a busy machine not all addresses come while it lingers.
    assert!(found.starts_with("UDP 198.51.0.1:5060"), "{found}");
    assert!(found.split(", ").count() <= protocol::limits::SERVERS);
}

#[test]
fn a_server_that_is_not_there_is_noticed_at_once() {
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::honest(Zone::of("a.test 60 A 192.0.2.1"));
    let resolver = resolver(&[nobody, server.address]);
    assert_eq!(words(&ask(&resolver, "sip:a.test:5060")), "UDP 192.0.2.1:5060");
    assert_eq!(resolver.counts().silent.get(), 1);
}

#[test]
fn each_question_has_a_port_and_a_number_of_its_own() {
    let zone = Zone::of("a.test 0 A 192.0.2.1");
    let (seen, asked) = channel();
    let known = zone.clone();
    let server = Server::new(
        zone,
        Box::new(move |udp, from, query| {
            seen.send((from.port(), [query[0], query[1]])).unwrap();
            udp.send_to(&known.answer(query), from).unwrap();
        }),
    );
    let resolver = resolver(&[server.address]);
    for _ in 0..20 {
        assert_eq!(words(&ask(&resolver, "sip:a.test:5060")), "UDP 192.0.2.1:5060");
    }
    let (ports, numbers): (BTreeSet<_>, BTreeSet<_>) = asked.try_iter().unzip();
    assert!(ports.len() > 10 && numbers.len() == 20, "{ports:?} {numbers:?}");
}

#[test]
fn nobody_else_can_answer_for_the_server() {
    let truth = Zone::of("a.test 60 A 192.0.2.1");
    let lie = Zone::of("a.test 60 A 192.0.2.66");
    let (forger, known) = (UdpSocket::bind("127.0.0.1:0").unwrap(), truth.clone());
    let server = Server::new(
        truth,
        Box::new(move |udp, from, query| {
            // It knows the question and its number, and is faster; but it has another address.
            forger.send_to(&lie.answer(query), from).unwrap();
            let mut wrong = lie.answer(query);
            wrong[0] ^= 1;
            udp.send_to(&wrong, from).unwrap();
            udp.send_to(&known.answer(query), from).unwrap();
        }),
    );
    let resolver = resolver(&[server.address]);
    assert_eq!(words(&ask(&resolver, "sip:a.test:5060")), "UDP 192.0.2.1:5060");
    assert_eq!(resolver.counts().strange.get(), 1);
}

#[test]
fn a_name_in_the_hosts_file_needs_no_dns() {
    let server = Server::honest(Zone::of("a.test 60 A 192.0.2.1"));
    let folder = std::env::temp_dir().join(format!("offhook-dns-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let hosts = folder.join("hosts");
    std::fs::write(&hosts, "192.0.2.9 pbx\n").unwrap();
    let servers = Servers::These(vec![server.address]);
    let settings = Settings { servers, hosts: Some(hosts), ..Settings::default() };
    let resolver = Resolver::start(settings, 53).unwrap();
    assert_eq!(words(&ask(&resolver, "sip:pbx")), "UDP 192.0.2.9:5060");
    assert_eq!(words(&ask(&resolver, "sip:a.test:5070")), "UDP 192.0.2.1:5070");
    std::fs::remove_dir_all(&folder).unwrap();
}
