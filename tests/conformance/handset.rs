//! A phone on the test bench: told messages by hand, in virtual time, by a peer that we are.

use std::net::SocketAddr;
use std::time::Duration;

use machine::{Dice, Machine as _, Time};
use media::Silence;
use phone::{Account, Call, Phone, PhoneEvent};
use protocol::doors::{Answer, Event, Input, Output, Question, Socket};
use protocol::{Flow, Identity, Listener, Transport};
use sip::header::{CSeq, To};
use sip::{Draft, Header as _, Message, Method, Name, Status};

/// Where the phone is.
pub(crate) const HOME: &str = "192.0.2.1:5060";
/// Where we are: the other side, and its server.
pub(crate) const PEER: &str = "192.0.2.9:5060";

/// An offer or an answer that the phone can take.
pub(crate) const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n\
                              m=audio 4000 RTP/AVP 8 0\r\n";

pub(crate) struct Bench {
    pub(crate) phone: Phone,
    pub(crate) now: Time,
    /// What the phone has sent, and when, in milliseconds since it was switched on.
    sent: Vec<(u64, Flow, Message)>,
    events: Vec<PhoneEvent>,
    questions: Vec<Question>,
    /// Signs of life, and when.
    signs: Vec<(u64, Flow, Vec<u8>)>,
    /// Where media went, and what.
    media: Vec<(SocketAddr, Vec<u8>)>,
    /// Ways that the phone wants no more.
    left: Vec<Flow>,
    sockets: u32,
    branch: u32,
}

const START: Time = Time(1_700_000_000_000_000_000);

impl Bench {
    /// A phone of Alice's, that speaks UDP and TCP, with its server here.
    pub(crate) fn new() -> Self {
        Self::with(account().server("192.0.2.9").unwrap())
    }

    pub(crate) fn with(account: Account) -> Self {
        let at: SocketAddr = HOME.parse().unwrap();
        Self::on(
            account,
            vec![Listener::new(0, Transport::Udp, at), Listener::new(1, Transport::Tcp, at)],
        )
    }

    /// The same, with other ways out.
    pub(crate) fn on(account: Account, listeners: Vec<Listener>) -> Self {
        let phone = Phone::new(account, listeners, Dice::new(7));
        let (sent, events, questions) = (Vec::new(), Vec::new(), Vec::new());
        let (signs, left) = (Vec::new(), Vec::new());
        Self {
            phone,
            now: START,
            sent,
            events,
            questions,
            signs,
            left,
            sockets: 0,
            branch: 0,
            media: Vec::new(),
        }
    }

    pub(crate) fn millis(&self) -> u64 {
        u64::try_from((self.now - START).as_millis()).unwrap()
    }

    /// Does something with the phone, and keeps what it says.
    pub(crate) fn act<R>(
        &mut self,
        deed: impl FnOnce(&mut Phone, Time, &mut Vec<Output>) -> R,
    ) -> R {
        let mut out = Vec::new();
        let done = deed(&mut self.phone, self.now, &mut out);
        self.keep(out);
        done
    }

