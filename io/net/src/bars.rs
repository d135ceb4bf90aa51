//! `Bars`: sources that are not heard for a while. They are looked for before anything is read of what they send.

use std::collections::HashMap;
use std::net::IpAddr;

use machine::Time;
use protocol::bans::Source;

/// Sources that are not heard. Each shard has its own, and hears of all from its machine.
#[derive(Debug, Default)]
pub(crate) struct Bars(HashMap<Source, Time>);

impl Bars {
    /// Hears nothing of a source until then.
    pub(crate) fn set(&mut self, source: Source, until: Time) {
        self.0.insert(source, until);
    }

    /// Hears a source again.
    pub(crate) fn lift(&mut self, source: Source) {
        self.0.remove(&source);
    }

    /// True when nothing is to be heard of an address. Where nobody is barred, this costs nothing.
    pub(crate) fn hold(&self, now: Time, ip: IpAddr) -> bool {
        !self.0.is_empty() && self.0.get(&ip.into()).is_some_and(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_barred_until_its_time_or_until_it_is_lifted() {
        let mut bars = Bars::default();
        let (bad, good) = ("192.0.2.7".parse().unwrap(), "192.0.2.8".parse().unwrap());
        let mapped = "::ffff:192.0.2.7".parse().unwrap();
        assert!(!bars.hold(Time(1), bad));
        bars.set(bad.into(), Time(5));
        assert!(bars.hold(Time(4), bad) && bars.hold(Time(4), mapped));
        assert!(!bars.hold(Time(5), bad) && !bars.hold(Time(4), good));
        bars.lift(bad.into());
        assert!(!bars.hold(Time(4), bad));
    }
}
