//! The one who is called: rings, answers at once, repeats that until it is acknowledged (RFC 3261 §13.3.1.4), and agrees to all else.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use sip::{Draft, Message, Method, Name, Status};

pub(super) struct Callee {
    udp: UdpSocket,
    us: SocketAddr,
    /// What waits for its ACK, by Call-ID.
    answers: HashMap<Vec<u8>, Answer>,
}

struct Answer {
    wire: Vec<u8>,
    to: SocketAddr,
    next: Instant,
    again: Duration,
    until: Instant,
}

impl Callee {
    pub(super) fn new(udp: UdpSocket) -> Self {
        udp.set_nonblocking(true).expect("set");
        Self { us: udp.local_addr().expect("bound"), udp, answers: HashMap::new() }
    }

    /// Does an answer wait for its ACK?
    pub(super) fn is_waiting(&self) -> bool {
        !self.answers.is_empty()
    }

    /// Hears what has come, and repeats what is due.
    pub(super) fn work(&mut self, repeats: &mut u64) {
        let mut octets = [0; 4096];
        while let Ok((length, from)) = self.udp.recv_from(&mut octets) {
            let wire = octets.get(..length).expect("it fits").to_vec();
            self.hear(from, &Message::parse(wire).expect("the server writes what can be read"));
        }
        let now = Instant::now();
        // An INVITE that came again after its ACK has an answer that nobody waits for.
        self.answers.retain(|_, answer| answer.until > now);
        for answer in self.answers.values_mut().filter(|answer| answer.next <= now) {
            *repeats += 1;
            drop(self.udp.send_to(&answer.wire, answer.to));
            answer.again = (answer.again * 2).min(Duration::from_secs(4));
            answer.next = now + answer.again;
        }
    }

    fn hear(&mut self, from: SocketAddr, request: &Message) {
        let call = request.call_id().to_vec();
        match request.method() {
            Some(Method::Ack) => drop(self.answers.remove(&call)),
            Some(Method::Invite) => {
                if let Some(answer) = self.answers.get(&call) {
                    return drop(self.udp.send_to(&answer.wire, from));
                }
                self.say(from, &self.answer(request, Status::RINGING));
                let wire = self.answer(request, Status::OK);
                self.say(from, &wire);
                let again = Duration::from_millis(500);
                let (next, until) = (Instant::now() + again, Instant::now() + TIMER_L);
                self.answers.insert(call, Answer { wire, to: from, next, again, until });
            }
            Some(_) => self.say(from, &self.answer(request, Status::OK)),
            None => {}
        }
    }

    fn answer(&self, request: &Message, status: Status) -> Vec<u8> {
        let contact = format!("<sip:102@{}>", self.us);
        let draft = Draft::reply_tagged(request, status, status.phrase(), "callee");
        let draft = draft.copy(request, Name::RecordRoute).raw(Name::Contact, contact.as_bytes());
        draft.wire().to_vec()
    }

    /// What the kernel does not take is said again.
    fn say(&self, to: SocketAddr, wire: &[u8]) {
        drop(self.udp.send_to(wire, to));
    }
}

/// As long as a 2xx is repeated.
const TIMER_L: Duration = Duration::from_secs(32);
