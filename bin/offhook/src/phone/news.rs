//! `News`: what happens at the phone, for people and for programs.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use phone::{CallQuality, PhoneEvent};
use serde_json::{Value, json};

use super::inquiry::Times;
use super::watched;
use crate::log::upsets;

/// How it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// A line a thing.
    Text,
    /// An object a line.
    Json,
    /// Not at all: somebody else shows it.
    Silent,
}

impl News {
    /// Something happened at the phone; with several accounts, at whose.
    pub(super) fn tell(self, whose: Option<&str>, event: &PhoneEvent) {
        let text = || match whose {
            Some(whose) => format!("{whose}: {}", words(event)),
            None => words(event),
        };
        let value = || match (object(event), whose) {
            (Value::Object(mut rows), Some(whose)) => {
                rows.insert("account".into(), whose.into());
                Value::Object(rows)
            }
            (object, _) => object,
        };
        self.say(text, value);
    }

    /// The command failed.
    pub(super) fn failed(self, why: &str) {
        self.say(|| format!("failed: {why}"), || failure(why));
    }

    /// A call was up for so long.
    pub(super) fn lasted(self, time: Duration) {
        let seconds = time.as_secs_f64();
        let text = || format!("the call lasted {seconds:.1} s");
        self.say(text, || lasting(seconds));
    }

    /// How long answers took.
    pub(super) fn round_trips(self, times: &Times) {
        let Times { asked, answered, least, most, .. } = times;
        let [least, mean, most] = [*least, times.mean(), *most].map(milliseconds);
        let counted = (*asked, *answered);
        let text = || {
            format!(
                "asked {asked} times, answered {answered} times; there and back {least:.1} ms at least, {mean:.1} on average, {most:.1} at most"
            )
        };
        self.say(text, || round_trips(counted, [least, mean, most]));
    }

    /// Help, and what was typed wrong: for people alone.
    pub(super) fn hint(self, text: &str) {
        self.say(|| text.to_owned(), || hint(text));
    }

    fn say(self, text: impl FnOnce() -> String, object: impl FnOnce() -> Value) {
        match self {
            Self::Text => say(&text()),
            Self::Json => say(&object().to_string()),
            Self::Silent => {}
        }
    }
}

/// From now on news go to stderr: stdout is for sound.
pub(super) fn step_aside() {
    ASIDE.store(true, Ordering::Relaxed);
}

/// There is one stdout, and it belongs to one of the two.
static ASIDE: AtomicBool = AtomicBool::new(false);

/// A line on stdout, without what could upset a terminal: some of it comes from peers.
fn say(line: &str) {
    let mut clean: String =
        line.chars().map(|c| if upsets(c) && c != '\n' { '\u{fffd}' } else { c }).collect();
    clean.push('\n');
    if ASIDE.load(Ordering::Relaxed) {
        let _ = std::io::stderr().lock().write_all(clean.as_bytes());
        return;
    }
    let mut out = std::io::stdout().lock();
    // Whoever closed stdout wants to hear no more.
    let _ = out.write_all(clean.as_bytes()).and_then(|()| out.flush());
}

