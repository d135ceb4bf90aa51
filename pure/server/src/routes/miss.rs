//! `Miss`: why a route is not for a request, in words.

use super::Asked;
use crate::settings::{Route, Whose};

/// Why a route is not for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// Another domain was asked for.
    Domain,
    /// The number begins otherwise.
    Prefix,
    /// The number looks otherwise.
    Pattern,
    /// Another method.
    Method,
    /// Somebody else calls.
    Caller,
    /// It comes from elsewhere.
    Network,
    /// It came by another listener.
    Listener,
    /// No global number: ENUM cannot ask for it.
    NoNumber,
    /// Not at this time.
    Hours,
}

impl Miss {
    /// The reason, in words.
    pub(crate) fn words(self, route: &Route, asked: &Asked<'_>) -> String {
        let matches = &route.matches;
        let number = asked.number;
        match self {
            Self::Domain => match (&matches.whose, asked.host) {
                (Whose::Domain(domain), Some(host)) => {
                    format!("it is for {domain}, not for {host}")
                }
                (Whose::Domain(domain), None) => format!("it is for {domain}, not for our domains"),
                (Whose::Anybody, _) => "it is for other domains, not for ours".into(),
                (Whose::Ours, Some(host)) => {
                    format!("it is for numbers of our domains, not for {host}")
                }
                (Whose::Ours, None) => "it is for our domains".into(),
            },
            Self::Prefix => format!("{number} does not begin with {}", or(&matches.prefixes)),
            Self::Pattern => match &matches.pattern {
                Some(pattern) => format!("{number} does not look like {pattern}"),
                None => "the number looks otherwise".into(),
            },
            Self::Method => format!("it is for {}, not for {}", or(&matches.methods), asked.method),
            Self::Caller => match asked.caller {
                Some(caller) => {
                    format!("it is for calls of {}, not of {caller}", or(&matches.callers))
                }
                None => format!("it is for calls of {}, not of strangers", or(&matches.callers)),
            },
            Self::Network => {
                format!(
                    "it is for calls from {}, not from {}",
                    or(&matches.networks),
                    asked.source.ip()
                )
            }
            Self::Listener => match asked.listener {
                Some(at) => format!("it is for calls by {}, not by {at}", or(&matches.listeners)),
                None => format!("it is for calls by {}", or(&matches.listeners)),
            },
            Self::NoNumber => {
                format!("it asks the DNS, which knows only numbers with +, not {number}")
            }
            Self::Hours => match &route.when {
                Some(hours) => {
                    format!("it is {}, the route is for {hours}", hours.zone.civil(asked.now))
                }
                None => "not now".into(),
            },
        }
    }
}

/// `a, b or c`
fn or<T: ToString>(items: &[T]) -> String {
    let mut words: Vec<String> = items.iter().map(ToString::to_string).collect();
    let last = words.pop().unwrap_or_default();
    if words.is_empty() { last } else { format!("{} or {last}", words.join(", ")) }
}
