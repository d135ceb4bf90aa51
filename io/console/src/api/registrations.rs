//! `registrations`: who can be reached, and where; a binding can be taken away.

use std::rc::Rc;
use std::sync::Arc;

use hyper::{Method, StatusCode};
use machine::Time;
use serde_json::{Value, json};
use server::{Contact, Registration, Removal};
use tokio::time::{Instant, sleep};

use super::{Asked, Content, Parameter, ParameterKind, Route, Said, text};
use crate::answer::{Answer, Refusal};
use crate::desk::Desk;
use crate::limits;

pub(super) static ROUTES: &[Route] = &[
    Route {
        method: Method::GET,
        path: "/api/v1/registrations",
        name: "registrations",
        about: "Who can be reached, and where. A page at a time; who stays registered meanwhile is listed once.",
        parameters: &[
            Parameter {
                name: "filter",
                kind: ParameterKind::Text,
                about: "Only users whose name has this in it.",
            },
            Parameter {
                name: "limit",
                kind: ParameterKind::Number(limits::LONGEST_PAGE),
                about: "Users on this page, at most; 100 unless said.",
            },
            Parameter {
                name: "after",
                kind: ParameterKind::Text,
                about: "Where to go on: `next` of the page before.",
            },
        ],
        answers: &[Said { status: 200, about: "A page.", content: Content::Json("Registrations") }],
        act: |desk, asked| Box::pin(list(desk, asked)),
    },
    Route {
        method: Method::GET,
        path: "/api/v1/registrations/{user}",
        name: "registration",
        about: "Where one user can be reached.",
        parameters: &[USER],
        answers: &[Said { status: 200, about: "There.", content: Content::Json("Registration") }],
        act: |desk, asked| Box::pin(one(desk, asked)),
    },
    Route {
        method: Method::DELETE,
        path: "/api/v1/registrations/{user}",
        name: "unregister",
        about: "Takes bindings of a user away. A phone is not told; it comes back when it registers again, unless its account is changed.",
        parameters: &[
            USER,
            Parameter {
                name: "contact",
                kind: ParameterKind::Text,
                about: "Only the binding with this Contact URI; without it, all.",
            },
        ],
        answers: &[Said {
            status: 200,
            about: "They are gone, also after a restart.",
            content: Content::Json("Removed"),
        }],
        act: |desk, asked| Box::pin(remove(desk, asked)),
    },
];

const USER: Parameter = Parameter {
    name: "user",
    kind: ParameterKind::Path,
    about: "The user part of the address of record: `101` for sip:101@example.test.",
};

async fn list(desk: Rc<Desk>, asked: Asked) -> Result<Answer, Refusal> {
    let most = asked.query.count("limit", limits::PAGE, limits::LONGEST_PAGE)?;
    let part: Arc<[u8]> = asked.query.get("filter").unwrap_or_default().as_bytes().into();
    let (mut shard, mut place) = asked.query.get("after").map_or(Ok((0, 0)), read_place)?;
    let (mut page, mut next) = (Vec::new(), None);
    while shard < desk.house.shards() && page.len() < most {
        let (part, room) = (Arc::clone(&part), most - page.len());
        let visit =
            desk.ask(shard, move |node, now, _| (now, node.registrations(now, place, &part, room)));
        let (now, listing) = visit.await?;
        page.extend(listing.found.iter().map(|found| registration(found, now)));
        (shard, place) = match listing.next {
            Some(place) => (shard, place),
            None => (shard.saturating_add(1), 0),
        };
        next = (shard < desk.house.shards()).then(|| format!("{shard}.{place}"));
    }
    Ok(Answer::json(&json!({ "registrations": page, "next": next })))
}

/// Where a page ended, as it was told with it.
fn read_place(after: &str) -> Result<(u16, u32), Refusal> {
    let read = after.split_once('.');
    let read = read.and_then(|(shard, place)| Some((shard.parse().ok()?, place.parse().ok()?)));
    read.ok_or_else(|| {
        let what = format!("`after` cannot be `{}`", after.escape_debug());
        Refusal::bad("bad_parameter", what).hint("take `next` of the page before")
    })
}

async fn one(desk: Rc<Desk>, asked: Asked) -> Result<Answer, Refusal> {
    let user: Arc<[u8]> = asked.segment(0).as_bytes().into();
    // Only its home knows it; to ask them all is as good.
    let found = desk.ask_all(move |node, now, _| (now, node.registration(now, &user))).await?;
    let found = found.into_iter().find_map(|(now, found)| Some((now, found?)));
    let (now, found) = found.ok_or_else(|| not_registered(asked.segment(0)))?;
    Ok(Answer::json(&registration(&found, now)))
}

