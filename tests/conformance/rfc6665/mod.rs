//! SIP-specific event notification, as our notifiers keep it: shown with the registrar's own package, `reg`.

mod section_4_1;
mod section_4_1_3;
mod section_4_2;
mod section_4_4;
mod section_4_5;

/// A NOTIFY of Bob's for a SUBSCRIBE of the phone's: event and state, type and body. An empty state is not said.
pub(crate) fn notify(
    subscribe: &sip::Message,
    number: u32,
    (event, state): (&str, &str),
    (kind, body): (&str, &str),
) -> sip::Message {
    use sip::Name;
    let row = |name| crate::handset::rows(subscribe, name).concat();
    let state = match state {
        "" => String::new(),
        state => format!("Subscription-State: {state}\r\n"),
    };
    let kind = match kind {
        "" => String::new(),
        kind => format!("Content-Type: {kind}\r\n"),
    };
    let (to, from) = (row(Name::From), row(Name::To));
    let branch = crate::handset::number(subscribe);
    let wire = format!(
        "NOTIFY sip:alice@{} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKn{branch}{number}{}\r\nMax-Forwards: 70\r\nFrom: {from};tag=n\r\n\
         To: {to}\r\nCall-ID: {}\r\nCSeq: {number} NOTIFY\r\nContact: <sip:bob@192.0.2.9>\r\nEvent: {event}\r\n{state}{kind}\r\n{body}",
        crate::handset::HOME,
        crate::handset::PEER,
        row(Name::CallId),
        row(Name::CallId),
    );
    sip::Message::parse(wire).unwrap()
}
