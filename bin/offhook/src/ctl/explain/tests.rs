//! Sentences, and what is said of them.

use server::explain::Explanation;

use super::*;

const CONFIG: &str = r#"
domains = "example.test"
[[extension]]
number = "101"
password = "a-long-password"
[[extension]]
number = "102"
password = "another-long-one"
[[route]]
match = { domain = "other.test" }
[[route]]
name = "weekdays"
match = { prefix = "0" }
when = { days = "mon-fri", from = "08:00", to = "18:00", zone = "Europe/Berlin" }
rewrite = { strip = 1, prepend = "+49" }
to = ["sip:192.0.2.1", "sip:192.0.2.2:5070;transport=tcp"]
[[route]]
match = { prefix = "0" }
deny = { status = 603, reason = "Closed" }
"#;

/// Saturday, 28 November 2026, 19:00 UTC.
const NOW: Time = Time(1_795_892_400_000_000_000);

fn ask(sentence: &str) -> Result<(Call, Explanation), String> {
    let config = Config::parse("f", CONFIG).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let arguments = Arguments {
        sentence: sentence.into(),
        config: "f".into(),
        from: "192.0.2.77".parse().unwrap(),
        listener: None,
        method: "INVITE".into(),
        json: false,
    };
    explain(&config, &arguments, NOW)
}

#[test]
fn an_explanation_is_a_screen_that_people_can_read() {
    let said = |sentence: &str| ask(sentence).map(|(call, said)| said::text(&call, &said)).unwrap();
    assert_eq!(
        said("101 dials 030 - 123 at 2026-11-27T10:00"),
        "\
the call     INVITE sip:030123@example.test from sip:101@example.test at 192.0.2.77
when         2026-11-27 fri 10:00 Europe/Berlin
             not route 1, other.test: it is for other.test, not for our domains
route        2, weekdays
the number   030123 becomes +4930123
the caller   must prove who it is, first
goes to      sip:+4930123@192.0.2.1 by sip:192.0.2.1
else to      sip:+4930123@192.0.2.2:5070;transport=tcp by sip:192.0.2.2:5070;transport=tcp
"
    );
    let closed = said("101 dials 030123");
    assert!(closed.contains("when         2026-11-28 sat 20:00 Europe/Berlin"), "{closed}");
    assert!(closed.contains("not route 2, weekdays: it is sat 20:00, the route is for mon–fri 08:00–18:00 Europe/Berlin"), "{closed}");
    assert!(closed.contains("is refused   603 Closed"), "{closed}");
    assert!(said("101 calls 102").contains("then         the phones of 102 ring"));
    assert!(
        said("sip:carol@other.test calls sip:101@example.test").contains("is not asked who it is")
    );
}

#[test]
fn programs_get_the_same() {
    let (call, explanation) = ask("101 dials 0301 at 2026-11-27T09:00Z").unwrap();
    let json: serde_json::Value = serde_json::from_str(&said::json(&call, &explanation)).unwrap();
    assert_eq!(json["route"], serde_json::json!({ "route": 2, "name": "weekdays" }));
    assert_eq!(json["number"], serde_json::json!({ "dialled": "0301", "sent": "+49301" }));
    assert_eq!(json["passed"][0]["name"], "other.test");
    assert_eq!(json["challenged"], true);
    assert_eq!(json["verdict"]["to"][1]["by"], "sip:192.0.2.2:5070;transport=tcp");
    assert_eq!(json["call"]["when"], "2026-11-27 fri 10:00 Europe/Berlin");
    let (call, explanation) = ask("101 dials 9").unwrap();
    let json: serde_json::Value = serde_json::from_str(&said::json(&call, &explanation)).unwrap();
    let refused =
        serde_json::json!({ "is": "refused", "status": 404, "reason": "No Such User Here" });
    assert_eq!((&json["route"], &json["verdict"]), (&serde_json::Value::Null, &refused));
}

#[test]
fn times_are_those_of_the_routes_unless_they_say_more() {
    let at = |time: &str| ask(&format!("101 dials 0 at {time}")).unwrap().0.when;
    assert_eq!(at("2026-07-01T08:00"), "2026-07-01 wed 08:00 Europe/Berlin");
    assert_eq!(at("2026-07-01T08:00Z"), "2026-07-01 wed 10:00 Europe/Berlin");
    assert_eq!(at("2026-07-01T08:00-04:00"), "2026-07-01 wed 14:00 Europe/Berlin");
    assert_eq!(at("2026-12-31 23:59"), "2026-12-31 thu 23:59 Europe/Berlin");
}

#[test]
fn what_is_no_question_is_told_so() {
    for (sentence, why) in [
        ("", "no `dials`"),
        ("101", "no `dials`"),
        ("101 dials", "somebody is missing"),
        ("dials 102", "somebody is missing"),
        ("101 dials 102 at noon", "`noon` is no time"),
        ("101 dials sip:a@b:x", "`sip:a@b:x` is no URI"),
        ("101 dials a@b", "`a@b` is no URI"),
    ] {
        let said = ask(sentence).unwrap_err();
        assert!(said.contains(why), "{sentence}: {said}");
    }
}
