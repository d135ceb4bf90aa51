//! §5.3, §6.1.1, §10: what a phone says of it, and which part it takes.

use media::Silence;
use phone::{Ice, Servers};
use protocol::doors::{Input, Socket};
use sip::Message;
use stun::{Draft, attributes, kinds};

use crate::handset::{Bench, SDP, account, reply};

const CONTROLLED: u16 = 0x8029;
const CONTROLLING: u16 = 0x802A;

/// The other side's description, with one address.
fn theirs() -> String {
    let ice = "a=ice-ufrag:theirs\r\na=ice-pwd:a-password-of-24-letters\r\na=ice-options:ice2\r\n\
               a=candidate:1 1 udp 2130706431 192.0.2.9 4000 typ host\r\na=rtcp-mux\r\n";
    format!("{SDP}{ice}")
}

fn line(message: &Message, begin: &str) -> String {
    let text = String::from_utf8_lossy(message.body()).into_owned();
    let found = text.lines().find_map(|line| line.strip_prefix(begin));
    found.unwrap_or_else(|| panic!("{begin} in {text}")).to_owned()
}

/// Which part the phone takes in its checks: true for the one that decides.
fn decides(bench: &mut Bench) -> bool {
    bench.wait(300);
    let sent = bench.media();
    let checks: Vec<_> =
        sent.iter().filter_map(|(_, octets)| stun::Message::read(octets)).collect();
    assert!(checks.iter().all(|check| check.kind == kinds::BINDING) && !checks.is_empty());
    let part = checks[0].find(CONTROLLING).is_some();
    assert!(checks.iter().all(|check| check.find(CONTROLLED).is_some() != part));
    part
}

fn bench() -> Bench {
    Bench::with(account().server("192.0.2.9").unwrap().ice(Ice::On(Servers::default())))
}

/// "The initiating agent that started the ICE processing MUST take the controlling role, and the other MUST take the controlled role", also when the other
/// offers within the call: "an ICE agent MUST NOT redetermine the role".
/// Proves: rfc8445-6.1.1-1, rfc8445-6.1.1-3, rfc8445-6.1.1-4, rfc8445-9-3.
#[test]
fn who_called_decides_and_who_was_called_does_not() {
    let mut alice = bench();
    let (_, invite) = alice.calls("sip:bob@biloxi.example");
    alice.tell(reply(&invite, 200, "bob", ("Contact: <sip:bob@192.0.2.9>", &theirs())));
    let ack = alice.only();
    assert!(decides(&mut alice));
    let restart = theirs().replace("ufrag:theirs", "ufrag:anew").replace("o=- 1 1", "o=- 1 2");
    let restart = restart.replace("a-password-of", "b-password-of");
    alice.tell(crate::handset::back(&ack, "INVITE", 1, "", &restart));
    alice.sent();
    assert!(decides(&mut alice), "whoever offers next");

    let mut alice = bench();
    let invite = alice.request("INVITE", "", &theirs());
    alice.tell(invite);
    let call = alice.incoming();
    alice.act(|phone, now, out| phone.answer(now, call, Box::new(Silence), out)).unwrap();
    assert!(!decides(&mut alice));
}

/// "An agent compliant to this specification MUST inform the peer about the compliance using the 'ice2' option."
/// Proves: rfc8445-10-1.
#[test]
fn what_we_comply_with_is_said() {
    let (_, invite) = bench().calls("sip:bob@biloxi.example");
    let options = line(&invite, "a=ice-options:");
    assert!(options.split(' ').any(|option| option == "ice2"), "{options}");
}

/// "Once an agent has sent its candidate information, it MUST be prepared to receive both STUN and data packets on each candidate": a check that comes before
/// their description is not lost; it is answered when that has come.
/// Proves: rfc8445-5.3-3, rfc8445-7.3-6.
#[test]
fn a_check_that_overtakes_its_description_counts_when_that_has_come() {
    let mut alice = bench();
    let (_, invite) = alice.calls("sip:bob@biloxi.example");
    let (ufrag, password) = (line(&invite, "a=ice-ufrag:"), line(&invite, "a=ice-pwd:"));
    let check = Draft::new(kinds::BINDING, [7; 12])
        .with(attributes::USERNAME, format!("{ufrag}:theirs").as_bytes())
        .with(0x0024, &[0x6e, 0xff, 0xff, 0xff])
        .with(CONTROLLED, &[1; 8])
        .finish(Some(password.as_bytes()));
    let from = "192.0.2.9:4000".parse().unwrap();
    alice.input(Input::Media(Socket(2), from, check.into()));
    alice.tell(reply(&invite, 200, "bob", ("Contact: <sip:bob@192.0.2.9>", &theirs())));
    alice.wait(300);
    let answered = alice.media().iter().any(|(to, octets)| {
        let message = stun::Message::read(octets);
        *to == from && message.is_some_and(|it| it.kind == kinds::BINDING_SUCCESS)
    });
    assert!(answered);
}
