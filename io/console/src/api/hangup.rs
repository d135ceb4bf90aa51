//! `calls/{call}`, taken away: an operator ends a call.

use std::rc::Rc;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use server::{Ending, Stays, Was};
use tokio::time::{Instant, sleep};

use super::calls::{CALL, find};
use super::{Asked, Content, Route, Said, text};
use crate::answer::{Answer, Refusal};
use crate::desk::Desk;
use crate::limits;

pub(super) static ROUTES: &[Route] = &[Route {
    method: Method::DELETE,
    path: "/api/v1/calls/{call}",
    name: "hang_up",
    about: "Ends a call. One that is up: both sides get a BYE, each in the name of the other. One that rings: whoever rings is cancelled, and the caller gets a 487.",
    parameters: &[CALL],
    answers: &[
        Said { status: 200, about: "It is over.", content: Content::Json("HungUp") },
        Said {
            status: 202,
            about: "Both are told, and not both have answered yet: an event `hung_up` says when they have, after half a minute at most.",
            content: Content::Json("HungUp"),
        },
    ],
    act: |desk, asked| Box::pin(hang_up(desk, asked)),
}];

async fn hang_up(desk: Rc<Desk>, asked: Asked) -> Result<Answer, Refusal> {
    let call = find(&desk, asked.segment(0)).await?;
    let number = call.number;
    let order = desk.ask(call.shard, move |node, now, out| node.hang_up(now, number, out));
    order.await?.map_err(|stays| stay(stays, asked.segment(0)))?;
    let until = Instant::now() + limits::LEAVING;
    loop {
        let ending = desk.ask(call.shard, move |node, _, _| node.ending(number)).await?;
        let Some(ending) = ending else { return Err(stay(Stays::Unknown, asked.segment(0))) };
        match ending.is_complete() {
            true if ending.is_over() => return Ok(answer(call.call_id(), &ending)),
            true => return Err(goes_on(&ending)),
            false if Instant::now() >= until => {
                return Ok(answer(call.call_id(), &ending).status(StatusCode::ACCEPTED));
            }
            false => sleep(limits::A_LOOK).await,
        }
    }
}

fn answer(call_id: &[u8], ending: &Ending) -> Answer {
    Answer::json(&json!({
        "call_id": text(call_id),
        "was": match ending.was {
            Was::Ringing => "ringing",
            Was::Up => "up",
        },
        "over": ending.is_over(),
        "caller": ending.caller,
        "callee": ending.callee,
    }))
}

fn goes_on(ending: &Ending) -> Refusal {
    let said = |said: Option<u16>| said.unwrap_or_default();
    let (caller, callee) = (said(ending.caller), said(ending.callee));
    let what = format!("the call goes on: its caller has answered {caller}, its callee {callee}");
    Refusal::new(StatusCode::CONFLICT, "not_obeyed", what)
        .hint("who asks for a password obeys nobody else: hang up there")
}

fn stay(stays: Stays, name: &str) -> Refusal {
    let name = name.escape_debug();
    match stays {
        Stays::Unknown => {
            let what = format!("the call `{name}` has just ended by itself");
            Refusal::new(StatusCode::NOT_FOUND, "no_such_call", what)
        }
        Stays::TooEarly => {
            let what = format!("the call `{name}` has only just begun");
            Refusal::new(StatusCode::CONFLICT, "too_early", what).hint("try again in a moment")
        }
        Stays::Unseen => {
            let what = format!("the requests of the call `{name}` do not pass here");
            Refusal::new(StatusCode::CONFLICT, "not_on_its_path", what)
                .hint("a phone has ignored our Record-Route, or its routes are too long to be kept: hang up there")
        }
    }
}

pub(super) fn schemas() -> Value {
    let said = |about: &str| json!({ "type": ["integer", "null"], "description": about });
    json!({
        "HungUp": {
            "type": "object",
            "properties": {
                "call_id": { "type": "string" },
                "was": { "type": "string", "enum": ["ringing", "up"], "description": "How far it was." },
                "over": { "type": "boolean", "description": "True once at least one of the two has obeyed, has gone before, or does not answer." },
                "caller": said("What the caller has answered to its BYE (408: nothing), or what it was told when it rang; null as long as nothing."),
                "callee": said("What the callee has answered; null too when nobody had answered the call."),
            },
            "required": ["call_id", "was", "over", "caller", "callee"],
            "additionalProperties": false,
        },
    })
}
