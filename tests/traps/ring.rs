//! `Ring`: 101 calls 102, whose phones ring. Where many of these tests begin.

use offhook_tests::office::{Office, Phone, Request, Sent, reply, requests, rows, trusting};
use sip::Name;

/// A call on its way.
pub(crate) struct Ring {
    pub(crate) office: Office,
    pub(crate) alice: Phone,
    pub(crate) invite: Request,
    /// What each of 102's phones has got.
    pub(crate) copies: Vec<Sent>,
}

/// One phone.
pub(crate) const ONE: &str = "<sip:a@198.51.100.21>";
/// Two that ring together.
pub(crate) const TWO: &str = "<sip:a@198.51.100.21>, <sip:b@198.51.100.22>";
/// Three that ring together.
pub(crate) const THREE: &str =
    "<sip:a@198.51.100.21>, <sip:b@198.51.100.22>, <sip:c@198.51.100.23>";

impl Ring {
    /// 102 has these phones.
    pub(crate) fn at(contacts: &str) -> Self {
        let mut office = Office::new(trusting());
        let (alice, bob) = (Phone::udp(101), Phone::udp(102));
        office.register_at(&bob, contacts);
        let invite = alice.invite("sip:102@example.test");
        let copies = requests(&office.receive(alice.flow, invite.wire()), "INVITE");
        Self { office, alice, invite, copies }
    }

    /// One of 102's phones answers; what is sent then.
    pub(crate) fn answer(&mut self, phone: usize, code: u16) -> Vec<Sent> {
        self.say(phone, code, "")
    }

    /// The same with more rows.
    pub(crate) fn say(&mut self, phone: usize, code: u16, rows: &str) -> Vec<Sent> {
        let copy = &self.copies[phone];
        self.office.receive(copy.flow, reply(&copy.message, code, rows))
    }

    /// The caller hangs up.
    pub(crate) fn cancel(&mut self) -> Vec<Sent> {
        let mut cancel = self.invite.clone();
        cancel.method = "CANCEL".into();
        (cancel.rows, cancel.body) = (String::new(), String::new());
        self.office.receive(self.alice.flow, cancel.wire())
    }

    /// Long enough for everything to be over; then nothing is left.
    pub(crate) fn assert_nothing_is_left(&mut self) {
        self.office.wait(std::time::Duration::from_secs(600));
        let node = &self.office.node;
        assert_eq!((node.transactions(), node.forwarding()), (0, 0));
    }
}

/// The top Via of a message.
pub(crate) fn via(sent: &Sent) -> String {
    rows(std::slice::from_ref(sent), Name::Via).remove(0)
}

/// The branch of a message.
pub(crate) fn branch(sent: &Sent) -> String {
    via(sent).split("branch=").nth(1).unwrap().split(';').next().unwrap().to_owned()
}
