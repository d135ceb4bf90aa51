//! An explanation, for people and for programs.

use std::fmt::Write as _;

use serde_json::json;
use server::explain::{Explanation, Hop, Verdict};

use super::Call;

/// For people.
pub(super) fn text(call: &Call, explanation: &Explanation) -> String {
    let mut text = String::new();
    let mut row = |title: &str, what: &str| {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{title:<12} {what}");
    };
    row("the call", &format!("{} {} from {} at {}", call.method, call.to, call.from, call.source));
    row("when", &call.when);
    for passed in &explanation.passed {
        row("", &format!("not route {}, {}: {}", number(passed.place), passed.name, passed.why));
    }
    match &explanation.taken {
        Some((place, name)) => row("route", &format!("{}, {name}", number(*place))),
        None if explanation.passed.is_empty() => row("route", "none is asked"),
        None => row("route", "none fits"),
    }
    if let Some((dialled, number)) = &explanation.number
        && dialled != number
    {
        row("the number", &format!("{dialled} becomes {number}"));
    }
    let asked = if explanation.challenged {
        "must prove who it is, first"
    } else {
        "is not asked who it is"
    };
    row("the caller", asked);
    match &explanation.verdict {
        Verdict::Ours => row("then", "the server answers itself"),
        Verdict::Phones(user) => {
            row("then", &format!("the phones of {user} ring, as many as are registered"))
        }
        Verdict::Asked(name) => {
            row(
                "the DNS",
                &format!(
                    "is asked for {name}: it goes where that says, else by the next route that fits"
                ),
            );
        }
        Verdict::Contacts(user) => {
            row("is answered", &format!("302: try the phones of {user} that are registered"));
        }
        Verdict::Forwarded(hops) => {
            for (place, hop) in hops.iter().enumerate() {
                let title = if place == 0 { "goes to" } else { "else to" };
                row(title, &one(hop));
            }
        }
        Verdict::Redirected(status, places) => {
            row("is answered", &format!("{status}: try {}", places.join(", ")))
        }
        Verdict::Refused(status, reason) => row("is refused", &format!("{status} {reason}")),
    }
    text
}

/// People count from 1.
fn number(place: usize) -> usize {
    place.saturating_add(1)
}

fn one(hop: &Hop) -> String {
    match &hop.by {
        Some(by) => format!("{} by {by}", hop.uri),
        None => hop.uri.clone(),
    }
}

/// For programs.
pub(super) fn json(call: &Call, explanation: &Explanation) -> String {
    let passed = explanation.passed.iter().map(
        |passed| json!({ "route": number(passed.place), "name": passed.name, "why": passed.why }),
    );
    let verdict = match &explanation.verdict {
        Verdict::Ours => json!({ "is": "answered by the server" }),
        Verdict::Phones(user) => json!({ "is": "phones", "user": user }),
        Verdict::Asked(name) => json!({ "is": "asked of the DNS", "name": name }),
        Verdict::Contacts(user) => json!({ "is": "redirected", "status": 302, "user": user }),
        Verdict::Forwarded(hops) => {
            let hops = hops.iter().map(|hop| json!({ "uri": hop.uri, "by": hop.by }));
            json!({ "is": "forwarded", "to": hops.collect::<Vec<_>>() })
        }
        Verdict::Redirected(status, places) => {
            json!({ "is": "redirected", "status": status, "contacts": places })
        }
        Verdict::Refused(status, reason) => {
            json!({ "is": "refused", "status": status, "reason": reason })
        }
    };
    let said = json!({
        "call": {
            "method": call.method, "from": call.from, "to": call.to,
            "source": call.source.to_string(), "when": call.when,
        },
        "passed": passed.collect::<Vec<_>>(),
        "route": explanation.taken.as_ref().map(|(place, name)| json!({ "route": number(*place), "name": name })),
        "number": explanation.number.as_ref().map(|(dialled, sent)| json!({ "dialled": dialled, "sent": sent })),
        "challenged": explanation.challenged,
        "verdict": verdict,
    });
    format!("{said}\n")
}
