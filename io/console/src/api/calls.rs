//! `calls`: which calls pass through the server just now.

use std::rc::Rc;

use hyper::{Method, StatusCode};
use machine::Time;
use protocol::{CallRecord, Text, Transport};
use serde_json::{Value, json};

use super::{Asked, Content, Parameter, ParameterKind, Route, Said, text};
use crate::answer::{Answer, Refusal};
use crate::desk::Desk;
use crate::limits;

pub(super) static ROUTES: &[Route] = &[
    Route {
        method: Method::GET,
        path: "/api/v1/calls",
        name: "calls",
        about: "The calls that pass through the server just now, those too that still ring. A page at a time.",
        parameters: &[
            Parameter {
                name: "filter",
                kind: ParameterKind::Text,
                about: "Only calls that have this in their Call-ID, in who calls, or in whom.",
            },
            Parameter {
                name: "limit",
                kind: ParameterKind::Number(limits::LONGEST_PAGE),
                about: "Calls on this page, at most; 100 unless said.",
            },
            Parameter {
                name: "after",
                kind: ParameterKind::Text,
                about: "Where to go on: `next` of the page before.",
            },
        ],
        answers: &[Said { status: 200, about: "A page.", content: Content::Json("Calls") }],
        act: |desk, asked| Box::pin(list(desk, asked)),
    },
    Route {
        method: Method::GET,
        path: "/api/v1/calls/{call}",
        name: "call",
        about: "One call, while it lasts.",
        parameters: &[CALL],
        answers: &[Said { status: 200, about: "The call.", content: Content::Json("Call") }],
        act: |desk, asked| Box::pin(one(desk, asked)),
    },
];

pub(super) const CALL: Parameter = Parameter {
    name: "call",
    kind: ParameterKind::Path,
    about: "Its `id` in the list, its Call-ID, or how that begins, when no other begins so: four characters at least.",
};

/// A place in the list: a shard, and a call of it; none: before the first.
type Place = (u16, Option<u64>);

async fn list(desk: Rc<Desk>, asked: Asked) -> Result<Answer, Refusal> {
    let most = asked.query.count("limit", limits::PAGE, limits::LONGEST_PAGE)?;
    let part = asked.query.get("filter").unwrap_or_default();
    let mut place = asked.query.get("after").map_or(Ok((0, None)), read_place)?;
    let mut page = Vec::new();
    while place.0 < desk.house.shards() && page.len() < most {
        let found = match part {
            "" => portion(&desk, &mut place, most - page.len()).await?,
            part => {
                let part = part.to_owned().into_bytes();
                search(&desk, &mut place, move |record| has(record, &part)).await?
            }
        };
        for call in found {
            page.push(call.json());
            if page.len() == most {
                place = (call.shard, Some(call.number));
                break;
            }
        }
    }
    let next = (place.0 < desk.house.shards()).then(|| match place {
        (shard, Some(number)) => format!("{shard}.{number}"),
        (shard, None) => format!("{shard}"),
    });
    Ok(Answer::json(&json!({ "calls": page, "next": next })))
}

/// Where a page ended, as it was told with it.
fn read_place(after: &str) -> Result<Place, Refusal> {
    let read = match after.split_once('.') {
        Some((shard, number)) => {
            shard.parse().ok().zip(number.parse().ok()).map(|(shard, number)| (shard, Some(number)))
        }
        None => after.parse().ok().map(|shard| (shard, None)),
    };
    read.ok_or_else(|| {
        let what = format!("`after` cannot be `{}`", after.escape_debug());
        Refusal::bad("bad_parameter", what).hint("take `next` of the page before")
    })
}

/// The calls behind a place, as many as are worth a visit; the place moves behind them.
async fn portion(desk: &Desk, place: &mut Place, most: usize) -> Result<Vec<Found>, Refusal> {
    let ((shard, behind), most) = (*place, most.min(limits::A_VISIT));
    let visit = desk.ask(shard, move |node, now, _| (now, node.calls(behind, most)));
    let (now, calls) = visit.await?;
    *place = match calls.last() {
        Some((number, _)) if calls.len() == most => (shard, Some(*number)),
        _ => (shard.saturating_add(1), None),
    };
    let found = calls.into_iter();
    Ok(found.map(|(number, record)| Found { shard, number, now, record }).collect())
}

