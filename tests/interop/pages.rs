//! What our pages tell people to type does what they say.

use std::process::Command;

use crate::account::Account;
use crate::baresip::PATIENCE;
use crate::land::Host;
use crate::offhook::Offhook;
use crate::phone::Phone;
use crate::place;

/// The four commands of docs/tls.md make an authority and a certificate, with which a phone trusts a server.
#[test]
fn the_certificates_of_the_page_on_tls_are_trusted() {
    if !place::installed("openssl", "openssl") {
        return;
    }
    let folder = place::folder("page-tls");
    let (_, block) = include_str!("../../docs/tls.md").split_once("```sh\nopenssl").expect("sh");
    let (block, _) = block.split_once("```").expect("the end of the commands");
    let commands = format!("set -e\nopenssl{block}");
    let made = Command::new("sh").arg("-c").arg(commands).current_dir(&folder).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let lines = "domains = [\"example.org\"]\nstore = { durability = \"memory\" }\n\
                 listen = { udp = \"127.0.0.1:0\", tcp = \"127.0.0.1:0\", tls = \"127.0.0.1:0\" }\n\
                 tls = { certificate = \"example.org.pem\", private_key = \"example.org.key\" }";
    let mut server = Offhook::serve_on(&Host::HERE, &folder, &["101"], lines);
    let account = Account::new("101", server.other("tls")).of("example.org").by("tls");
    let ca = folder.join("ca.pem").display().to_string();
    let mut phone = Phone::start(&folder, &account, &["register", "--ca", &ca]);
    assert!(phone.peer.end(PATIENCE).success(), "{}", phone.peer.said());
    // Whoever does not know the authority says so, and tells the server nothing.
    let mut phone = Phone::start(&folder, &account, &["register"]);
    assert!(!phone.peer.end(PATIENCE).success());
    assert!(phone.peer.said().contains("authority that is not trusted"), "{}", phone.peer.said());
    server.stop();
}
