//! `Sky`: the weather of the day, by pair of hosts; and the partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use machine::{Dice, Time};

use crate::{Fate, HostId, Rate, Weather, limits};

/// One direction between two hosts; an end is unknown when nobody lives there.
type Way = (Option<HostId>, Option<HostId>);

/// Weather and partitions.
#[derive(Debug)]
pub(crate) struct Sky {
    usual: Weather,
    local: BTreeMap<(HostId, HostId), Weather>,
    parted: BTreeSet<(HostId, HostId)>,
    /// When the slow link of each way will have sent all it was given.
    busy: BTreeMap<Way, Time>,
}

impl Sky {
    pub(crate) fn new(usual: Weather) -> Self {
        let (local, parted, busy) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Self { usual, local, parted, busy }
    }

    pub(crate) fn set_usual(&mut self, weather: Weather) {
        self.usual = weather;
    }

    pub(crate) fn set(&mut self, from: HostId, to: HostId, weather: Weather) {
        self.local.insert((from, to), weather);
    }

    pub(crate) fn part(&mut self, from: HostId, to: HostId) {
        self.parted.insert((from, to));
    }

    pub(crate) fn heal(&mut self, from: HostId, to: HostId) {
        self.parted.remove(&(from, to));
    }

    pub(crate) fn heal_all(&mut self) {
        self.parted.clear();
    }

    pub(crate) fn is_parted(&self, (from, to): Way) -> bool {
        from.zip(to).is_some_and(|way| self.parted.contains(&way))
    }

    pub(crate) fn weather(&self, (from, to): Way) -> Weather {
        from.zip(to).and_then(|way| self.local.get(&way)).copied().unwrap_or(self.usual)
    }

    /// How long a datagram of `octets` waits for the slow link of this way, its own time on it included; it is
    /// dropped when too many wait already.
    pub(crate) fn queue(&mut self, now: Time, way: Way, octets: usize) -> Result<Duration, Fate> {
        if let Rate::Limited { octets_per_second, queue } = self.weather(way).rate {
            let busy = self.busy.get(&way).map_or(Duration::ZERO, |free| *free - now);
            let waiting = busy.as_nanos() * u128::from(octets_per_second) / 1_000_000_000;
            if waiting > u128::from(queue) {
                return Err(Fate::Overflowed);
            }
        }
        Ok(self.line_up(now, way, octets))
    }

    /// The same for octets of a stream, which wait for as long as it takes.
    pub(crate) fn line_up(&mut self, now: Time, way: Way, octets: usize) -> Duration {
        let Rate::Limited { octets_per_second, .. } = self.weather(way).rate else {
            return Duration::ZERO;
        };
        let free = self.busy.get(&way).copied().unwrap_or(now).max(now);
        let nanos = (octets as u128 * 1_000_000_000)
            .checked_div(u128::from(octets_per_second))
            .unwrap_or(u128::MAX);
        let free = free + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        self.busy.insert(way, free);
        free - now
    }
}

/// The delay that the weather throws.
pub(crate) fn delay(weather: &Weather, dice: &mut Dice) -> Duration {
    let jitter = u64::try_from(weather.jitter.as_nanos()).unwrap_or(u64::MAX);
    weather.delay + Duration::from_nanos(dice.below(jitter.saturating_add(1)))
}

/// The delay of a piece of a stream: a loss costs it a retransmission.
pub(crate) fn stream_delay(weather: &Weather, dice: &mut Dice) -> Duration {
    let mut total = delay(weather, dice);
    let mut retry = limits::STREAM_RETRY;
    for _ in 0..limits::STREAM_LOSSES {
        if !dice.chance(weather.loss) {
            break;
        }
        total += retry;
        retry *= 2;
    }
    total
}
