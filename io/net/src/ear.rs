//! `Ear`: requests on streams that are not even read while there is far too much to do. Nobody repeats what a stream has carried, so any will
//! do, and whoever sent one hears nothing of it (RFC 3261 §21.5.4: "MAY … drop the request").

use protocol::doors::Deafness;
use protocol::load::{PARTS, registers};
use sip::stream::Plain;

/// What is left out.
#[derive(Debug, Default)]
pub(crate) struct Ear {
    deafness: Deafness,
    /// What is still to be left out, in parts of one.
    owed: u16,
    /// How many were left out, for whoever counts them.
    pub left_out: usize,
    /// Whom it hears now.
    pub speaker: Speaker,
}

/// Who has a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// Anybody.
    #[default]
    Stranger,
    /// A phone that has registered by it: when it renews that, it is heard.
    Phone,
}

impl Ear {
    /// So many of those that begin something are left out from now on.
    pub(crate) fn set(&mut self, deafness: Deafness) {
        self.deafness = deafness;
    }

    /// True when any are.
    pub(crate) const fn is_deaf(&self) -> bool {
        self.deafness.share > 0
    }

    /// Is this message left out? Its head says what it is, and all of it is there.
    pub(crate) fn leaves_out(&mut self, plain: &Plain<'_>) -> bool {
        let renews = self.speaker == Speaker::Phone && registers(plain.head());
        if renews || !self.deafness.concerns(plain) {
            return false;
        }
        self.owed += self.deafness.share.min(PARTS);
        let out = self.owed >= PARTS;
        self.owed %= PARTS;
        self.left_out += usize::from(out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:a@h SIP/2.0\r\nTo: <sip:a@h>\r\nTimestamp: 1;tag=2\r\n\r\n";

    /// How many of so many are left out.
    fn out(ear: &mut Ear, head: &str, of: usize) -> usize {
        let head = head.replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n");
        let plain = Plain::of(head.as_bytes());
        let plain = plain.as_ref();
        (0..of).filter(|_| plain.is_some_and(|plain| ear.leaves_out(plain))).count()
    }

    #[test]
    fn as_many_are_left_out_as_the_share_says_and_what_goes_on_with_something_is_not() {
        let mut ear = Ear::default();
        assert_eq!(out(&mut ear, INVITE, 100), 0);
        let spared: Box<[Box<str>]> = ["112".into()].into();
        ear.set(Deafness { share: 768, key: 1, spared, room: None });
        assert_eq!(out(&mut ear, INVITE, 1000), 750);
        for passes in [
            "INVITE sip:112@h SIP/2.0\r\n\r\n",
            "INVITE sips:112@h SIP/2.0\r\n\r\n",
            "INVITE SIP:112@h SIP/2.0\r\n\r\n",
            "INVITE sip:112;phone-context=x@h SIP/2.0\r\n\r\n",
            "INVITE sip:%31%31%32@h SIP/2.0\r\n\r\n",
            "INVITE tel:112 SIP/2.0\r\n\r\n",
            "INVITE urn:service:sos SIP/2.0\r\n\r\n",
            "INVITE URN:service:sos SIP/2.0\r\n\r\n",
            "INVITE sip:a@h SIP/2.0\r\nroute: <sip:b;lr>\r\n\r\n",
            "REGISTER sip:h SIP/2.0\r\nAuthorization: Digest x\r\n\r\n",
            "INVITE sip:a@h SIP/2.0\r\nProxy-Authorization: Digest x\r\n\r\n",
            "NOTIFY sip:a@h SIP/2.0\r\nTo: <sip:a@h>;tag=1\r\n\r\n",
            "NOTIFY sip:a@h SIP/2.0\r\nt:<sip:a@h>;tag=1\r\n\r\n",
            "NOTIFY sip:a@h SIP/2.0\r\nTo : <sip:a@h>;TAG=1\r\n\r\n",
            "NOTIFY sip:a@h SIP/2.0\r\nTo: <sip:a@h>\r\n ;tag=1\r\n\r\n",
            "BYE sip:a@h SIP/2.0\r\n\r\n",
            "SIP/2.0 200 OK\r\n\r\n",
        ] {
            assert_eq!(out(&mut ear, passes, 1000), 0, "{passes}");
        }
        assert_eq!(out(&mut ear, "INVITE sip:1123@h SIP/2.0\r\n\r\n", 4), 3);
        ear.speaker = Speaker::Phone;
        assert_eq!(out(&mut ear, "REGISTER sip:h SIP/2.0\r\n\r\n", 4), 0);
        assert_eq!(out(&mut ear, INVITE, 4), 3, "that begins something new");
    }
}
