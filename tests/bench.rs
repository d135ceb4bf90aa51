//! `Bench`: all transactions of one element on a virtual clock, without a user above and a network below.

use machine::{Dice, Time};
use protocol::doors::Output;
use protocol::transaction::{ClientId, ServerId, Timers, Up};
use protocol::{Flow, Identity, Transactions, Transport};
use sip::{Bytes, Draft, Message, Status};

/// Transactions, the flow by which everything comes and goes, and what was sent.
pub struct Bench {
    /// The transactions.
    pub all: Transactions,
    /// The flow.
    pub flow: Flow,
    /// What was sent, and not looked at yet.
    pub out: Vec<Output>,
}

/// So many milliseconds after the beginning.
pub const fn ms(millis: u64) -> Time {
    Time(millis * 1_000_000)
}

/// Reads a message; the test ends when it is none.
pub fn message(wire: &str) -> Message {
    Message::parse(wire.to_owned()).unwrap()
}

/// A request of 192.0.2.1, which the sent-by of its Via names.
pub fn request(method: &str) -> Message {
    message(&format!(
        "{method} sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa\r\nFrom: <sip:a@h>;tag=1\r\n\
         To: <sip:b@h>\r\nCall-ID: x\r\nCSeq: 7 {method}\r\n\r\n"
    ))
}

/// The answer to [`request`].
pub fn answer(method: &str, status: u16) -> Message {
    let status = Status::new(status).unwrap();
    Message::parse(Draft::reply_tagged(&request(method), status, "x", "t").wire()).unwrap()
}

impl Bench {
    /// Nothing yet; the peer is 192.0.2.1:5060.
    pub fn new(transport: Transport, timers: Timers) -> Self {
        let peer = "192.0.2.1:5060".parse().unwrap();
        let connection = u32::from(transport.is_reliable());
        let flow = Flow { transport, listener: 0, connection, peer, identity: Identity::NONE };
        let all = Transactions::new(timers, &mut Dice::new(1));
        Self { all, flow, out: Vec::new() }
    }

    /// Takes what was sent.
    pub fn sent(&mut self) -> Vec<(Flow, Bytes)> {
        let sent = |output| match output {
            Output::Send(flow, wire) => Some((flow, wire)),
            _ => None,
        };
        self.out.drain(..).filter_map(sent).collect()
    }

    /// Takes the first lines of what was sent.
    pub fn lines(&mut self) -> Vec<String> {
        let line = |(_, wire): (Flow, Bytes)| {
            String::from_utf8_lossy(&wire).lines().next().unwrap_or_default().to_owned()
        };
        self.sent().into_iter().map(line).collect()
    }

    /// Begins a client transaction at 0.
    pub fn begin(&mut self, method: &str) -> ClientId {
        self.all.request(ms(0), self.flow, request(method), &mut self.out)
    }

    /// A message comes.
    pub fn hear(&mut self, at: u64, message: Message) -> Option<Up> {
        self.all.receive(ms(at), self.flow, message, &mut self.out)
    }

    /// A request comes at 0 and begins a server transaction.
    pub fn come(&mut self, method: &str) -> ServerId {
        match self.hear(0, request(method)) {
            Some(Up::Request(id, ..)) => id,
            other => panic!("{other:?}"),
        }
    }

    /// The user answers it.
    pub fn say(&mut self, at: u64, id: ServerId, method: &str, status: u16) {
        self.all.respond(ms(at), id, answer(method, status).wire().clone(), &mut self.out);
    }

    /// Lives until nothing is due: the milliseconds at which something was sent, and what went up.
    pub fn live(&mut self) -> (Vec<u128>, Vec<Up>) {
        let (mut moments, mut up) = (Vec::new(), Vec::new());
        while let Some(at) = self.all.deadline() {
            self.all.wake(at, &mut self.out, &mut up);
            moments.extend(self.out.drain(..).map(|_| (at - ms(0)).as_millis()));
        }
        (moments, up)
    }
}
