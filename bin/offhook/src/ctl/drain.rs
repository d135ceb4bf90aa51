//! `offhook ctl drain`.

use console::{Client, Trouble};
use serde_json::Value;

use super::place::{Form, ask, say};
use super::table::shown;

pub(super) fn run(client: &Client, form: Form) -> Result<(), Trouble> {
    let answer = ask(client, "POST", "/api/v1/drain")?;
    let seconds = shown(answer.get("seconds").unwrap_or(&Value::Null));
    match form {
        Form::Json => say(&format!("{answer}\n")),
        Form::Words => say(&format!(
            "The server begins nothing new, and ends when what has begun is finished: in {seconds} seconds at the latest.\n"
        )),
    }
    Ok(())
}
