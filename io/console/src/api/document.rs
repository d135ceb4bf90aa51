//! The OpenAPI 3.1 document: made from the table of routes, and kept in `docs/openapi.json`.

use hyper::Method;
use serde_json::{Map, Value, json};

use super::{
    Content, Parameter, ParameterKind, Route, Said, bans, calls, drain, events, hangup,
    registrations, reload, routes, status, targets,
};
use crate::answer::Answer;
use crate::limits;

pub(super) static ROUTES: &[Route] = &[Route {
    method: Method::GET,
    path: "/api/v1/openapi.json",
    name: "openapi",
    about: "This document.",
    parameters: &[],
    answers: &[Said { status: 200, about: "OpenAPI 3.1.", content: Content::Json("Document") }],
    act: |_, _| Box::pin(std::future::ready(Ok(Answer::json(&openapi())))),
}];

/// The document.
pub fn openapi() -> Value {
    let mut paths = Map::new();
    for route in routes() {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.as_str().to_lowercase(), operation(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Offhook",
            "version": "1",
            "description": "What an operator asks a server, and tells it. Times are seconds since 1970, durations are seconds. \
                Within version 1 nothing is taken away and no meaning changes; more may come, so ignore what you do not know.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "http://127.0.0.1:8060" }],
        "security": [{}, { "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of the config's [console]; without one, whoever can connect may ask.",
                },
            },
            "schemas": schemas(),
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut answers = Map::new();
    for said in route.answers {
        answers.insert(said.status.to_string(), described(said.about, said.content));
    }
    answers.insert("default".into(), described("Why not.", Content::Json("Refusal")));
    json!({
        "operationId": route.name,
        "summary": route.about,
        "parameters": route.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "responses": answers,
    })
}

fn described(about: &str, content: Content) -> Value {
    let (kind, schema) = match content {
        Content::Json(name) => {
            ("application/json", json!({ "$ref": format!("#/components/schemas/{name}") }))
        }
        Content::Text(kind) => (kind, json!({ "type": "string" })),
    };
    json!({ "description": about, "content": { kind: { "schema": schema } } })
}

fn parameter(parameter: &Parameter) -> Value {
    let (place, schema) = match parameter.kind {
        ParameterKind::Path => ("path", json!({ "type": "string" })),
        ParameterKind::Text => ("query", json!({ "type": "string", "maxLength": limits::QUERY })),
        ParameterKind::Number(most) => {
            ("query", json!({ "type": "integer", "minimum": 1, "maximum": most }))
        }
    };
    json!({
        "name": parameter.name,
        "in": place,
        "required": place == "path",
        "description": parameter.about,
        "schema": schema,
    })
}

fn schemas() -> Value {
    let all = [
        status::schemas(),
        registrations::schemas(),
        calls::schemas(),
        hangup::schemas(),
        targets::schemas(),
        events::schemas(),
        bans::schemas(),
        reload::schemas(),
        drain::schemas(),
    ];
    let mut schemas = Map::new();
    for some in all {
        if let Value::Object(some) = some {
            schemas.extend(some);
        }
    }
    schemas.insert(
        "Refusal".into(),
        json!({
            "type": "object",
            "description": "Why somebody does not get what was asked for.",
            "properties": {
                "error": { "type": "string", "description": "For programs: one word that does not change." },
                "what": { "type": "string", "description": "For people: what is wrong." },
                "hint": { "type": "string", "description": "For people: what to do." },
            },
            "required": ["error", "what"],
            "additionalProperties": false,
        }),
    );
    schemas.insert("Document".into(), json!({ "type": "object" }));
    Value::Object(schemas)
}
