//! §16.5, routes of the settings: which is taken, what becomes of the number; and that what is explained is what is done.

use machine::Time;
use offhook_tests::office::{Office, Phone, Request, requests, rows, settings, status, uri};
use protocol::{Flow, Listener, Transport};
use server::explain::Verdict;
use server::routes::{Case, Days, Hours, Pattern, Rewrite, Zone};
use server::settings::{Action, Elsewhere, Match, Route, Settings, Trust, Whose};
use sip::{Message, Name};

fn numbers(prefix: &str) -> Match {
    Match { prefixes: vec![prefix.into()], ..Match::default() }
}

fn named(name: &str, matches: Match, action: Action) -> Route {
    Route { name: name.into(), matches, action, ..Route::prefix("", "sip:unused") }
}

fn to(hops: &[&str]) -> Action {
    Action::To(hops.iter().map(|hop| Box::from(*hop)).collect())
}

fn deny(status: u16, reason: &str) -> Action {
    Action::Deny { status, reason: reason.into() }
}

fn elsewhere(status: u16, places: &[&str], expires: Option<u32>) -> Action {
    let to = places.iter().map(|place| Box::from(*place)).collect();
    Action::Redirect(Elsewhere { status, to, expires })
}

fn routes() -> Vec<Route> {
    let pattern = |text| Pattern::new(text, Case::Counts).unwrap();
    let lobby = Match { callers: vec!["109".into()], ..numbers("+") };
    let short = Match { pattern: Some(pattern("^0[1-9]")), ..Match::default() };
    let pbx = Match { networks: vec!["198.51.100.77".parse().unwrap()], ..numbers("7") };
    let text = Match { methods: vec!["MESSAGE".into()], ..numbers("5") };
    let tcp = Match { listeners: vec!["192.0.2.10:5061".parse().unwrap()], ..numbers("5") };
    let day = Hours { days: Days(0b1_1111), from: 480, to: 1080, zone: Zone::utc() };
    let local = Rewrite { strip: 1, prepend: "+49".into(), replace: None };
    let swap = Rewrite { replace: Some((pattern("^00"), "+".into())), ..Rewrite::default() };
    let domain = |name: &str| Match { whose: Whose::Domain(name.into()), ..Match::default() };
    let anybody = Match { whose: Whose::Anybody, ..Match::default() };
    vec![
        named("lobby", lobby, deny(603, "The Lobby Calls Nobody")),
        named("premium", numbers("+49900"), deny(403, "Premium Numbers Are Not Allowed")),
        Route { rewrite: Some(local), ..named("local", short, to(&["sip:203.0.113.1"])) },
        Route { rewrite: Some(swap), ..named("abroad", numbers("00"), to(&["sip:203.0.113.2"])) },
        Route { trust: Trust::Network, ..named("pbx", pbx, to(&["sip:203.0.113.3"])) },
        Route { when: Some(day), ..named("day", numbers("8"), to(&["sip:203.0.113.4:5080"])) },
        named("night", numbers("8"), elsewhere(302, &["sip:101@example.test"], Some(60))),
        named("moved", numbers("6"), elsewhere(301, &["sip:new.test", "sip:x@old.test"], None)),
        named("texts", text, to(&["sip:203.0.113.5;transport=tcp"])),
        named("by 5061", tcp, to(&["sip:203.0.113.6"])),
        Route::prefix("+", "sip:203.0.113.7"),
        Route::domain("other.test", Some("sip:203.0.113.8")),
        named("bad", domain("bad.test"), deny(403, "Nobody Calls Them")),
        named("anybody", anybody, to(&[])),
    ]
}

fn house() -> Settings {
    let at = "192.0.2.10:5061".parse().unwrap();
    let mut settings = Settings { routes: routes(), ..settings() };
    settings.listeners.push(Listener::new(2, Transport::Udp, at));
    settings
}

/// Saturday, 28 November 2026, 19:00 UTC; and the day before at noon.
const SATURDAY: u64 = 1_795_892_400;
const FRIDAY: u64 = SATURDAY - 31 * 3600;

/// A request, and how it comes.
#[derive(Clone, Debug)]
struct Asked {
    request: Request,
    phone: Phone,
    seconds: u64,
}

fn case(number: u16, method: &str, uri: &str) -> Asked {
    let phone = Phone::udp(number);
    let request = match method {
        "INVITE" => phone.invite(uri),
        _ => phone.request(method, uri),
    };
    Asked { request, phone, seconds: SATURDAY }
}

