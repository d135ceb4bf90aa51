//! `offhook ctl bans`, `offhook ctl ban` and `offhook ctl unban`.

use console::{Client, Trouble};
use serde_json::Value;

use super::place::{Form, ask, pages, say, say_json, tell, tell_each};
use super::table::{Table, lasting, part};

/// What `offhook ctl ban` is told.
#[derive(Debug, clap::Args)]
pub struct Ban {
    /// An address; of IPv6 its whole /64
    address: String,
    /// For how many seconds; an hour unless said
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
}

/// What `offhook ctl unban` is told.
#[derive(Debug, clap::Args)]
pub struct Unban {
    /// The address, as the list writes it
    address: String,
}

pub(super) fn list(client: &Client, form: Form) -> Result<(), Trouble> {
    let count = pages(client, "bans", "", |bans| match form {
        Form::Json => tell_each(bans),
        Form::Words => tell(&table(bans)),
    })?;
    if form == Form::Words && count == 0 {
        say("Nobody is banned.\n");
    }
    Ok(())
}

fn table(bans: &[Value]) -> String {
    let mut table = Table::new(&["address", "is", "because of", "count", "for another", "it said"]);
    for ban in bans {
        let left = ban.get("left").and_then(Value::as_u64).unwrap_or_default();
        let [source, is, reason, count] =
            ["source", "treatment", "reason", "count"].map(|name| part(ban, name));
        table.row([source, is, reason, count, lasting(left), part(ban, "sample")]);
    }
    table.text()
}

impl Ban {
    pub(super) fn run(&self, client: &Client, form: Form) -> Result<(), Trouble> {
        let mut path = format!("/api/v1/bans/{}", Client::escaped(&self.address));
        if let Some(seconds) = self.seconds {
            path += &format!("?seconds={seconds}");
        }
        let answer = ask(client, "PUT", &path)?;
        let lasts = answer.get("seconds").and_then(Value::as_u64).unwrap_or_default();
        match form {
            Form::Json => say_json(&answer),
            Form::Words => {
                let banned = part(&answer, "banned");
                say(&format!("Nothing from {banned} is heard for {}.\n", lasting(lasts)));
            }
        }
        Ok(())
    }
}

impl Unban {
    pub(super) fn run(&self, client: &Client, form: Form) -> Result<(), Trouble> {
        let path = format!("/api/v1/bans/{}", Client::escaped(&self.address));
        let answer = ask(client, "DELETE", &path)?;
        match form {
            Form::Json => say_json(&answer),
            Form::Words => say(&format!("{} is heard again.\n", part(&answer, "lifted"))),
        }
        Ok(())
    }
}
