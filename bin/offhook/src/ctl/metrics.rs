//! `offhook ctl metrics`.

use console::{Client, Trouble};

use super::place::{Form, say};

pub(super) fn run(client: &Client, _: Form) -> Result<(), Trouble> {
    say(&client.ask("GET", "/metrics")?.text);
    Ok(())
}
