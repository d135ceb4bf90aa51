//! Kamailio, a server that we did not write: that of another domain, and the registrar and presence server of `offhook phone`.

use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::account::Account;
use crate::authority::Authority;
use crate::baresip::PATIENCE;
use crate::handset;
use crate::land::Host;
use crate::peer::Peer;
use crate::phone::Phone;
use crate::{place, table};

/// A Kamailio for one domain, running.
pub(crate) struct Kamailio {
    peer: Peer,
    /// Where it listens for datagrams and connections.
    at: SocketAddr,
    tls: SocketAddr,
}

impl Kamailio {
    /// Serves a domain on a host, for UDP, TCP and TLS; it trusts this authority alone.
    pub(crate) fn serve(host: &Host, folder: &Path, domain: &str, authority: &Authority) -> Self {
        Self::serve_at(host, [5060, 5061], folder, (domain, authority))
    }

    /// The same, at other ports: for UDP and TCP, and for TLS.
    fn serve_at(
        host: &Host,
        ports: [u16; 2],
        folder: &Path,
        (domain, authority): (&str, &Authority),
    ) -> Self {
        let [at, tls] = ports.map(|port| host.at(port));
        // Its certificate is for the domain: a Record-Route with its number would lead to somebody who cannot prove to be that.
        let listen = format!(
            "listen=udp:{at}\nlisten=tcp:{at}\nlisten=tls:{tls} advertise {domain}:{}",
            tls.port()
        );
        let proof = authority.certify(&[domain]);
        let config = CONFIG
            .replace("DOMAIN", domain)
            .replace("LISTEN", &listen)
            .replace("CERTIFICATE", &proof.certificate.display().to_string())
            .replace("KEY", &proof.key.display().to_string())
            .replace("AUTHORITY", &authority.file().display().to_string());
        // Tables of text: Debian's are empty.
        let tables = folder.join("tables");
        std::fs::create_dir_all(&tables).unwrap();
        for name in ["version", "presentity", "active_watchers", "watchers", "xcap"] {
            std::fs::copy(Path::new(TABLES).join(name), tables.join(name)).unwrap();
        }
        let config = config.replace("DATABASE", &tables.display().to_string());
        let file = folder.join("kamailio.cfg");
        std::fs::write(&file, config).unwrap();
        let mut program = Command::new("kamailio");
        program.args(["-DD", "-E", "-m", "64", "-M", "8", "-Y"]).arg(folder).arg("-f").arg(file);
        let mut peer = Peer::start("kamailio", &mut host.run(&program));
        peer.wait_until("listening", START, || host.listens("-t", at.port()));
        Self { peer, at, tls }
    }
}

/// Somebody tells a presence server of somebody (RFC 3903).
fn publish(server: SocketAddr, whose: &str, event: &str, (kind, body): (&str, &str)) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(START)).unwrap();
    let (from, length) = (socket.local_addr().unwrap(), body.len());
    let request = format!(
        "PUBLISH {whose} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{event};rport\r\nMax-Forwards: 70\r\n\
         From: <{whose}>;tag=1\r\nTo: <{whose}>\r\nCall-ID: {event}\r\nCSeq: 1 PUBLISH\r\nEvent: {event}\r\n\
         Expires: 600\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    socket.send_to(request.as_bytes(), server).unwrap();
    let mut answer = [0; 2000];
    let length = socket.recv(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
}

/// A domain of Kamailio's, with phones of ours.
fn town(name: &str) -> Option<(Kamailio, PathBuf, Authority)> {
    if !place::installed("kamailio", "kamailio") {
        return None;
    }
    let (folder, authority) = (place::folder(name), Authority::new());
    let ports = [place::free_port(), place::free_port()];
    let town = (DOMAIN, &authority);
    let server = Kamailio::serve_at(&Host::HERE, ports, &folder, town);
    Some((server, folder, authority))
}

fn two_phones(folder: &Path, account: impl Fn(&str) -> Account) {
    handset::call_and_hold(folder, &account);
    let transport = if account("101").trust.is_some() { "TLS" } else { "UDP" };
    let feature = "It is the registrar of `offhook phone` (digest), and passes its calls, holds and ends of calls on";
    table::passed(&table::KAMAILIO, feature, transport);
}

#[test]
fn two_phones_of_kamailio_call_each_other_over_udp() {
    let Some((server, folder, _authority)) = town("kamailio-udp") else { return };
    two_phones(&folder, |number| Account::new(number, server.at).of(DOMAIN));
}

#[test]
fn two_phones_of_kamailio_call_each_other_over_tls() {
    let Some((server, folder, authority)) = town("kamailio-tls") else { return };
    let account = |number: &str| Account::new(number, server.tls).of(DOMAIN).trusting(&authority);
    two_phones(&folder, account);
}

#[test]
fn kamailio_tells_who_is_there_and_what_waits() {
    let Some((server, folder, _authority)) = town("kamailio-watch") else { return };
    let watch = |number: &str, words: &[&str]| {
        let deed = [&["watch"], words, &["--during", "60s"]].concat();
        Phone::start(&folder, &Account::new(number, server.at).of(DOMAIN), &deed)
    };
    let (mut presence, mut messages) = (watch("103", &["102"]), watch("101", &[]));
    presence.peer.wait_for("\"watched\"", PATIENCE);
    messages.peer.wait_for("\"watched\"", PATIENCE);
    let there = "<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:102@localhost\">\
                 <tuple id=\"a\"><status><basic>open</basic></status><note>at the desk</note></tuple></presence>";
    publish(server.at, "sip:102@localhost", "presence", ("application/pidf+xml", there));
    presence.peer.wait_for("at the desk", PATIENCE);
    let waiting = "Messages-Waiting: yes\r\nVoice-Message: 2/1\r\n";
    let waiting = ("application/simple-message-summary", waiting);
    publish(server.at, "sip:101@localhost", "message-summary", waiting);
    messages.peer.wait_for("\"waiting\":true", PATIENCE);
    for mut watcher in [presence, messages] {
        watcher.peer.terminate();
        watcher.peer.end(PATIENCE);
    }
    let feature = "`offhook phone watch` subscribes at it to presence and to messages that wait, and is told what is published (PUBLISH)";
    table::passed(&table::KAMAILIO, feature, "UDP");
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // It has children, which end with it when it is asked, and not when it is killed.
        self.peer.terminate();
        let _ = self.peer.seek_until(START, || false);
    }
}

/// It wants to find its own name.
const DOMAIN: &str = "localhost";
/// Empty tables, as Debian's package brings them.
const TABLES: &str = "/usr/share/kamailio/dbtext/kamailio";
const CONFIG: &str = include_str!("kamailio.cfg");
const START: Duration = Duration::from_secs(20);