pub(super) fn words(event: &PhoneEvent) -> String {
    match event {
        PhoneEvent::Registered { expires } => format!("registered for {expires} s"),
        PhoneEvent::NotRegistered { status, reason } => {
            format!("not registered: {status} {reason}")
        }
        PhoneEvent::FlowFailed { flow, status, reason } => {
            format!("way {flow} failed: {status} {reason}; others stand or are tried")
        }
        PhoneEvent::Unregistered => "unregistered".into(),
        PhoneEvent::Incoming { from, .. } => format!("{from} calls"),
        PhoneEvent::Progress { status: 180, .. } => "it rings".into(),
        PhoneEvent::Progress { status, .. } => format!("on its way ({status})"),
        PhoneEvent::Established { .. } => "the call is up".into(),
        PhoneEvent::Held { held: true, .. } => "the other side put us on hold".into(),
        PhoneEvent::Held { held: false, .. } => "the other side took us back".into(),
        PhoneEvent::HoldDone { status: 200, .. } => "agreed".into(),
        PhoneEvent::HoldDone { status, .. } => format!("the other side did not agree ({status})"),
        PhoneEvent::Key { key, .. } => format!("the other side pressed {key}"),
        PhoneEvent::Transfer { status: 200, .. } => "transferred: somebody has picked up".into(),
        PhoneEvent::Transfer { status: 100..=199, .. } => "the transfer is on its way".into(),
        PhoneEvent::Transfer { status, .. } => format!("the transfer failed ({status})"),
        PhoneEvent::Referred { to, .. } => format!("the other side wants us to call {to}"),
        PhoneEvent::Conference { members } if members.is_empty() => "the conference is over".into(),
        PhoneEvent::Conference { members } => format!("a conference of {} calls", members.len()),
        PhoneEvent::Focus { conference: Some(uri), .. } => format!("this is a conference: {uri}"),
        PhoneEvent::Focus { conference: None, .. } => "this is no conference any more".into(),
        PhoneEvent::Entered { with, wanted_in: None, .. } => format!("{with} comes in"),
        PhoneEvent::Entered { with, .. } => format!("{with} is called, as the other side wants"),
        PhoneEvent::GoesOn { .. } => "the call goes on with somebody else".into(),
        PhoneEvent::Answered { status, reason, took, rows, .. } => {
            let rows = rows.iter().map(|(name, value)| format!("\n  {name}: {value}"));
            format!(
                "{status} {reason}, in {:.1} ms{}",
                milliseconds(*took),
                rows.collect::<String>()
            )
        }
        PhoneEvent::TurnedAway { from, status } => format!("{from} was turned away ({status})"),
        PhoneEvent::Message { from, text } => format!("{from} writes: {}", on_one_line(text)),
        PhoneEvent::Watched { place, state, kind, body, .. } => {
            let said = on_one_line(&watched::in_words(state, kind, body));
            if *place == 0 { said } else { format!("place {place}: {said}") }
        }
        PhoneEvent::NotWatched { status: 200, reason, .. } => reason.to_string(),
        PhoneEvent::NotWatched { status, reason, again, .. } => {
            let later = if *again { "; it is tried again" } else { "" };
            format!("not watched: {status} {reason}{later}")
        }
        PhoneEvent::Published { expires } => format!("published for {expires} s"),
        PhoneEvent::NotPublished { status, reason } => format!("not published: {status} {reason}"),
        PhoneEvent::Quality { quality, .. } => quality_in_words(quality),
        PhoneEvent::Ended { status: 200, reason, .. } => format!("the call is over: {reason}"),
        PhoneEvent::Ended { status, reason, .. } => format!("the call failed: {status} {reason}"),
        other => format!("{other:?}"),
    }
}

/// What a peer has written begins no line of ours.
fn on_one_line(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join(" / ")
}

fn quality_in_words(quality: &CallQuality) -> String {
    let grade = |grade: Option<phone::Grade>| {
        grade.map_or("no report".into(), |grade| {
            let (jitter, mos) = (grade.jitter.as_secs_f64() * 1000.0, f64::from(grade.mos) / 100.0);
            format!(
                "{:.1} % lost, jitter {jitter:.1} ms, MOS {mos:.2}",
                f64::from(grade.loss) / 10.0
            )
        })
    };
    format!(
        "{}, {}; {} packets sent, {} received, {} lost; here: {}; there: {}",
        quality.codec,
        quality.srtp.unwrap_or("not encrypted"),
        quality.sent,
        quality.received,
        quality.lost,
        grade(quality.here),
        grade(quality.there)
    )
}

