//! Managing Client-Initiated Connections (Outbound).

use offhook_tests::office::{Office, Phone, Sent, rows, status};
use protocol::Flow;
use sip::Name;

mod section_4;
mod section_5;
mod section_6;
mod section_7;

/// A REGISTER over one flow of a phone that has several.
fn register(phone: &Phone, flow: (u32, u32), rows: &str) -> String {
    let (reg_id, cseq) = flow;
    let contact = format!(
        "Contact: <{};ob>;+sip.instance=\"<urn:uuid:{}>\";reg-id={reg_id}",
        phone.contact(),
        phone.user
    );
    let mut request = phone.register("Supported: path, outbound\r\n").row(&contact);
    request.rows += rows;
    request.call_id += &format!("-{reg_id}");
    request.cseq = cseq;
    request.branch += &format!("-{reg_id}-{cseq}");
    request.wire()
}

/// A phone with two flows: TCP connections 7 and 8 of phone 102, the second registered last.
fn two_flows(office: &mut Office) -> [Phone; 2] {
    [(1, 7), (2, 8)].map(|(reg_id, connection)| {
        let phone = Phone::tcp(102, connection);
        let sent = office.receive(phone.flow, register(&phone, (reg_id, 1), ""));
        assert_eq!(status(&sent), 200);
        phone
    })
}

/// The Contacts of a 200.
fn contacts(sent: &[Sent]) -> Vec<String> {
    rows(sent, Name::Contact)
}

/// Where the INVITEs among what was sent went.
fn invited(sent: &[Sent]) -> Vec<Flow> {
    offhook_tests::office::requests(sent, "INVITE").iter().map(|sent| sent.flow).collect()
}
