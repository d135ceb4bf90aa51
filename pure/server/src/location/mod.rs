//! Location: which bindings an address of record has (RFC 3261 §10.1). The registrar writes here, the proxy reads.

mod binding;

use std::collections::{BTreeMap, BTreeSet};

use machine::{Alarms, Dice, HashKey, Map, Time};
use protocol::Flow;
use protocol::doors::Reach;
use sip::Uri;
use sip::uri::unescape;

pub(crate) use binding::{Binding, Said, flow_to_keep};

/// The address of record that a URI names, in the form that bindings are kept under (§10.3 step 5): its user part without
/// escapes. All our domains are names of one house, so the host does not count. `None` for a URI without a user.
pub fn aor_of(uri: &[u8]) -> Option<Box<[u8]>> {
    match Uri::parse(uri).ok()? {
        Uri::Sip(sip) => sip.user.map(|user| unescape(user).into()),
        Uri::Tel(tel) => Some(tel.digits().into_bytes().into()),
        Uri::Other(..) => None,
    }
}

/// All bindings of this shard.
#[derive(Debug)]
pub(crate) struct Location {
    aors: Map<Box<[u8]>, Record>,
    alarms: Alarms<Box<[u8]>>,
    /// Who is reached by which connection, so that its end is found without a search.
    by_connection: BTreeMap<(u16, u32), BTreeSet<Box<[u8]>>>,
}

/// The bindings of one address, and for when its one alarm is set.
#[derive(Debug)]
struct Record {
    bindings: Box<[Binding]>,
    alarm: Time,
}

impl Location {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        Self {
            aors: HashKey::throw(dice).map(),
            alarms: Alarms::default(),
            by_connection: BTreeMap::new(),
        }
    }

    /// The bindings that are valid now.
    pub(crate) fn bindings(&self, now: Time, aor: &[u8]) -> impl Iterator<Item = &Binding> {
        let all = self.aors.get(aor).map(|record| &*record.bindings).unwrap_or_default();
        all.iter().filter(move |binding| binding.until > now)
    }

    /// How to reach an address now, for a proxy.
    pub(crate) fn reach(&self, now: Time, aor: &[u8]) -> Vec<Reach> {
        self.bindings(now, aor).map(Binding::reach).collect()
    }

    /// Addresses that have bindings.
    pub(crate) fn len(&self) -> usize {
        self.aors.len()
    }

    /// Replaces all bindings of an address at once.
    pub(crate) fn replace(&mut self, aor: &[u8], bindings: Vec<Binding>) {
        for binding in &bindings {
            if let Some(connection) = binding.flow.and_then(connection) {
                self.by_connection.entry(connection).or_default().insert(aor.into());
            }
        }
        let Some(first) = bindings.iter().map(|binding| binding.until).min() else {
            self.aors.remove(aor);
            return;
        };
        let set = self.aors.get(aor).map(|record| record.alarm);
        // One alarm an address, no matter how often it registers: an earlier one that rings is set again.
        let alarm = set.filter(|set| *set <= first).unwrap_or(first);
        if set != Some(alarm) {
            self.alarms.set(alarm, aor.into());
        }
        self.aors.insert(aor.into(), Record { bindings: bindings.into(), alarm });
    }

    /// Forgets what has expired; tells whose bindings changed.
    pub(crate) fn wake(&mut self, now: Time) -> Vec<Box<[u8]>> {
        let mut changed = Vec::new();
        while let Some(aor) = self.alarms.due(now) {
            let Some(record) = self.aors.get_mut(&aor).filter(|record| record.alarm <= now) else {
                continue;
            };
            // So that the next alarm is set anew.
            record.alarm = Time::NEVER;
            let all = record.bindings.len();
            let valid: Vec<_> = self.bindings(now, &aor).cloned().collect();
            if valid.len() != all {
                changed.push(aor.clone());
            }
            self.replace(&aor, valid);
        }
        changed
    }

    /// Takes the news that a connection is gone: a binding that can be reached only by it goes with it, another is called at its
    /// Contact from now on. Tells whose bindings changed.
    pub(crate) fn failed(&mut self, now: Time, flow: Flow) -> Vec<Box<[u8]>> {
        let gone = connection(flow).and_then(|connection| self.by_connection.remove(&connection));
        let mut changed = Vec::new();
        for aor in gone.into_iter().flatten() {
            let all = self.bindings(now, &aor).count();
            let left: Vec<_> =
                self.bindings(now, &aor).filter_map(|binding| binding.without(flow)).collect();
            if left.len() != all {
                changed.push(aor.clone());
            }
            self.replace(&aor, left);
        }
        changed
    }

    /// When something expires.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.alarms.next()
    }
}

fn connection(flow: Flow) -> Option<(u16, u32)> {
    (flow.connection != 0).then_some((flow.listener, flow.connection))
}
