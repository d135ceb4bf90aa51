//! `Ice`: pairs of addresses, one of ours and one of theirs, tried until one carries (RFC 8445). The agent is a library's; this is our way to
//! speak with it.

use std::collections::VecDeque;
use std::net::SocketAddr;

use is::stun::{StunMessage, StunPacket};
use is::{Candidate, IceAgent, IceAgentEvent, IceCreds, Protocol};
use machine::{Dice, Time};

use crate::clock::Clock;
use crate::limits;

/// An agent for one stream.
pub(crate) struct Ice {
    agent: IceAgent,
    clock: Clock,
    credentials: IceCreds,
    /// Those of ours, in the order of their coming, to be told to a new agent.
    ours: Vec<Candidate>,
    theirs: Option<Theirs>,
    path: Option<Path>,
    progress: Progress,
    /// No pair is left that could carry.
    exhausted: bool,
    /// How many of our checks were answered, and since when it is so many.
    consent: (u64, Time),
    deadline: Option<Time>,
    /// Checks that came before their description: they wait.
    early: usize,
    /// Our last checks, and which way they went: an answer comes back by the same (RFC 8445 §7.2.5.2.1).
    asked: VecDeque<(Transaction, Path)>,
}

/// What the other side says of itself, and since when we know it: from then on both can check.
struct Theirs {
    said: sdp::Ice,
    since: Time,
}

/// What names a check, and its answer (RFC 8489 §5).
type Transaction = [u8; 12];

/// From which address of ours to which of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// No pair has carried yet.
    Searching,
    /// One has.
    Found,
    /// None does.
    Nothing(NoWay),
}

/// Why no way was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoWay {
    /// The other side told no address that fits one of ours, and has not come by itself.
    NoPair,
    /// Nobody answers at any of its addresses.
    NoAnswer,
    /// Somebody answers, but the one who decides has taken none of the pairs.
    NoneTaken,
    /// There was one, and nobody answers there any more.
    Lost,
}

impl std::fmt::Display for NoWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoPair => "the other side told no address that fits one of ours",
            Self::NoAnswer => "nobody answers at any address that the other side told",
            Self::NoneTaken => "no pair of addresses was taken, though some carry",
            Self::Lost => "nobody answers any more where a way was found",
        })
    }
}

/// A check that goes out.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) path: Path,
    pub(crate) octets: Vec<u8>,
}

/// Who decides which pair is taken (RFC 8445 §6.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Whoever offered first.
    Controlling,
    /// The other.
    Controlled,
}

impl Ice {
    pub(crate) fn new(now: Time, dice: &mut Dice) -> Self {
        // RFC 8445 §5.3: 24 bits and 128 bits at least; a letter has six.
        let credentials = IceCreds { ufrag: letters(dice, 8), pass: letters(dice, 24) };
        Self {
            agent: agent(&credentials, dice.roll()),
            clock: Clock::new(now),
            credentials,
            ours: Vec::new(),
            theirs: None,
            path: None,
            progress: Progress::Searching,
            exhausted: false,
            consent: (0, now),
            deadline: None,
            early: 0,
            asked: VecDeque::new(),
        }
    }

    pub(crate) fn add_host(&mut self, at: SocketAddr) {
        self.add(Candidate::host(at, "udp").ok());
    }

    pub(crate) fn add_mapped(&mut self, at: SocketAddr, base: SocketAddr) {
        if at != base {
            self.add(Candidate::server_reflexive(at, base, "udp").ok());
        }
    }

    pub(crate) fn add_relayed(&mut self, at: SocketAddr, base: SocketAddr) {
        self.add(Candidate::relayed(at, base, "udp").ok());
    }

    fn add(&mut self, candidate: Option<Candidate>) {
        if let Some(candidate) = candidate {
            self.agent.add_local_candidate(candidate.clone());
            self.ours.push(candidate);
        }
    }

    /// What our description says.
    pub(crate) fn said(&self) -> sdp::Ice {
        let value = |candidate: Candidate| {
            let text = candidate.to_sdp_string();
            let text = text.split(" ufrag ").next().unwrap_or_default();
            text.strip_prefix("candidate:").unwrap_or(text).into()
        };
        sdp::Ice {
            ufrag: self.credentials.ufrag.as_str().into(),
            password: self.credentials.pass.as_str().into(),
            candidates: self.agent.local_candidates().map(value).collect(),
            lite: false,
            // Nothing is said before all of them are known.
            trickle: sdp::Trickle::Complete,
        }
    }

    /// True when a description of theirs begins anew (RFC 8839 §4.4.1.1.1).
    pub(crate) fn is_restarted_by(&self, theirs: &sdp::Ice) -> bool {
        self.theirs.as_ref().is_some_and(|Theirs { said, .. }| {
            (&said.ufrag, &said.password) != (&theirs.ufrag, &theirs.password)
        })
    }

