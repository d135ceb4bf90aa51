//! `SessionTimer`: a session that nobody refreshes ends by itself; the user agent's part of it (RFC 4028 §7, §9, §10).

use std::time::Duration;

use machine::Time;
use sip::header::{MinSe, Refresher, SessionExpires, Supported};
use sip::{Draft, Message, Name};

use crate::limits;

/// The session timer of one call: what we ask for, and what runs.
#[derive(Clone, Debug)]
pub struct SessionTimer {
    /// Seconds to ask for.
    interval: u32,
    /// The largest Min-SE that we were told (§7.4).
    min: Option<u32>,
    running: Option<Running>,
}

/// What was agreed on.
#[derive(Clone, Copy, Debug)]
struct Running {
    duty: Duty,
    /// When to refresh; never, while a refresh is under way or it is not our business.
    refresh: Time,
    /// When the session is over.
    end: Time,
}

/// Who refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// We do.
    Ours,
    /// The other side does.
    Theirs,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// Nothing.
    Nothing,
    /// A refresh of ours.
    Refresh,
    /// A BYE: nobody has refreshed the session (§10).
    End,
}

/// A request asks for a shorter session than we take: 422, with this Min-SE (§9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooBrief(pub u32);

impl SessionTimer {
    /// One that asks for so many seconds; the RFC recommends [`USUAL`].
    pub const fn new(interval: u32) -> Self {
        let interval = if interval < LEAST { LEAST } else { interval };
        Self { interval, min: None, running: None }
    }

    /// Writes into a session refresh request what we ask for. Who refreshes is left to the answer the first time, and stays (§7.1, §7.4).
    pub fn ask(&self, draft: Draft) -> Draft {
        let rows = self.rows();
        rows.into_iter().fold(draft, |draft, (name, value)| draft.raw(name, value.as_bytes()))
    }

    /// The rows that ask: Session-Expires, and Min-SE where we were told one.
    pub fn rows(&self) -> Vec<(Name, String)> {
        let refresher = match self.running.map(|running| running.duty) {
            Some(Duty::Ours) => ";refresher=uac",
            Some(Duty::Theirs) => ";refresher=uas",
            None => "",
        };
        let mut rows = vec![(Name::SessionExpires, format!("{}{refresher}", self.interval))];
        rows.extend(self.min.map(|min| (Name::MinSe, min.to_string())));
        rows
    }

    /// A 422 came: true when it names an interval that we had not asked for, so that asking again makes sense (§7.3).
    pub fn too_brief(&mut self, response: &Message) -> bool {
        let Some(MinSe { seconds, .. }) = response.get() else { return false };
        if seconds <= self.interval || seconds > limits::LONGEST_SESSION {
            return false;
        }
        self.at_least(seconds);
        true
    }

    fn at_least(&mut self, min: u32) {
        let min = min.clamp(LEAST, limits::LONGEST_SESSION);
        self.min = Some(self.min.map_or(min, |known| known.max(min)));
        self.interval = self.interval.max(min);
    }

    /// A 2xx to our request: the timer that it says runs from now on, or none (§7.2).
    pub fn agreed(&mut self, now: Time, response: &Message) {
        self.running = response.get::<SessionExpires<'_>>().map(|said| {
            let duty = match said.refresher() {
                Some(Refresher::Uas) => Duty::Theirs,
                // Who is silent about it leaves it to us.
                Some(Refresher::Uac) | None => Duty::Ours,
            };
            self.start(now, said.seconds, duty)
        });
    }

    /// Whether their request asks for a session that we take (§9): to be asked before anything else is done about it.
    pub fn admits(request: &Message) -> Result<(), TooBrief> {
        match request.get::<SessionExpires<'_>>() {
            Some(wish) if wish.seconds < LEAST && knows(request) => Err(TooBrief(LEAST)),
            _ => Ok(()),
        }
    }

    /// Our 2xx to their session refresh request: the rows that say who refreshes, and the timer runs from now on (§9). Where they ask for
    /// none there is none.
    pub fn answer(&mut self, now: Time, request: &Message) -> Vec<(Name, String)> {
        self.running = None;
        if let Some(MinSe { seconds, .. }) = request.get() {
            self.at_least(seconds);
        }
        let wish = request.get::<SessionExpires<'_>>().filter(|wish| wish.seconds >= LEAST);
        let Some(wish) = wish else { return Vec::new() };
        let knows = knows(request);
        // Whoever knows no timers cannot refresh; else it is the caller's, unless it asks for us.
        let duty = match wish.refresher() {
            Some(Refresher::Uas) => Duty::Ours,
            _ if !knows => Duty::Ours,
            Some(Refresher::Uac) | None => Duty::Theirs,
        };
        self.running = Some(self.start(now, wish.seconds, duty));
        let refresher = if duty == Duty::Ours { "uas" } else { "uac" };
        let said = format!("{};refresher={refresher}", wish.seconds);
        let mut rows = vec![(Name::SessionExpires, said)];
        if knows {
            rows.push((Name::Require, TIMER.to_owned()));
        }
        rows
    }

    fn start(&mut self, now: Time, seconds: u32, duty: Duty) -> Running {
        // §4: nobody need take less; whoever says less would have us send all the time.
        let seconds = seconds.max(LEAST);
        self.interval = seconds.max(self.min.unwrap_or(LEAST));
        let whole = Duration::from_secs(seconds.into());
        match duty {
            Duty::Ours => Running { duty, refresh: now + whole / 2, end: now + whole },
            // §10: slightly before it is over.
            Duty::Theirs => {
                let early = (whole / 3).min(EARLY);
                Running { duty, refresh: Time::NEVER, end: now + whole.saturating_sub(early) }
            }
        }
    }

    /// What is due. A refresh is said once; its answer starts the timer anew.
    pub fn wake(&mut self, now: Time) -> Overdue {
        match &mut self.running {
            Some(running) if running.end <= now => {
                self.running = None;
                Overdue::End
            }
            Some(running) if running.refresh <= now => {
                running.refresh = Time::NEVER;
                Overdue::Refresh
            }
            _ => Overdue::Nothing,
        }
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Time> {
        self.running.map(|running| running.refresh.min(running.end))
    }
}