fn office(seconds: u64) -> Office {
    let mut office = Office::new(house());
    office.now = Time(seconds * 1_000_000_000);
    office
}

/// What the server does, in the words of a verdict.
fn done(case: &Asked) -> String {
    let mut office = office(case.seconds);
    let sent = office.converse(&case.phone, &case.request);
    let copies = requests(&sent, &case.request.method);
    if let Some(copy) = copies.first() {
        let transport = copy.flow.transport;
        return format!("{} to {transport} {}", uri(copy), copy.flow.peer);
    }
    let last = sent.last().unwrap();
    match last.message.status().map_or(0, sip::Status::code) {
        code @ 300..400 => format!("{code} {}", rows(&sent, Name::Contact).join(", ")),
        100 => match office.asked.pop() {
            Some((_, protocol::Question::Resolve(hop))) => format!("look up {}", hop.domain),
            asked => format!("{asked:?}"),
        },
        code => {
            let line = String::from_utf8_lossy(last.message.wire()).into_owned();
            let line = line.lines().next().unwrap().to_owned();
            format!("{code} {}", line.splitn(3, ' ').nth(2).unwrap())
        }
    }
}

/// What is explained, in the same words.
fn explained(case: &Asked) -> (Option<String>, String) {
    let mut office = office(case.seconds);
    let request = Message::parse(case.request.wire()).unwrap();
    let explanation = office.node.explain(office.now, case.phone.flow, &request);
    let verdict = match explanation.verdict {
        Verdict::Forwarded(hops) => {
            let hop = &hops[0];
            let by = hop.by.clone().unwrap_or_else(|| hop.uri.clone());
            let parsed = sip::Uri::parse(by.as_bytes()).unwrap();
            let at = parsed.sip().unwrap();
            let transport = if by.contains("tcp") { "TCP" } else { "UDP" };
            match at.hostport().address(5060) {
                Some(address) => format!("{} to {transport} {address}", hop.uri),
                None => format!("look up {}", at.host),
            }
        }
        Verdict::Redirected(status, places) => format!("{status} {}", places.join(", ")),
        Verdict::Refused(status, reason) => format!("{status} {reason}"),
        Verdict::Phones(_) | Verdict::Contacts(_) => "480 User Is Not Registered Now".into(),
        Verdict::Asked(name) => format!("ask for {name}"),
        Verdict::Ours => "200 OK".into(),
    };
    (explanation.taken.map(|(_, name)| name), verdict)
}

#[test]
fn what_is_explained_is_what_is_done() {
    let lobby = case(109, "INVITE", "sip:+4420@example.test");
    let mut pbx = case(77, "INVITE", "sip:7001@example.test");
    pbx.request.from = "<sip:x@pbx.test>;tag=1".into();
    let mut late = case(101, "INVITE", "sip:8000@example.test");
    late.seconds = FRIDAY;
    let mut other_door = case(101, "INVITE", "sip:55@example.test");
    other_door.phone.flow = Flow { listener: 2, ..other_door.phone.flow };
    let ask = |uri| case(101, "INVITE", uri);
    for (case, route, verdict) in [
        (lobby, "lobby", "603 The Lobby Calls Nobody"),
        (ask("sip:+49900123@example.test"), "premium", "403 Premium Numbers Are Not Allowed"),
        (ask("tel:+49-900-123"), "premium", "403 Premium Numbers Are Not Allowed"),
        (
            ask("sip:030123@example.test"),
            "local",
            "sip:+4930123@203.0.113.1 to UDP 203.0.113.1:5060",
        ),
        (ask("sip:004420@example.test"), "abroad", "sip:+4420@203.0.113.2 to UDP 203.0.113.2:5060"),
        (pbx, "pbx", "sip:7001@203.0.113.3 to UDP 203.0.113.3:5060"),
        (ask("sip:7001@example.test"), "", "404 No Such User Here"),
        (late, "day", "sip:8000@203.0.113.4:5080 to UDP 203.0.113.4:5080"),
        (ask("sip:8000@example.test"), "night", "302 <sip:101@example.test>;expires=60"),
        (
            ask("sip:600@example.test"),
            "moved",
            "301 <sip:600@new.test>;q=1.0, <sip:x@old.test>;q=0.9",
        ),
        (
            case(101, "MESSAGE", "sip:55@example.test"),
            "texts",
            "sip:55@203.0.113.5;transport=tcp to TCP 203.0.113.5:5060",
        ),
        (other_door, "by 5061", "sip:55@203.0.113.6 to UDP 203.0.113.6:5060"),
        (ask("sip:55@example.test"), "", "404 No Such User Here"),
        (
            ask("tel:+33-1-23;isub=7"),
            "+…",
            "sip:+33123;isub=7@203.0.113.7;user=phone to UDP 203.0.113.7:5060",
        ),
        (ask("sip:bob@other.test"), "other.test", "sip:bob@other.test to UDP 203.0.113.8:5060"),
        (ask("sip:bob@bad.test"), "bad", "403 Nobody Calls Them"),
        (ask("sip:bob@third.test"), "anybody", "look up third.test"),
        (ask("sip:102@example.test"), "", "480 User Is Not Registered Now"),
        (ask("tel:7042;phone-context=other.test"), "", "416 Unsupported URI Scheme"),
        (ask("http://example.test"), "", "416 Unsupported URI Scheme"),
        (case(101, "OPTIONS", "sip:example.test"), "", "200 OK"),
        (ask("sip:example.test"), "", "405 Method Not Allowed Here"),
    ] {
        let (taken, said) = explained(&case);
        assert_eq!(
            (taken.unwrap_or_default().as_str(), said.as_str()),
            (route, verdict),
            "{case:?}"
        );
        assert_eq!(done(&case), verdict, "{case:?}");
    }
}

