//! `bans`: who is not heard for a while, and why; a ban can be lifted, or pronounced.

use std::rc::Rc;
use std::time::Duration;

use hyper::{Method, StatusCode};
use machine::Time;
use protocol::bans::{Ban, Source};
use serde_json::{Value, json};

use super::{Asked, Content, Parameter, ParameterKind, Route, Said};
use crate::answer::{Answer, Refusal};
use crate::desk::Desk;
use crate::limits;

pub(super) static ROUTES: &[Route] = &[
    Route {
        method: Method::GET,
        path: "/api/v1/bans",
        name: "bans",
        about: "Who is not heard for a while, or only now and then, and why. A page at a time, in the order of the addresses.",
        parameters: &[Parameter {
            name: "after",
            kind: ParameterKind::Text,
            about: "Where to go on: `next` of the page before.",
        }],
        answers: &[Said { status: 200, about: "A page.", content: Content::Json("Bans") }],
        act: |desk, asked| Box::pin(list(desk, asked)),
    },
    Route {
        method: Method::PUT,
        path: "/api/v1/bans/{source}",
        name: "ban",
        about: "Nothing that comes from there is heard for a while. Addresses that the config says are not to be banned can be banned so too.",
        parameters: &[
            SOURCE,
            Parameter {
                name: "seconds",
                kind: ParameterKind::Number(limits::LONGEST_BAN),
                about: "For how long; an hour unless said.",
            },
        ],
        answers: &[Said { status: 200, about: "It is banned.", content: Content::Json("Banned") }],
        act: |desk, asked| Box::pin(ban(desk, asked)),
    },
    Route {
        method: Method::DELETE,
        path: "/api/v1/bans/{source}",
        name: "unban",
        about: "Lifts a ban: what comes from there is heard again, and what was done is forgotten.",
        parameters: &[SOURCE],
        answers: &[Said {
            status: 200,
            about: "It is lifted.",
            content: Content::Json("Unbanned"),
        }],
        act: |desk, asked| Box::pin(unban(desk, asked)),
    },
];

const SOURCE: Parameter = Parameter {
    name: "source",
    kind: ParameterKind::Path,
    about: "An IPv4 address, or an IPv6 address for its whole /64.",
};

async fn list(desk: Rc<Desk>, asked: Asked) -> Result<Answer, Refusal> {
    let after = asked.query.get("after").map(read_source).transpose()?;
    // All shards have the same.
    let (now, bans) = desk.ask(0, move |node, now, _| (now, node.bans(after))).await?;
    let next = bans.last().filter(|_| bans.len() >= server::limits::BANS_A_PAGE);
    let next = next.map(|ban| ban.source.to_string());
    let bans: Vec<_> = bans.iter().map(|one| as_json(one, now)).collect();
    Ok(Answer::json(&json!({ "bans": bans, "next": next })))
}

async fn ban(desk: Rc<Desk>, asked: Asked) -> Result<Answer, Refusal> {
    let source = read_source(asked.segment(0))?;
    let seconds = asked.query.count("seconds", limits::A_BAN, limits::LONGEST_BAN)?;
    let lasts = Duration::from_secs(seconds as u64);
    desk.ask(0, move |node, now, out| node.ban(now, source, lasts, out)).await?;
    Ok(Answer::json(&json!({ "banned": source.to_string(), "seconds": seconds })))
}

async fn unban(desk: Rc<Desk>, asked: Asked) -> Result<Answer, Refusal> {
    let source = read_source(asked.segment(0))?;
    let lifted = desk.ask_all(move |node, now, out| node.unban(now, source, out)).await?;
    if lifted.contains(&true) {
        return Ok(Answer::json(&json!({ "lifted": source.to_string() })));
    }
    let what = format!("{source} is not banned now");
    Err(Refusal::new(StatusCode::NOT_FOUND, "not_banned", what))
}

fn read_source(text: &str) -> Result<Source, Refusal> {
    text.parse().map_err(|why| {
        Refusal::bad("bad_address", format!("`{}` {why}", text.escape_debug()))
            .hint("write it like 192.0.2.7 or 2001:db8:1:2::/64")
    })
}

fn as_json(ban: &Ban, now: Time) -> Value {
    json!({
        "source": ban.source.to_string(),
        "treatment": ban.treatment.as_str(),
        "reason": ban.offence.as_str(),
        "count": ban.count,
        "times": ban.times,
        "since": ban.since.as_secs(),
        "left": ban.until.secs_since(now),
        "sample": &*ban.sample,
    })
}

pub(super) fn schemas() -> Value {
    json!({
        "Bans": {
            "type": "object",
            "properties": {
                "bans": { "type": "array", "items": { "$ref": "#/components/schemas/Ban" } },
                "next": { "type": ["string", "null"], "description": "For `after` of the next page; null when this was the last one." },
            },
            "required": ["bans", "next"],
            "additionalProperties": false,
        },
        "Ban": {
            "type": "object",
            "properties": {
                "source": { "type": "string", "description": "An IPv4 address, or an IPv6 network." },
                "treatment": {
                    "type": "string",
                    "enum": ["barred", "slowed"],
                    "description": "barred: nothing from there is heard. slowed: somebody is registered from there; of its guesses one is heard now and then.",
                },
                "reason": { "type": "string", "description": "The last that was done: wrong-password, unknown-user, not-sip, fraud, by-hand." },
                "count": { "type": "integer", "description": "How much was done." },
                "times": { "type": "integer", "description": "How many bans in a row." },
                "since": { "type": "integer", "description": "Since when." },
                "left": { "type": "integer", "description": "Seconds until it ends." },
                "sample": { "type": "string", "description": "What a message from there said of itself. Text of a stranger: do not believe it." },
            },
            "required": ["source", "treatment", "reason", "count", "times", "since", "left", "sample"],
            "additionalProperties": false,
        },
        "Banned": {
            "type": "object",
            "properties": { "banned": { "type": "string" }, "seconds": { "type": "integer" } },
            "required": ["banned", "seconds"],
            "additionalProperties": false,
        },
        "Unbanned": {
            "type": "object",
            "properties": { "lifted": { "type": "string" } },
            "required": ["lifted"],
            "additionalProperties": false,
        },
    })
}
