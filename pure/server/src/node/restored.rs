//! What an earlier life of this server had kept: bindings, and bans.

use machine::Time;

use super::Node;
use crate::bans;

impl Node {
    /// Takes a record that an earlier life had kept, whose clock was set by so many milliseconds since; one that is at home on
    /// another shard is left to that.
    pub fn restore(&mut self, now: Time, record: (&[u8], &[u8]), shift: i64) {
        let (aor, value) = record;
        if bans::is_key(aor) {
            return self.roles.bans.restore((now, &self.house), value, shift);
        }
        if self.house.steering.home_of(aor) == self.house.settings.shard.number {
            self.roles.registrar.restore((now, &self.house), (aor, value), shift);
            let bindings = self.roles.registrar.bindings(now, aor);
            self.roles.push.plan((now, &self.house), aor, &bindings);
            self.roles.bans.remember(now, aor, &bindings);
        }
    }
}