    /// New credentials of ours, for an answer to a restart.
    pub(crate) fn restart(&mut self, dice: &mut Dice) {
        self.credentials = IceCreds { ufrag: letters(dice, 8), pass: letters(dice, 24) };
        self.begin_anew(dice);
    }

    fn begin_anew(&mut self, dice: &mut Dice) {
        self.agent = agent(&self.credentials, dice.roll());
        for candidate in &self.ours {
            self.agent.add_local_candidate(candidate.clone());
        }
        self.theirs = None;
        self.early = 0;
        // Nobody has answered the new agent yet: that is no consent.
        self.consent.0 = 0;
        self.progress = Progress::Searching;
        self.exhausted = false;
    }

    /// Their description. Another fork than the one before is looked for anew, with the same addresses of ours.
    pub(crate) fn meet(
        &mut self,
        now: Time,
        (theirs, role): (&sdp::Ice, Role),
        dice: &mut Dice,
    ) -> Vec<Check> {
        if self.is_restarted_by(theirs) {
            self.begin_anew(dice);
        }
        if self.theirs.is_none() {
            // RFC 8445 §6.1.1: who makes no checks cannot decide.
            self.agent.set_controlling(theirs.lite || role == Role::Controlling);
            let (ufrag, pass) = (theirs.ufrag.to_string(), theirs.password.to_string());
            self.agent.set_remote_credentials(IceCreds { ufrag, pass });
        }
        let since = self.theirs.as_ref().map_or(now, |known| known.since);
        self.theirs = Some(Theirs { said: theirs.clone(), since });
        self.add_theirs(&theirs.candidates);
        self.run(now)
    }

    /// Candidates that come later (RFC 8838).
    pub(crate) fn trickled(&mut self, now: Time, fragment: &str) -> Vec<Check> {
        let found = self.theirs.as_ref().and_then(|theirs| theirs.said.trickled(fragment));
        self.add_theirs(&found.unwrap_or_default().candidates);
        self.run(now)
    }

    /// The other side may hear of us only now: from here on it is waited for.
    pub(crate) fn wait_anew(&mut self, now: Time) {
        if let (Some(theirs), Progress::Searching | Progress::Nothing(_)) =
            (&mut self.theirs, self.progress)
        {
            theirs.since = now;
            self.progress = Progress::Searching;
            self.deadline = Some(now);
        }
    }

    fn add_theirs(&mut self, candidates: &[Box<str>]) {
        for candidate in candidates {
            if self.agent.remote_candidates().count() >= limits::CANDIDATES {
                return;
            }
            // Names that only their own network knows, and TCP, are not for us.
            let read = Candidate::from_sdp_string(&format!("candidate:{candidate}")).ok();
            if let Some(read) = read.filter(|read| read.proto() == Protocol::Udp) {
                self.agent.add_remote_candidate(read);
            }
        }
    }

    /// A check that came from there, to that address of ours. What is not signed with our password changes nothing.
    pub(crate) fn receive(&mut self, now: Time, (path, octets): (Path, &[u8])) -> Vec<Check> {
        let Ok(message) = StunMessage::parse(octets) else { return Vec::new() };
        if is_answer(octets) && !self.asked.iter().any(|asked| Some(*asked) == named(octets, path))
        {
            return Vec::new();
        }
        // A stranger who knows the password would still be one too many.
        let sources = self.agent.stats().discovered_recv_count as usize;
        let known = self.agent.remote_candidates().count().max(sources);
        let full = known >= 2 * limits::CANDIDATES;
        if full && !self.agent.has_viable_remote_candidate(path.to) {
            return Vec::new();
        }
        let packet =
            StunPacket { proto: Protocol::Udp, source: path.to, destination: path.from, message };
        if !self.agent.handle_packet(self.clock.there(now), packet) {
            return Vec::new();
        }
        if self.theirs.is_none() {
            self.early = self.early.saturating_add(1).min(limits::PAIRS);
        }
        self.run(now)
    }

    /// Checks what is due.
    pub(crate) fn wake(&mut self, now: Time) -> Vec<Check> {
        match self.deadline {
            Some(due) if due <= now => self.run(now),
            _ => Vec::new(),
        }
    }

    pub(crate) const fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    /// The way that was found, while whoever is at its end agrees to it.
    pub(crate) fn path(&self, now: Time) -> Option<Path> {
        // RFC 7675 §5.1: whoever has not answered for so long is sent nothing any more.
        self.path.filter(|_| now - self.consent.1 < limits::CONSENT)
    }

