//! `Clerk`: the thread that talks to one master. While one group is on its way, the next one gathers.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::atlas::Place;
use crate::cluster::Office;
use crate::limits;
use crate::resp::{Said, put};
use crate::wire::Wire;
use crate::wish::{Notice, Tell, Wish, Word};

/// A wish, and who waits for what becomes of it.
pub(crate) struct Errand {
    pub(crate) wish: Wish,
    pub(crate) tell: Tell,
    /// How often it was sent on.
    pub(crate) moves: u8,
    /// Whether its slot is just moving here.
    pub(crate) asking: bool,
}

impl Errand {
    /// Tells who waits.
    pub(crate) fn tell(self, word: Word) {
        (self.tell)(word);
    }
}

/// The thread's whole state.
pub(crate) struct Clerk {
    pub(crate) office: Arc<Office>,
    pub(crate) place: Place,
    pub(crate) inbox: Receiver<Errand>,
    line: Line,
}

/// How it talks to its master.
enum Line {
    /// Not yet, or not any more since then.
    Down(Option<Instant>),
    /// By this connection; the name of the script that is loaded there.
    Up(Wire, Box<str>),
}

/// Keeps a value unless another edition is there than the one that is to be replaced, and tells who listens. What takes the place of
/// another is kept at least as long as that one: or a node that still has a copy of the other would find nothing, and believe it lost.
const SHARE: &[u8] = b"local has = redis.call('GET', KEYS[1])
if has and string.sub(has, 1, 8) ~= ARGV[1] then return has end
local life = math.max(ARGV[3], redis.call('PTTL', KEYS[1]))
redis.call('SET', KEYS[1], ARGV[2], 'PX', life)
if ARGV[4] ~= '' then redis.call('PUBLISH', ARGV[4], KEYS[1]) end
return false";

impl Clerk {
    pub(crate) const fn new(office: Arc<Office>, place: Place, inbox: Receiver<Errand>) -> Self {
        Self { office, place, inbox, line: Line::Down(None) }
    }