fn object(event: &PhoneEvent) -> Value {
    match event {
        PhoneEvent::Incoming { call, from } => {
            json!({ "event": "incoming", "call": call.0, "from": from })
        }
        PhoneEvent::Progress { call, status } => {
            json!({ "event": "progress", "call": call.0, "status": status })
        }
        PhoneEvent::Established { call } => json!({ "event": "established", "call": call.0 }),
        PhoneEvent::Held { call, held } => json!({ "event": "held", "call": call.0, "held": held }),
        PhoneEvent::HoldDone { call, hold, status } => {
            json!({ "event": "hold_done", "call": call.0, "hold": hold, "status": status })
        }
        PhoneEvent::Key { call, key } => json!({ "event": "key", "call": call.0, "key": key }),
        PhoneEvent::Transfer { call, status } => {
            json!({ "event": "transfer", "call": call.0, "status": status })
        }
        PhoneEvent::Referred { call, to } => {
            json!({ "event": "referred", "call": call.0, "to": to })
        }
        PhoneEvent::Entered { call, with, wanted_in } => {
            let wanted_in = wanted_in.map(|call| call.0);
            json!({ "event": "entered", "call": call.0, "with": with, "wanted_in": wanted_in })
        }
        PhoneEvent::GoesOn { call, new } => {
            json!({ "event": "goes_on", "call": call.0, "new": new.0 })
        }
        PhoneEvent::Conference { members } => {
            let members: Vec<_> = members.iter().map(|call| call.0).collect();
            json!({ "event": "conference", "calls": members })
        }
        PhoneEvent::Focus { call, conference } => {
            json!({ "event": "focus", "call": call.0, "conference": conference })
        }
        PhoneEvent::Quality { call, quality } => json!({
            "event": "quality",
            "call": call.0,
            "codec": quality.codec,
            "srtp": quality.srtp,
            "refused": quality.refused,
            "sent": quality.sent,
            "received": quality.received,
            "lost": quality.lost,
            "late": quality.late,
            "round_trip_ms": quality.round_trip.map(milliseconds),
            "here": quality.here.map(grade),
            "there": quality.there.map(grade),
        }),
        PhoneEvent::Ended { call, status, reason } => {
            json!({ "event": "ended", "call": call.0, "status": status, "reason": reason })
        }
        other => outside(other),
    }
}

fn failure(why: &str) -> Value {
    json!({ "event": "failed", "reason": why })
}

fn lasting(seconds: f64) -> Value {
    json!({ "event": "lasted", "seconds": seconds })
}

fn round_trips((asked, answered): (u32, u32), [least, mean, most]: [f64; 3]) -> Value {
    json!({
        "event": "round_trips", "asked": asked, "answered": answered, "least_ms": least, "mean_ms": mean, "most_ms": most
    })
}

fn hint(text: &str) -> Value {
    json!({ "event": "hint", "text": text })
}

/// What happens outside of calls.
fn outside(event: &PhoneEvent) -> Value {
    match event {
        PhoneEvent::Registered { expires } => json!({ "event": "registered", "expires": expires }),
        PhoneEvent::NotRegistered { status, reason } => {
            json!({ "event": "not_registered", "status": status, "reason": reason })
        }
        PhoneEvent::FlowFailed { flow, status, reason } => {
            json!({ "event": "flow_failed", "flow": flow, "status": status, "reason": reason })
        }
        PhoneEvent::Unregistered => json!({ "event": "unregistered" }),
        PhoneEvent::Answered { status, reason, took, rows, .. } => {
            let rows: serde_json::Map<_, _> = rows
                .iter()
                .map(|(name, value)| (name.to_string(), Value::from(&**value)))
                .collect();
            json!({
                "event": "answered", "status": status, "reason": reason, "took_ms": milliseconds(*took), "said": rows
            })
        }
        PhoneEvent::TurnedAway { from, status } => {
            json!({ "event": "turned_away", "from": from, "status": status })
        }
        PhoneEvent::Message { from, text } => {
            json!({ "event": "message", "from": from, "text": text })
        }
        PhoneEvent::Watched { place, state, kind, body, .. } => {
            watched::object(*place, (state, kind, body))
        }
        PhoneEvent::NotWatched { status, reason, again, .. } => {
            json!({ "event": "not_watched", "status": status, "reason": reason, "again": again })
        }
        PhoneEvent::Published { expires } => json!({ "event": "published", "expires": expires }),
        PhoneEvent::NotPublished { status, reason } => {
            json!({ "event": "not_published", "status": status, "reason": reason })
        }
        other => json!({ "event": "other", "text": format!("{other:?}") }),
    }
}

fn grade(grade: phone::Grade) -> Value {
    json!({
        "loss_percent": f64::from(grade.loss) / 10.0,
        "jitter_ms": milliseconds(grade.jitter),
        "mos": f64::from(grade.mos) / 100.0,
    })
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests;
