//! §5.4–§5.6.1: what is said to a REGISTER, and when a phone is reminded of the next.

use std::time::Duration;

use offhook_tests::office::{Phone, Sent, rows, status};
use protocol::Answer;
use sip::Name;

use super::{PN, answer, office, pushes, register};

fn capabilities(sent: &[Sent]) -> Vec<String> {
    let wire = String::from_utf8_lossy(sent[0].message.wire()).into_owned();
    wire.lines().filter_map(|line| line.strip_prefix("Feature-Caps: ").map(str::to_owned)).collect()
}

/// "The proxy MUST indicate support of the same type of PNS in the REGISTER response." "If the proxy received a 'sip.pnsreg' media feature tag
/// …, the proxy SHOULD insert a 'sip.pnsreg' feature-capability indicator with an indicator value bigger than 120" "A proxy MUST use a separate
/// Feature-Cap header field for each supported type of PNS." "MUST be inserted in the same Feature-Caps header field"
/// Proves: rfc8599-5.6.1.1-7, rfc8599-5.6.1.1-9, rfc8599-A-1, rfc8599-A-2, rfc8599-A-3, rfc8599-8-1, rfc8599-14.3-1.
#[test]
fn a_phone_is_told_that_it_will_be_woken() {
    for (params, rows, expected) in [
        (PN, "", vec!["*;+sip.pns=\"fcm\""]),
        (PN, ";+sip.pnsreg", vec!["*;+sip.pns=\"fcm\";+sip.pnsreg=\"121\""]),
        ("x=y", "", vec![]),
    ] {
        let (mut office, phone) = (office(), Phone::udp(102));
        let sent = office.receive(phone.flow, register(&phone, 1, params, rows).wire());
        assert_eq!(
            (status(&sent), capabilities(&sent)),
            (200, expected.iter().map(|v| (*v).to_owned()).collect())
        );
    }
}

/// "When a proxy receives a REGISTER request, and the 'pn-provider' SIP URI parameter does not contain a parameter value, the proxy MUST indicate
/// support of each type of PNS supported" "if the proxy does not support the type of PNS supported by the UA, … the proxy MUST either forward the
/// request … or send a SIP 555 (Push Notification Service Not Supported) response" Nobody stands behind us who might know it.
/// Proves: rfc8599-5.6.1.2-1, rfc8599-5.6.1.2-3, rfc8599-5.6.1.2-4, rfc8599-5.6.1.2-5, rfc8599-5.6.1.2-6.
#[test]
fn who_asks_what_there_is_is_told() {
    let both = vec!["*;+sip.pns=\"apns\"".to_owned(), "*;+sip.pns=\"fcm\"".to_owned()];
    for (params, code, expected) in [
        ("pn-provider", 200, both),
        ("pn-provider=apns", 200, vec!["*;+sip.pns=\"apns\"".to_owned()]),
        ("pn-provider=acme", 555, vec![]),
    ] {
        let (mut office, phone) = (office(), Phone::udp(102));
        let sent = office.receive(phone.flow, register(&phone, 1, params, "").wire());
        assert_eq!((status(&sent), capabilities(&sent)), (code, expected), "{params}");
    }
}

/// "If the proxy does not support the type of PNS supported by the UA, or if the REGISTER request does not contain all information required for the
/// type of PNS, the proxy SHOULD forward the request towards the registrar and skip the rest" A house without services passes over all of it.
/// Proves: rfc8599-5.6.1-1, rfc8599-5.6.1.1-1, rfc8599-5.6.1.1-2.
#[test]
fn a_phone_that_we_cannot_wake_registers_as_any_other() {
    for params in ["pn-provider=acme;pn-prid=x", "pn-provider=fcm;pn-prid=x"] {
        let (mut office, phone) = (office(), Phone::udp(102));
        let sent = office.receive(phone.flow, register(&phone, 1, params, "").wire());
        assert_eq!(status(&sent), 200);
        let caller = Phone::udp(103);
        let sent = office.receive(caller.flow, caller.invite("sip:102@example.test").wire());
        assert_eq!((sent.len(), sent[1].flow), (2, phone.flow), "called at once");
        assert!(pushes(&mut office).is_empty());
    }
}

/// "If the proxy … considers the requested binding expiration interval to be too short, the proxy MUST either send a 423 (Interval Too Brief)
/// response" "A binding expiration interval MUST be considered too short if the binding would expire before the proxy can request that a push
/// notification be sent"
/// Proves: rfc8599-5.6.1.1-3, rfc8599-5.6.1.1-5.
#[test]
fn there_must_be_time_to_remind_a_phone() {
    let (mut office, phone) = (office(), Phone::udp(102));
    let brief = office.receive(phone.flow, register(&phone, 1, PN, ";expires=200").wire());
    assert_eq!((status(&brief), rows(&brief, Name::MinExpires)), (423, vec!["240".to_owned()]));
    let enough = office.receive(phone.flow, register(&phone, 2, PN, ";expires=240").wire());
    assert_eq!(status(&enough), 200);
}

/// "It is RECOMMENDED that the proxy requests the push notification at least 120 seconds before the binding expires." "If the proxy receives
/// information that a binding associated with a PRID has expired, or that a binding has been removed, the proxy MUST NOT request that further push
/// notifications are sent to the UA using that PRID."
/// Proves: rfc8599-5.5-1, rfc8599-5.5-2.
#[test]
fn a_phone_is_reminded_to_register_while_there_is_time() {
    let (mut office, phone) = (office(), Phone::udp(102));
    office.receive(phone.flow, register(&phone, 1, PN, ";expires=600").wire());
    office.wait(Duration::from_secs(300));
    office.receive(phone.flow, register(&phone, 2, PN, ";expires=600").wire());
    office.wait(Duration::from_secs(479));
    assert!(pushes(&mut office).is_empty(), "the later REGISTER counts");
    office.wait(Duration::from_secs(1));
    let sent = pushes(&mut office);
    let [(ticket, sleeper)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(
        (&*sleeper.provider, &*sleeper.prid, &*sleeper.param),
        ("fcm", "phone-one", "project")
    );
    answer(&mut office, *ticket, Answer::Pushed);
    office.receive(phone.flow, register(&phone, 3, PN, ";expires=600").wire());
    office.receive(phone.flow, register(&phone, 4, PN, ";expires=0").wire());
    office.wait(Duration::from_secs(1000));
    assert!(pushes(&mut office).is_empty(), "it is gone");
    // One that wakes up by itself needs nobody.
    office.receive(phone.flow, register(&phone, 5, PN, ";expires=600;+sip.pnsreg").wire());
    office.wait(Duration::from_secs(1000));
    assert!(pushes(&mut office).is_empty());
}
