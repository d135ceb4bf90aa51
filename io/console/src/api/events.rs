//! `events`: what happens, as it happens.

use std::rc::Rc;

use hyper::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Asked, Content, Route, Said};
use crate::answer::{Answer, Refusal};
use crate::desk::Desk;
use crate::events::pass;

pub(super) static ROUTES: &[Route] = &[Route {
    method: Method::GET,
    path: "/api/v1/events",
    name: "events",
    about: "What happens, as it happens: Server-Sent Events, each with the JSON of a line of the log. A reader that is too slow loses \
            events and gets an event of the type `lost` that says how many.",
    parameters: &[],
    answers: &[Said {
        status: 200,
        about: "A stream that does not end. Each `data` is an Event.",
        content: Content::Text("text/event-stream"),
    }],
    act: |desk, asked| Box::pin(events(desk, asked)),
}];

async fn events(desk: Rc<Desk>, _: Asked) -> Result<Answer, Refusal> {
    let (reader, events) = (desk.reader()?, desk.events().ok_or_else(Refusal::busy)?);
    let (to, frames) = mpsc::channel(1);
    tokio::task::spawn_local(pass(events, to));
    Ok(Answer::stream(frames, reader))
}

pub(super) fn schemas() -> Value {
    json!({
        "Event": {
            "type": "object",
            "description": "A line of the log, as `--log json` writes it. What else it has depends on the event.",
            "properties": {
                "event": { "type": "string", "description": "What happened: registered, answered, ended, refused …" },
                "time": { "type": "string", "description": "When (RFC 3339)." },
                "level": { "type": "string", "enum": ["info", "warning", "error"] },
                "lost": { "type": "integer", "description": "Of the event `lost`: how many events this reader did not get." },
            },
            "required": ["event"],
        },
    })
}
