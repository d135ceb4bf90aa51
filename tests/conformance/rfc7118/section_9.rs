//! §9: what is secure, and what must be.

use offhook_tests::office::{Office, Phone, answers, requests, trusting, with_web};
use protocol::Transport;

/// "If such a path includes a WebSocket connection, it MUST be a secure WebSocket connection."
/// Proves: rfc7118-9.2-1.
#[test]
fn what_is_for_a_sips_address_goes_by_secure_websocket_or_not_at_all() {
    for (web, rings) in [(Transport::Wss, true), (Transport::Ws, false)] {
        let mut office = Office::new(with_web(trusting()));
        let caller = Phone::web(101, Transport::Wss, 6);
        let page = Phone::web(102, web, 7);
        let contact = page.contact().replace("sip:", "sips:");
        office.register_at(&page, &format!("<{contact}>"));
        let sent = office.receive(caller.flow, caller.invite("sips:102@example.test").wire());
        assert_eq!(requests(&sent, "INVITE").len(), usize::from(rings), "{sent:?}");
        let refused = answers(&sent, caller.flow).iter().any(|status| *status >= 400);
        assert_eq!(refused, !rings, "{sent:?}");
    }
}
