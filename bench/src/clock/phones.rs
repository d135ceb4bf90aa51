//! What phones say: each has been here before.

use std::ops::Range;

use machine::Dice;
use protocol::auth::{Algorithm, Asked, Ha1, Qop, response};
use sip::{Bytes, Message, Name};

/// Their numbers.
pub(crate) const NUMBERS: Range<u32> = 100_000..200_000;

/// All phones, and how often each has come.
pub(crate) struct Phones {
    dice: Dice,
    came: Vec<u32>,
    calls: u64,
    /// Who comes next for the first time.
    next: Range<u32>,
}

impl Phones {
    pub(crate) fn new(dice: Dice) -> Self {
        Self { dice, came: vec![0; NUMBERS.len()], calls: 0, next: NUMBERS }
    }

    /// The first REGISTERs of so many, as long as there is anybody.
    pub(crate) fn next(&mut self, many: u64) -> Option<Vec<Bytes>> {
        let some: Vec<_> = (0..many).map_while(|_| self.next.next()).collect();
        let wires: Vec<_> = some.into_iter().map(|phone| self.register(phone, "")).collect();
        (!wires.is_empty()).then_some(wires)
    }

    /// Somebody who is here already comes again.
    pub(crate) fn again(&mut self) -> Bytes {
        self.ask().1
    }

    /// The same, and its number.
    pub(crate) fn ask(&mut self) -> (u32, Bytes) {
        let phone = NUMBERS.start + self.dice.below(self.came.len() as u64) as u32;
        (phone, self.register(phone, ""))
    }

    /// It proves who it is.
    pub(crate) fn prove(&mut self, phone: u32, challenge: &Bytes) -> Bytes {
        let user = phone.to_string();
        let ha1 = Ha1::of(Algorithm::Md5, &user, "example.test", "secret");
        let text = std::str::from_utf8(challenge).unwrap_or_default();
        let nonce = text.split_once("nonce=\"").and_then(|(_, rest)| rest.split_once('"'));
        let nonce = nonce.map_or("", |(nonce, _)| nonce);
        let asked = Asked {
            algorithm: Algorithm::Md5,
            session: false,
            method: "REGISTER",
            uri: "sip:example.test",
            nonce,
            nc: "00000001",
            cnonce: "c",
            qop: Qop::Auth,
        };
        let row = format!(
            "Authorization: Digest username=\"{user}\", realm=\"example.test\", nonce=\"{nonce}\", uri=\"sip:example.test\", \
             response=\"{}\", algorithm=MD5, cnonce=\"c\", qop=auth, nc=00000001\r\n",
            response(&ha1, &asked)
        );
        self.register(phone, &row)
    }

    /// A call to somebody who is elsewhere, by its number.
    pub(crate) fn invite(&mut self) -> (u64, Bytes) {
        self.calls += 1;
        (self.calls, about("INVITE", self.calls, b"<sip:away@example.test>"))
    }

    fn register(&mut self, phone: u32, rows: &str) -> Bytes {
        let (mut cseq, user) = (0, phone);
        if let Some(came) = self.came.get_mut((phone - NUMBERS.start) as usize) {
            *came += 1;
            cseq = *came;
        }
        format!(
            "REGISTER sip:example.test SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.2:5060;branch=z9hG4bK{user}.{cseq};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@example.test>;tag=f{user}\r\nTo: <sip:{user}@example.test>\r\n\
             Call-ID: {user}-4711@198.51.100.2\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:{user}@198.51.100.2:5060>\r\n\
             Expires: 3600\r\nUser-Agent: Phone 1.0\r\n{rows}Content-Length: 0\r\n\r\n"
        )
        .into()
    }
}

/// The ACK of a refusal.
pub(crate) fn ack(call: u64, refusal: &Bytes) -> Bytes {
    let refusal = Message::parse(refusal.clone()).ok();
    let to = refusal.as_ref().and_then(|refusal| refusal.rows(Name::To).next());
    about("ACK", call, to.unwrap_or_default())
}

fn about(method: &str, call: u64, to: &[u8]) -> Bytes {
    let to = String::from_utf8_lossy(to);
    format!(
        "{method} sip:away@example.test SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.2:5060;branch=z9hG4bKcall{call};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:100101@example.test>;tag=f{call}\r\nTo: {to}\r\n\
         Call-ID: {call}-0815@198.51.100.2\r\nCSeq: 1 {method}\r\nContact: <sip:100101@198.51.100.2:5060>\r\n\
         User-Agent: Phone 1.0\r\nContent-Length: 0\r\n\r\n"
    )
    .into()
}
