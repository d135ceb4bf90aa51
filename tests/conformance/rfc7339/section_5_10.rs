//! §5.10: who goes first, and what the others hear.

use offhook_tests::office::{Phone, status};
use sip::Name;

use super::{office, pass};

/// Calls for help and what belongs to calls go on while new calls are refused.
/// Proves: rfc7339-A-19.
#[test]
fn help_is_called_whatever_comes() {
    let mut office = office();
    pass(&mut office, 40, 100, 20, "");
    let phone = Phone::udp(104);
    let refused = (0..50).filter(|n| {
        let call = phone.invite("sip:102@example.test").call(&format!("new{n}"));
        status(&office.receive(phone.flow, call.wire())) == 503
    });
    assert!(refused.count() > 40);
    for (n, uri) in ["urn:service:sos.fire", "sip:112@example.test"].into_iter().enumerate() {
        let mut call = phone.invite("sip:112@example.test").call(&format!("help{n}"));
        call.uri = uri.into();
        assert_ne!(status(&office.receive(phone.flow, call.wire())), 503, "{uri}");
    }
}

/// A server that does not understand all this is refused without a time, or it would send nobody; a phone is told one.
/// Proves: rfc7339-A-20.
#[test]
fn servers_are_told_no_time() {
    let mut office = office();
    pass(&mut office, 40, 100, 20, "");
    let phone = Phone::udp(104);
    let mut heard = [0, 0];
    for n in 0..100 {
        let call = phone.invite("sip:102@example.test").call(&format!("call{n}"));
        let from_server = n % 2 == 1;
        let call =
            if from_server { call.row("Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKx") } else { call };
        let sent = office.receive(phone.flow, call.wire());
        if status(&sent) == 503 {
            assert_eq!(sent[0].message.has(Name::RetryAfter), !from_server);
            heard[usize::from(from_server)] += 1;
        }
    }
    assert!(heard[0] > 30 && heard[1] > 30, "{heard:?}");
}