async fn remove(desk: Rc<Desk>, asked: Asked) -> Result<Answer, Refusal> {
    let user: Arc<[u8]> = asked.segment(0).as_bytes().into();
    let contact: Option<Arc<[u8]>> = asked.query.get("contact").map(|uri| uri.as_bytes().into());
    let until = Instant::now() + limits::KEEPING;
    let (whom, which) = (Arc::clone(&user), contact.clone());
    desk.ask_all(move |node, now, out| node.look_up(now, &whom, which.as_deref(), out)).await?;
    // What cannot be looked up is taken away as far as it is known.
    becomes_of(&desk, &user, until).await?;
    let whom = Arc::clone(&user);
    let removed =
        desk.ask_all(move |node, now, out| node.unregister(now, &whom, contact.as_deref(), out));
    let removed: usize = removed.await?.into_iter().sum();
    match (becomes_of(&desk, &user, until).await?, removed) {
        (Removal::Refused | Removal::Waits, _) => Err(not_kept(asked.segment(0))),
        (Removal::Kept, 0) => Err(not_registered(asked.segment(0))),
        (Removal::Kept, removed) => Ok(Answer::json(&json!({ "removed": removed }))),
    }
}

/// What has become of what was taken away from a user, once that is known, or it is too late.
async fn becomes_of(desk: &Desk, user: &Arc<[u8]>, until: Instant) -> Result<Removal, Refusal> {
    loop {
        let user = Arc::clone(user);
        let states = desk.ask_all(move |node, _, _| node.removal(&user)).await?;
        if states.contains(&Removal::Refused) {
            return Ok(Removal::Refused);
        }
        if !states.contains(&Removal::Waits) {
            return Ok(Removal::Kept);
        }
        if Instant::now() >= until {
            return Ok(Removal::Waits);
        }
        sleep(limits::A_LOOK).await;
    }
}

/// What is said of it would not be so after a restart.
fn not_kept(user: &str) -> Refusal {
    let user = user.escape_debug();
    let what = format!(
        "the binding of `{user}` is gone here, but where it is kept nothing can be written now: after a restart, or at another node, it may be back"
    );
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "not_kept", what)
        .hint("it is written again and again until it is kept: mend the store, and ask again")
}

fn not_registered(user: &str) -> Refusal {
    let what = format!("`{}` has no such binding now", user.escape_debug());
    Refusal::new(StatusCode::NOT_FOUND, "not_registered", what)
}

fn registration(found: &Registration, now: Time) -> Value {
    json!({
        "user": text(&found.user),
        "aor": &*found.aor,
        "contacts": found.contacts.iter().map(|one| contact(one, now)).collect::<Vec<_>>(),
    })
}

fn contact(contact: &Contact, now: Time) -> Value {
    let (transport, source) = contact.flow.map_or((None, None), |(transport, peer)| {
        (Some(transport.token().to_ascii_lowercase()), Some(peer.to_string()))
    });
    json!({
        "contact": text(&contact.uri),
        "q": f64::from(contact.q) / 1_000.0,
        "expires": contact.until.secs_since(now),
        "since": contact.since.as_secs(),
        "call_id": text(&contact.call_id),
        "transport": transport,
        "source": source,
        "instance": contact.instance.as_deref().map(text),
        "path": contact.path.iter().map(|value| text(value)).collect::<Vec<_>>(),
    })
}

pub(super) fn schemas() -> Value {
    json!({
        "Registrations": {
            "type": "object",
            "properties": {
                "registrations": { "type": "array", "items": { "$ref": "#/components/schemas/Registration" } },
                "next": { "type": ["string", "null"], "description": "For `after` of the next page; null when this was the last one." },
            },
            "required": ["registrations", "next"],
            "additionalProperties": false,
        },
        "Registration": {
            "type": "object",
            "properties": {
                "user": { "type": "string" },
                "aor": { "type": "string", "description": "The address of record, as the log writes it." },
                "contacts": { "type": "array", "items": { "$ref": "#/components/schemas/Contact" } },
            },
            "required": ["user", "aor", "contacts"],
            "additionalProperties": false,
        },
        "Contact": {
            "type": "object",
            "properties": {
                "contact": { "type": "string", "description": "The Contact URI." },
                "q": { "type": "number", "description": "Preference, 0 to 1." },
                "expires": { "type": "integer", "description": "Seconds for which it still holds." },
                "since": { "type": "integer", "description": "Since when this phone has been registered without a break." },
                "call_id": { "type": "string", "description": "The Call-ID of the REGISTER that wrote it last." },
                "transport": { "type": ["string", "null"], "description": "Of the flow that leads to it, where its Contact alone does not." },
                "source": { "type": ["string", "null"], "description": "The other end of that flow: its connection, or the outside of its NAT." },
                "instance": { "type": ["string", "null"], "description": "How the phone names itself (RFC 5626)." },
                "path": { "type": "array", "items": { "type": "string" }, "description": "The Path that it came by, topmost first (RFC 3327)." },
            },
            "required": ["contact", "q", "expires", "since", "call_id", "transport", "source", "instance", "path"],
            "additionalProperties": false,
        },
        "Removed": {
            "type": "object",
            "properties": { "removed": { "type": "integer", "description": "Bindings that are gone." } },
            "required": ["removed"],
            "additionalProperties": false,
        },
    })
}
