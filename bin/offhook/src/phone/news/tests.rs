//! The table of events in docs/phone.md is what `--json` says.

use std::collections::{BTreeMap, BTreeSet};

use phone::{Call, Grade, Inquiry, Watch};

use super::*;

/// The names and their fields, as the page has them.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let page = include_str!("../../../../../docs/phone.md");
    let (_, rest) = page.split_once("<!-- events:begin -->\n").expect("a mark");
    let (table, _) = rest.split_once("<!-- events:end -->").expect("a mark");
    let marked = |cell: &str| -> Vec<String> {
        cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split('|');
        let name = marked(cells.next()?).pop()?;
        Some((name, marked(cells.next()?).into_iter().collect()))
    };
    table.lines().filter_map(row).collect()
}

/// Every name that stands in the source.
fn written() -> BTreeSet<String> {
    let sources = [include_str!("../news.rs"), include_str!("../watched.rs")].concat();
    let after = sources.split("\"event\": \"").skip(1);
    after.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

/// One of each.
fn samples() -> Vec<Value> {
    let (call, watch, status) = (Call(1), Watch(1), 200);
    let text = || Box::<str>::from("x");
    let grade = Grade { loss: 1, jitter: Duration::ZERO, mos: 441 };
    let quality = CallQuality {
        codec: "PCMA",
        srtp: None,
        refused: 0,
        sent: 0,
        received: 0,
        lost: 0,
        late: 0,
        concealed: 0,
        round_trip: None,
        here: Some(grade),
        there: None,
    };
    let (took, rows, body) = (Duration::ZERO, Box::default(), Vec::new().into());
    let told = [
        PhoneEvent::Registered { expires: 60 },
        PhoneEvent::NotRegistered { status, reason: text() },
        PhoneEvent::FlowFailed { flow: 1, status, reason: text() },
        PhoneEvent::Unregistered,
        PhoneEvent::Incoming { call, from: text() },
        PhoneEvent::Progress { call, status },
        PhoneEvent::Established { call },
        PhoneEvent::Held { call, held: true },
        PhoneEvent::HoldDone { call, hold: true, status },
        PhoneEvent::Key { call, key: '1' },
        PhoneEvent::TurnedAway { from: text(), status },
        PhoneEvent::Answered { inquiry: Inquiry(1), status, reason: text(), took, rows },
        PhoneEvent::Message { from: text(), text: text() },
        PhoneEvent::Watched { watch, place: 0, state: text(), kind: text(), body },
        PhoneEvent::NotWatched { watch, status, reason: text(), again: true },
        PhoneEvent::Published { expires: 60 },
        PhoneEvent::NotPublished { status, reason: text() },
        PhoneEvent::Transfer { call, status },
        PhoneEvent::Referred { call, to: text() },
        PhoneEvent::Entered { call, with: text(), wanted_in: None },
        PhoneEvent::GoesOn { call, new: call },
        PhoneEvent::Conference { members: Box::new([call]) },
        PhoneEvent::Focus { call, conference: None },
        PhoneEvent::Quality { call, quality: Box::new(quality) },
        PhoneEvent::Ended { call, status, reason: text() },
    ];
    let ours = [failure("x"), lasting(1.0), round_trips((1, 1), [1.0; 3]), hint("x")];
    told.iter().map(object).chain(ours).collect()
}

#[test]
fn the_page_names_every_event_and_what_stands_in_it() {
    let documented = documented();
    assert_eq!(documented.keys().cloned().collect::<BTreeSet<_>>(), written());
    let mut shown = BTreeSet::from(["other".to_owned()]);
    for sample in samples() {
        let mut fields: BTreeSet<_> = sample.as_object().unwrap().keys().cloned().collect();
        fields.remove("event");
        let name = sample["event"].as_str().unwrap().to_owned();
        assert_eq!(documented.get(&name), Some(&fields), "{name}");
        shown.insert(name);
    }
    assert_eq!(shown, written(), "each of them has its sample");
}
