//! BIND tells our server where another domain is: the first of its servers is dead, the second is another server of ours.

use std::net::UdpSocket;
use std::time::Duration;

use crate::bind::Named;
use crate::offhook::Offhook;
use crate::{place, table};

const PATIENCE: Duration = Duration::from_secs(60);

/// What a.test says: its first server is at `dead`, its second at `alive`.
fn zone(dead: u16, alive: u16) -> String {
    format!(
        "@ IN NAPTR 10 10 \"s\" \"SIP+D2U\" \"\" _sip._udp\n_sip._udp IN SRV 1 0 {dead} first\n\
         _sip._udp IN SRV 2 0 {alive} second\nfirst IN A 127.0.0.1\nsecond IN A 127.0.0.1\n"
    )
}

/// Sends a request for a.test to a server, and waits for its final answer.
fn ask(server: &Offhook, method: &str, uri: &str) -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let us = socket.local_addr().unwrap();
    let request = format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {us};branch=z9hG4bK-{method}\r\nMax-Forwards: 70\r\n\
         From: <sip:x@localhost>;tag=1\r\nTo: <{uri}>\r\nCall-ID: {method}-{us}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:x@{us}>\r\nContent-Length: 0\r\n\r\n"
    );
    socket.send_to(request.as_bytes(), server.udp).unwrap();
    let mut buffer = [0; 4096];
    loop {
        let (length, _) = socket.recv_from(&mut buffer).expect("an answer");
        let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if !answer.starts_with("SIP/2.0 1") {
            return answer;
        }
    }
}

#[test]
fn a_domain_is_found_by_its_records_and_a_dead_server_is_passed_over() {
    let folder = place::folder("named-far");
    let open = "auth = { challenge = [] }";
    let far = Offhook::serve(&folder, &["201"], &format!("domains = [\"a.test\"]\n{open}"));
    // Nobody is there; and somebody who says nothing.
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    for dead in [closed, silent.local_addr().unwrap().port()] {
        let zone = zone(dead, far.udp.port());
        let Some(named) = Named::start(&format!("far-{dead}"), &zone) else { return };
        let folder = place::folder(&format!("named-near-{dead}"));
        let near = format!(
            "{open}\ndns = {{ servers = [\"{}\"] }}\n[[route]]\nmatch = {{ domain = \"a.test\" }}",
            named.address
        );
        let near = Offhook::serve(&folder, &["101"], &near);
        // 201 has an account there, and no phone: that is for a.test to know.
        let answer = ask(&near, "INVITE", "sip:201@a.test");
        assert!(answer.starts_with("SIP/2.0 480"), "{answer}");
        let answer = ask(&near, "OPTIONS", "sip:a.test");
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
        near.stop();
    }
    far.stop();
    let feature = "The first server of a domain is dead or silent, the second answers";
    table::passed(&table::BIND, feature, "UDP");
}
