//! `targets`: the members of groups, and the addresses that have failed lately.

use std::collections::BTreeMap;
use std::rc::Rc;

use hyper::Method;
use machine::Time;
use protocol::locate::State;
use serde_json::{Value, json};
use server::{Address, Targets};

use super::{Asked, Content, Route, Said};
use crate::answer::{Answer, Refusal};
use crate::desk::Desk;

pub(super) static ROUTES: &[Route] = &[Route {
    method: Method::GET,
    path: "/api/v1/targets",
    name: "targets",
    about: "How the members of groups stand, and which addresses have failed lately. An address that is not listed has not failed.",
    parameters: &[],
    answers: &[Said { status: 200, about: "How they stand.", content: Content::Json("Targets") }],
    act: |desk, asked| Box::pin(targets(desk, asked)),
}];

async fn targets(desk: Rc<Desk>, _: Asked) -> Result<Answer, Refusal> {
    let (now, targets) = gathered(&desk).await?;
    let members = targets.members.iter().map(|member| {
        let addresses: Vec<_> = member.addresses.iter().map(|one| address(*one, now)).collect();
        json!({
            "group": &*member.group,
            "to": &*member.to,
            "state": word(state(&member.addresses)),
            "calls": member.calls,
            "addresses": addresses,
        })
    });
    let members: Vec<_> = members.collect();
    let failed: Vec<_> = targets.failed.iter().map(|failed| address(*failed, now)).collect();
    Ok(Answer::json(&json!({ "members": members, "failed": failed })))
}

/// What all shards know together: of each address the worst, of calls the sum.
pub(super) async fn gathered(desk: &Desk) -> Result<(Time, Targets), Refusal> {
    let mut all = desk.ask_all(|node, now, _| (now, node.targets(now))).await?.into_iter();
    let Some((now, mut targets)) = all.next() else { return Err(Refusal::busy()) };
    let key = |address: &Address| (address.transport, address.address);
    let mut failed: BTreeMap<_, Address> =
        targets.failed.iter().map(|address| (key(address), *address)).collect();
    for (_, more) in all {
        for address in more.failed {
            let known = failed.entry(key(&address)).or_insert(address);
            known.state = known.state.max(address.state);
        }
        for (member, more) in targets.members.iter_mut().zip(more.members) {
            member.calls += more.calls;
            if member.addresses.is_empty() {
                member.addresses = more.addresses;
            }
        }
    }
    for address in targets.members.iter_mut().flat_map(|member| &mut member.addresses) {
        if let Some(worst) = failed.get(&key(address)) {
            address.state = worst.state;
        }
    }
    targets.failed = failed.into_values().collect();
    Ok((now, targets))
}

/// How a member stands: as the best of its addresses does. One that was never looked up has not failed.
pub(super) fn state(addresses: &[Address]) -> State {
    addresses.iter().map(|address| address.state).min().unwrap_or(State::Alive)
}

/// A state as a word.
pub(super) const fn word(state: State) -> &'static str {
    match state {
        State::Alive => "alive",
        State::Due => "due",
        State::Suspect(_) => "suspect",
        State::Probing(_) => "probing",
        State::Excused(_) => "excused",
    }
}

fn address(address: Address, now: Time) -> Value {
    let left = match address.state {
        State::Alive | State::Due => None,
        State::Suspect(until) | State::Probing(until) | State::Excused(until) => {
            Some(until.secs_since(now))
        }
    };
    json!({
        "transport": address.transport.token().to_ascii_lowercase(),
        "address": address.address.to_string(),
        "state": word(address.state),
        "left": left,
    })
}

pub(super) fn schemas() -> Value {
    let state = json!({
        "type": "string",
        "enum": ["alive", "due", "suspect", "probing", "excused"],
        "description": "alive: nothing is known against it. due: it has failed, and the next request finds out whether it is back. \
            suspect: it has failed, and is tried only when nobody better is left. probing: a request is finding out. \
            excused: it asked to be left alone (503 with Retry-After).",
    });
    json!({
        "Targets": {
            "type": "object",
            "properties": {
                "members": { "type": "array", "items": { "$ref": "#/components/schemas/Member" } },
                "failed": { "type": "array", "items": { "$ref": "#/components/schemas/TargetAddress" } },
            },
            "required": ["members", "failed"],
            "additionalProperties": false,
        },
        "Member": {
            "type": "object",
            "properties": {
                "group": { "type": "string" },
                "to": { "type": "string", "description": "Where it is, as the config says it." },
                "state": { "$ref": "#/components/schemas/State" },
                "calls": { "type": "integer", "description": "Calls that it has now, when their number is limited." },
                "addresses": { "type": "array", "items": { "$ref": "#/components/schemas/TargetAddress" } },
            },
            "required": ["group", "to", "state", "calls", "addresses"],
            "additionalProperties": false,
        },
        "TargetAddress": {
            "type": "object",
            "properties": {
                "transport": { "type": "string" },
                "address": { "type": "string" },
                "state": { "$ref": "#/components/schemas/State" },
                "left": { "type": ["integer", "null"], "description": "Seconds until it is tried again in its turn." },
            },
            "required": ["transport", "address", "state", "left"],
            "additionalProperties": false,
        },
        "State": state,
    })
}
