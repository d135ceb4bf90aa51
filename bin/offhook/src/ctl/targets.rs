//! `offhook ctl targets`.

use console::{Client, Trouble};
use serde_json::Value;

use super::place::{Form, ask, say, say_json};
use super::table::{Table, part};

pub(super) fn run(client: &Client, form: Form) -> Result<(), Trouble> {
    let targets = ask(client, "GET", "/api/v1/targets")?;
    if form == Form::Json {
        say_json(&targets);
        return Ok(());
    }
    let list =
        |name: &str| targets.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let (members, failed) = (list("members"), list("failed"));
    if !members.is_empty() {
        let mut table = Table::new(&["group", "member", "state", "calls"]);
        for member in &members {
            table.row(["group", "to", "state", "calls"].map(|name| part(member, name)));
        }
        say(&table.text());
    }
    if failed.is_empty() {
        say("No address has failed lately.\n");
        return Ok(());
    }
    let mut table = Table::new(&["transport", "address", "state", "seconds left"]);
    for address in &failed {
        table.row(["transport", "address", "state", "left"].map(|name| part(address, name)));
    }
    say(&table.text());
    Ok(())
}