/// A caller's Route is no way around a route that denies, nor to where no route leads.
#[test]
fn a_route_that_the_caller_writes_opens_no_door() {
    let with = |uri: &str, route: &str| {
        let mut case = case(101, "INVITE", uri);
        case.request = case.request.row(&format!("Route: <{route};lr>"));
        done(&case)
    };
    assert_eq!(with("sip:bob@bad.test", "sip:other.test"), "403 Nobody Calls Them");
    assert_eq!(
        with("sip:+49900@example.test", "sip:other.test"),
        "403 Premium Numbers Are Not Allowed"
    );
    let mut closed = house();
    closed.routes.pop();
    let mut office = Office::new(closed);
    let request = case(101, "INVITE", "sip:bob@other.test").request;
    let sent = office.converse(&Phone::udp(101), &request.row("Route: <sip:third.test;lr>"));
    assert_eq!(status(&sent), 403);
}

/// Who has no password learns nothing of the rules.
#[test]
fn strangers_are_asked_who_they_are_before_they_are_denied() {
    let mut office = office(SATURDAY);
    for uri in
        ["sip:+49900@example.test", "sip:600@example.test", "sip:bob@bad.test", "sip:x@third.test"]
    {
        let mut request = Phone::udp(77).invite(uri).call(uri);
        request.from = "<sip:x@stranger.test>;tag=1".into();
        let code = status(&office.receive(Phone::udp(77).flow, request.wire()));
        assert!(matches!(code, 401 | 407), "{uri}: {code}");
    }
}

/// Within a call that was let pass nothing is decided anew: it can be hung up after office hours.
#[test]
fn a_call_that_was_let_pass_can_be_hung_up_at_any_time() {
    let day = Hours { days: Days(0b1_1111), from: 480, to: 1080, zone: Zone::utc() };
    let mut settings = settings();
    settings.routes =
        vec![Route { when: Some(day), ..Route::domain("other.test", Some("sip:203.0.113.8")) }];
    let mut office = Office::new(settings);
    office.now = Time(FRIDAY * 1_000_000_000);
    let alice = Phone::udp(101);
    let invite = alice.invite("sip:bob@other.test");
    let copy = requests(&office.converse(&alice, &invite), "INVITE").remove(0);
    let ok = offhook_tests::office::reply(&copy.message, 200, "Contact: <sip:bob@other.test>\r\n");
    let route = rows(&office.receive(copy.flow, ok), Name::RecordRoute).remove(0);
    office.now = Time(SATURDAY * 1_000_000_000);
    let mut bye =
        alice.request("BYE", "sip:bob@other.test").call("bye").row(&format!("Route: {route}"));
    (bye.call_id, bye.to) = (invite.call_id.clone(), "<sip:bob@other.test>;tag=to-tag".into());
    let sent = office.receive(alice.flow, bye.wire());
    assert_eq!(requests(&sent, "BYE")[0].flow.peer, "203.0.113.8:5060".parse().unwrap());
    let sent = office.converse(&alice, &alice.invite("sip:bob@other.test").call("late"));
    assert_eq!(status(&sent), 403);
}
