//! Looking up names (RFC 3263 §4.2), away from the shards: a look-up may take seconds, and a shard never waits.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, io, thread};

use protocol::doors::{Answer, Ticket};
use protocol::{Input, Transport};

use crate::limits;
use crate::switchboard::{Letter, Switchboard};

/// Finds the addresses of names. Numeric hosts never come here.
pub trait Resolver: Send + Sync {
    /// Begins a look-up, and returns at once. The answer is given to `reply`, now or later, by any thread.
    fn resolve(&self, name: Name, reply: Reply);
}

/// What is to be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The host.
    pub host: Box<str>,
    /// The port to go to.
    pub port: u16,
    /// The transport to go by.
    pub transport: Transport,
}

/// Where an answer goes. When it is dropped without one, the machine is told that nobody knows the name.
#[derive(Debug)]
pub struct Reply {
    board: Arc<Switchboard>,
    shard: u16,
    ticket: Option<Ticket>,
}

impl Reply {
    pub(crate) const fn new(board: Arc<Switchboard>, shard: u16, ticket: Ticket) -> Self {
        Self { board, shard, ticket: Some(ticket) }
    }

    /// Gives the answer. Waits while the shard's inbox is full.
    pub fn give(mut self, answer: Answer) {
        self.send(answer);
    }

    fn send(&mut self, answer: Answer) {
        if let Some(ticket) = self.ticket.take() {
            self.board.deliver(self.shard, Letter::Input(Input::Answered(ticket, answer), None));
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.send(Answer::Targets(Vec::new()));
    }
}

/// The addresses of a host that is written as a number, with or without brackets.
pub(crate) fn numeric(host: &str) -> Option<IpAddr> {
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    inside.parse().ok()
}

/// The system's own resolver (`getaddrinfo`), on a few threads.
pub struct System {
    questions: SyncSender<(Name, Reply)>,
}

impl fmt::Debug for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System").finish_non_exhaustive()
    }
}

impl System {
    /// Starts its threads. They end when it is dropped.
    pub fn start() -> io::Result<Self> {
        let (questions, queue) = sync_channel(limits::LOOKUPS);
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..limits::LOOKUP_THREADS {
            let queue = Arc::clone(&queue);
            thread::Builder::new()
                .name(format!("names-{number}"))
                .spawn(move || look_up(&queue))?;
        }
        Ok(Self { questions })
    }
}

impl Resolver for System {
    fn resolve(&self, name: Name, reply: Reply) {
        // A full queue drops the reply, which answers that nobody knows.
        drop(self.questions.try_send((name, reply)));
    }
}

fn look_up(queue: &Mutex<Receiver<(Name, Reply)>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((name, reply)) = next else { return };
        let found: Vec<SocketAddr> = (&*name.host, name.port)
            .to_socket_addrs()
            .map(|addresses| addresses.take(limits::ADDRESSES).collect())
            .unwrap_or_default();
        let mut targets = Vec::new();
        for target in found.into_iter().map(|address| (name.transport, address)) {
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        reply.give(Answer::Targets(targets));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(resolver: &dyn Resolver, host: &str) -> Answer {
        let (board, inboxes) = Switchboard::new(1).unwrap();
        let name = Name { host: host.into(), port: 5060, transport: Transport::Tcp };
        resolver.resolve(name, Reply::new(Arc::new(board), 0, Ticket(7)));
        match inboxes[0].recv().unwrap() {
            Letter::Input(Input::Answered(Ticket(7), answer), None) => answer,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_are_found_and_unknown_ones_are_answered_too() {
        let system = System::start().unwrap();
        let Answer::Targets(targets) = ask(&system, "localhost") else { panic!() };
        assert!(targets.iter().all(|(transport, address)| {
            *transport == Transport::Tcp && address.ip().is_loopback() && address.port() == 5060
        }));
        assert!(!targets.is_empty());
        // RFC 6761 §6.4: nobody is called so, and nobody is asked.
        assert_eq!(ask(&system, "a\0b.invalid"), Answer::Targets(Vec::new()));
    }

    #[test]
    fn a_reply_that_is_dropped_says_that_nobody_knows() {
        struct Lazy;
        impl Resolver for Lazy {
            fn resolve(&self, _: Name, _: Reply) {}
        }
        assert_eq!(ask(&Lazy, "a.example"), Answer::Targets(Vec::new()));
    }

    #[test]
    fn numbers_are_no_names() {
        assert_eq!(numeric("192.0.2.1"), Some([192, 0, 2, 1].into()));
        assert_eq!(numeric("[::1]"), Some(std::net::Ipv6Addr::LOCALHOST.into()));
        assert_eq!(numeric("::1"), Some(std::net::Ipv6Addr::LOCALHOST.into()));
        assert_eq!(numeric("a.example"), None);
        assert_eq!(numeric("[192.0.2.1"), None);
    }
}
