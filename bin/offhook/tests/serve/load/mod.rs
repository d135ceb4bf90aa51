//! `Load`: calls through a server, so many a second, by phones that repeat themselves as RFC 3261 wants: on a busy machine they take
//! longer, and none is lost.

mod callee;
mod caller;
mod line;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sip::Message;

use callee::Callee;
use caller::Call;
use line::Line;

/// What is wished.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// Calls that begin in a second.
    pub(crate) rate: u32,
    /// How long a call lasts.
    pub(crate) talk: Duration,
}

/// What a load is told while it runs.
pub(crate) enum Word {
    /// To call by a connection to there too.
    Line(SocketAddr),
    /// To begin no more calls.
    Enough,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Calls that were begun.
    pub(crate) begun: u64,
    /// For how long calls were begun.
    pub(crate) lasted: Duration,
    /// Calls that were set up, and hung up.
    pub(crate) whole: u64,
    /// Calls that were not, by what was said of them.
    pub(crate) refused: BTreeMap<String, u64>,
    /// Messages that were said again.
    pub(crate) repeats: u64,
    /// Calls by connections.
    pub(crate) by_line: u64,
    /// The longest from an INVITE to its 200.
    pub(crate) longest: Duration,
}

impl Report {
    /// As many calls were begun as was wished, and all of them were set up and hung up.
    pub(crate) fn assert_whole(&self, rate: u32) {
        self.assert_begun(rate);
        assert_eq!(self.whole, self.begun, "{self:?}");
    }

    /// As many calls were begun as was wished, but for a tenth: less would show less.
    pub(crate) fn assert_begun(&self, rate: u32) {
        let due = self.lasted.as_secs_f64() * f64::from(rate);
        assert!(self.begun > 0 && self.begun as f64 >= due * 0.9 - 1.0, "of {due}: {self:?}");
    }
}

/// A load that runs.
pub(crate) struct Load {
    tell: Sender<Word>,
    ended: Receiver<()>,
    thread: JoinHandle<Report>,
}

/// The phones.
struct Phones {
    wish: Wish,
    server: SocketAddr,
    udp: UdpSocket,
    us: SocketAddr,
    callee: Callee,
    lines: Vec<Line>,
    calls: HashMap<u64, Call>,
    alarms: BTreeSet<(Instant, u64)>,
    began: Instant,
    enough: bool,
    report: Report,
    tick: Sender<()>,
}

impl Load {
    /// Where phones of the load answer: register them, or send a route there, before it starts.
    pub(crate) fn callee() -> UdpSocket {
        UdpSocket::bind("127.0.0.1:0").expect("bound")
    }

    /// Calls user 102, and numbers that begin with 77, at this server.
    pub(crate) fn start(server: &str, callee: UdpSocket, wish: Wish) -> Self {
        let ((tell, words), (tick, ended)) = (channel(), channel());
        let udp = UdpSocket::bind("127.0.0.1:0").expect("bound");
        udp.set_nonblocking(true).expect("set");
        let phones = Phones {
            wish,
            server: server.parse().expect("an address"),
            us: udp.local_addr().expect("bound"),
            udp,
            callee: Callee::new(callee),
            lines: Vec::new(),
            calls: HashMap::new(),
            alarms: BTreeSet::new(),
            began: Instant::now(),
            enough: false,
            report: Report::default(),
            tick,
        };
        let thread = thread::spawn(move || phones.run(&words));
        Self { tell, ended, thread }
    }

    pub(crate) fn tell(&self, word: Word) {
        self.tell.send(word).expect("the load runs");
    }

    /// Waits until so many more calls have ended.
    pub(crate) fn wait(&self, calls: usize) {
        for _ in 0..calls {
            self.ended.recv_timeout(PATIENCE).expect("calls end");
        }
    }

    /// Begins no more; waits until all calls have ended.
    pub(crate) fn finish(self) -> Report {
        // It has ended by itself when a call was refused.
        let _ = self.tell.send(Word::Enough);
        self.refused()
    }

    /// The same, once a call was refused: then no more are begun.
    pub(crate) fn refused(self) -> Report {
        self.thread.join().expect("the phones do not panic")
    }
}

impl Phones {
    fn run(mut self, words: &Receiver<Word>) -> Report {
        while !self.enough || !self.calls.is_empty() || self.callee.is_waiting() {
            // A moment in which packets gather.
            match words.recv_timeout(MOMENT) {
                Ok(Word::Line(at)) => self.lines.push(Line::open(at)),
                Ok(Word::Enough) => self.enough = true,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.begin_due();
            if !self.enough {
                self.report.lasted = self.began.elapsed();
            }
            self.listen();
            self.callee.work(&mut self.report.repeats);
            self.ring();
        }
        self.report
    }

    fn begin_due(&mut self) {
        let due = self.began.elapsed().as_secs_f64() * f64::from(self.wish.rate);
        while !self.enough && (self.report.begun as f64) < due {
            self.begin(self.report.begun);
            self.report.begun += 1;
        }
    }

    fn listen(&mut self) {
        let mut octets = [0; 4096];
        while let Ok((length, _)) = self.udp.recv_from(&mut octets) {
            let wire = octets.get(..length).expect("it fits").to_vec();
            self.hear(Message::parse(wire).expect("the server writes what can be read"));
        }
        for at in 0..self.lines.len() {
            for message in self.lines.get_mut(at).map(Line::read).unwrap_or_default() {
                self.hear(message);
            }
        }
        let ended = |line: &usize| self.lines.get(*line).is_some_and(|line| line.ended);
        let lost = self.calls.iter().filter(|(_, call)| call.line.as_ref().is_some_and(ended));
        for number in lost.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.end(number, Err("the connection ended".into()));
        }
    }

    /// A call is over, well or not.
    fn end(&mut self, number: u64, how: Result<(), String>) {
        let Some(call) = self.calls.remove(&number) else { return };
        self.alarms.remove(&(call.alarm(), number));
        match how {
            Ok(()) => self.report.whole += 1,
            Err(why) => {
                self.enough = true;
                *self.report.refused.entry(why).or_default() += 1;
            }
        }
        // Nobody may listen any more.
        let _ = self.tick.send(());
    }
}

const MOMENT: Duration = Duration::from_millis(1);

/// Longer than any machine needs for the next call to end.
const PATIENCE: Duration = Duration::from_secs(120);
