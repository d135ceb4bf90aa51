//! What is watched, and how it stands: Event, Subscription-State (RFC 6665 §8.2.1, §8.2.3).

use super::family::with_params;

with_params! {
    /// The event package, with its `id` where there is one.
    Event {
        /// `dialog`, `presence.winfo` … Case counts.
        package: &'a str
    },
    /// How a subscription stands.
    SubscriptionState {
        /// `active`, `pending`, `terminated` or another.
        state: &'a str
    },
}

impl<'a> Event<'a> {
    /// Tells apart two subscriptions to one package in one dialog.
    pub fn id(&self) -> Option<&'a [u8]> {
        self.params.get("id")
    }
}

impl<'a> SubscriptionState<'a> {
    /// True when it says so, in any case.
    pub fn is(&self, state: &str) -> bool {
        self.state.eq_ignore_ascii_case(state)
    }

    /// How long it still lives, in seconds.
    pub fn expires(&self) -> Option<u32> {
        self.params.number("expires")
    }

    /// Why it ended: `deactivated`, `probation`, `rejected`, `timeout`, `giveup`, `noresource` …
    pub fn reason(&self) -> Option<&'a str> {
        self.params.text("reason")
    }

    /// When to try again, in seconds.
    pub fn retry_after(&self) -> Option<u32> {
        self.params.number("retry-after")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Header;

    #[test]
    fn package_and_state_are_read() {
        let event = Event::parse(b"presence.winfo;id=17").unwrap();
        assert_eq!((event.package, event.id()), ("presence.winfo", Some(&b"17"[..])));
        let state =
            SubscriptionState::parse(b"Terminated;reason=probation;retry-after=30").unwrap();
        assert!(state.is("terminated"));
        assert_eq!((state.reason(), state.retry_after()), (Some("probation"), Some(30)));
        let state = SubscriptionState::parse(b"active;expires=3600").unwrap();
        assert_eq!(state.expires(), Some(3600));
        assert!(Event::parse(b"").is_err() && Event::parse(b"a b").is_err());
    }
}
