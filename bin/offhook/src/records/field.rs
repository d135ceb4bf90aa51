//! The fields of a record: their names, their order, and what stands in them. Programs read them, so a new one comes last, and none goes.

use machine::Time;
use protocol::{CallRecord, Text};

use super::form::Value;
use super::wall::Wall;
use crate::log::timestamp;

/// A field.
#[derive(Debug)]
pub(super) struct Field {
    /// Its name: the head of the column, the key of the JSON.
    pub(super) name: &'static str,
    /// What it is.
    about: &'static str,
    of: fn(&Seen<'_>) -> Value,
}

/// The fields as a table of docs/call-records.md.
pub fn table() -> String {
    let rows = FIELDS.iter().map(|field| format!("| `{}` | {} |\n", field.name, field.about));
    String::from("| field | what it is |\n|---|---|\n") + &rows.collect::<String>()
}

/// A record, and what its reader knows besides.
pub(super) struct Seen<'a> {
    record: &'a CallRecord,
    wall: &'a Wall,
    node: &'a str,
}

/// The values of a record, in the order of [`FIELDS`].
pub(super) fn of(record: &CallRecord, wall: &Wall, node: &str) -> Vec<Value> {
    let seen = Seen { record, wall, node };
    FIELDS.iter().map(|field| (field.of)(&seen)).collect()
}

impl Seen<'_> {
    fn text(&self, kind: Text) -> Value {
        Value::of_octets(self.record.text(kind))
    }

    fn moment(&self, time: Option<Time>) -> Value {
        time.map_or(Value::Absent, |time| Value::Text(timestamp(self.wall.at(time))))
    }

    /// Milliseconds between two moments, by the clock that never jumps.
    fn millis(from: Option<Time>, to: Option<Time>) -> Value {
        let span = from.zip(to).map(|(from, to)| (to - from).as_millis());
        span.and_then(|span| u64::try_from(span).ok()).map_or(Value::Absent, Value::Number)
    }
}

const fn field(name: &'static str, about: &'static str, of: fn(&Seen<'_>) -> Value) -> Field {
    Field { name, about, of }
}

fn number(number: u64) -> Value {
    if number == 0 { Value::Absent } else { Value::Number(number) }
}

/// The fields, in their order.
pub(super) const FIELDS: &[Field] = &[
    field("call_id", "The Call-ID of the INVITE.", |seen| seen.text(Text::CallId)),
    field("from", "The URI of its From: who calls, as the caller says.", |seen| {
        seen.text(Text::From)
    }),
    field("to", "The URI of its To.", |seen| seen.text(Text::To)),
    field("dialled", "Its Request-URI, as it came: what was dialled.", |seen| {
        seen.text(Text::Dialled)
    }),
    field(
        "user",
        "The extension that has proven to be the caller; absent when nobody had to prove anything.",
        |seen| seen.text(Text::User),
    ),
    field("answered_by", "The URI of the phone or of the next hop that answered.", |seen| {
        seen.text(Text::AnsweredBy)
    }),
    field("route", "The name of the `[[route]]` that the call took.", |seen| {
        seen.text(Text::Route)
    }),
    field("source", "Where the INVITE came from: address and port.", |seen| {
        Value::Text(seen.record.source.1.to_string())
    }),
    field("target", "Where the INVITE went that was answered; else where it went last.", |seen| {
        seen.record.target.map_or(Value::Absent, |(_, at)| Value::Text(at.to_string()))
    }),
    field(
        "transport_in",
        "By which transport it came: `udp`, `tcp`, `tls`, `ws`, `wss`.",
        |seen| Value::Text(seen.record.source.0.token().to_ascii_lowercase()),
    ),
    field("transport_out", "By which it went.", |seen| {
        let target = seen.record.target;
        target.map_or(Value::Absent, |(by, _)| Value::Text(by.token().to_ascii_lowercase()))
    }),
    field(
        "began",
        "When the INVITE came (RFC 3339, UTC, with milliseconds, as the three that follow).",
        |seen| seen.moment(Some(seen.record.began)),
    ),
    field(
        "ringing",
        "When the caller first heard that it rings (or a sound before the answer: 18x).",
        |seen| seen.moment(seen.record.rang),
    ),
    field("answered", "When it was answered; absent when it was not.", |seen| {
        seen.moment(seen.record.answered)
    }),
    field("ended", "When it ended.", |seen| seen.moment(seen.record.ended)),
    field("ringing_ms", "Milliseconds from `began` to `ringing`: the post-dial delay.", |seen| {
        Seen::millis(Some(seen.record.began), seen.record.rang)
    }),
    field("answered_ms", "Milliseconds from `began` to `answered`.", |seen| {
        Seen::millis(Some(seen.record.began), seen.record.answered)
    }),
    field("talk_ms", "Milliseconds from `answered` to `ended`: what is billed.", |seen| {
        Seen::millis(seen.record.answered, seen.record.ended)
    }),
    field("duration_ms", "Milliseconds from `began` to `ended`.", |seen| {
        Seen::millis(Some(seen.record.began), seen.record.ended)
    }),
    field("status", "The final status that the caller was told: 200, 486, 487 …", |seen| {
        number(seen.record.status.into())
    }),
    field(
        "reason",
        "The Reason header of whoever ended it, as written (RFC 3326): `Q.850;cause=16`.",
        |seen| seen.text(Text::Reason),
    ),
    field(
        "hung_up",
        "Who ended it. `caller`, `callee`: hung up, or the caller gave up while it rang. `operator`: `offhook ctl hangup`. `timer`: no BYE was seen, and the session timer ran out. \
         `age`: no BYE was seen for `[calls] longest`. `crowd`: there were too many calls to follow all. `server`: the server was stopped while \
         the call went on. Absent: it was never answered, and `status` says why.",
        |seen| match seen.record.ender.as_str() {
            "" => Value::Absent,
            ender => Value::Text(ender.into()),
        },
    ),
    field(
        "forks",
        "To how many places the INVITE was sent, one after another or together.",
        |seen| Value::Number(seen.record.forks.into()),
    ),
    field(
        "session_timer",
        "Seconds of the session timer (RFC 4028); absent without one.",
        |seen| number(seen.record.session.into()),
    ),
    field("node", "The server: `[records] node`.", |seen| Value::Text(seen.node.into())),
    field(
        "clock_set",
        "`yes` when the clock of the machine was set during the call: then the times of day do not fit together. The milliseconds always do.",
        |seen| {
            let (from, to) = (seen.record.began, seen.record.ended);
            Value::YesNo(seen.wall.was_set(from, to.unwrap_or(from) + super::desk::LOOK))
        },
    ),
];

/// Nothing is later than this, so that a year has four digits.
#[cfg(test)]
pub(super) const FAR: std::time::Duration = std::time::Duration::from_secs(253_402_300_799);
