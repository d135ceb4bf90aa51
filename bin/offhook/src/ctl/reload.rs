//! `offhook ctl reload`.

use console::{Client, Trouble};

use super::place::{Form, ask, say, say_json};
use super::table::part;

pub(super) fn run(client: &Client, form: Form) -> Result<(), Trouble> {
    let answer = ask(client, "POST", "/api/v1/reload")?;
    match form {
        Form::Json => say_json(&answer),
        Form::Words => say(&format!(
            "The config is read again and in force: generation {}.\n",
            part(&answer, "generation")
        )),
    }
    Ok(())
}