/// The calls behind a place that are wanted, in as many places as are worth a visit; the place moves behind those.
async fn search(
    desk: &Desk,
    place: &mut Place,
    wanted: impl FnMut(&CallRecord) -> bool + Send + 'static,
) -> Result<Vec<Found>, Refusal> {
    let (shard, behind) = *place;
    let visit =
        desk.ask(shard, move |node, now, _| (now, node.search(behind, limits::A_SEARCH, wanted)));
    let (now, (calls, next)) = visit.await?;
    *place = if next.is_some() { (shard, next) } else { (shard.saturating_add(1), None) };
    let found = calls.into_iter();
    Ok(found.map(|(number, record)| Found { shard, number, now, record }).collect())
}

async fn one(desk: Rc<Desk>, asked: Asked) -> Result<Answer, Refusal> {
    Ok(Answer::json(&find(&desk, asked.segment(0)).await?.json()))
}

/// The call of this name.
pub(super) async fn find(desk: &Desk, name: &str) -> Result<Found, Refusal> {
    if let Ok((shard, Some(number))) = read_place(name)
        && shard < desk.house.shards()
    {
        let look =
            desk.ask(shard, move |node, now, _| (now, node.call(number), node.ending(number)));
        match look.await? {
            (now, Some(record), _) => return Ok(Found { shard, number, now, record }),
            (_, None, Some(_)) => {
                let what = format!("the call `{name}` is over: an operator has ended it");
                return Err(Refusal::new(StatusCode::NOT_FOUND, "no_such_call", what));
            }
            (_, None, None) => {}
        }
    }
    let mut found = by_call_id(desk, name.as_bytes()).await?;
    let shown = name.escape_debug();
    match (found.pop(), found.is_empty()) {
        (Some(call), true) => Ok(call),
        (Some(call), false) => {
            let what = format!("`{shown}` is how several calls begin");
            let places = found.iter().chain([&call]).take(limits::NAMED).map(Found::id);
            let hint = format!("name one by its id: {}", places.collect::<Vec<_>>().join(", "));
            Err(Refusal::new(StatusCode::CONFLICT, "ambiguous_call", what).hint(hint))
        }
        (None, _) => {
            let what = format!("there is no call `{shown}` now");
            let refusal = Refusal::new(StatusCode::NOT_FOUND, "no_such_call", what);
            let short = name.len() < limits::A_BEGINNING;
            Err(if short { refusal.hint("so short a name is an id, or nothing") } else { refusal })
        }
    }
}

/// The calls with this Call-ID; when there is none, those whose Call-ID begins so: a few of them.
async fn by_call_id(desk: &Desk, name: &[u8]) -> Result<Vec<Found>, Refusal> {
    let home = desk.house.home_of_call(name);
    let exact = named(desk, (home, home), name, |call_id, name| call_id == name).await?;
    if !exact.is_empty() || name.len() < limits::A_BEGINNING {
        return Ok(exact);
    }
    let last = desk.house.shards().saturating_sub(1);
    named(desk, (0, last), name, |call_id, name| call_id.starts_with(name)).await
}

/// A few calls of these shards that have such a name.
async fn named(
    desk: &Desk,
    (first, last): (u16, u16),
    name: &[u8],
    is: fn(&[u8], &[u8]) -> bool,
) -> Result<Vec<Found>, Refusal> {
    let (mut place, mut found) = ((first, None), Vec::new());
    while place.0 <= last && found.len() < limits::NAMED {
        let (name, mut some) = (name.to_owned(), limits::NAMED - found.len());
        let wanted = move |record: &CallRecord| {
            let wanted = some > 0 && is(record.text(Text::CallId), &name);
            some = some.saturating_sub(usize::from(wanted));
            wanted
        };
        found.extend(search(desk, &mut place, wanted).await?);
    }
    Ok(found)
}

