//! `Office`: the thread: sockets and the clock for the [`Desk`].

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use machine::{Dice, Time};
use mio::event::Event;
use mio::{Events, Poll, Token};

use crate::counts::Counts;
use crate::desk::{Desk, Order, Wish};
use crate::limits;
use crate::line::{Line, News};
use crate::resolver::{Servers, Settings, Tell};
use crate::system::{Hosts, Watched, servers};

/// The token of the waker. Sockets have the numbers of their wires, which begin at 1.
pub(crate) const WAKER: Token = Token(0);

/// A search that somebody wants.
pub(crate) struct Errand {
    pub(crate) wish: Wish,
    pub(crate) tell: Tell,
}

/// The thread's whole state.
pub(crate) struct Office {
    poll: Poll,
    errands: Receiver<Errand>,
    desk: Desk<Tell>,
    lines: BTreeMap<u64, Line>,
    buffer: Box<[u8]>,
    files: Files,
    withdrawn: Box<dyn Fn(&protocol::locate::Domain) + Send>,
    began: Instant,
}

/// The system's files, looked at now and then.
struct Files {
    servers: Option<Watched>,
    hosts: Option<Watched>,
    looked: Time,
}

/// Whether there is more to do.
#[derive(PartialEq, Eq)]
enum Inbox {
    Open,
    Closed,
}

impl Office {
    pub(crate) fn new(
        poll: Poll,
        errands: Receiver<Errand>,
        settings: Settings,
        dice: Dice,
        counts: Arc<Counts>,
    ) -> Self {
        let Settings { servers, hosts, withdrawn } = settings;
        let (mut these, watched) = match servers {
            Servers::These(these) => (these, None),
            Servers::Of(file) => (self::servers(""), Some(Watched::new(file))),
        };
        these.truncate(limits::SERVERS);
        let files = Files { servers: watched, hosts: hosts.map(Watched::new), looked: Time(0) };
        let mut office = Self {
            poll,
            errands,
            desk: Desk::new(these, Hosts::default(), dice, counts),
            lines: BTreeMap::new(),
            buffer: vec![0; DATAGRAM].into(),
            files,
            withdrawn,
            began: Instant::now(),
        };
        office.read_files();
        office
    }

    /// Works until the resolver is dropped.
    pub(crate) fn run(&mut self) {
        let mut events = Events::with_capacity(EVENTS);
        let mut orders = Vec::new();
        loop {
            let patience = self.desk.deadline().map(|due| due - self.now());
            if let Err(error) = self.poll.poll(&mut events, patience)
                && error.kind() != io::ErrorKind::Interrupted
            {
                break;
            }
            let now = self.now();
            for event in events.iter().filter(|event| event.token() != WAKER) {
                self.hear(now, event, &mut orders);
            }
            let inbox = self.take_errands(now, &mut orders);
            self.desk.wake(now, &mut orders);
            self.carry_out(now, &mut orders);
            if inbox == Inbox::Closed {
                break;
            }
        }
        self.desk.close(&mut orders);
        let now = self.now();
        self.carry_out(now, &mut orders);
    }

    /// Never 0: that is when nothing has been looked at yet.
    fn now(&self) -> Time {
        Time(1) + self.began.elapsed()
    }

    fn take_errands(&mut self, now: Time, orders: &mut Vec<Order<Tell>>) -> Inbox {
        for _ in 0..limits::INBOX {
            match self.errands.try_recv() {
                Ok(Errand { wish, tell }) => {
                    if now - self.files.looked > LOOK_AGAIN {
                        self.files.looked = now;
                        self.read_files();
                    }
                    self.desk.search(now, wish, tell, orders);
                }
                Err(TryRecvError::Empty) => return Inbox::Open,
                Err(TryRecvError::Disconnected) => return Inbox::Closed,
            }
        }
        Inbox::Open
    }

    fn read_files(&mut self) {
        if let Some(text) = self.files.servers.as_mut().and_then(Watched::news) {
            self.desk.servers = servers(&text);
        }
        if let Some(text) = self.files.hosts.as_mut().and_then(Watched::news) {
            self.desk.hosts = Hosts::read(&text);
        }
    }

    fn hear(&mut self, now: Time, event: &Event, orders: &mut Vec<Order<Tell>>) {
        let wire = event.token().0 as u64;
        // What the desk closes meanwhile is still open here, and its news is ignored there.
        for _ in 0..limits::STRANGE.saturating_mul(4) {
            let Some(line) = self.lines.get_mut(&wire) else { return };
            match line.read(&mut self.buffer) {
                News::Nothing => return,
                News::Broken => return self.desk.broken(now, wire, orders),
                News::Message(octets) => self.desk.heard(now, wire, octets, orders),
            }
        }
        // More than any server sends, and it does not end.
        self.desk.broken(now, wire, orders);
    }

    /// Carries out the desk's orders, and those that follow from them.
    fn carry_out(&mut self, now: Time, orders: &mut Vec<Order<Tell>>) {
        while !orders.is_empty() {
            for order in std::mem::take(orders) {
                self.obey(now, order, orders);
            }
        }
    }

    fn obey(&mut self, now: Time, order: Order<Tell>, orders: &mut Vec<Order<Tell>>) {
        match order {
            Order::Open(wire, way, server, octets) => {
                match Line::open(&self.poll, token(wire), way, server, octets) {
                    Ok(line) => drop(self.lines.insert(wire, line)),
                    Err(_) => self.desk.broken(now, wire, orders),
                }
            }
            Order::Close(wire) => {
                if let Some(mut line) = self.lines.remove(&wire) {
                    line.close(&self.poll);
                }
            }
            Order::Tell(tell, outcome) => tell(outcome),
            Order::Withdrawn(domain) => (self.withdrawn)(&domain),
        }
    }
}

/// Never the waker's: wires begin at 1, and after 2^64 of them nobody is there to see the mistake.
fn token(wire: u64) -> Token {
    Token(usize::try_from(wire).unwrap_or(usize::MAX))
}

const DATAGRAM: usize = 65_535;
const EVENTS: usize = 256;
/// How often the system's files are looked at, while there is something to do.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
