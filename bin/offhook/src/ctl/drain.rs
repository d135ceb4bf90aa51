//! `offhook ctl drain`.

use console::{Client, Trouble};

use super::place::{Form, ask, say, say_json};
use super::table::part;

pub(super) fn run(client: &Client, form: Form) -> Result<(), Trouble> {
    let answer = ask(client, "POST", "/api/v1/drain")?;
    let seconds = part(&answer, "seconds");
    match form {
        Form::Json => say_json(&answer),
        Form::Words => say(&format!(
            "The server begins nothing new, and ends when what has begun is finished: in {seconds} seconds at the latest.\n"
        )),
    }
    Ok(())
}
