//! `offhook ctl calls` and `offhook ctl show`.

use console::{Client, Trouble};
use serde_json::Value;

use super::place::{Form, ask, filtered, pages, say, say_json, tell, tell_each};
use super::table::{Table, lasting, part};

/// What `offhook ctl calls` is told.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Only calls that have this in their Call-ID, in who calls, or in whom
    filter: Option<String>,
}

/// What `offhook ctl show` is told.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The call's ID in the list, its Call-ID, or how that begins
    call: String,
}

impl List {
    pub(super) fn run(&self, client: &Client, form: Form) -> Result<(), Trouble> {
        let count =
            pages(client, "calls", &filtered(self.filter.as_deref()), |calls| match form {
                Form::Json => tell_each(calls),
                Form::Words => tell(&table(calls)),
            })?;
        if form == Form::Words && count == 0 {
            say("There is no call.\n");
        }
        Ok(())
    }
}

/// One line a call.
fn table(calls: &[Value]) -> String {
    let mut table = Table::new(&["id", "state", "for", "from", "to", "by"]);
    for call in calls {
        let lasts = call.get("lasts").and_then(Value::as_u64).unwrap_or_default();
        let [id, state, from, to] = ["id", "state", "from", "to"].map(|name| part(call, name));
        let route = part(call, "route");
        table.row([id, state, lasting(lasts), from, to, route]);
    }
    table.text()
}

impl Show {
    pub(super) fn run(&self, client: &Client, form: Form) -> Result<(), Trouble> {
        let call = ask(client, "GET", &format!("/api/v1/calls/{}", Client::escaped(&self.call)))?;
        if form == Form::Json {
            say_json(&call);
            return Ok(());
        }
        let lasts = call.get("lasts").and_then(Value::as_u64).unwrap_or_default();
        let mut table = Table::bare();
        table.row(["state".into(), format!("{} for {}", part(&call, "state"), lasting(lasts))]);
        for name in ["call_id", "from", "to", "dialled", "user", "route", "answered_by"] {
            table.row([name.replace('_', " "), part(&call, name)]);
        }
        for name in ["source", "target"] {
            let place = call.get(name).unwrap_or(&Value::Null);
            let shown = format!("{} {}", part(place, "transport"), part(place, "address"));
            table.row([name.into(), if place.is_null() { String::new() } else { shown }]);
        }
        for name in ["forks", "session_timer", "id"] {
            table.row([name.replace('_', " "), part(&call, name)]);
        }
        say(&table.text());
        Ok(())
    }
}
