//! What was told of something that is watched, for people and for programs.

use phone::packages::{Basic, Conference, Dialogs, Messages, Presence, TalkState};
use serde_json::{Value, json};

/// A line.
pub(super) fn in_words(state: &str, kind: &str, body: &[u8]) -> String {
    let said = match kind {
        _ if body.is_empty() => Ok("nothing yet".into()),
        "application/pidf+xml" => Presence::read(body).map(|it| presence(&it)),
        "application/simple-message-summary" => Messages::read(body).map(|it| messages(&it)),
        "application/dialog-info+xml" => Dialogs::read(body).map(|it| dialogs(&it)),
        "application/conference-info+xml" => Conference::read(body).map(|it| conference(&it)),
        other => Ok(format!("something of the type {other}")),
    };
    let said = said.unwrap_or_else(|why| format!("something that cannot be read: {why}"));
    if state == "active" { said } else { format!("{said} ({state})") }
}

fn presence(presence: &Presence) -> String {
    let open = if presence.is_open() { "there" } else { "not there" };
    let notes = presence.tuples.iter().filter_map(|tuple| tuple.note.as_deref());
    let notes: Vec<_> = notes.chain(presence.note.as_deref()).collect();
    let notes = if notes.is_empty() { String::new() } else { format!(": {}", notes.join(", ")) };
    format!("{} is {open}{notes}", presence.entity)
}

fn messages(messages: &Messages) -> String {
    if !messages.waiting {
        return "no message waits".into();
    }
    let class = |(name, class): &(String, phone::packages::Class)| {
        format!("{name}: {} new, {} old", class.new, class.old)
    };
    let classes: Vec<_> = messages.classes.iter().map(class).collect();
    format!("messages wait ({})", classes.join("; "))
}

fn dialogs(dialogs: &Dialogs) -> String {
    let talks = dialogs.talks.iter().map(|talk| {
        let with = talk.remote.as_deref().unwrap_or("somebody");
        format!("{} with {with}", word(talk.state))
    });
    let talks: Vec<_> = talks.collect();
    let said = if talks.is_empty() { "no call".into() } else { talks.join(", ") };
    format!("{}: {said}", dialogs.entity)
}

fn conference(conference: &Conference) -> String {
    let name = |member: &phone::packages::Member| {
        member.name.clone().unwrap_or_else(|| member.entity.clone())
    };
    let members: Vec<_> =
        conference.members.iter().filter(|member| !member.has_left).map(name).collect();
    format!("{}: {}", conference.entity, members.join(", "))
}

const fn word(state: TalkState) -> &'static str {
    match state {
        TalkState::Trying => "trying",
        TalkState::Proceeding => "proceeding",
        TalkState::Early => "ringing",
        TalkState::Confirmed => "talking",
        TalkState::Terminated => "over",
    }
}

/// An object; which place tells, of many.
pub(super) fn object(place: u32, (state, kind, body): (&str, &str, &[u8])) -> Value {
    let told = match kind {
        "application/pidf+xml" => Presence::read(body).ok().map(|it| {
            let note = it.tuples.iter().find_map(|tuple| tuple.note.clone()).or(it.note.clone());
            let known = it.tuples.iter().any(|tuple| tuple.basic != Basic::Unknown);
            json!({ "entity": it.entity, "open": known.then(|| it.is_open()), "note": note })
        }),
        "application/simple-message-summary" => Messages::read(body).ok().map(|it| {
            let class = |(name, class): (String, phone::packages::Class)| {
                (name, json!({ "new": class.new, "old": class.old }))
            };
            let classes: serde_json::Map<_, _> = it.classes.into_iter().map(class).collect();
            json!({ "waiting": it.waiting, "account": it.account, "classes": classes })
        }),
        "application/dialog-info+xml" => Dialogs::read(body).ok().map(|it| {
            let talks = it.talks.iter().map(|talk| {
                json!({ "id": talk.id, "state": word(talk.state), "outgoing": talk.is_outgoing, "with": talk.remote })
            });
            json!({ "entity": it.entity, "whole": it.is_whole, "calls": talks.collect::<Vec<_>>() })
        }),
        "application/conference-info+xml" => Conference::read(body).ok().map(|it| {
            let members = it.members.iter().map(|member| {
                json!({ "entity": member.entity, "name": member.name, "left": member.has_left })
            });
            json!({ "entity": it.entity, "whole": it.is_whole, "members": members.collect::<Vec<_>>() })
        }),
        _ => None,
    };
    json!({ "event": "watched", "place": place, "state": state, "type": kind, "told": told })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_said_in_words() {
        let presence = Presence::of("sip:bob@h", Basic::Open, Some("at his desk")).write();
        let kind = "application/pidf+xml";
        assert_eq!(in_words("active", kind, &presence), "sip:bob@h is there: at his desk");
        assert_eq!(object(0, ("active", kind, &presence))["told"]["open"], true);
        let summary = b"Messages-Waiting: yes\r\nVoice-Message: 2/8\r\n";
        let kind = "application/simple-message-summary";
        assert_eq!(
            in_words("active", kind, summary),
            "messages wait (voice-message: 2 new, 8 old)"
        );
        assert_eq!(in_words("pending", kind, b""), "nothing yet (pending)");
        assert!(in_words("active", kind, b"x").starts_with("something that cannot be read"));
    }
}
