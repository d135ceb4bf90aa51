//! §5.1, §6.1, §8.3.1: when sound may come, and where it goes: what our phone makes of what was agreed on.

use std::net::SocketAddr;

use phone::Call;
use protocol::doors::{Input, Socket};
use rtp::Packet;
use sip::Message;

use crate::handset::{Bench, SDP, within};

/// The port for the sound of the first call on a bench.
const EAR: Socket = Socket(2);

/// So many packets of A-law come from where the peer's description says.
fn comes(bench: &mut Bench, first: u16) {
    for sequence in first..first + 5 {
        let (ssrc, payload_type, payload) = (9, 8, &[0xD5; 160][..]);
        let mut octets = Vec::new();
        Packet { sequence, ssrc, payload_type, payload, ..Packet::default() }.write(&mut octets);
        let from = "192.0.2.9:4000".parse().unwrap();
        bench.input(Input::Media(EAR, from, octets.into()));
    }
}

fn heard(bench: &mut Bench, call: Call) -> u64 {
    bench.phone.quality(call).map_or(0, |quality| quality.received)
}

/// Bob calls with this offer, and Alice has just said 200, which nobody has acknowledged.
fn answered(offer: &str) -> (Bench, Call, Message) {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "", offer);
    bench.tell(invite);
    let call = bench.incoming();
    bench.answer(call);
    let ok = bench.only();
    (bench, call, ok)
}

/// "Once the answerer has sent the answer, it MUST be prepared to receive media for any recvonly streams described by that answer. It MUST be prepared to
/// send and receive media for any sendrecv streams in the answer", before any ACK.
/// Proves: rfc3264-6.1-19, rfc3264-6.1-20.
#[test]
fn who_has_answered_hears_and_speaks_at_once() {
    for (direction, speaks) in [("", true), ("a=sendonly\r\n", false)] {
        let (mut bench, call, _) = answered(&format!("{SDP}{direction}"));
        comes(&mut bench, 1);
        assert_eq!(heard(&mut bench, call), 5, "{direction}");
        bench.wait(50);
        assert_eq!(bench.media().is_empty(), !speaks, "{direction}");
    }
}

/// "If the updated stream is accepted by the answerer, the answerer SHOULD begin sending traffic for that stream to the new port immediately."
/// Proves: rfc3264-8.3.1-4.
#[test]
fn a_new_port_of_theirs_is_spoken_to_at_once() {
    let (mut bench, _, ok) = answered(SDP);
    bench.tell(within(&ok, "ACK", 1, "", ""));
    bench.wait(100);
    let place = |bench: &mut Bench| -> Vec<SocketAddr> {
        bench.media().into_iter().map(|(to, _)| to).collect()
    };
    let before = place(&mut bench);
    assert!(!before.is_empty() && before.iter().all(|to| to.port() == 4000), "{before:?}");
    let offer = SDP.replace("o=- 1 1", "o=- 1 2").replace("audio 4000", "audio 5000");
    bench.tell(within(&ok, "INVITE", 2, "", &offer));
    assert_eq!(bench.titles(), ["200"]);
    bench.wait(100);
    let after = place(&mut bench);
    assert!(after.len() >= 4 && after.iter().all(|to| to.port() == 5000), "{after:?}");
}

/// Whoever asks for a change goes on hearing what was agreed on before, on the port that it has always had.
#[test]
fn who_waits_for_an_answer_goes_on_hearing() {
    let (mut bench, call, ok) = answered(SDP);
    bench.tell(within(&ok, "ACK", 1, "", ""));
    comes(&mut bench, 1);
    bench.hold(call);
    let port = |message: &Message| {
        let text = String::from_utf8_lossy(message.body()).into_owned();
        let media = text.lines().find(|line| line.starts_with("m=audio")).unwrap().to_owned();
        media.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(port(&bench.only()), port(&ok));
    comes(&mut bench, 6);
    assert_eq!(heard(&mut bench, call), 10);
}
