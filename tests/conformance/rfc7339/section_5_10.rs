//! §5.10: who goes first, and what the others hear.

use offhook_tests::office::{Office, Phone, Sent};
use sip::Name;

use super::{begin_turn, office, pass, responses};

/// Calls come in one turn, each with its name, Request-URI and another row, while there is too much to do; what is answered.
fn answers(office: &mut Office, calls: &[(String, &str, &str)]) -> Vec<Sent> {
    pass(office, 40, 100, "");
    begin_turn(office);
    // Over a stream everybody gets an answer.
    let phone = Phone::tcp(104, 1);
    let mut sent = Vec::new();
    for (name, uri, row) in calls {
        let mut call = phone.invite("sip:102@example.test").call(name);
        call.branch += name;
        call.uri = (*uri).into();
        let call = if row.is_empty() { call } else { call.row(row) };
        sent.extend(office.receive(phone.flow, call.wire()));
    }
    for _ in 0..4 {
        sent.extend(office.turn_ends());
        begin_turn(office);
        // Others come meanwhile, and those go first.
        sent.extend(pass(office, 1, 100, ""));
    }
    responses(&sent)
}

/// The status of the answer to a call.
fn status_of(sent: &[Sent], name: &str) -> Option<u16> {
    let mut of = sent.iter().filter(|one| one.message.call_id() == name.as_bytes());
    of.find_map(|one| one.message.status()).map(|status| status.code())
}

/// Calls for help and what belongs to calls go on while new calls are refused.
/// Proves: rfc7339-A-19.
#[test]
fn help_is_called_whatever_comes() {
    let mut calls: Vec<_> =
        (0..50).map(|n| (format!("new{n}"), "sip:102@example.test", "")).collect();
    calls.push(("help0".into(), "urn:service:sos.fire", ""));
    calls.push(("help1".into(), "sip:112@example.test", ""));
    let sent = answers(&mut office(), &calls);
    let refused = (0..50).filter(|n| status_of(&sent, &format!("new{n}")) == Some(503)).count();
    assert!(refused > 10, "{refused}");
    for name in ["help0", "help1"] {
        let status = status_of(&sent, name);
        assert!(status.is_some_and(|status| status != 503), "{name}: {status:?}");
    }
}

/// A server that does not understand all this is refused without a time, or it would send nobody; a phone is told one.
/// Proves: rfc7339-A-20.
#[test]
fn servers_are_told_no_time() {
    let via = |n: usize| if n % 2 == 1 { "Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bKx" } else { "" };
    let calls: Vec<_> =
        (0..100).map(|n| (format!("call{n}"), "sip:102@example.test", via(n))).collect();
    let sent = answers(&mut office(), &calls);
    let mut heard = [0, 0];
    for one in sent.iter().filter(|one| one.message.status().is_some_and(|it| it.code() == 503)) {
        let name = String::from_utf8_lossy(one.message.call_id());
        let Some(number) = name.strip_prefix("call").and_then(|it| it.parse::<usize>().ok()) else {
            continue;
        };
        assert_eq!(one.message.has(Name::RetryAfter), number % 2 == 0);
        heard[number % 2] += 1;
    }
    assert!(heard[0] > 5 && heard[1] > 5, "{heard:?}");
}
