//! §6, §7, §9: in registrations.

use offhook_tests::office::{Office, Phone, rows, status};
use sip::Name;

/// "when a registrar returns a 200 OK response to a REGISTER request, each Contact header field value MUST include all of the feature parameters
/// associated with that URI"; they go when a refresh leaves them out.
/// Proves: rfc3840-6-5.
#[test]
fn what_a_phone_says_of_itself_comes_back_with_its_address() {
    let (mut office, phone) = (Office::default(), Phone::udp(101));
    let features = [
        "audio",
        "methods=\"INVITE,BYE,OPTIONS\"",
        "+sip.message=\"TRUE\"",
        "mobility=\"fixed\"",
        "+u.x=\"#<=5\"",
    ];
    let mut said = |cseq: u32, contact: String| {
        let mut request = phone.register(&format!("Contact: {contact}\r\n"));
        request.cseq = cseq;
        request.branch += &cseq.to_string();
        let sent = office.converse(&phone, &request);
        assert_eq!(status(&sent), 200);
        rows(&sent, Name::Contact).concat()
    };
    let at = format!("<{}>", phone.contact());
    let kept = said(10, format!("{at};{}", features.join(";")));
    assert!(features.iter().all(|feature| kept.contains(feature)), "{kept}");
    let kept = said(20, at);
    assert!(!features.iter().any(|feature| kept.contains(feature)), "{kept}");
}
