//! `reload`: the config is read again, and all of it is in force, or nothing has changed.

use std::rc::Rc;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{Asked, Content, Route, Said};
use crate::answer::{Answer, Refusal};
use crate::desk::Desk;

pub(super) static ROUTES: &[Route] = &[Route {
    method: Method::POST,
    path: "/api/v1/reload",
    name: "reload",
    about: "Reads the config again, as SIGHUP does: all of it is in force then, or nothing has changed and every mistake is named. Calls go on.",
    parameters: &[],
    answers: &[Said { status: 200, about: "It is in force.", content: Content::Json("Reloaded") }],
    act: |desk, asked| Box::pin(reload(desk, asked)),
}];

async fn reload(desk: Rc<Desk>, _: Asked) -> Result<Answer, Refusal> {
    let (give, take) = oneshot::channel();
    // Whoever asked may have gone; it is done all the same.
    desk.house.reload(Box::new(|result| drop(give.send(result))));
    match take.await {
        Ok(Ok(generation)) => Ok(Answer::json(&json!({ "generation": generation }))),
        Ok(Err(mistakes)) => {
            let refusal = Refusal::new(StatusCode::CONFLICT, "config_refused", mistakes.join("\n"));
            Err(refusal.hint("nothing has changed; mend the file and reload again"))
        }
        Err(_) => Err(Refusal::busy()),
    }
}

pub(super) fn schemas() -> Value {
    json!({
        "Reloaded": {
            "type": "object",
            "properties": { "generation": { "type": "integer", "description": "Which config is in force now." } },
            "required": ["generation"],
            "additionalProperties": false,
        },
    })
}
