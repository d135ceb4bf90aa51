//! `offhook ctl registrations` and `offhook ctl unregister`.

use console::{Client, Trouble};
use serde_json::Value;

use super::place::{Form, ask, filtered, pages, say, say_json, tell, tell_each};
use super::table::{Table, lasting, part};

/// What `offhook ctl registrations` is told.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Only users whose name has this in it
    filter: Option<String>,
}

/// What `offhook ctl unregister` is told.
#[derive(Debug, clap::Args)]
pub struct Remove {
    /// The user: 101 for sip:101@example.test
    user: String,
    /// Only the binding with this Contact URI
    #[arg(long, value_name = "URI")]
    contact: Option<String>,
}

impl List {
    pub(super) fn run(&self, client: &Client, form: Form) -> Result<(), Trouble> {
        let count =
            pages(
                client,
                "registrations",
                &filtered(self.filter.as_deref()),
                |users| match form {
                    Form::Json => tell_each(users),
                    Form::Words => tell(&table(users)),
                },
            )?;
        if form == Form::Words && count == 0 {
            say("Nobody is registered.\n");
        }
        Ok(())
    }
}

/// One line a binding.
fn table(users: &[Value]) -> String {
    let mut table = Table::new(&["user", "contact", "expires", "by", "q"]);
    for user in users {
        let contacts = user.get("contacts").and_then(Value::as_array);
        for contact in contacts.into_iter().flatten() {
            let left = contact.get("expires").and_then(Value::as_u64).unwrap_or_default();
            let by = match (part(contact, "transport").as_str(), part(contact, "source").as_str()) {
                ("-", _) => String::new(),
                (transport, source) => format!("{transport} {source}"),
            };
            let [uri, q] = ["contact", "q"].map(|name| part(contact, name));
            table.row([part(user, "user"), uri, lasting(left), by, q]);
        }
    }
    table.text()
}

impl Remove {
    pub(super) fn run(&self, client: &Client, form: Form) -> Result<(), Trouble> {
        let mut path = format!("/api/v1/registrations/{}", Client::escaped(&self.user));
        if let Some(contact) = &self.contact {
            path += &format!("?contact={}", Client::escaped(contact));
        }
        let answer = ask(client, "DELETE", &path)?;
        let removed = part(&answer, "removed");
        match form {
            Form::Json => say_json(&answer),
            Form::Words => say(&format!("Bindings that are gone: {removed}.\n")),
        }
        Ok(())
    }
}
