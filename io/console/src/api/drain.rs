//! `drain`: the server begins nothing new, finishes what has begun, and ends.

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Content, Route, Said};
use crate::answer::Answer;
use crate::house::Draining;

pub(super) static ROUTES: &[Route] = &[Route {
    method: Method::POST,
    path: "/api/v1/drain",
    name: "drain",
    about: "The server begins nothing new, finishes what has begun, and ends: as SIGTERM does. Calls that are up stay up, without it.",
    parameters: &[],
    answers: &[Said { status: 202, about: "It has begun.", content: Content::Json("Draining") }],
    act: |desk, _| {
        let Draining { seconds } = desk.house.drain();
        let answer = Answer::json(&json!({ "draining": true, "seconds": seconds }));
        Box::pin(std::future::ready(Ok(answer.status(StatusCode::ACCEPTED))))
    },
}];

pub(super) fn schemas() -> Value {
    json!({
        "Draining": {
            "type": "object",
            "properties": {
                "draining": { "type": "boolean" },
                "seconds": { "type": "integer", "description": "After which it ends, whatever is unfinished." },
            },
            "required": ["draining", "seconds"],
            "additionalProperties": false,
        },
    })
}
