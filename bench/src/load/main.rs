//! `load`: OPTIONS, REGISTERs or whole calls over UDP, or over TCP or TLS connections that stand, so many a second: for bench/beside/tls.py, and for
//! `cargo xtask dist`, which looks on while a server works.
//!
//! It never waits for an answer before it asks the next, and spins, so that the server pays for waking nobody. It says `ready` when all is
//! prepared, begins when a line comes in, and says at its end how many were asked for and how many were done, and how long calls took through
//! the server, in µs: from when an INVITE was due until who is called had it.

mod line;
mod text;
mod waits;
mod wire;

use std::error::Error;
use std::io::{self, BufRead as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use line::Line;
use waits::Waits;
use wire::Transport;

/// Connections, or sockets; for calls half of them are of those who are called.
const LINES: usize = 20;
/// Those who register, and are called, unless another number is asked for.
const USERS: usize = 1000;
/// How many of them register at once: each may wait for a disk.
const AT_ONCE: usize = 50;
/// How long what was asked for last may take.
const PATIENCE: Duration = Duration::from_secs(3);

const USAGE: &str = "load options|register|call udp|tcp|tls ADDRESS RATE SECONDS [USERS]";

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [work, transport, server, rate, seconds, more @ ..] = words.as_slice() else {
        return Err(USAGE.into());
    };
    let users = more.first().map_or(Ok(USERS), |users| users.parse())?;
    let work = match work.as_str() {
        "options" => Work::Options,
        "register" => Work::Register,
        "call" => Work::Call,
        _ => return Err(USAGE.into()),
    };
    let transport = Transport::named(transport).ok_or(USAGE)?;
    let mut load = Load::prepare((work, users), transport, server.parse()?)?;
    println!("ready");
    io::stdin().lock().read_line(&mut String::new())?;
    let waits = load.run(rate.parse()?, Duration::from_secs(seconds.parse()?))?;
    let [half, most, nearly_all, all] = waits.within([0.5, 0.99, 0.999, 1.0]);
    println!(
        "{{\"asked\": {}, \"done\": {}, \"p50_us\": {half}, \"p99_us\": {most}, \"p999_us\": {nearly_all}, \"max_us\": {all}}}",
        load.asked, load.done
    );
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    /// An OPTIONS that asks the server itself, and its 200.
    Options,
    /// A REGISTER of somebody who is registered, and its 200.
    Register,
    /// INVITE, 180, 200, ACK, BYE, 200.
    Call,
}

struct Load {
    work: Work,
    users: usize,
    lines: Vec<Line>,
    /// Added to the number of a user: nobody of an earlier run is called.
    first: usize,
    asked: usize,
    done: usize,
}

impl Load {
    /// Connects, and registers everybody once.
    fn prepare(
        (work, users): (Work, usize),
        transport: Transport,
        server: SocketAddr,
    ) -> Result<Self, Box<dyn Error>> {
        let line = |_| Line::connect(transport, server);
        let lines = (0..LINES).map(line).collect::<Result<Vec<_>, _>>()?;
        let first = lines.first().map_or(0, |line| usize::from(line.end.port) * users);
        let mut load = Self { work, users, lines, first, asked: 0, done: 0 };
        for user in 0..users {
            load.register(user)?;
            let enough = if user + 1 == users { users } else { load.asked.saturating_sub(AT_ONCE) };
            let end = Instant::now() + PATIENCE;
            while load.done < enough {
                if Instant::now() > end {
                    return Err(format!("{} of {users} could register", load.done).into());
                }
                load.turn(|_| ())?;
            }
        }
        (load.asked, load.done) = (0, 0);
        Ok(load)
    }

    fn run(&mut self, rate: f64, time: Duration) -> io::Result<Waits> {
        let mut waits = Waits::begin(rate);
        let all = (rate * time.as_secs_f64()) as usize;
        while self.done < all && waits.elapsed() < time + PATIENCE {
            let due = waits.due().min(all);
            while self.asked < due {
                match self.work {
                    Work::Options => self.options(self.asked)?,
                    Work::Register => self.register(self.users + self.asked)?,
                    Work::Call => self.call(self.asked)?,
                }
            }
            self.turn(|nth| waits.seen(nth))?;
        }
        Ok(waits)
    }

    /// The `nth` OPTIONS.
    fn options(&mut self, nth: usize) -> io::Result<()> {
        let Some(line) = self.lines.get_mut(nth % LINES) else { return Ok(()) };
        let request = text::options(nth, line.end);
        self.asked += 1;
        line.say(request)
    }

    /// The `nth` REGISTER, from the line of its user.
    fn register(&mut self, nth: usize) -> io::Result<()> {
        let (user, round) = (nth % self.users, nth / self.users);
        let Some(line) = self.lines.get_mut(called(user)) else { return Ok(()) };
        let request = text::register(self.first + user, round, line.end);
        self.asked += 1;
        line.say(request)
    }

    /// The `nth` INVITE, from a line of those who call.
    fn call(&mut self, nth: usize) -> io::Result<()> {
        let Some(line) = self.lines.get_mut(nth % (LINES / 2) * 2) else { return Ok(()) };
        let request = text::invite(nth, self.first + nth % self.users, line.end);
        self.asked += 1;
        line.say(request)
    }

    /// Reads and writes what there is, and answers; says of each call that has come which it is.
    fn turn(&mut self, mut rings: impl FnMut(usize)) -> io::Result<()> {
        for line in &mut self.lines {
            line.pump()?;
            while let Some(message) = line.next() {
                self.done += usize::from(text::is_the_last(&message));
                text::which_call(&message).into_iter().for_each(&mut rings);
                for answer in text::answers(&message, line.end) {
                    line.say(answer)?;
                }
            }
        }
        Ok(())
    }
}

/// The line of somebody who is called: one of the odd ones.
fn called(user: usize) -> usize {
    user % (LINES / 2) * 2 + 1
}
