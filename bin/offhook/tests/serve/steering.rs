//! What an operator changes over the console: bans, and the config.

use super::console::Console;
use super::folder;
use super::schema::{check, check_answer};

#[test]
fn a_ban_is_listed_with_its_reason_and_lifted() {
    let console = Console::start(&folder("console-bans"), "[server]\nshards = 2\n");
    let document = console.get("/api/v1/openapi.json");
    assert_eq!(console.ctl(&["bans"]).1, "Nobody is banned.\n");
    let (code, said, why) = console.ctl(&["ban", "192.0.2.66", "--for", "7200"]);
    assert_eq!(
        (code, said.as_str()),
        (Some(0), "Nothing from 192.0.2.66 is heard for 2h.\n"),
        "{why}"
    );
    let (code, _, why) = console.ctl(&["ban", "2001:db8:1:2::/64"]);
    assert_eq!(code, Some(0), "{why}");
    let bans = console.get("/api/v1/bans");
    check_answer(&document, ("get", "/api/v1/bans"), &bans);
    let found = bans["bans"].as_array().expect("a list");
    assert_eq!((found.len(), &found[0]["reason"]), (2, &"by-hand".into()));
    assert!(found[0]["left"].as_u64().is_some_and(|left| (7000..=7200).contains(&left)), "{bans}");
    let (_, table, _) = console.ctl(&["bans"]);
    assert!(table.starts_with("ADDRESS") && table.contains("192.0.2.66"), "{table}");
    assert_eq!(console.get_metric("offhook_banned_sources"), 2.0);
    for address in ["192.0.2.66", "2001:db8:1:2::1"] {
        let (code, _, why) = console.ctl(&["unban", address]);
        assert_eq!(code, Some(0), "{why}");
    }
    assert_eq!(console.ctl(&["unban", "192.0.2.66"]).2, "192.0.2.66 is not banned now\n");
    assert!(
        console
            .ctl(&["unban", "nobody"])
            .2
            .starts_with("`nobody` is no IP address: write it like ")
    );
    assert_eq!(console.get("/api/v1/bans")["bans"].as_array().map(Vec::len), Some(0));
    // What is answered is what the document says.
    for (asks, method) in [("PUT", "put"), ("DELETE", "delete")] {
        let (status, body) = console.curl("/api/v1/bans/192.0.2.66", &["-X", asks]);
        assert_eq!(status, 200, "{body}");
        let answer = serde_json::from_str(&body).expect("JSON");
        check_answer(&document, (method, "/api/v1/bans/{source}"), &answer);
    }
}

#[test]
fn a_new_token_is_asked_for_after_a_reload() {
    let folder = folder("console-new-token");
    let more = "[console]\ntoken = \"the-old-one-of-sixteen\"\n";
    let console = Console::start(&folder, more);
    let [old, new] =
        ["old", "new"].map(|which| format!("Authorization: Bearer the-{which}-one-of-sixteen"));
    let status = |header: &str| console.curl("/api/v1/status", &["-H", header]).0;
    assert_eq!((status(&old), status(&new)), (200, 401));
    let file = folder.join("offhook.toml");
    let text = std::fs::read_to_string(&file).expect("the config");
    std::fs::write(&file, text.replace("the-old-one", "the-new-one")).expect("written");
    assert_eq!(console.curl("/api/v1/reload", &["-X", "POST", "-H", &old]).0, 200);
    assert_eq!((status(&old), status(&new)), (401, 200));
}

#[test]
fn a_reload_takes_all_or_names_what_is_wrong() {
    let folder = folder("console-reload");
    let console = Console::start(&folder, "");
    let document = console.get("/api/v1/openapi.json");
    let file = folder.join("offhook.toml");
    let text = std::fs::read_to_string(&file).expect("the config");
    let (code, said, why) = console.ctl(&["reload"]);
    assert_eq!(
        (code, said.as_str()),
        (Some(0), "The config is read again and in force: generation 2.\n"),
        "{why}"
    );
    std::fs::write(&file, format!("{text}\nrubbish = 1\n")).expect("written");
    let (code, _, why) = console.ctl(&["reload"]);
    assert!(
        code == Some(1) && why.contains("`rubbish`") && why.contains("nothing has changed"),
        "{why}"
    );
    let (status, body) = console.curl("/api/v1/reload", &["-X", "POST"]);
    let refusal = serde_json::from_str(&body).expect("JSON");
    check(&document, "Refusal", &refusal);
    assert_eq!((status, &refusal["error"]), (409, &"config_refused".into()));
    std::fs::write(&file, &text).expect("written");
    let (_, body) = console.curl("/api/v1/reload", &["-X", "POST"]);
    check_answer(
        &document,
        ("post", "/api/v1/reload"),
        &serde_json::from_str(&body).expect("JSON"),
    );
    assert_eq!(console.get("/api/v1/status")["generation"], 3);
    assert_eq!(console.get_metric("offhook_config_generation"), 3.0);
}
