//! `Watch`: a server that gets what is bad, and must go on as if nothing had been.

use offhook_tests::office::{Office, Phone, Sent, answers, settings, trusting};
use protocol::{Flow, Input};
use sip::Message;
use sip::stream::{Frame, Framer};

/// A house, somebody who means harm, and somebody who does not.
pub(crate) struct Watch {
    pub(crate) office: Office,
    good: Phone,
    served: u32,
    streams: u32,
}

/// Houses that ask who it is, and that do not: what the one refuses, the other looks at.
pub(crate) fn houses() -> [Watch; 2] {
    [settings(), trusting()].map(|settings| {
        let mut office = Office::new(settings);
        (101..104).for_each(|user| office.register(&Phone::udp(user)));
        Watch { office, good: Phone::udp(101), served: 0, streams: 0 }
    })
}

/// Feeds all of it to every house, as datagrams and on streams; each time a good request is served after it, and in the end nothing is
/// left.
pub(crate) fn one_bad_one_good<'a>(bad: impl IntoIterator<Item = (&'a str, Vec<u8>)> + Clone) {
    for mut watch in houses() {
        for (name, octets) in bad.clone() {
            watch.datagram(name, &octets);
            watch.stream(name, &octets);
        }
        watch.assert_nothing_is_left();
    }
}

impl Watch {
    /// A bad datagram: answered once at most (an INVITE is told 100 before), where it came from, and not by much more than it was (RELIABILITY R13).
    pub(crate) fn datagram(&mut self, name: &str, octets: &[u8]) -> Vec<Sent> {
        let mallory = Phone::udp(166);
        let sent = self.office.receive(mallory.flow, octets);
        let back: Vec<&Sent> = sent.iter().filter(|sent| !sent.message.is_request()).collect();
        let trying = |sent: &&&Sent| sent.message.status() == Some(sip::Status::TRYING);
        assert!(back.len() - back.iter().filter(trying).count() <= 1, "{name}: {back:?}");
        for answer in back {
            assert_eq!(answer.flow.peer.ip(), mallory.flow.peer.ip(), "{name}");
            let (answer, most) = (answer.message.wire().len(), octets.len() * 3 / 2 + 200);
            assert!(answer <= most, "{name}: {answer} octets for {}", octets.len());
        }
        assert!(
            Message::parse(octets.to_vec()).map_or(true, |message| message.is_request())
                || sent.is_empty(),
            "{name}: a response is answered"
        );
        self.good(name);
        sent
    }

    /// The same octets on a stream of their own, which ends with them.
    pub(crate) fn stream(&mut self, name: &str, octets: &[u8]) {
        self.streams += 1;
        let mut mallory = Phone::tcp(166, 1000 + self.streams);
        mallory.flow.peer.set_port(30_000);
        let mut framer = Framer::default();
        framer.push(octets);
        loop {
            match framer.cut() {
                Ok(Some(Frame::Message(message))) => {
                    drop(self.office.tell(Input::Received(mallory.flow, message)));
                }
                Ok(Some(Frame::Ping | Frame::Pong)) => {}
                Ok(None) => break,
                Err(malformed) => {
                    drop(self.office.tell(Input::Malformed(mallory.flow, malformed)));
                    break;
                }
            }
        }
        self.office.tell(Input::Failed(mallory.flow));
        self.good(name);
    }

    /// An ordinary request is served.
    pub(crate) fn good(&mut self, after: &str) {
        self.served += 1;
        let call = format!("good-{}", self.served);
        let request = self.good.request("OPTIONS", "sip:example.test").call(&call);
        let sent = self.office.converse(&self.good.clone(), &request);
        assert_eq!(answers(&sent, self.good.flow), [200], "not served after {after}");
    }

    /// Everything ends: no transaction, no request on its way.
    pub(crate) fn assert_nothing_is_left(&mut self) {
        self.office.wait(std::time::Duration::from_secs(600));
        let node = &self.office.node;
        assert_eq!((node.transactions(), node.forwarding()), (0, 0));
    }
}

/// A request of somebody who means harm, with more rows and a body.
pub(crate) fn request(method: &str, rows: &str, body: &str) -> Vec<u8> {
    with_head(method, "sip:102@example.test", rows, body)
}

/// The same for another Request-URI.
pub(crate) fn with_head(method: &str, uri: &str, rows: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.66:5060;branch=z9hG4bK{}\r\nMax-Forwards: 70\r\n\
         From: <sip:106@example.test>;tag=m\r\nTo: <sip:102@example.test>\r\nCall-ID: bad-{}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:106@198.51.100.66>\r\n{rows}Content-Length: {}\r\n\r\n{body}",
        rows.len() * 7 + body.len() + method.len(),
        rows.len() * 7 + body.len() + method.len(),
        body.len()
    )
    .into_bytes()
}

/// What a house makes of a request that asks nothing of it but to be read: the first message that it sends, if any.
pub(crate) fn status_of(sent: &[Sent]) -> Option<u16> {
    sent.first()?.message.status().map(sip::Status::code)
}

/// A flow of a datagram from a third address.
pub(crate) fn elsewhere() -> Flow {
    Flow { peer: std::net::SocketAddr::from(([203, 0, 113, 200], 5060)), ..Phone::udp(166).flow }
}