    fn keep(&mut self, out: Vec<Output>) {
        for output in out {
            match output {
                // A keep-alive is no message (RFC 5626 §4.4).
                Output::Send(flow, octets)
                    if octets.trim_ascii().is_empty() || stun::looks_like_stun(&octets) =>
                {
                    self.signs.push((self.millis(), flow, octets.to_vec()));
                }
                Output::Send(flow, octets) => {
                    self.sent.push((self.millis(), flow, Message::parse(octets).unwrap()));
                }
                Output::Report(Event::Phone(event)) => self.events.push(event),
                Output::Ask(ticket, Question::MediaSockets) => {
                    let at = |port| SocketAddr::new("192.0.2.1".parse().unwrap(), port);
                    self.sockets += 2;
                    let port = 20_000 + u16::try_from(self.sockets).unwrap();
                    let rtp = (Socket(self.sockets), at(port));
                    let rtcp = (Socket(self.sockets + 1), at(port + 1));
                    self.input(Input::Answered(ticket, Answer::MediaSockets { rtp, rtcp }));
                }
                Output::Ask(_, question) => self.questions.push(question),
                Output::Media(_, to, octets) => self.media.push((to, octets.to_vec())),
                Output::Introduce(_) | Output::Alias(..) | Output::Vouch(_) => {}
                Output::Leave(flow) => self.left.push(flow),
                Output::Tell(..) | Output::Warn(_) | Output::Announce(_) | Output::Report(_) => {}
                Output::Caution(_) | Output::Bar(..) | Output::Unbar(_) | Output::Deafen(_) => {}
            }
        }
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.act(|phone, now, out| phone.handle(now, input, out));
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(due) = self.phone.deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.act(|phone, now, out| phone.wake(now, out));
        }
        self.now = end;
    }

    /// The phone gets a message by UDP.
    pub(crate) fn tell(&mut self, message: Message) {
        self.input(Input::Received(flow(Transport::Udp), message));
    }

    /// What was sent since the last look.
    pub(crate) fn sent(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.sent).into_iter().map(|(.., message)| message).collect()
    }

    /// The same, with times and ways.
    pub(crate) fn sent_with_times(&mut self) -> Vec<(u64, Flow, Message)> {
        std::mem::take(&mut self.sent)
    }

    /// The only message that was sent since the last look.
    pub(crate) fn only(&mut self) -> Message {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{:?}", titles(&sent));
        sent.remove(0)
    }

    /// What was sent since the last look, in a word each.
    pub(crate) fn titles(&mut self) -> Vec<String> {
        titles(&self.sent())
    }

    /// What the phone told its program since the last look.
    pub(crate) fn events(&mut self) -> Vec<PhoneEvent> {
        std::mem::take(&mut self.events)
    }

    /// Signs of life since the last look: when, by which way, and what.
    pub(crate) fn signs(&mut self) -> Vec<(u64, Flow, Vec<u8>)> {
        std::mem::take(&mut self.signs)
    }

    /// Ways that the phone has closed since the last look.
    /// The media that was sent since the last look: where, and what.
    pub(crate) fn media(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        std::mem::take(&mut self.media)
    }

    pub(crate) fn left(&mut self) -> Vec<Flow> {
        std::mem::take(&mut self.left)
    }

    pub(crate) fn questions(&mut self) -> Vec<Question> {
        std::mem::take(&mut self.questions)
    }

    /// How the call ended: the status.
    pub(crate) fn ended(&mut self) -> Option<u16> {
        self.events().into_iter().find_map(|event| match event {
            PhoneEvent::Ended { status, .. } => Some(status),
            _ => None,
        })
    }

    /// The call that has just come in.
    pub(crate) fn incoming(&mut self) -> Call {
        let call = self.events().into_iter().find_map(|event| match event {
            PhoneEvent::Incoming { call, .. } => Some(call),
            _ => None,
        });
        call.unwrap()
    }

    /// Alice calls Bob: the call, and the INVITE.
    pub(crate) fn calls(&mut self, target: &str) -> (Call, Message) {
        let call =
            self.act(|phone, now, out| phone.call(now, target, Box::new(Silence), out)).unwrap();
        (call, self.only())
    }

    pub(crate) fn hang_up(&mut self, call: Call) {
        self.act(|phone, now, out| phone.hang_up(now, call, out)).unwrap();
    }

    pub(crate) fn answer(&mut self, call: Call) {
        self.act(|phone, now, out| phone.answer(now, call, Box::new(Silence), out)).unwrap();
    }

    pub(crate) fn ring(&mut self, call: Call) {
        self.act(|phone, now, out| phone.ring(now, call, out)).unwrap();
    }

    pub(crate) fn hold(&mut self, call: Call) {
        self.act(|phone, now, out| phone.hold(now, call, out)).unwrap();
    }

    /// A call of Alice's that Bob has picked up: the call, the INVITE, the ACK.
    pub(crate) fn up(&mut self) -> (Call, Message, Message) {
        let (call, invite) = self.calls("sip:bob@biloxi.example");
        self.tell(picked_up(&invite));
        let ack = self.only();
        assert_eq!(ack.method(), Some(Method::Ack));
        (call, invite, ack)
    }

    /// A call of Bob's that Alice has picked up and that was acknowledged: the call, the INVITE, the 200.
    pub(crate) fn taken(&mut self) -> (Call, Message, Message) {
        let invite = self.request("INVITE", "", SDP);
        self.tell(invite.clone());
        let call = self.incoming();
        self.answer(call);
        let ok = self.only();
        self.tell(within(&ok, "ACK", 1, "", ""));
        (call, invite, ok)
    }

    /// A request of Bob's outside of a dialog, with more rows and a body.
    pub(crate) fn request(&mut self, method: &str, rows: &str, body: &str) -> Message {
        self.branch += 1;
        let branch = self.branch;
        let told = body.is_empty() || rows.contains("Content-Type");
        let kind = if told { "" } else { "Content-Type: application/sdp\r\n" };
        let wire = format!(
            "{method} sip:alice@{HOME} SIP/2.0\r\nVia: SIP/2.0/UDP {PEER};branch=z9hG4bKp{branch}\r\n\
             Max-Forwards: 70\r\nFrom: \"Bob\" <sip:bob@biloxi.example>;tag=b1\r\nTo: <sip:alice@atlanta.example>\r\n\
             Call-ID: c{branch}@peer\r\nCSeq: 1 {method}\r\nContact: <sip:bob@{PEER}>\r\n{kind}{rows}\r\n{body}"
        );
        Message::parse(wire).unwrap()
    }
}

