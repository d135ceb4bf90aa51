//! `offhook ctl registrations` and `offhook ctl unregister`.

use console::{Client, Trouble};
use serde_json::Value;

use super::place::{Form, ask, say};
use super::table::{Table, lasting, shown};

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
        let filter = self.filter.as_deref().map(Client::escaped).unwrap_or_default();
        let (mut after, mut count) = (String::new(), 0);
        loop {
            let path = format!("/api/v1/registrations?limit=1000&filter={filter}{after}");
            let page = ask(client, "GET", &path)?;
            let users = page.get("registrations").and_then(Value::as_array);
            let users = users.map_or(&[][..], Vec::as_slice);
            match form {
                Form::Json => users.iter().for_each(|user| say(&format!("{user}\n"))),
                Form::Words => say(&table(users)),
            }
            count += users.len();
            match page.get("next").and_then(Value::as_str) {
                Some(next) => after = format!("&after={}", Client::escaped(next)),
                None => break,
            }
        }
        if form == Form::Words && count == 0 {
            say("Nobody is registered.\n");
        }
        Ok(())
    }
}

/// One line a binding.
fn table(users: &[Value]) -> String {
    if users.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["user", "contact", "expires", "by", "q"]);
    for user in users {
        let of = |name: &str| user.get(name).unwrap_or(&Value::Null);
        for contact in of("contacts").as_array().into_iter().flatten() {
            let part = |name: &str| shown(contact.get(name).unwrap_or(&Value::Null));
            let left = contact.get("expires").and_then(Value::as_u64).unwrap_or_default();
            let by = match (part("transport").as_str(), part("source").as_str()) {
                ("-", _) => String::new(),
                (transport, source) => format!("{transport} {source}"),
            };
            table.row([shown(of("user")), part("contact"), lasting(left), by, part("q")]);
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
        let removed = shown(answer.get("removed").unwrap_or(&Value::Null));
        match form {
            Form::Json => say(&format!("{answer}\n")),
            Form::Words => say(&format!("Bindings that are gone: {removed}.\n")),
        }
        Ok(())
    }
}