    /// Works until its desk is closed.
    pub(crate) fn run(mut self) {
        loop {
            match self.inbox.recv_timeout(limits::PULSE) {
                Ok(first) => {
                    let mut group = vec![first];
                    group.extend(self.inbox.try_iter().take(limits::A_GROUP - 1));
                    self.serve(group);
                }
                Err(RecvTimeoutError::Timeout) => self.pulse(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Is it still there? So the first one who wants something need not find out.
    fn pulse(&mut self) {
        let alive = match self.line() {
            Some((wire, _)) => wire.ask(&[b"PING"]).map(drop),
            None => return,
        };
        if let Err(error) = alive {
            self.hang_up(&error);
        }
    }

    fn serve(&mut self, group: Vec<Errand>) {
        let replicas = self.office.replicas;
        let prefix = self.office.url.prefix.clone();
        let Some((wire, script)) = self.line() else {
            return group.into_iter().for_each(|errand| errand.tell(Word::Unreachable));
        };
        let mut octets = Vec::new();
        for errand in &group {
            if errand.asking {
                put(&mut octets, &[b"ASKING"]);
            }
            write(&mut octets, &errand.wish, (&prefix, script));
        }
        let shares = group.iter().any(|errand| matches!(errand.wish, Wish::Share { .. }));
        let wanted = Some(replicas).filter(|replicas| shares && *replicas > 0);
        if let Some(replicas) = wanted {
            let (number, time) = (replicas.to_string(), limits::REPLICAS.as_millis().to_string());
            put(&mut octets, &[b"WAIT", number.as_bytes(), time.as_bytes()]);
        }
        match converse(wire, &octets, &group, wanted) {
            Ok((answers, copies)) => {
                // `SCRIPT FLUSH`: the next connection loads it again.
                if answers.iter().any(has_no_script) {
                    self.line = Line::Down(None);
                }
                if group.iter().zip(&answers).any(was_taken) {
                    self.office.takes(&self.place);
                }
                for (errand, said) in group.into_iter().zip(answers) {
                    self.answer(errand, said, copies);
                }
            }
            Err(error) => {
                self.hang_up(&error);
                group.into_iter().for_each(|errand| errand.tell(Word::Unreachable));
            }
        }
    }

    fn answer(&self, errand: Errand, said: Said, copies: Copies) {
        let word = match (&errand.wish, said) {
            (_, Said::Error(why)) => return self.refused(errand, &why),
            (Wish::Recall { .. }, Said::Octets(octets)) => Word::Found(octets),
            (Wish::Share { .. }, Said::Octets(Some(octets))) => Word::Differs(octets),
            (Wish::Share { .. }, Said::Octets(None)) if copies == Copies::Enough => Word::Kept,
            (Wish::Pin { .. }, Said::Number(1)) => Word::Kept,
            (Wish::Board, Said::Row(row)) => Word::Pinned(pinned(row)),
            (Wish::Spend { .. }, Said::Word(_)) => Word::First(true),
            (Wish::Spend { .. }, Said::Octets(None)) => Word::First(false),
            _ => Word::Unreachable,
        };
        errand.tell(word);
    }

    /// The slot is elsewhere, the script is forgotten, or this server cannot serve it now.
    fn refused(&self, mut errand: Errand, why: &str) {
        let mut words = why.split_whitespace();
        let (kind, place) = (words.next(), words.nth(1).and_then(place_of));
        let moved = matches!(kind, Some("MOVED" | "ASK"));
        if moved || kind == Some("CLUSTERDOWN") {
            self.office.poke();
        }
        match place.filter(|_| moved && errand.moves < limits::MOVES) {
            Some((host, port)) => {
                errand.moves += 1;
                errand.asking = kind == Some("ASK");
                let host = if host.is_empty() { self.place.0.clone() } else { host };
                self.office.hand_to(&(host, port), errand);
            }
            None if kind == Some(NO_SCRIPT) && errand.moves < limits::MOVES => {
                errand.moves += 1;
                self.office.hand_to(&self.place, errand);
            }
            None => {
                if !moved {
                    self.office.refuses(&self.place, why);
                }
                errand.tell(Word::Unreachable);
            }
        }
    }

    /// The connection, opened when there is none. One that has just failed is let rest.
    fn line(&mut self) -> Option<(&mut Wire, &str)> {
        if let Line::Down(since) = self.line {
            if since.is_some_and(|since| since.elapsed() < limits::REST) {
                return None;
            }
            match self.dial() {
                Ok((wire, script)) => {
                    self.office.answers(&self.place);
                    self.line = Line::Up(wire, script);
                }
                Err(error) => self.hang_up(&error),
            }
        }
        match &mut self.line {
            Line::Up(wire, script) => Some((wire, script)),
            Line::Down(_) => None,
        }
    }

    fn dial(&self) -> io::Result<(Wire, Box<str>)> {
        let mut wire = self.office.open_wire(&self.place)?;
        match wire.ask(&[b"SCRIPT", b"LOAD", SHARE])? {
            Said::Octets(Some(name)) => {
                Ok((wire, String::from_utf8_lossy(&name).into_owned().into()))
            }
            other => Err(io::Error::other(format!("SCRIPT LOAD: {other:?}"))),
        }
    }

    fn hang_up(&mut self, error: &io::Error) {
        self.line = Line::Down(Some(Instant::now()));
        self.office.fails(&self.place, &error.to_string());
        self.office.poke();
    }
}

/// Pins something to the board, with the time until which it is to be read, by the clock of this server. What is read no more gives way when the board is full.
const PIN: &[u8] = b"local board, time = KEYS[1], redis.call('TIME')
local now, life, most = time[1] * 1000 + math.floor(time[2] / 1000), tonumber(ARGV[3]), tonumber(ARGV[4])
if redis.call('HLEN', board) >= most and redis.call('HEXISTS', board, ARGV[1]) == 0 then
  local all = redis.call('HGETALL', board)
  for at = 1, #all, 2 do
    if tonumber(string.sub(all[at + 1], 1, 13)) < now then redis.call('HDEL', board, all[at]) end
  end
  if redis.call('HLEN', board) >= most then return 0 end
end
redis.call('HSET', board, ARGV[1], string.format('%013.0f', now + life) .. ARGV[2])
redis.call('PEXPIRE', board, math.max(life, redis.call('PTTL', board)))
return 1";

/// What is pinned, behind the time that it is here.
const BOARD: &[u8] = b"local time, all = redis.call('TIME'), redis.call('HVALS', KEYS[1])
table.insert(all, 1, string.format('%013.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
return all";

/// Digits of a time: milliseconds since 1970. What is pinned begins with the one until which it is to be read.
const DIGITS: usize = 13;

/// Writes the command for a wish.
fn write(octets: &mut Vec<u8>, wish: &Wish, (prefix, script): (&str, &str)) {
    let name = name(prefix, wish);
    match wish {
        Wish::Recall { .. } => put(octets, &[b"GET", &name]),
        Wish::Share { before, value, life, told, .. } => {
            let channel = if *told { channel(prefix) } else { String::new() };
            put(
                octets,
                &[
                    b"EVALSHA",
                    script.as_bytes(),
                    b"1",
                    &name,
                    before,
                    value,
                    life.to_string().as_bytes(),
                    channel.as_bytes(),
                ],
            );
        }
        Wish::Spend { life, .. } => {
            put(octets, &[b"SET", &name, b"1", b"NX", b"PX", life.to_string().as_bytes()]);
        }
        Wish::Pin { key, value, life } => {
            let [life, most] = [*life, limits::BOARD as u64].map(|number| number.to_string());
            let (life, most) = (life.as_bytes(), most.as_bytes());
            put(octets, &[b"EVAL", PIN, b"1", &name, key, value, life, most]);
        }
        Wish::Board => put(octets, &[b"EVAL", BOARD, b"1", &name]),
    }
}

/// Under which name the store has what a wish is about.
fn name(prefix: &str, wish: &Wish) -> Vec<u8> {
    let (kind, key): (&[u8], &[u8]) = match wish {
        Wish::Recall { key } | Wish::Share { key, .. } => (b":aor:", key),
        Wish::Spend { key, .. } => (b":nonce:", key),
        Wish::Pin { .. } | Wish::Board => (b":board", b""),
    };
    [prefix.as_bytes(), kind, key].concat()
}

/// The slot in which a wish is served.
pub(crate) fn slot_of(wish: &Wish, prefix: &str) -> u16 {
    crate::slot::slot_of(&name(prefix, wish))
}

/// What is pinned and still to be read, and for how long.
fn pinned(row: Vec<Said>) -> Vec<Notice> {
    let cut = |said| match said {
        Said::Octets(Some(octets)) => {
            let (digits, value) = octets.split_at_checked(DIGITS)?;
            let time = std::str::from_utf8(digits).ok()?.parse::<u64>().ok()?;
            Some((time, Box::from(value)))
        }
        _ => None,
    };
    let mut row = row.into_iter().map(cut);
    let Some((now, _)) = row.next().flatten() else { return Vec::new() };
    let notice = |(until, value): (u64, _)| {
        let left = Duration::from_millis(until.checked_sub(now).filter(|left| *left > 0)?);
        Some(Notice { value, left })
    };
    row.take(limits::BOARD).flatten().filter_map(notice).collect()
}

/// True when a server has taken something that needs room: one that is full lets everybody read, and says what is there instead.
const fn was_taken((errand, said): (&Errand, &Said)) -> bool {
    match errand.wish {
        Wish::Share { .. } => matches!(said, Said::Octets(None)),
        Wish::Spend { .. } => matches!(said, Said::Word(_)),
        _ => false,
    }
}

fn has_no_script(said: &Said) -> bool {
    matches!(said, Said::Error(why) if why.split_whitespace().next() == Some(NO_SCRIPT))
}

/// What a server says that does not know the script that is named.
const NO_SCRIPT: &str = "NOSCRIPT";

/// Where changes are told.
pub(crate) fn channel(prefix: &str) -> String {
    format!("{prefix}:changed")
}

/// Whether as many replicas have a group as are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Copies {
    Enough,
    TooFew,
}

/// The answers to a group, and whether the replicas that are wanted have it.
fn converse(
    wire: &mut Wire,
    octets: &[u8],
    group: &[Errand],
    wanted: Option<u16>,
) -> io::Result<(Vec<Said>, Copies)> {
    wire.send(octets)?;
    let mut answers = Vec::with_capacity(group.len());
    for errand in group {
        if errand.asking {
            wire.read()?;
        }
        answers.push(wire.read()?);
    }
    let copies = match wanted {
        None => Copies::Enough,
        Some(wanted) => match wire.read()? {
            Said::Number(copies) if copies >= i64::from(wanted) => Copies::Enough,
            _ => Copies::TooFew,
        },
    };
    Ok((answers, copies))
}

/// `host:port`; the host of an IPv6 address has colons, and may be missing.
fn place_of(text: &str) -> Option<Place> {
    let (host, port) = text.rsplit_once(':')?;
    Some((host.into(), port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pinned_is_told_with_the_time_that_it_has_left_by_the_clock_of_the_store() {
        let row = [
            "1700000000000",
            "1700000060000a",
            "1700000000000b",
            "1699999999999c",
            "x",
            "1700000000001",
        ];
        let row = row.map(|octets| Said::Octets(Some(octets.as_bytes().into())));
        let [a, d] = [(60_000, &b"a"[..]), (1, b"")]
            .map(|(left, value)| Notice { value: value.into(), left: Duration::from_millis(left) });
        assert_eq!(pinned(row.into()), [a, d]);
        assert!(pinned(vec![]).is_empty() && pinned(vec![Said::Number(1)]).is_empty());
    }
}
