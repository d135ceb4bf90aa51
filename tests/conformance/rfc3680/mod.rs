//! An event package for registrations: a user watches what its phones register. The tests of RFC 6665 use it, too.

use offhook_tests::office::{
    Office, Phone, Request, Sent, answers, reply, requests, rows, trusting,
};
use sip::Name;

mod section_4;
mod section_5;

/// A SUBSCRIBE of a phone to its own registrations.
pub(crate) fn subscribe(phone: &Phone, rows: &str) -> Request {
    let mut request = phone.request("SUBSCRIBE", &format!("sip:{}@example.test", phone.user));
    request.call_id = format!("subscription-of-{}", phone.user);
    let request = request.row("Event: reg").row(&format!("Contact: <{}>", phone.contact()));
    request.row(format!("Accept: application/reginfo+xml\r\n{rows}").trim_end())
}

/// A watcher: its phone, and its dialog.
pub(crate) struct Watcher {
    pub(crate) phone: Phone,
    pub(crate) dialog: Request,
    /// The latest NOTIFY.
    pub(crate) last: Sent,
}

impl Watcher {
    /// Phone 101 watches its registrations for an hour, and has answered the first NOTIFY.
    pub(crate) fn new(office: &mut Office) -> Self {
        let phone = Phone::udp(101);
        let request = subscribe(&phone, "Expires: 3600");
        let sent = office.receive(phone.flow, request.wire());
        assert_eq!(answers(&sent, phone.flow), [200], "{sent:?}");
        let mut dialog = request.again();
        dialog.to = rows(&sent, Name::To).remove(0);
        let contact = rows(&sent, Name::Contact).remove(0);
        dialog.uri = contact.trim_matches(['<', '>']).to_owned();
        let last = requests(&sent, "NOTIFY").remove(0);
        let watcher = Self { phone, dialog, last };
        watcher.answer(office, 200);
        watcher
    }

    /// Answers the latest NOTIFY.
    pub(crate) fn answer(&self, office: &mut Office, code: u16) -> Vec<Sent> {
        office.receive(self.phone.flow, reply(&self.last.message, code, ""))
    }

    /// Takes the one NOTIFY of what was sent, and answers it; its body.
    pub(crate) fn hear(&mut self, office: &mut Office, sent: &[Sent]) -> String {
        self.last = requests(sent, "NOTIFY").pop().expect("a NOTIFY");
        self.answer(office, 200);
        body(&self.last)
    }

    /// Says something within the subscription.
    pub(crate) fn say(&mut self, office: &mut Office, expires: u32) -> Vec<Sent> {
        self.dialog = self.dialog.again();
        self.dialog.rows = self.dialog.rows.replace("Expires: 3600\r\n", "");
        let request = self.dialog.clone().row(&format!("Expires: {expires}"));
        office.receive(self.phone.flow, request.wire())
    }
}

/// The body of a message.
pub(crate) fn body(sent: &Sent) -> String {
    String::from_utf8_lossy(sent.message.body()).into_owned()
}

/// What stands in an attribute of the first element of that name.
pub(crate) fn attribute(body: &str, element: &str, name: &str) -> String {
    let from = body.split(&format!("<{element} ")).nth(1).unwrap_or_else(|| panic!("{body}"));
    let tag = from.split('>').next().unwrap();
    let tag = format!(" {tag}");
    let value = tag.split(&format!(" {name}=\"")).nth(1).unwrap_or_else(|| panic!("{name}: {tag}"));
    value.split('"').next().unwrap().to_owned()
}

/// A house that trusts everybody.
pub(crate) fn office() -> Office {
    Office::new(trusting())
}
