//! A datagram: read, looked at from all sides, answered. Errors lie within it; reading again changes nothing.

use sip::header::{Contact, From, Via, rewrite};
use sip::{Body, Message, Name, Status, check};

/// Reads `octets` as a datagram.
pub fn run(octets: &[u8]) {
    let message = match Message::parse(octets.to_vec()) {
        Ok(message) => message,
        Err(bad) => return assert!(bad.error.at <= bad.wire.len(), "{bad} of {}", bad.wire.len()),
    };
    let again = Message::parse(message.wire().clone());
    assert!(again.is_ok_and(|again| again.all_rows().eq(message.all_rows())));
    if let Err(error) = check(&message) {
        assert!(error.at <= message.wire().len(), "{error}");
    }
    every_header(&message);
    if let Some(body) = message.content() {
        every_part(&body);
    }
    if message.is_request() {
        let reply = message.reply(Status::OK).wire();
        // Five headers of a head that may be as long as can be: with ours added, it may be too long.
        assert!(octets.len() > 60_000 || Message::parse(reply).is_ok());
    }
}

fn every_header(message: &Message) {
    for (name, ..) in Name::table() {
        for element in message.elements(name) {
            let _ = rewrite(name, element);
        }
    }
    for via in message.all::<Via<'_>>().flatten() {
        let _ = (via.received(), via.rport(), via.magic_branch(), via.sent_by().to_string());
    }
    for contact in message.all::<Contact<'_>>().flatten() {
        let _ = (contact.expires(), contact.q(), contact.address().map(|address| address.parsed()));
    }
    if let Some(from) = message.get::<From<'_>>() {
        let _ = (from.tag(), from.display_text(), from.parsed());
    }
}

fn every_part(body: &Body<'_>) {
    let _ = (body.media(), body.disposition(), body.handling(), body.named("Content-ID"));
    let _ = body.not_understood(&|body| body.is("application", "sdp"));
    let _ = body.find("application", "sdp");
    for part in body.parts().ok().flatten().unwrap_or_default() {
        assert!(part.octets().len() <= body.octets().len());
        every_part(&part);
    }
}
