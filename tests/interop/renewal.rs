//! A certificate is renewed while the server runs: who is there stays, who comes sees the new one.

use crate::account::Account;
use crate::authority::Authority;
use crate::baresip::PATIENCE;
use crate::land::Host;
use crate::offhook::Offhook;
use crate::phone::Phone;
use crate::{place, sound};

#[test]
fn a_phone_that_is_registered_by_tls_is_called_after_the_certificate_was_renewed() {
    let folder = place::folder("renewal");
    let authority = Authority::new();
    let pair = authority.certify(&["a.example"]);
    let lines = format!(
        "domains = [\"a.example\"]\nstore = {{ durability = \"memory\" }}\n\
         listen = {{ udp = \"127.0.0.1:0\", tcp = \"127.0.0.1:0\", tls = \"127.0.0.1:0\" }}\n{}",
        authority.line(&pair)
    );
    let mut server = Offhook::serve_on(&Host::HERE, &folder, &["101", "102"], &lines);
    let at = server.other("tls");
    let account = |number: &str| Account::new(number, at).of("a.example").trusting(&authority);
    let mut bob = Phone::start(&folder, &account("102").playing(1000.0), &["answer"]);
    bob.peer.wait_for("\"registered\"", PATIENCE);

    std::fs::write(&pair.certificate, "nonsense").unwrap();
    server.peer.wait_for("\"certificate_refused\"", PATIENCE);
    authority.certify(&["a.example"]);
    server.peer.wait_for("\"certificate_taken\"", PATIENCE);

    let alice = Phone::start(&folder, &account("101"), &["call", "102", "--hangup-after", "3s"]);
    sound::assert_heard(&alice.ends_well(), 1000.0, 440.0);
    sound::assert_heard(&bob.ends_well(), 440.0, 1000.0);
    server.stop();
}
