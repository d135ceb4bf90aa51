//! `offhook ctl hangup`.

use console::{Client, Trouble};
use serde_json::Value;

use super::place::{Form, ask, say, say_json};
use super::table::{Table, part};

/// What `offhook ctl hangup` is told.
#[derive(Debug, clap::Args)]
pub struct HangUp {
    /// The call's ID in the list, its Call-ID, or how that begins
    call: String,
}

impl HangUp {
    pub(super) fn run(&self, client: &Client, form: Form) -> Result<(), Trouble> {
        let path = format!("/api/v1/calls/{}", Client::escaped(&self.call));
        let answer = ask(client, "DELETE", &path)?;
        match form {
            Form::Json => say_json(&answer),
            Form::Words => say(&sentence(&answer)),
        }
        Ok(())
    }
}

/// What came of it: of a call that was up, what each of the two has answered.
fn sentence(answer: &Value) -> String {
    if part(answer, "was") == "ringing" {
        return format!(
            "The call is over before it was answered: its caller hears {}.\n",
            part(answer, "caller")
        );
    }
    let over = answer.get("over").and_then(Value::as_bool).unwrap_or_default();
    let first = if over { "The call is over.\n" } else { "Both are told to hang up.\n" };
    let mut table = Table::bare();
    for side in ["caller", "callee"] {
        table.row([side.into(), in_words(answer.get(side).and_then(Value::as_u64))]);
    }
    format!("{first}{}", table.text())
}

fn in_words(said: Option<u64>) -> String {
    match said {
        None => "has not answered yet: `offhook ctl events` shows when".into(),
        Some(status @ 200..=299) => format!("has hung up ({status})"),
        Some(408) => "does not answer (408)".into(),
        Some(status @ (404 | 410 | 430 | 480 | 481)) => format!("had gone before ({status})"),
        Some(status) => format!("refuses ({status})"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_each_has_answered_is_said_in_words() {
        let said = |caller, callee, over| {
            sentence(&json!({ "was": "up", "over": over, "caller": caller, "callee": callee }))
        };
        assert_eq!(
            said(json!(200), json!(481), true),
            "The call is over.\ncaller  has hung up (200)\ncallee  had gone before (481)\n"
        );
        let waits = said(json!(407), json!(null), false);
        assert!(waits.starts_with("Both are told to hang up.\ncaller  refuses (407)\n"), "{waits}");
        assert!(waits.contains("callee  has not answered yet"), "{waits}");
        let rang = json!({ "was": "ringing", "over": true, "caller": 487, "callee": null });
        assert_eq!(
            sentence(&rang),
            "The call is over before it was answered: its caller hears 487.\n"
        );
    }
}
