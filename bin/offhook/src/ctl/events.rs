//! `offhook ctl events`: follows what happens until Ctrl-C, until so many have come, or until nobody reads any more.

use std::ops::ControlFlow;

use console::{Client, Trouble};
use serde_json::Value;

use super::place::{Form, tell};
use super::table::shown;
use crate::log::upsets;

/// What `offhook ctl events` is told.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// End after so many events
    #[arg(long, value_name = "NUMBER")]
    count: Option<u64>,
}

impl Arguments {
    pub(super) fn run(&self, client: &Client, form: Form) -> Result<(), Trouble> {
        let mut left = self.count;
        client.follow("/api/v1/events", |line| {
            let Some(event) = line.strip_prefix("data: ") else { return ControlFlow::Continue(()) };
            match form {
                Form::Json => tell(&format!("{event}\n")),
                Form::Words => tell(&sentence(event)),
            }?;
            left = left.map(|left| left.saturating_sub(1));
            if left == Some(0) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    }
}

/// An event on one line: when, what, and what else there is.
fn sentence(event: &str) -> String {
    let event: Value = serde_json::from_str(event).unwrap_or_default();
    let of = |name: &str| event.get(name).map(shown).unwrap_or_default();
    let known = ["time", "event", "level"];
    let rest = event.as_object().into_iter().flatten();
    let rest = rest.filter(|(name, _)| !known.contains(&name.as_str()));
    let rest: Vec<_> = rest.map(|(name, value)| format!("{name}={}", shown(value))).collect();
    let line = format!("{:<24}  {:<14}  {}", of("time"), of("event"), rest.join("  "));
    let tamed = line.trim_end().chars().map(|c| if upsets(c) { '\u{fffd}' } else { c });
    tamed.chain(['\n']).collect()
}
