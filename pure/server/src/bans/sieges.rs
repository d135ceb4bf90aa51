//! `Sieges`: users for whom many sources try passwords, each only a few.

use std::time::Duration;

use machine::Time;

use crate::debts::Debts;
use crate::limits;
use crate::settings;

/// What was tried for which user. A user that there is not is besieged like any other.
#[derive(Debug)]
pub(super) struct Sieges {
    tried: Debts<u64>,
    /// When a stranger is heard again that names the user.
    pace: Debts<u64>,
}

impl Default for Sieges {
    fn default() -> Self {
        Self { tried: Debts::new(limits::BESIEGED), pace: Debts::new(limits::BESIEGED) }
    }
}

impl Sieges {
    /// Notes a wrong answer for a user; true when that begins a siege.
    pub(super) fn note(&mut self, now: Time, rules: &settings::Bans, user: u64) -> bool {
        let Some(each) = rules.window.checked_div(rules.user_failures) else { return false };
        if self.is_on(now, rules, user) {
            self.pace.add(now, user, PACE);
            // It goes on as long as it goes on, and ends when nobody has tried for long enough.
            let owed = self.tried.of(now, user);
            self.tried.add(now, user, (2 * rules.window).saturating_sub(owed).min(each));
            return false;
        }
        self.tried.add(now, user, each);
        self.is_on(now, rules, user)
    }

    /// True while a user is besieged.
    pub(super) fn is_on(&self, now: Time, rules: &settings::Bans, user: u64) -> bool {
        let each = rules.window.checked_div(rules.user_failures);
        each.is_some_and(|each| self.tried.of(now, user) > rules.window.saturating_sub(each))
    }

    /// True when nobody is tried for.
    pub(super) fn are_none(&self) -> bool {
        self.tried.are_none()
    }

    /// True when a stranger may try for a besieged user.
    pub(super) fn hears(&self, now: Time, user: u64) -> bool {
        self.pace.of(now, user) == Duration::ZERO
    }
}

/// How often strangers are heard that try for a besieged user, all of them together.
const PACE: Duration = Duration::from_secs(1);
