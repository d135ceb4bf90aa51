//! `Neighbours`: next hops that have said how much less we are to send them, and how we keep to that (RFC 7339 §5, §7).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use machine::{Dice, Time};
use protocol::Transport;
use sip::header::Via;

use crate::admission::Class;
use crate::limits;

/// Next hops that have said something.
#[derive(Debug, Default)]
pub(super) struct Neighbours(BTreeMap<(Transport, SocketAddr), Neighbour>);

/// What one has said last, and what we have wanted to send it since.
#[derive(Clone, Copy, Debug)]
struct Neighbour {
    /// How many requests less, in a hundred.
    loss: u64,
    until: Time,
    /// Seconds and hundred-thousandths.
    seq: (u64, u32),
    /// Requests that may be left out, and all of them: the newest count most.
    mix: (u64, u64),
}

/// How long it is good when nothing is said (§4.3).
const VALIDITY: Duration = Duration::from_millis(500);

/// The longest that we believe: who says more has made a mistake, or means harm (§11).
const LONGEST: Duration = Duration::from_secs(60);

/// After so many requests the mix is halved.
const MIX: u64 = 200;

impl Neighbours {
    /// A next hop has answered: what its answer says in our Via.
    pub(super) fn heard(&mut self, now: Time, key: (Transport, SocketAddr), via: &Via<'_>) {
        let Some(loss) = via.params.number::<u64>("oc") else { return };
        let scheme = via.params.unquoted("oc-algo");
        if loss > 100 || scheme.is_some_and(|scheme| !scheme.eq_ignore_ascii_case(b"loss")) {
            return;
        }
        let seq = via.params.text("oc-seq").and_then(seq).unwrap_or_default();
        let before = self.0.get(&key).copied();
        // §5.4: what is not newer than what we know says nothing.
        if before.is_some_and(|before| seq <= before.seq && before.until > now) {
            return;
        }
        let validity = via.params.number("oc-validity").map_or(VALIDITY, Duration::from_millis);
        // §5.7: that ends it, whatever `oc` says.
        let loss = if validity == Duration::ZERO { 0 } else { loss };
        let mix = before.map_or((4, 5), |before| before.mix);
        let until = now + validity.min(LONGEST).max(VALIDITY);
        self.forget(now);
        if self.0.len() < limits::NEIGHBOURS || before.is_some() {
            self.0.insert(key, Neighbour { loss, until, seq, mix });
        }
    }

    /// True when nobody has said anything.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// May this request be sent there? Those that are not let through are chosen by chance among those that begin something; when they
    /// are not enough, among the others too (§7.2). ACKs and CANCELs do not come here: to leave them out would help nobody.
    pub(super) fn lets(
        &mut self,
        now: Time,
        key: (Transport, SocketAddr),
        class: Class,
        dice: &mut Dice,
    ) -> bool {
        let Some(neighbour) = self.0.get_mut(&key).filter(|one| one.until > now) else {
            return true;
        };
        let (new, all) = &mut neighbour.mix;
        *all += 1;
        *new += u64::from(class == Class::New);
        if *all > MIX {
            (*new, *all) = (*new / 2, *all / 2);
        }
        let (share, loss) = (*new * 100 / *all, neighbour.loss);
        let chance = match class {
            Class::New => (loss * 100).checked_div(share).unwrap_or(100).min(100),
            Class::Known | Class::Emergency | Class::Within => {
                (loss.saturating_sub(share) * 100).checked_div(100 - share).unwrap_or(0)
            }
        };
        !dice.chance(chance)
    }

    fn forget(&mut self, now: Time) {
        if self.0.len() >= limits::NEIGHBOURS {
            self.0.retain(|_, neighbour| neighbour.until > now);
        }
    }
}

/// `1282321615.782`
fn seq(text: &str) -> Option<(u64, u32)> {
    let (seconds, rest) = text.split_once('.')?;
    let rest = rest.get(..rest.len().min(5))?;
    let scale = 10_u32.checked_pow(5_u32.checked_sub(u32::try_from(rest.len()).ok()?)?)?;
    Some((seconds.parse().ok()?, rest.parse::<u32>().ok()?.checked_mul(scale)?))
}