/// True when its sender knows session timers.
fn knows(request: &Message) -> bool {
    request.all::<Supported<'_>>().flatten().any(|tag| tag.0.eq_ignore_ascii_case(TIMER))
}

/// The option tag (§13.1).
pub const TIMER: &str = "timer";

/// The interval that the RFC recommends, in seconds (§4).
pub const USUAL: u32 = 1800;

/// The shortest interval that there is, in seconds (§4, §5).
pub const LEAST: u32 = 90;

/// How much before its end a session that the other side should have refreshed is ended, at most (§10).
const EARLY: Duration = Duration::from_secs(32);

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Time {
        Time(seconds * 1_000_000_000)
    }

    fn ok(rows: &str) -> Message {
        Message::parse(format!("SIP/2.0 200 OK\r\n{rows}\r\n")).unwrap()
    }

    fn request(rows: &str) -> Message {
        Message::parse(format!("UPDATE sip:b@h SIP/2.0\r\n{rows}\r\n")).unwrap()
    }

    fn text(rows: Vec<(Name, String)>) -> Vec<String> {
        rows.into_iter().map(|(name, value)| format!("{}: {value}", name.as_str())).collect()
    }

    #[test]
    fn whose_duty_it_is_refreshes_halfway_and_the_other_ends_what_is_not_refreshed() {
        let mut ours = SessionTimer::new(USUAL);
        ours.agreed(seconds(0), &ok("Session-Expires: 1800;refresher=uac\r\n"));
        assert_eq!(ours.deadline(), Some(seconds(900)));
        assert_eq!(ours.wake(seconds(900)), Overdue::Refresh);
        assert_eq!(ours.wake(seconds(900)), Overdue::Nothing);
        assert_eq!(text(ours.rows()), ["Session-Expires: 1800;refresher=uac"]);
        assert_eq!(ours.wake(seconds(1800)), Overdue::End);
        let mut theirs = SessionTimer::new(USUAL);
        theirs.agreed(seconds(0), &ok("Session-Expires: 90;refresher=uas\r\n"));
        assert_eq!(theirs.deadline(), Some(seconds(60)), "a third, when that is shorter");
        theirs.agreed(seconds(0), &ok("Session-Expires: 300;refresher=uas\r\n"));
        assert_eq!(theirs.deadline(), Some(seconds(268)));
        theirs.agreed(seconds(0), &ok(""));
        assert_eq!(theirs.deadline(), None, "a refresh without it turns it off");
    }

    #[test]
    fn who_refreshes_is_said_by_the_callee_as_table_2_wants_it() {
        for (rows, said) in [
            ("", &[][..]),
            ("Supported: timer\r\n", &[]),
            ("Session-Expires: 600\r\n", &["Session-Expires: 600;refresher=uas"]),
            ("Session-Expires: 600;refresher=uac\r\n", &["Session-Expires: 600;refresher=uas"]),
            (
                "Supported: timer\r\nSession-Expires: 600\r\n",
                &["Session-Expires: 600;refresher=uac", "Require: timer"],
            ),
            (
                "k: timer\r\nx: 600;refresher=uas\r\n",
                &["Session-Expires: 600;refresher=uas", "Require: timer"],
            ),
        ] {
            let mut timer = SessionTimer::new(USUAL);
            assert_eq!(text(timer.answer(seconds(0), &request(rows))), said, "{rows}");
        }
        let brief = request("Supported: timer\r\nSession-Expires: 89\r\n");
        assert_eq!(SessionTimer::admits(&brief), Err(TooBrief(90)));
        assert_eq!(SessionTimer::admits(&request("Session-Expires: 89\r\n")), Ok(()));
    }

    #[test]
    fn a_longer_minimum_is_taken_over_and_kept() {
        let mut timer = SessionTimer::new(600);
        assert!(!timer.too_brief(&ok("Min-SE: 600\r\n")), "that was not the trouble");
        assert!(!timer.too_brief(&ok("Min-SE: 999999999\r\n")), "a trap");
        assert!(timer.too_brief(&ok("Min-SE: 3600\r\n")));
        assert_eq!(text(timer.rows()), ["Session-Expires: 3600", "Min-SE: 3600"]);
        timer.answer(seconds(0), &request("Session-Expires: 4000\r\nMin-SE: 100\r\n"));
        assert_eq!(
            text(timer.rows()),
            ["Session-Expires: 4000;refresher=uac", "Min-SE: 3600"],
            "the largest that was ever heard"
        );
    }

    #[test]
    fn nobody_makes_us_refresh_all_the_time() {
        let mut timer = SessionTimer::new(USUAL);
        timer.agreed(seconds(0), &ok("Session-Expires: 1;refresher=uac\r\n"));
        assert_eq!(timer.deadline(), Some(seconds(45)));
    }
}
