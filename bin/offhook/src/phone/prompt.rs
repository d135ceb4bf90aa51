//! The phone that does what is typed: one command a line.

use std::io::BufRead as _;

use phone::{Call, Direction, Past, PhoneEvent};

use super::deed::register;
use super::desk::{Desk, Happening};
use crate::outcome::Outcome;

/// Registers, and does what is typed until `quit`.
pub(super) fn run(desk: &mut Desk) -> Result<Outcome, String> {
    // Only then is anything read: what was typed early is not lost.
    let outcome = register(desk)?;
    let bell = desk.bell();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if bell.send(Happening::Typed(line)).is_err() {
                return;
            }
        }
        // A desk that is closed does not listen.
        let _ = bell.send(Happening::TypedLast);
    });
    desk.news.hint(HELP);
    let mut current: Option<Call> = None;
    loop {
        match desk.next(None)? {
            Some(Happening::Typed(line)) => match obey(desk, &line, &mut current) {
                Ok(Next::More) => {}
                Ok(Next::Quit) => return Ok(outcome),
                Err(why) => desk.news.hint(&why),
            },
            Some(Happening::Phone(PhoneEvent::Incoming { call, .. })) if current.is_none() => {
                current = Some(call);
                // It may have been taken back already.
                let _ = desk.phone.obey(move |phone, now, out| phone.ring(now, call, out));
            }
            Some(Happening::Phone(PhoneEvent::GoesOn { call, new })) if current == Some(call) => {
                current = Some(new);
            }
            Some(Happening::Phone(PhoneEvent::Ended { call, .. })) if current == Some(call) => {
                current = None;
            }
            Some(Happening::TypedLast | Happening::Leave) => return Ok(outcome),
            Some(_) | None => {}
        }
    }
}

/// Whether there is more to do.
enum Next {
    More,
    Quit,
}

fn obey(desk: &Desk, line: &str, current: &mut Option<Call>) -> Result<Next, String> {
    let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
    let call = || current.ok_or("there is no call");
    match word {
        "" => {}
        "call" | "c" if current.is_some() => {
            return Err("there is a call already: hangup ends it".into());
        }
        "call" | "c" if rest.is_empty() => return Err("whom? call 102".into()),
        "call" | "c" => {
            let (target, audio) = (rest.to_owned(), desk.audio()?);
            let call =
                desk.phone.obey(move |phone, now, out| phone.call(now, &target, audio, out))?;
            *current = Some(call);
        }
        "answer" | "a" => {
            let (call, audio) = (call()?, desk.audio()?);
            desk.phone.obey(move |phone, now, out| phone.answer(now, call, audio, out))?;
        }
        "refuse" => {
            let call = call()?;
            desk.phone.obey(move |phone, now, out| phone.refuse(now, call, 486, out))?;
        }
        "hangup" | "h" => {
            let call = call()?;
            desk.phone.obey(move |phone, now, out| phone.hang_up(now, call, out))?;
        }
        "hold" => {
            let call = call()?;
            desk.phone.obey(move |phone, now, out| phone.hold(now, call, out))?;
        }
        "resume" => {
            let call = call()?;
            desk.phone.obey(move |phone, now, out| phone.resume(now, call, out))?;
        }
        "transfer" | "t" => {
            let (call, target) = (call()?, rest.to_owned());
            desk.phone.obey(move |phone, now, out| phone.transfer(now, call, &target, out))?;
        }
        "redial" if current.is_none() => {
            let audio = desk.audio()?;
            *current = Some(desk.phone.obey(move |phone, now, out| phone.redial(now, audio, out))?);
        }
        "keys" | "k" => {
            let call = call()?;
            for key in rest.chars() {
                desk.phone.obey(move |phone, now, out| phone.press(now, call, key, out))?;
            }
        }
        "quit" | "q" => return Ok(Next::Quit),
        "help" | "?" => desk.news.hint(HELP),
        other => receive(desk, other, rest)?,
    }
    Ok(Next::More)
}

/// What is done with calls that come, and what came.
fn receive(desk: &Desk, word: &str, rest: &str) -> Result<(), String> {
    match word {
        "dnd" => desk.phone.ask(|phone, _, _| phone.do_not_disturb())?,
        "open" => desk.phone.ask(|phone, _, _| phone.open())?,
        "forward" if rest.is_empty() => return Err("to whom? forward 103; open ends it".into()),
        "forward" => {
            let target = rest.to_owned();
            desk.phone.obey(move |phone, _, _| phone.forward_all(&target))?;
        }
        "history" => {
            let past =
                desk.phone.ask(|phone, _, _| phone.history().cloned().collect::<Vec<_>>())?;
            past.iter().for_each(|past| desk.news.hint(&line_of(past)));
        }
        other => return Err(format!("{other:?} is no command\n{HELP}")),
    }
    Ok(())
}

/// A call that there was, in a line.
fn line_of(past: &Past) -> String {
    let way = match past.direction {
        Direction::Out => "to",
        Direction::In if past.is_missed() => "missed:",
        Direction::In => "from",
    };
    let talked = past.answered.zip(past.ended).map(|(from, to)| (to - from).as_secs());
    let how = match talked {
        Some(seconds) => format!("{seconds} s"),
        None => past.status.to_string(),
    };
    format!("{way} {}, {how}", past.with)
}

const HELP: &str = "call WHOM, redial, answer, refuse, hangup, hold, resume, transfer WHOM, keys 123#, dnd, forward WHOM, open, history, quit";
