//! `Place`: which server is asked, and how answers are written.

use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;

use console::{Client, Trouble, shown};
use serde_json::Value;

use crate::outcome::Outcome;

/// Which server is asked, and how answers are written.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// The server's [listen] console: http://HOST:PORT, or unix:FILE for its console_socket
    #[arg(long, global = true, value_name = "URL", default_value = "http://127.0.0.1:8060")]
    url: String,
    /// The file that holds the server's token
    #[arg(long, global = true, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Write JSON, for programs
    #[arg(long, global = true)]
    json: bool,
}

/// How answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// For people.
    Words,
    /// For programs.
    Json,
}

impl Place {
    /// Does something with the server. What goes wrong is said on stderr.
    pub(super) fn visit(&self, what: impl FnOnce(&Client, Form) -> Result<(), Trouble>) -> Outcome {
        let form = if self.json { Form::Json } else { Form::Words };
        let (outcome, why) = match self.client() {
            Ok(client) => match what(&client, form) {
                Ok(()) => return Outcome::Fine,
                Err(trouble) => (Outcome::Failed, in_words(&trouble)),
            },
            Err(why) => (Outcome::Wrong, why),
        };
        let _ = writeln!(std::io::stderr().lock(), "{why}");
        outcome
    }

    fn client(&self) -> Result<Client, String> {
        let read = |path: &PathBuf| {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|error| format!("{}: {error}", path.display()))?;
            Ok::<_, String>(text.trim().to_owned())
        };
        Client::new(&self.url, self.token_file.as_ref().map(read).transpose()?)
    }
}

fn in_words(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Refused { code, what, .. } if code == "token" => {
            format!("{what}: give --token-file FILE, with the token of the server's [console]")
        }
        trouble => trouble.to_string(),
    }
}

/// Asks for JSON.
pub(super) fn ask(client: &Client, method: &str, path: &str) -> Result<Value, Trouble> {
    let heard = client.ask(method, path)?;
    serde_json::from_str(&heard.text).map_err(|error| Trouble::Strange(error.to_string()))
}

/// Asks for a list page by page, and shows each, as long as somebody looks; how many entries there were.
pub(super) fn pages(
    client: &Client,
    list: &str,
    query: &str,
    mut show: impl FnMut(&[Value]) -> ControlFlow<()>,
) -> Result<usize, Trouble> {
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let path = format!("/api/v1/{list}?{query}{after}");
        let page = ask(client, "GET", &path)?;
        let entries = page.get(list).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        count += entries.len();
        if !entries.is_empty() && show(entries).is_break() {
            return Ok(count);
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={}", Client::escaped(next)),
            None => return Ok(count),
        }
    }
}

/// Writes an answer, on a line for programs.
pub(super) fn say_json(answer: &Value) {
    say(&(shown(answer) + "\n"));
}

/// Writes entries, each on a line for programs.
pub(super) fn tell_each(entries: &[Value]) -> ControlFlow<()> {
    entries.iter().try_for_each(|entry| tell(&(shown(entry) + "\n")))
}

/// The query for long pages of what a filter lets pass.
pub(super) fn filtered(filter: Option<&str>) -> String {
    format!("limit=1000&filter={}", filter.map(Client::escaped).unwrap_or_default())
}

/// Writes to stdout. Whoever closed it has seen enough.
pub(super) fn say(text: &str) {
    // What comes of it is for those who would go on.
    let _ = tell(text);
}

/// The same, for whoever has more to say: the one who reads may have seen enough.
pub(super) fn tell(text: &str) -> ControlFlow<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}
