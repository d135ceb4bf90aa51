//! Globally Routable User Agent URIs (GRUU).

use std::time::Duration;

use offhook_tests::office::{Office, Phone, Request, Sent, requests, rows, status};
use sip::Name;

mod section_4;
mod section_5;
mod section_5_4;
mod section_6;

/// A REGISTER of a phone that wants GRUUs.
fn register(phone: &Phone, instance: &str, cseq: u32) -> Request {
    let contact = format!("Contact: <{}>;+sip.instance=\"<urn:uuid:{instance}>\"", phone.contact());
    let mut request = phone.register("Supported: gruu\r\n").row(&contact);
    request.call_id += instance;
    request.cseq = cseq;
    request.branch += &format!("-{instance}-{cseq}");
    request
}

/// What a 200 says of a phone: its public and its temporary GRUU.
fn gruus(sent: &[Sent], instance: &str) -> (String, String) {
    assert_eq!(status(sent), 200, "{sent:?}");
    let row = rows(sent, Name::Contact).into_iter().find(|row| row.contains(instance)).unwrap();
    let part = |name: &str| {
        let quoted = row.split(&format!(";{name}=\"")).nth(1).unwrap();
        quoted.split('"').next().unwrap().to_owned()
    };
    (part("pub-gruu"), part("temp-gruu"))
}

/// Registers a phone; its GRUUs.
fn sign_on(office: &mut Office, phone: &Phone, instance: &str, cseq: u32) -> (String, String) {
    gruus(&office.receive(phone.flow, register(phone, instance, cseq).wire()), instance)
}

/// What comes of a call to a URI: where it rings, or the last answer.
fn call(office: &mut Office, uri: &str) -> Result<Vec<String>, u16> {
    let caller = Phone::udp(103);
    // So that no two calls are one.
    office.wait(Duration::from_millis(1));
    let name = format!("{uri}-{}", office.now.0);
    let sent = office.receive(caller.flow, caller.invite(uri).call(&name).wire());
    let rung = requests(&sent, "INVITE");
    if rung.is_empty() {
        return Err(offhook_tests::office::answers(&sent, caller.flow).pop().unwrap());
    }
    Ok(rung.iter().map(|ring| ring.flow.peer.ip().to_string()).collect())
}
