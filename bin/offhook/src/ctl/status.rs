//! `offhook ctl status`.

use console::{Client, Trouble};
use serde_json::Value;

use super::place::{Form, ask, say, say_json};
use super::table::{Table, lasting, part, shown};

pub(super) fn run(client: &Client, form: Form) -> Result<(), Trouble> {
    let status = ask(client, "GET", "/api/v1/status")?;
    if form == Form::Json {
        say_json(&status);
        return Ok(());
    }
    let of = |name: &str| part(&status, name);
    let mut table = Table::bare();
    let well = if of("healthy") == "yes" { "well" } else { "NOT WELL" };
    let draining = if of("draining") == "yes" { ", draining" } else { "" };
    table.row(["server".into(), format!("{well}{draining}")]);
    for trouble in status.get("troubles").and_then(Value::as_array).into_iter().flatten() {
        table.row(["trouble".into(), shown(trouble)]);
    }
    let uptime = status.get("uptime").and_then(Value::as_u64).unwrap_or_default();
    table.row(["version".into(), of("version")]);
    table.row(["runs for".into(), lasting(uptime)]);
    table.row(["config".into(), format!("generation {}", of("generation"))]);
    table.row(["shards".into(), of("shards")]);
    for listener in status.get("listeners").and_then(Value::as_array).into_iter().flatten() {
        table.row(["transport", "address"].map(|name| part(listener, name)));
    }
    table.row(["registered".into(), format!("{} users, {} bindings", of("users"), of("bindings"))]);
    table.row(["calls".into(), of("calls")]);
    table.row(["transactions".into(), of("transactions")]);
    say(&table.text());
    Ok(())
}
