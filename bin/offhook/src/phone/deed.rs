//! `Deed`: what a script tells the phone to do: register, call, answer.

use std::time::{Duration, Instant};

use phone::PhoneEvent;

use super::call::{self, Talk};
use super::desk::{Desk, Happening};
use super::{inquiry, watch};
use crate::outcome::Outcome;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Deed {
    /// Call somebody: 102, bob@example.test, sip:bob@example.test
    Call {
        /// Whom
        target: String,
        #[command(flatten)]
        talk: Talk,
        /// Give up when nobody answers for so long
        #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
        ring_for: Duration,
    },
    /// Register, and pick up what comes
    Answer {
        #[command(flatten)]
        talk: Talk,
        /// Let it ring so long before
        #[arg(long, value_name = "TIME", value_parser = duration, default_value = "0s")]
        after: Duration,
        /// Refuse instead, with this status: 486 busy, 480 nobody there, 603 declined
        #[arg(long, value_name = "STATUS", value_parser = clap::value_parser!(u16).range(300..700))]
        refuse: Option<u16>,
        /// Leave after so many calls
        #[arg(long, value_name = "COUNT", default_value_t = 1)]
        calls: u32,
    },
    /// Register, say what came of it, and leave
    Register,
    /// Send a text, and say whether it has arrived
    Message {
        /// To whom
        target: String,
        /// The text
        text: String,
    },
    /// Ask somebody what they can do, and how long the answer takes
    Options {
        /// Whom
        target: String,
        /// So many times, a second apart
        #[arg(long, value_name = "COUNT", default_value_t = 1)]
        count: u32,
    },
    /// Watch somebody, and say what changes
    Watch {
        /// Whom; without it, the own mailbox
        target: Option<String>,
        /// What of them
        #[arg(long, value_enum, default_value = "presence")]
        what: watch::What,
        /// Leave after so many pieces of news
        #[arg(long, value_name = "COUNT")]
        news: Option<u32>,
        /// Leave after so long
        #[arg(long, value_name = "TIME", value_parser = duration)]
        during: Option<Duration>,
    },
}

impl Deed {
    /// Does it: calls go out by the first account, and come in by all.
    pub(super) fn run(self, desk: &Desk) -> Result<Outcome, String> {
        let seat = desk.seat(0)?;
        match self {
            Self::Call { target, talk, ring_for } => call::place(&seat, &target, &talk, ring_for),
            Self::Answer { talk, after, refuse, calls } => {
                match register(desk)? {
                    Outcome::Fine => {}
                    other => return Ok(other),
                }
                let manner = call::Manner { after, refuse };
                (0..calls).try_fold(Outcome::Fine, |outcome, _| match outcome {
                    Outcome::Fine => call::take(desk, &talk, &manner),
                    other => Ok(other),
                })
            }
            Self::Register => register(desk),
            Self::Message { target, text } => inquiry::message(&seat, target, text),
            Self::Options { target, count } => inquiry::ping(&seat, &target, count),
            Self::Watch { target, what, news, during } => {
                watch::run(&seat, (target, what), (news, during))
            }
        }
    }
}

/// Registers all accounts, and waits for what comes of it. Fine, when all are registered; else what is wrong with the first that is not.
pub(super) fn register(desk: &Desk) -> Result<Outcome, String> {
    for line in desk.lines() {
        line.phone.ask(|phone, now, out| phone.register(now, out))?;
    }
    let until = Instant::now() + PATIENCE;
    let mut outcomes = vec![None; desk.lines().len()];
    while outcomes.iter().any(Option::is_none) {
        let (line, outcome) = match desk.next(Some(until))? {
            Some((line, Happening::Phone(PhoneEvent::Registered { .. }))) => (line, Outcome::Fine),
            Some((line, Happening::Phone(PhoneEvent::NotRegistered { status, .. }))) => {
                (line, Outcome::of(status))
            }
            Some((_, Happening::Leave)) => return Ok(Outcome::Failed),
            Some(_) => continue,
            None => return Err("the server did not answer".into()),
        };
        if let Some(known) = outcomes.get_mut(line) {
            known.get_or_insert(outcome);
        }
    }
    let wrong = outcomes.into_iter().flatten().find(|outcome| *outcome != Outcome::Fine);
    Ok(wrong.unwrap_or(Outcome::Fine))
}

/// `10s`, `500ms`, `2m`, or seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match text.get(digits.len()..).unwrap_or_default() {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        unit => return Err(format!("{unit:?} is no unit of time: ms, s, m, h")),
    };
    let number = digits.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    let time = number.and_then(|number| Duration::try_from_secs_f64(number * scale).ok());
    time.ok_or_else(|| format!("{text:?} is no time: write it like 10s or 500ms"))
}

/// The keys of a telephone (RFC 4733 §3.2).
pub(super) fn keys(text: &str) -> Result<String, String> {
    match text.chars().find(|key| !"0123456789*#ABCDabcd".contains(*key)) {
        Some(key) => Err(format!("{key:?} is no key of a telephone: 0 to 9, *, #, A to D")),
        None => Ok(text.to_owned()),
    }
}

/// Longer than a request waits for its answer (RFC 3261 §17.1.2.2 timer F).
const PATIENCE: Duration = Duration::from_secs(40);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_a_telephone() {
        assert_eq!(keys("12*#Ad"), Ok("12*#Ad".to_owned()));
        assert!(keys("12x").unwrap_err().starts_with("'x' is no key"));
    }

    #[test]
    fn times() {
        for (text, milliseconds) in
            [("10s", 10_000), ("500ms", 500), ("2m", 120_000), ("1.5", 1500), ("0", 0)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for wrong in ["", "s", "-1s", "1 s", "1y", "infs", "1e400"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
