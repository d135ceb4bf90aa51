//! `Echo`: a machine that answers requests with 200, and tells the test all that it hears.

use std::io::Read;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use machine::{Machine, Time};
use offhook_net::{Count, Counters, Handle, Plan, Program, Running};
use protocol::doors::{Question, Ticket};
use protocol::locate::Hop;
use protocol::{Input, Listener, Output, Transport};
use sip::{Draft, Status, Uri};

/// Long enough for a busy machine; nobody waits for it when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

const SETTLED: Ticket = Ticket(u64::MAX);

/// Answers requests with 200, and tells the test all that it hears.
pub(crate) struct Echo {
    pub shard: u16,
    pub listeners: Vec<Listener>,
    /// When it wants to be woken.
    pub alarm: Option<Time>,
    /// What it still has to finish.
    pub pending: usize,
    /// Whether somebody follows what happens every day.
    pub followed: bool,
    heard: Sender<Heard>,
}

/// What an echo heard.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a test hears a few")]
pub(crate) enum Heard {
    Input(u16, Input),
    /// When it was woken, and when it wanted to be.
    Woken(Time, Time),
}

impl Machine for Echo {
    type Input = Input;
    type Output = Output;

    fn handle(&mut self, _: Time, input: Input, out: &mut Vec<Output>) {
        match &input {
            Input::Received(flow, message) if message.is_request() => {
                assert_ne!(message.body(), b"panic");
                let subject = message.rows(sip::Name::Subject).next().unwrap_or_default().to_vec();
                let reply = Draft::reply(message, Status::OK).raw(sip::Name::Subject, &subject);
                out.push(Output::Send(*flow, reply.wire()));
            }
            Input::Media(socket, from, octets) => {
                out.push(Output::Media(*socket, *from, octets.clone()))
            }
            Input::Malformed(flow, _) => {
                out.push(Output::Send(
                    *flow,
                    "SIP/2.0 400 Bad\r\nContent-Length: 0\r\n\r\n".into(),
                ));
            }
            // How long things have waited is told with every batch.
            Input::Waited(_) => return,
            Input::Followed(followed) => {
                self.followed = *followed;
                return;
            }
            _ => {}
        }
        drop(self.heard.send(Heard::Input(self.shard, input)));
    }

    fn wake(&mut self, now: Time, _: &mut Vec<Output>) {
        if let Some(alarm) = self.alarm.take_if(|alarm| *alarm <= now) {
            drop(self.heard.send(Heard::Woken(now, alarm)));
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.alarm
    }
}

/// A driver with echoes, and what they hear.
pub(crate) struct House {
    pub handle: Handle<Echo>,
    heard: Receiver<Heard>,
    running: Option<Running<Echo>>,
}

impl House {
    pub(crate) fn open(plan: Plan, program: Program<Echo>) -> Self {
        let (tell, heard) = channel();
        let running = plan
            .bind()
            .unwrap()
            .start(program.pending(|echo: &Echo, _| echo.pending), |shard, listeners| Echo {
                shard,
                listeners: listeners.to_vec(),
                alarm: None,
                pending: 0,
                followed: true,
                heard: tell.clone(),
            })
            .unwrap();
        Self { handle: running.handle(), heard, running: Some(running) }
    }

    /// The usual house: one listener, one shard.
    pub(crate) fn on(transport: Transport, address: &str) -> Self {
        Self::open(Plan::new().on(transport, address.parse().unwrap()), Program::new())
    }

    pub(crate) fn address(&self, listener: usize) -> SocketAddr {
        self.handle.listeners()[listener].bound
    }

    pub(crate) fn hear(&self) -> Heard {
        self.heard.recv_timeout(PATIENCE).expect("the machine hears something")
    }

    /// The next input, and which shard had it.
    pub(crate) fn input(&self) -> (u16, Input) {
        match self.hear() {
            Heard::Input(shard, input) => (shard, input),
            Heard::Woken(..) => panic!("woken"),
        }
    }

    pub(crate) fn put(&self, shard: u16, output: Output) {
        self.handle.tell(shard, |_, _, out| out.push(output)).unwrap();
    }

    /// Waits until a shard has done all that it was told before.
    pub(crate) fn settle(&self, shard: u16) {
        let hop = Uri::parse(b"sip:127.0.0.1:1").ok().and_then(|uri| Hop::of_uri(uri.sip()?).ok());
        let question = Question::Resolve(hop.expect("a number is a hop"));
        self.put(shard, Output::Ask(SETTLED, question));
        loop {
            if matches!(self.input(), (at, Input::Answered(SETTLED, _)) if at == shard) {
                return;
            }
        }
    }

    /// The sum of one counter over all shards.
    pub(crate) fn count(&self, counter: impl Fn(&Counters) -> &Count) -> u64 {
        self.handle.counters().iter().map(|counters| counter(counters).get()).sum()
    }

    /// Waits for the end.
    pub(crate) fn join(&mut self) -> std::io::Result<()> {
        self.running.take().expect("it is joined once").join()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.handle.stop();
        if let Some(running) = self.running.take() {
            let ended = running.join();
            assert!(std::thread::panicking() || ended.is_ok(), "{ended:?}");
        }
    }
}

/// An OPTIONS with a subject that comes back in the answer, and a body.
pub(crate) fn options(subject: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "OPTIONS sip:echo@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK{subject}\r\nFrom: <sip:a@h>;tag=1\r\n\
         To: <sip:b@h>\r\nCall-ID: {subject}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nSubject: {subject}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The subject of an answer.
pub(crate) fn subject(answer: &[u8]) -> String {
    let answer = sip::Message::parse(answer.to_vec()).expect("an answer");
    assert_eq!(answer.status(), Some(Status::OK));
    String::from_utf8_lossy(answer.rows(sip::Name::Subject).next().unwrap_or_default()).into_owned()
}

/// A peer that sends datagrams to a house.
pub(crate) fn caller(to: SocketAddr) -> UdpSocket {
    let ip = if to.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
    let socket = UdpSocket::bind(ip).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.connect(to).unwrap();
    socket
}

/// A peer that has opened a connection to a house.
pub(crate) fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Reads one answer without a body; says its subject.
pub(crate) fn read_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut octet = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut octet).expect("an answer");
        answer.extend_from_slice(&octet);
    }
    subject(&answer)
}
