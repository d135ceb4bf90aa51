//! Tests of the whole way from an event to a line.

use std::time::Duration;

use net::Deaf;
use protocol::{Ender, Text, Transport};

use super::field::FIELDS;
use super::form::{Form, Value};
use super::wall::Wall;
use super::*;
use crate::config::Rotation;
use crate::log::Format;
use crate::seed::throw;

fn record(began: u64) -> CallRecord {
    let second = |nth| Time::default() + Duration::from_secs(began + nth);
    let source = (Transport::Udp, ([192, 0, 2, 1], 5060).into());
    let mut record = CallRecord::new(second(0), source);
    record.rang = Some(second(1));
    record.answered = Some(second(3));
    record.ended = Some(second(63));
    record.target = Some((Transport::Wss, ([198, 51, 100, 2], 40_000).into()));
    (record.status, record.forks, record.ender) = (200, 2, Ender::Callee);
    let texts = [
        (Text::CallId, &b"a@b"[..]),
        (Text::From, b"sip:101@example.test"),
        (Text::Dialled, b"sip:102@example.test"),
        (Text::User, b"+101"),
    ];
    record.put(100, &texts);
    record
}

fn line(form: Form, record: &CallRecord, wall: &Wall) -> String {
    let mut page = Vec::new();
    form.line(&mut page, &field::of(record, wall, "pbx"));
    String::from_utf8(page).unwrap()
}

#[test]
fn a_line_of_each_form() {
    let record = record(1_795_521_600);
    assert_eq!(
        line(Form::Csv, &record, &Wall::default()),
        "\"a@b\",\"sip:101@example.test\",,\"sip:102@example.test\",\"'+101\",,,\"192.0.2.1:5060\",\"198.51.100.2:40000\",\"udp\",\"wss\",\
         \"2026-11-24T12:00:00.000Z\",\"2026-11-24T12:00:01.000Z\",\"2026-11-24T12:00:03.000Z\",\"2026-11-24T12:01:03.000Z\",\
         1000,3000,60000,63000,200,,\"callee\",2,,\"pbx\",no\n"
    );
    let json: serde_json::Value =
        serde_json::from_str(&line(Form::Json, &record, &Wall::default())).unwrap();
    assert_eq!(json.as_object().unwrap().len(), FIELDS.len());
    assert_eq!(
        (&json["user"], &json["talk_ms"], &json["to"]),
        (&"+101".into(), &60_000.into(), &serde_json::Value::Null)
    );
    assert_eq!(
        (&json["clock_set"], &json["session_timer"]),
        (&false.into(), &serde_json::Value::Null)
    );
}

/// The clock is set three days forth in the middle of a call: the times of day show it, the milliseconds do not.
#[test]
fn a_clock_that_is_set_marks_the_calls_that_were_up_and_no_others() {
    let mut wall = Wall::default();
    let began = 1_795_521_600;
    for second in 0..1000 {
        let set = if second < 30 { 0 } else { 3 * 86_400 };
        let now = Time::default() + Duration::from_secs(began + second);
        wall.look(now, Duration::from_secs(began + second + set));
    }
    let values = |at| field::of(&record(began + at), &wall, "pbx");
    let value = |values: &[Value], name: &str| {
        values[FIELDS.iter().position(|field| field.name == name).unwrap()].clone()
    };
    let (during, after) = (values(0), values(100));
    assert_eq!(value(&during, "clock_set"), Value::YesNo(true));
    assert_eq!(value(&during, "began"), Value::Text("2026-11-24T12:00:00.000Z".into()));
    assert_eq!(value(&during, "ended"), Value::Text("2026-11-27T12:01:03.000Z".into()));
    assert_eq!(value(&after, "clock_set"), Value::YesNo(false));
    assert_eq!(value(&after, "began"), Value::Text("2026-11-27T12:01:40.000Z".into()));
    for values in [during, after] {
        assert_eq!(value(&values, "talk_ms"), Value::Number(60_000));
    }
}

#[test]
fn names_of_fields_are_plain_and_no_name_comes_twice() {
    let names: std::collections::BTreeSet<_> = FIELDS.iter().map(|field| field.name).collect();
    assert_eq!(names.len(), FIELDS.len());
    assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '_')));
}

#[test]
fn times_have_the_same_length_to_the_end_of_the_calendar() {
    assert_eq!(crate::log::timestamp(field::FAR).len(), "2026-11-24T12:00:00.000Z".len());
}

#[test]
fn who_reports_never_waits_and_what_finds_no_room_is_counted() {
    let (to, _full) = sync_channel(1);
    let state = State { wanted: true.into(), ..State::default() };
    let pen = Pen { to, state: Arc::new(state) };
    let registry = Registry { sink: Deaf, pen: pen.clone() };
    for _ in 0..3 {
        registry.event(Time(0), 0, Event::Called(Box::new(record(0))));
    }
    assert_eq!(pen.state.lost.load(Ordering::Relaxed), 2);
}

#[test]
fn all_that_was_reported_is_written_before_the_end() {
    let folder = std::env::temp_dir().join(format!("offhook-{:032x}", throw().unwrap()));
    let (csv, json) = (folder.join("calls.csv"), folder.join("calls.jsonl"));
    let rotation = Rotation::default();
    let wish =
        Wish { csv: Some(csv.clone()), json: Some(json.clone()), rotation, node: "pbx".into() };
    let (pen, writer) = begin(&wish, Log::new(Format::Text)).unwrap();
    let registry = Registry { sink: Deaf, pen: pen.clone() };
    for nth in 0..10_000 {
        registry.event(Time(0), 0, Event::Called(Box::new(record(1_795_521_600 + nth))));
    }
    // From now on elsewhere, and then nowhere.
    let moved = folder.join("moved.jsonl");
    pen.take(&Wish { csv: None, json: Some(moved.clone()), ..wish.clone() });
    registry.event(Time(0), 0, Event::Called(Box::new(record(0))));
    pen.take(&Wish { csv: None, json: None, ..wish });
    registry.event(Time(0), 0, Event::Called(Box::new(record(0))));
    writer.close();
    let lines = |path: &std::path::Path| std::fs::read_to_string(path).unwrap().lines().count();
    assert_eq!([lines(&csv), lines(&json), lines(&moved)], [10_001, 10_000, 1]);
    std::fs::remove_dir_all(&folder).unwrap();
}
