//! `status`: is the server well, since when does it run, how much does it carry.

use std::rc::Rc;

use hyper::Method;
use serde_json::{Value, json};

use super::{Asked, Content, Route, Said};
use crate::answer::{Answer, Refusal};
use crate::desk::Desk;
use crate::house::Status;
use server::figures::Figures;

pub(super) static ROUTES: &[Route] = &[Route {
    method: Method::GET,
    path: "/api/v1/status",
    name: "status",
    about: "Is the server well, since when does it run, how much does it carry?",
    parameters: &[],
    answers: &[Said { status: 200, about: "How it stands.", content: Content::Json("Status") }],
    act: |desk, asked| Box::pin(status(desk, asked)),
}];

async fn status(desk: Rc<Desk>, _: Asked) -> Result<Answer, Refusal> {
    let (figures, silent) = gathered(&desk).await;
    let Status { version, now, started, generation, listeners, draining, mut troubles } =
        desk.house.status();
    troubles.extend(silent.iter().map(|shard| format!("shard {shard} does not answer")));
    let listeners = listeners.into_iter().map(|listening| {
        json!({ "transport": listening.transport, "address": listening.address.to_string() })
    });
    let now_there = figures.now;
    Ok(Answer::json(&json!({
        "version": version,
        "healthy": troubles.is_empty(),
        "troubles": troubles,
        "started": started.as_secs(),
        "uptime": (now - started).as_secs(),
        "generation": generation,
        "draining": draining,
        "shards": desk.house.shards(),
        "listeners": listeners.collect::<Vec<_>>(),
        "users": now_there.users,
        "bindings": now_there.bindings,
        "calls": now_there.calls,
        "transactions": now_there.transactions,
    })))
}

/// What all shards have counted together, and the shards that say nothing.
pub(super) async fn gathered(desk: &Desk) -> (Figures, Vec<u16>) {
    let (mut figures, mut silent) = (Figures::default(), Vec::new());
    for shard in 0..desk.house.shards() {
        match desk.ask(shard, |node, _, _| node.figures()).await {
            Ok(more) => figures.add(&more),
            Err(_) => silent.push(shard),
        }
    }
    (figures, silent)
}

pub(super) fn schemas() -> Value {
    json!({
        "Status": {
            "type": "object",
            "properties": {
                "version": { "type": "string" },
                "healthy": { "type": "boolean", "description": "True when there are no troubles." },
                "troubles": { "type": "array", "items": { "type": "string" }, "description": "What is wrong, each in a sentence." },
                "started": { "type": "integer", "description": "When it began to serve." },
                "uptime": { "type": "integer", "description": "Seconds since then." },
                "generation": { "type": "integer", "description": "Which config this is: 1 is the one that it began with, each reload adds 1." },
                "draining": { "type": "boolean", "description": "True once it begins nothing new." },
                "shards": { "type": "integer" },
                "listeners": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "transport": { "type": "string", "description": "udp, tcp, tls, ws, wss; console for this API." },
                            "address": { "type": "string" },
                        },
                        "required": ["transport", "address"],
                        "additionalProperties": false,
                    },
                },
                "users": { "type": "integer", "description": "Addresses of record that have bindings." },
                "bindings": { "type": "integer", "description": "Bindings: a user may have several phones." },
                "calls": { "type": "integer", "description": "Calls that pass through, those too that still ring." },
                "transactions": { "type": "integer", "description": "Transactions, those too that only absorb repeats." },
            },
            "required": ["version", "healthy", "troubles", "started", "uptime", "generation", "draining", "shards", "listeners", "users", "bindings", "calls", "transactions"],
            "additionalProperties": false,
        },
    })
}
