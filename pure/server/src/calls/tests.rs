//! Tests of what is followed, for how long, and at what price.

use protocol::{Text, Transport};

use super::*;

fn calls(longest: u64) -> Calls {
    Calls::new(Some(Duration::from_secs(longest)))
}

fn record(at: u64) -> CallRecord {
    let mut record = CallRecord::new(Time(at), (Transport::Udp, ([192, 0, 2, 1], 5060).into()));
    record.put(512, &[(Text::CallId, b"3848276298220188511@198.51.100.1")]);
    record
}

fn seconds(seconds: u64) -> Time {
    Time::default() + Duration::from_secs(seconds)
}

fn ended(out: &mut Vec<Output>) -> Vec<(Ender, Option<Time>)> {
    let record = |output| match output {
        Output::Report(Event::Called(record)) => (record.ender, record.ended),
        other => panic!("{other:?}"),
    };
    out.drain(..).map(record).collect()
}

#[test]
fn a_call_whose_bye_went_elsewhere_does_not_stay_for_ever() {
    let (mut calls, mut out) = (calls(1000), Vec::new());
    let plain = calls.begin(Call(1), record(0), &mut out).get().unwrap();
    let timed = calls.begin(Call(2), record(0), &mut out).get().unwrap();
    calls.begin(Call(3), record(0), &mut out);
    assert_eq!(calls.deadline(), None, "what rings ends by itself");
    calls.record(Number(NonZeroU64::new(plain))).unwrap().answered = Some(seconds(0));
    calls.keep(plain, seconds(0), 0);
    calls.keep(timed, seconds(0), 90);
    calls.keep(timed, seconds(60), 90);
    assert_eq!(calls.deadline(), Some(seconds(60 + 90 + 32)));
    calls.wake(seconds(181), &mut out);
    assert_eq!(ended(&mut out), []);
    calls.wake(seconds(182), &mut out);
    assert_eq!(ended(&mut out), [(Ender::Timer, Some(seconds(182)))]);
    calls.wake(seconds(5000), &mut out);
    assert_eq!(ended(&mut out), [(Ender::Age, Some(seconds(5000)))]);
    assert_eq!((calls.len(), calls.places.len(), calls.ends.len()), (1, 1, 0));
}

#[test]
fn a_session_that_is_renewed_for_ever_ends_with_its_time_all_the_same() {
    let (mut calls, mut out) = (calls(1000), Vec::new());
    let number = calls.begin(Call(1), record(0), &mut out).get().unwrap();
    calls.record(Number(NonZeroU64::new(number))).unwrap().answered = Some(seconds(0));
    (0..20).for_each(|renewal| calls.keep(number, seconds(renewal * 80), 90));
    assert_eq!((calls.deadline(), calls.ends.len()), (Some(seconds(1000)), 1));
}

#[test]
fn who_is_stopped_reports_all_that_it_followed() {
    let (mut calls, mut out) = (calls(1000), Vec::new());
    let number = calls.begin(Call(1), record(0), &mut out).get().unwrap();
    calls.keep(number, seconds(0), 0);
    calls.begin(Call(2), record(0), &mut out);
    calls.close(Time(9), &mut out);
    assert_eq!(ended(&mut out), [(Ender::Server, Some(Time(9))); 2]);
    assert_eq!((calls.len(), calls.deadline()), (0, None));
}

#[test]
fn a_call_that_passes_twice_is_one_call() {
    let (mut calls, mut out) = (calls(1000), Vec::new());
    let first = calls.begin(Call(1), record(0), &mut out);
    assert_eq!(calls.begin(Call(1), record(5), &mut out), Number(None));
    calls.end(first.get().unwrap(), (Time(9), Ender::Callee), &mut out);
    assert_ne!(calls.begin(Call(1), record(9), &mut out), first);
    assert_eq!(ended(&mut out), [(Ender::Callee, Some(Time(9)))]);
}

#[test]
fn when_there_are_too_many_the_one_that_would_go_first_goes_and_says_so() {
    let (mut calls, mut out) = (calls(1000), Vec::new());
    let first = calls.begin(Call(0), record(0), &mut out).get().unwrap();
    calls.keep(first, seconds(0), 0);
    for call in 1..=limits::CALLS as u64 {
        calls.begin(Call(call), record(call), &mut out);
    }
    assert_eq!(ended(&mut out), [(Ender::Crowd, Some(Time(limits::CALLS as u64)))]);
    assert_eq!(calls.begin(Call(u64::MAX), record(0), &mut out), Number(None), "all of them ring");
    assert_eq!(calls.len(), limits::CALLS);
}

#[test]
fn pages_show_each_call_once_while_they_come_and_go() {
    let (mut calls, mut out) = (calls(1000), Vec::new());
    let numbers: Vec<_> =
        (0..5).map(|call| calls.begin(Call(call), record(call), &mut out).get().unwrap()).collect();
    let page = |calls: &Calls, behind| -> Vec<u64> {
        calls.behind(behind).map(|(number, _)| number).take(2).collect()
    };
    assert_eq!(page(&calls, None), numbers[..2]);
    calls.end(numbers[1], (Time(9), Ender::Caller), &mut out);
    calls.end(numbers[2], (Time(9), Ender::Caller), &mut out);
    assert_eq!(page(&calls, Some(numbers[1])), numbers[3..]);
    assert!(calls.get(numbers[1]).is_none() && calls.get(numbers[4]).is_some());
    // A search looks into so many places, whether anything stands there or not.
    let stretch = |behind| {
        let (calls, next) = calls.stretch(behind, 2);
        (calls.map(|(number, _)| number).collect::<Vec<_>>(), next)
    };
    let (found, next) = stretch(None);
    assert_eq!((found, stretch(next).0), (vec![numbers[0]], vec![numbers[3]]));
    let (found, next) = stretch(stretch(next).1);
    assert_eq!((found, next), (vec![numbers[4]], None));
}