/// Whether one of its names has this in it.
fn has(record: &CallRecord, part: &[u8]) -> bool {
    let places = [Text::CallId, Text::From, Text::To, Text::Dialled];
    places.iter().any(|place| record.text(*place).windows(part.len()).any(|window| window == part))
}

/// A call, and where and when it was seen.
pub(super) struct Found {
    pub(super) shard: u16,
    pub(super) number: u64,
    now: Time,
    record: CallRecord,
}

impl Found {
    fn id(&self) -> String {
        format!("{}.{}", self.shard, self.number)
    }

    pub(super) fn call_id(&self) -> &[u8] {
        self.record.text(Text::CallId)
    }

    fn json(&self) -> Value {
        let record = &self.record;
        let state = match (record.answered, record.rang) {
            (Some(_), _) => "up",
            (None, Some(_)) => "ringing",
            (None, None) => "trying",
        };
        let since = record.answered.or(record.rang).unwrap_or(record.began);
        let said = |kind| Some(record.text(kind)).filter(|said| !said.is_empty()).map(text);
        json!({
            "id": self.id(),
            "state": state,
            "lasts": (self.now - since).as_secs(),
            "call_id": text(self.call_id()),
            "from": text(record.text(Text::From)),
            "to": text(record.text(Text::To)),
            "dialled": said(Text::Dialled),
            "user": said(Text::User),
            "route": said(Text::Route),
            "answered_by": said(Text::AnsweredBy),
            "began": record.began.as_secs(),
            "rang": record.rang.map(Time::as_secs),
            "answered": record.answered.map(Time::as_secs),
            "source": place(record.source),
            "target": record.target.map(place),
            "forks": record.forks,
            "session_timer": (record.session > 0).then_some(record.session),
        })
    }
}

fn place((transport, address): (Transport, std::net::SocketAddr)) -> Value {
    json!({ "transport": transport.token().to_ascii_lowercase(), "address": address.to_string() })
}

pub(super) fn schemas() -> Value {
    let maybe = |about: &str| json!({ "type": ["string", "null"], "description": about });
    let moment = |about: &str| json!({ "type": ["integer", "null"], "description": about });
    json!({
        "Calls": {
            "type": "object",
            "properties": {
                "calls": { "type": "array", "items": { "$ref": "#/components/schemas/Call" } },
                "next": { "type": ["string", "null"], "description": "For `after` of the next page; null when this was the last one." },
            },
            "required": ["calls", "next"],
            "additionalProperties": false,
        },
        "Call": {
            "type": "object",
            "properties": {
                "id": { "type": "string", "description": "What this server calls it, while it lasts." },
                "state": { "type": "string", "enum": ["trying", "ringing", "up"] },
                "lasts": { "type": "integer", "description": "Seconds for which it has been in this state." },
                "call_id": { "type": "string" },
                "from": { "type": "string", "description": "Who calls, as the From says." },
                "to": { "type": "string", "description": "Whom, as the To says." },
                "dialled": maybe("The Request-URI, as it came."),
                "user": maybe("The user of ours who has proven to be the caller."),
                "route": maybe("The route of the config that it took."),
                "answered_by": maybe("The phone or the next hop that answered."),
                "began": { "type": "integer", "description": "When its INVITE came." },
                "rang": moment("When the caller first heard that somebody rings."),
                "answered": moment("When it was answered."),
                "source": { "$ref": "#/components/schemas/Peer" },
                "target": { "oneOf": [{ "$ref": "#/components/schemas/Peer" }, { "type": "null" }] },
                "forks": { "type": "integer", "description": "To how many places it was sent." },
                "session_timer": moment("Seconds of its session timer (RFC 4028)."),
            },
            "required": [
                "id", "state", "lasts", "call_id", "from", "to", "dialled", "user", "route", "answered_by", "began", "rang", "answered",
                "source", "target", "forks", "session_timer",
            ],
            "additionalProperties": false,
        },
        "Peer": {
            "type": "object",
            "properties": { "transport": { "type": "string" }, "address": { "type": "string" } },
            "required": ["transport", "address"],
            "additionalProperties": false,
        },
    })
}