    /// Goes on by the way of another agent, from here instead of there, while whoever is at its end agrees to that.
    pub(crate) fn go_on_from(&mut self, (here, there): (SocketAddr, SocketAddr), before: &Self) {
        let path = before.path.filter(|path| path.from == there);
        self.path = path.map(|path| Path { from: here, ..path });
        self.consent.1 = before.consent.1;
    }

    pub(crate) const fn progress(&self) -> Progress {
        self.progress
    }

    /// True for an address from which they have shown that they read our description.
    pub(crate) fn knows(&self, at: SocketAddr) -> bool {
        self.agent.has_viable_remote_candidate(at)
    }

    fn run(&mut self, now: Time) -> Vec<Check> {
        if self.theirs.is_none() {
            return Vec::new();
        }
        // The library takes one of those that wait at a time, and plans nothing before.
        for _ in 0..=std::mem::take(&mut self.early) {
            self.agent.handle_timeout(self.clock.there(now));
        }
        while let Some(event) = self.agent.poll_event() {
            match event {
                IceAgentEvent::NominatedSend { source, destination, .. } => {
                    self.path = Some(Path { from: source, to: destination });
                    self.progress = Progress::Found;
                }
                IceAgentEvent::IceConnectionStateChange(state) => {
                    self.exhausted = state.is_disconnected();
                    self.path = self.path.filter(|_| !self.exhausted);
                }
                _ => {}
            }
        }
        let answered = self.agent.stats().bind_success_recv;
        if answered != self.consent.0 {
            self.consent = (answered, now);
        }
        self.give_up(now);
        let mut checks = Vec::new();
        while let Some(sent) = self.agent.poll_transmit() {
            let path = Path { from: sent.source, to: sent.destination };
            let octets = Vec::from(sent.contents);
            if !is_answer(&octets) {
                self.asked.extend(named(&octets, path));
            }
            checks.push(Check { path, octets });
        }
        let many = self.asked.len().saturating_sub(limits::ASKED);
        self.asked.drain(..many);
        let next = self.agent.poll_timeout().map(|next| self.clock.here(next));
        let ends = self.ends().into_iter().flatten().filter(|end| *end > now);
        let next = next.into_iter().chain(ends).min();
        // Never at once again, whatever the library says: a turn must come to its end.
        self.deadline = next.map(|next| next.max(now + limits::PACE));
        checks
    }

    /// When it may be over, and when it is. Nothing is given up while the PAC timer runs (RFC 8863 §4): where no pair is left, or was ever there, a check of
    /// theirs may still show one. A way that was found and is lost (RFC 7675 §5.1) is waited for as long: the other side may be on its way elsewhere.
    fn ends(&self) -> Option<[Time; 2]> {
        let Theirs { since, .. } = self.theirs.as_ref()?;
        match self.progress {
            Progress::Searching => Some([limits::PATIENCE, limits::SEARCH].map(|it| *since + it)),
            Progress::Found => Some([self.consent.1 + limits::CONSENT + limits::PATIENCE; 2]),
            Progress::Nothing(_) => None,
        }
    }

    /// It is over as soon as it may be and nothing is left to check, whether the other side has said that it told all of its addresses or not (RFC 8863 §5).
    fn give_up(&mut self, now: Time) {
        let Some([may, must]) = self.ends() else { return };
        // With no address on one side the library would wait for ever.
        let agent = &self.agent;
        let [ours, theirs] = [agent.local_candidates().count(), agent.remote_candidates().count()];
        let idle = self.exhausted || ours == 0 || theirs == 0;
        if must > now && (may > now || !idle) {
            return;
        }
        let stats = self.agent.stats();
        let why = match (self.progress, stats.bind_request_sent, stats.bind_success_recv) {
            (Progress::Found, ..) => NoWay::Lost,
            (_, 0, _) => NoWay::NoPair,
            (_, _, 0) => NoWay::NoAnswer,
            _ => NoWay::NoneTaken,
        };
        self.progress = Progress::Nothing(why);
    }
}

fn agent(credentials: &IceCreds, tie_breaker: u64) -> IceAgent {
    let mut agent = IceAgent::new(credentials.clone());
    agent.set_control_tie_breaker(tie_breaker);
    agent.set_max_candidate_pairs(limits::PAIRS);
    agent
}

/// True for a response of either kind (RFC 8489 §5).
fn is_answer(octets: &[u8]) -> bool {
    octets.first().is_some_and(|first| first & 1 == 1)
}

/// The check that this is, or answers, and its way.
fn named(octets: &[u8], path: Path) -> Option<(Transaction, Path)> {
    octets.get(8..20)?.try_into().ok().map(|transaction| (transaction, path))
}

/// Letters of RFC 8839 §5.4.
fn letters(dice: &mut Dice, count: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |number: u64| LETTERS.get((number & 63) as usize).copied().map_or('A', char::from);
    (0..count).map(|_| letter(dice.roll())).collect()
}
