//! Trap 45: what a stranger costs.

use offhook_tests::office::{Office, Phone, settings};
use std::time::Duration;

/// Trap 45: whatever strangers send, they are answered once, where they are, by not much more than they sent, and nothing is kept and
/// nothing repeated. (How much one address may send, `pure/server/src/admission` says.)
#[test]
fn trap_45_a_stranger_is_answered_once_and_forgotten() {
    let mut office = Office::new(settings());
    for nth in 0..500_u32 {
        for method in ["INVITE", "REGISTER", "OPTIONS", "MESSAGE", "BYE", "CANCEL", "ACK", "FOO"] {
            let mut stranger = Phone::udp(101);
            stranger.user = format!("stranger-{nth}");
            stranger.flow.peer = std::net::SocketAddr::from((nth.to_be_bytes(), 5060));
            let request = stranger.request(method, "sip:102@example.test");
            let wire = request.call(&format!("{method}{nth}")).wire();
            let sent = office.receive(stranger.flow, wire.clone());
            assert_eq!(sent.len(), usize::from(method != "ACK"), "{method}");
            for answer in sent {
                assert_eq!(answer.flow.peer.ip(), stranger.flow.peer.ip());
                let (answer, most) = (answer.message.wire().len(), wire.len() * 3 / 2 + 200);
                assert!(answer <= most, "{method}: {answer} for {}", wire.len());
            }
        }
    }
    assert_eq!(office.node.transactions(), 0);
    assert!(office.wait(Duration::from_secs(100)).is_empty(), "nothing is repeated");
}