/// Alice's account, without a server.
pub(crate) fn account() -> Account {
    Account::new("sip:alice@atlanta.example").unwrap().password("secret")
}

/// The way between us and the phone.
pub(crate) fn flow(transport: Transport) -> Flow {
    let listener = u16::from(transport == Transport::Tcp);
    Flow {
        transport,
        listener,
        connection: u32::from(listener),
        peer: PEER.parse().unwrap(),
        identity: Identity::NONE,
    }
}

/// What messages are, in a word each: `INVITE`, `200`.
pub(crate) fn titles(messages: &[Message]) -> Vec<String> {
    messages
        .iter()
        .map(|message| match message.method() {
            Some(method) => method.to_string(),
            None => message.status().unwrap().code().to_string(),
        })
        .collect()
}

/// The answer to a request of the phone's, with this To tag, more rows, a body.
pub(crate) fn reply(
    request: &Message,
    status: u16,
    tag: &str,
    (rows, body): (&str, &str),
) -> Message {
    let status = Status::new(status).unwrap();
    let draft = if tag.is_empty() {
        Draft::reply(request, status)
    } else {
        Draft::reply_tagged(request, status, "X", tag)
    };
    let draft = rows.lines().fold(draft, |draft, row| {
        let (name, value) = row.split_once(": ").unwrap();
        draft.named(name, value.as_bytes())
    });
    let draft =
        if body.is_empty() { draft } else { draft.body("application/sdp", body.as_bytes()) };
    Message::parse(draft.wire()).unwrap()
}

/// Bob picks up: a 200 with his tag, Contact, and an answer.
pub(crate) fn picked_up(invite: &Message) -> Message {
    reply(invite, 200, "bob", ("Contact: <sip:bob@192.0.2.9>", SDP))
}

/// A request of Bob's within the dialog that an answer of the phone's has made.
pub(crate) fn within(
    answer: &Message,
    method: &str,
    number: u32,
    rows: &str,
    body: &str,
) -> Message {
    let to = answer.get::<To<'_>>().unwrap().text();
    dialog_request(
        (&to, "<sip:bob@biloxi.example>;tag=b1"),
        answer.call_id(),
        (method, number),
        (rows, body),
    )
}

/// A request of Bob's within the dialog that his answer to the phone's INVITE has made.
pub(crate) fn back(ack: &Message, method: &str, number: u32, rows: &str, body: &str) -> Message {
    let to = ack.get::<sip::header::From<'_>>().unwrap().text();
    let from = ack.get::<To<'_>>().unwrap().text();
    dialog_request((&to, &from), ack.call_id(), (method, number), (rows, body))
}

fn dialog_request(
    (to, from): (&str, &str),
    call_id: &[u8],
    (method, number): (&str, u32),
    (rows, body): (&str, &str),
) -> Message {
    let call_id = String::from_utf8_lossy(call_id);
    let told = body.is_empty() || rows.contains("Content-Type");
    let kind = if told { "" } else { "Content-Type: application/sdp\r\n" };
    let wire = format!(
        "{method} sip:alice@{HOME} SIP/2.0\r\nVia: SIP/2.0/UDP {PEER};branch=z9hG4bK{method}{number}\r\n\
         Max-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {number} {method}\r\n\
         Contact: <sip:bob@{PEER}>\r\n{kind}{rows}\r\n{body}"
    );
    Message::parse(wire).unwrap()
}

/// The CSeq number of a message.
pub(crate) fn number(message: &Message) -> u32 {
    message.get::<CSeq<'_>>().unwrap().number
}

/// The values of the rows of a name.
pub(crate) fn rows(message: &Message, name: Name) -> Vec<String> {
    message.rows(name).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

/// The Request-URI.
pub(crate) fn uri(request: &Message) -> String {
    String::from_utf8_lossy(request.request_uri().unwrap()).into_owned()
}
