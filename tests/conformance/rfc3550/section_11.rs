//! RFC 3550 §11: which ports.

use std::net::SocketAddr;

use rtp::Kind;

use crate::handset::{Bench, SDP, within};

/// A call under a description of Bob's, after ten seconds: where RTP went, and where RTCP.
fn sent_to(more: &str) -> (Vec<SocketAddr>, Vec<SocketAddr>) {
    let mut bench = Bench::new();
    let invite = bench.request("INVITE", "", &format!("{SDP}{more}"));
    bench.tell(invite);
    let call = bench.incoming();
    bench.answer(call);
    let ok = bench.only();
    bench.tell(within(&ok, "ACK", 1, "", ""));
    bench.wait(10_000);
    let (reports, sound): (Vec<_>, Vec<_>) =
        bench.media().into_iter().partition(|(_, octets)| Kind::of(octets) == Kind::Rtcp);
    let places = |all: Vec<(SocketAddr, Vec<u8>)>| {
        let mut places: Vec<_> = all.into_iter().map(|(to, _)| to).collect();
        places.dedup();
        places
    };
    (places(sound), places(reports))
}

/// "each participant's RTCP SR packets MUST be sent to the port that the other participant has specified for reception of RTCP"
/// Proves: rfc3550-11-5.
#[test]
fn reports_go_to_the_port_that_the_other_side_names() {
    let at = |text: &str| -> SocketAddr { text.parse().unwrap() };
    let sound = vec![at("192.0.2.9:4000")];
    assert_eq!(sent_to(""), (sound.clone(), vec![at("192.0.2.9:4001")]));
    assert_eq!(sent_to("a=rtcp:4123\r\n"), (sound.clone(), vec![at("192.0.2.9:4123")]));
    let elsewhere = "a=rtcp:4123 IN IP4 192.0.2.50\r\n";
    assert_eq!(sent_to(elsewhere), (sound, vec![at("192.0.2.50:4123")]));
}
