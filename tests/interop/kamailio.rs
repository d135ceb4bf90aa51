//! Kamailio: the server of the other domain, when that is not ours.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::authority::Authority;
use crate::land::Host;
use crate::peer::Peer;

/// A Kamailio for one domain, running.
pub(crate) struct Kamailio {
    peer: Peer,
}

impl Kamailio {
    /// Serves a domain on a host, for UDP, TCP and TLS; it trusts this authority alone.
    pub(crate) fn serve(host: &Host, folder: &Path, domain: &str, authority: &Authority) -> Self {
        let (at, tls) = (host.at(5060), host.at(5061));
        // Its certificate is for the domain: a Record-Route with its number would lead to somebody who cannot prove to be that.
        let listen =
            format!("listen=udp:{at}\nlisten=tcp:{at}\nlisten=tls:{tls} advertise {domain}:5061");
        let proof = authority.certify(&[domain]);
        let config = CONFIG
            .replace("DOMAIN", domain)
            .replace("LISTEN", &listen)
            .replace("CERTIFICATE", &proof.certificate.display().to_string())
            .replace("KEY", &proof.key.display().to_string())
            .replace("AUTHORITY", &authority.file().display().to_string());
        let file = folder.join("kamailio.cfg");
        std::fs::write(&file, config).unwrap();
        let mut program = Command::new("kamailio");
        program.args(["-DD", "-E", "-m", "64", "-M", "8", "-Y"]).arg(folder).arg("-f").arg(file);
        let mut peer = Peer::start("kamailio", &mut host.run(&program));
        peer.wait_until("listening", START, || host.listens("-t", 5060));
        Self { peer }
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // It has children, which end with it when it is asked, and not when it is killed.
        self.peer.terminate();
        let _ = self.peer.seek_until(START, || false);
    }
}

const CONFIG: &str = include_str!("kamailio.cfg");
const START: Duration = Duration::from_secs(20);
