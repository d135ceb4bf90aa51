//! The walk: which route is taken, and what is said of those before it.

use super::*;
use crate::settings::Match;

/// Saturday, 28 November 2026, 19:00 UTC.
const SATURDAY: Time = Time(1_795_892_400_000_000_000);

fn asked(number: &str) -> Asked<'_> {
    Asked {
        method: "INVITE",
        host: None,
        number,
        caller: Some("101"),
        source: "192.0.2.7:5060".parse().unwrap(),
        listener: Some("192.0.2.10:5060".parse().unwrap()),
        now: SATURDAY,
    }
}

fn only(name: &str, matches: Match) -> Route {
    Route { name: name.into(), matches, ..Route::prefix("", "sip:192.0.2.1") }
}

/// The name of the route that is taken, and what was said of those before it.
fn walked(asked: &Asked<'_>, routes: &[Route]) -> (Option<String>, Vec<String>) {
    let mut said = Vec::new();
    let mut witness = |route: &Route, miss: Miss| said.push(miss.words(route, asked));
    let taken = asked.walk(routes, 0, &mut witness).map(|(_, route)| route.name.to_string());
    (taken, said)
}

#[test]
fn the_first_that_fits_is_taken_and_those_before_it_say_why_not() {
    let pattern = Pattern::new("^00[1-9]", Case::Counts).unwrap();
    let hours = Hours { days: Days(0b1_1111), from: 480, to: 1080, zone: Zone::utc() };
    let all = Match::default();
    let routes = [
        Route::domain("other.test", None),
        only("any", Match { whose: Whose::Anybody, ..all.clone() }),
        Route::prefix("+1", "sip:192.0.2.1"),
        only("two", Match { prefixes: vec!["+1".into(), "+33".into()], ..all.clone() }),
        only("pattern", Match { pattern: Some(pattern), ..all.clone() }),
        only("method", Match { methods: vec!["MESSAGE".into()], ..all.clone() }),
        only("caller", Match { callers: vec!["102".into(), "103".into()], ..all.clone() }),
        only("network", Match { networks: vec!["10.0.0.0/8".parse().unwrap()], ..all.clone() }),
        only("listener", Match { listeners: vec!["[::1]:5060".parse().unwrap()], ..all.clone() }),
        Route { when: Some(hours), ..only("hours", all.clone()) },
        only("rest", all),
    ];
    let (taken, said) = walked(&asked("+4420"), &routes);
    assert_eq!(taken.as_deref(), Some("rest"));
    assert_eq!(
        said,
        [
            "it is for other.test, not for our domains",
            "it is for other domains, not for ours",
            "+4420 does not begin with +1",
            "+4420 does not begin with +1 or +33",
            "+4420 does not look like ^00[1-9]",
            "it is for MESSAGE, not for INVITE",
            "it is for calls of 102 or 103, not of 101",
            "it is for calls from 10.0.0.0/8, not from 192.0.2.7",
            "it is for calls by [::1]:5060, not by 192.0.2.10:5060",
            "it is sat 19:00, the route is for mon–fri 08:00–18:00 UTC",
        ]
    );
    // Each fits somebody.
    let call = asked("+33");
    let of = |asked: Asked<'_>| walked(&asked, &routes).0.unwrap();
    let friday = Time(SATURDAY.0 - 34 * 3_600_000_000_000);
    assert_eq!(of(Asked { host: Some(Host::Name("OTHER.test.")), ..call.clone() }), "other.test");
    assert_eq!(of(Asked { host: Some(Host::Name("third.test")), ..call.clone() }), "any");
    assert_eq!(of(asked("+12")), "+1…");
    assert_eq!(of(call.clone()), "two");
    assert_eq!(of(asked("0044")), "pattern");
    assert_eq!(of(Asked { method: "MESSAGE", ..asked("5") }), "method");
    assert_eq!(of(Asked { caller: Some("103"), ..asked("5") }), "caller");
    assert_eq!(of(Asked { caller: None, ..asked("5") }), "rest");
    assert_eq!(of(Asked { source: "10.1.2.3:9".parse().unwrap(), ..asked("5") }), "network");
    assert_eq!(of(Asked { listener: "[::1]:5060".parse().ok(), ..asked("5") }), "listener");
    assert_eq!(of(Asked { now: friday, ..asked("5") }), "hours");
}

#[test]
fn all_that_a_route_says_must_be_so_and_a_walk_can_go_on() {
    let both = Match {
        whose: Whose::Domain("other.test".into()),
        prefixes: vec!["+".into()],
        ..Match::default()
    };
    let routes = [only("both", both), Route::domain("other.test", None)];
    let there = |number| Asked { host: Some(Host::Name("other.test")), ..asked(number) };
    assert_eq!(walked(&there("+1"), &routes).0.as_deref(), Some("both"));
    assert_eq!(walked(&there("bob"), &routes).0.as_deref(), Some("other.test"));
    assert_eq!(walked(&asked("+1"), &routes).0, None);
    let next = there("+1").walk(&routes, 1, &mut |_, _| {}).map(|(place, _)| place);
    assert_eq!(next, Some(1));
}

#[test]
fn a_route_that_a_caller_wants_visited_must_lead_somewhere_by_ours() {
    let deny = |route| Route { action: Action::Deny { status: 403, reason: "No".into() }, ..route };
    let other = Host::Name("other.test");
    assert!(lead_to(&[Route::domain("other.test", None)], &other));
    assert!(!lead_to(&[deny(Route::domain("other.test", None))], &other));
    assert!(!lead_to(&[Route::prefix("+", "sip:other.test")], &other));
    assert!(lead_to(&[only("any", Match { whose: Whose::Anybody, ..Match::default() })], &other));
}
