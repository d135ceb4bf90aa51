//! Location: which bindings an address of record has (RFC 3261 §10.1). The registrar writes here, the proxy reads.

mod binding;
mod former;
mod packed;
mod places;

use std::collections::BTreeSet;
use std::hash::BuildHasher as _;

use machine::{Alarms, Dice, HashKey, Index, Time};
use protocol::Flow;
use sip::Uri;

use crate::routes::Dialled;

pub(crate) use binding::{Binding, INSTANCE, REG_ID, Said, Which, flow_to_keep, flow_to_reach};
use packed::Packed;
use places::Places;

/// The address of record that a URI names, in the form that bindings are kept under (§10.3 step 5): its user part without
/// escapes. All our domains are names of one house, so the host does not count. `None` for a URI without a user.
pub fn aor_of(uri: &[u8]) -> Option<Box<[u8]>> {
    let user = match Uri::parse(uri).ok()? {
        Uri::Sip(sip) => Dialled::of_sip(&sip)?.user,
        Uri::Tel(tel) => Dialled::of_tel(&tel).user,
        Uri::Other(..) => return None,
    };
    // A NUL is nobody's name; what begins with one is the store's own.
    (!user.contains(&0)).then_some(user)
}

/// All bindings of this shard.
#[derive(Debug)]
pub(crate) struct Location {
    key: HashKey,
    /// From the hash of an address to its place.
    index: Index,
    places: Places,
    alarms: Alarms<u32>,
    /// Who is reached by which connection, so that its end is found without a search. A place may have changed hands since.
    by_connection: BTreeSet<(Connection, u32)>,
    /// Whose bindings were written since somebody asked last.
    touched: Vec<Touched>,
    /// Bindings in all places.
    bindings: usize,
}

/// A connection, by its listener and its number there.
type Connection = (u16, u32);

/// The only binding of an address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Only<'a> {
    pub(crate) said: Said<'a>,
    pub(crate) at: Lies,
}

/// Where it lies: its place in the table, and the connection by which it is found there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lies {
    place: u32,
    connection: Option<Connection>,
}

/// An address whose bindings were written.
#[derive(Debug)]
pub(crate) struct Touched {
    pub(crate) aor: Box<[u8]>,
    pub(crate) what: Change,
}

/// What became of its bindings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// There is one that was not there before.
    Appeared,
    /// They were refreshed, or are fewer.
    Other,
}

/// An address that has lost something by itself.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) aor: Box<[u8]>,
    /// How many bindings are left.
    pub(crate) left: usize,
    pub(crate) what: What,
}

/// What was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A binding, or more.
    Binding,
    /// The connection of one that stays: it is called at its Contact from now on, or sleeps.
    Connection,
}

impl Location {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        Self {
            key: HashKey::throw(dice),
            index: Index::default(),
            places: Places::default(),
            alarms: Alarms::default(),
            by_connection: BTreeSet::new(),
            touched: Vec::new(),
            bindings: 0,
        }
    }

    /// Who has a place of the table, with all bindings, whether they hold or not; an empty place has nobody. `None` behind the last.
    pub(crate) fn at(&self, place: u32) -> Option<(&[u8], impl Iterator<Item = Binding>)> {
        let packed = &self.places.get(place)?.packed;
        Some((packed.aor(), packed.bindings()))
    }

    /// How many bindings there are, those too that have just expired.
    pub(crate) const fn bindings_in_all(&self) -> usize {
        self.bindings
    }

    /// The bindings that are valid now.
    pub(crate) fn bindings(&self, now: Time, aor: &[u8]) -> Vec<Binding> {
        let place = self.find(aor).and_then(|place| self.places.get(place));
        let all = place.into_iter().flat_map(|place| place.packed.bindings());
        all.filter(|binding| binding.until > now).collect()
    }

    /// The bindings of an address as they are kept, also on disk; empty when there are none.
    pub(crate) fn written(&self, aor: &[u8]) -> &[u8] {
        let place = self.find(aor).and_then(|place| self.places.get(place));
        place.map_or(&[], |place| place.packed.octets())
    }

    /// The same, of an address whose binding lies there.
    pub(crate) fn written_at(&self, at: Lies) -> &[u8] {
        self.places.get(at.place).map_or(&[], |place| place.packed.octets())
    }

    /// Takes bindings as they were [`written`](Self::written) in another life; `keep` says what is still true of each.
    pub(crate) fn restore(
        &mut self,
        aor: &[u8],
        written: &[u8],
        keep: impl FnMut(Binding) -> Option<Binding>,
    ) {
        let packed = Packed::of(written);
        let bindings: Vec<_> = packed.bindings().filter_map(keep).collect();
        if packed.aor() == aor && !bindings.is_empty() {
            self.replace(aor, &bindings);
            // Nobody could watch it yet.
            self.touched.clear();
        }
    }

    /// Bindings as they are kept outside.
    pub(crate) fn packed(aor: &[u8], bindings: &[Binding]) -> Box<[u8]> {
        Packed::new(aor, bindings).octets().into()
    }

    /// The bindings of an address that were [`packed`](Self::packed); nothing when they are another's.
    pub(crate) fn unpacked(aor: &[u8], octets: &[u8]) -> Option<Vec<Binding>> {
        let packed = Packed::of(octets);
        (packed.aor() == aor).then(|| packed.bindings().collect())
    }

    /// Whose bindings were written since this was asked last.
    pub(crate) fn touched(&mut self) -> Vec<Touched> {
        std::mem::take(&mut self.touched)
    }

    /// Addresses that have bindings.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Replaces all bindings of an address at once. False when there is no place for it.
    pub(crate) fn replace(&mut self, aor: &[u8], bindings: &[Binding]) -> bool {
        let found = self.find(aor);
        self.touched.push(Touched { aor: aor.into(), what: self.compare(found, bindings) });
        let Some(first) = bindings.iter().map(|binding| binding.until).min() else {
            if let Some(place) = found {
                self.vacate(aor, place);
            }
            return true;
        };
        let Some(at) = found.or_else(|| self.settle(aor)) else {
            return false;
        };
        let ours = bindings.iter().filter(|binding| binding.node.is_none());
        for connection in ours.filter_map(|binding| connection(binding.flow?)) {
            self.by_connection.insert((connection, at));
        }
        let Some(place) = self.places.get_mut(at) else { return false };
        self.bindings = self.bindings.saturating_sub(place.packed.count());
        self.bindings = self.bindings.saturating_add(bindings.len());
        place.packed = Packed::new(aor, bindings);
        // One alarm an address, no matter how often it registers: an earlier one that rings is set again.
        if first < place.alarm() {
            place.set(first);
            self.alarms.set(first, at);
        }
        true
    }

    /// The binding of an address that has one alone, which a REGISTER can refresh in its place: it holds, has no Path, and its flow is ours.
    pub(crate) fn only(&self, now: Time, aor: &[u8]) -> Option<Only<'_>> {
        let place = self.find(aor)?;
        let said = self.places.get(place)?.packed.only()?;
        let at = Lies { place, connection: said.flow.and_then(connection) };
        (said.until > now).then_some(Only { said, at })
    }

    /// Writes down how the [`only`](Self::only) binding of an address is from now on. Its URI stays.
    pub(crate) fn refresh(&mut self, at: Lies, aor: &[u8], said: Said<'_>) {
        let Some(place) = self.places.get_mut(at.place) else { return };
        place.packed.rewrite(said);
        if said.until < place.alarm() {
            place.set(said.until);
            self.alarms.set(said.until, at.place);
        }
        let connection = said.flow.and_then(connection);
        let another = connection.filter(|_| connection != at.connection);
        self.by_connection.extend(another.map(|connection| (connection, at.place)));
        self.touched.push(Touched { aor: aor.into(), what: Change::Other });
    }

    /// Somebody came in a way that has this number; true when it came like that the last time.
    pub(crate) fn comes(&mut self, aor: &[u8], how: u16) -> bool {
        let place = self.find(aor).and_then(|at| self.places.get_mut(at));
        place.is_some_and(|place| place.comes(how))
    }

    /// Is there a phone among them that was not there before?
    fn compare(&self, found: Option<u32>, bindings: &[Binding]) -> Change {
        let place = found.and_then(|place| self.places.get(place));
        let before = || place.into_iter().flat_map(|place| place.packed.uris());
        let is_new = |binding: &Binding| before().all(|old| old != binding.uri());
        if bindings.iter().any(is_new) { Change::Appeared } else { Change::Other }
    }

    /// Forgets what has expired; tells whose that was.
    pub(crate) fn wake(&mut self, now: Time) -> Vec<Lost> {
        let mut changed = Vec::new();
        while let Some(at) = self.alarms.due(now) {
            let Some(place) = self.places.get_mut(at) else { continue };
            if place.alarm() > now {
                continue;
            }
            // So that the next alarm is set anew.
            place.set(Time::NEVER);
            let keep = |binding: Binding| (binding.until > now).then_some(binding);
            changed.extend(self.sift(at, keep));
        }
        changed
    }

    /// Whose bindings end now, and which; nothing is forgotten yet.
    pub(crate) fn ending(&mut self, now: Time) -> Vec<(Box<[u8]>, Vec<Binding>)> {
        let mut ending = Vec::new();
        while let Some(at) = self.alarms.due(now) {
            let Some(place) = self.places.get_mut(at) else { continue };
            if place.alarm() > now {
                continue;
            }
            let (ends, stay): (Vec<_>, Vec<_>) =
                place.packed.bindings().partition(|binding| binding.until <= now);
            let next = stay.iter().map(|binding| binding.until).min();
            place.set(next.unwrap_or(Time::NEVER));
            if let Some(next) = next {
                self.alarms.set(next, at);
            }
            if !ends.is_empty() {
                ending.push((place.packed.aor().into(), ends));
            }
        }
        ending
    }

    /// Forgets what has expired of an address.
    pub(crate) fn forget_expired(&mut self, now: Time, aor: &[u8]) {
        let keep = |binding: Binding| (binding.until > now).then_some(binding);
        self.find(aor).map(|at| self.sift(at, keep));
    }

    /// Takes the news that a connection is gone: a binding that can be reached only by it goes with it, another is called at its
    /// Contact from now on. Tells whose bindings changed.
    pub(crate) fn failed(
        &mut self,
        now: Time,
        flow: Flow,
        can_be_woken: impl Fn(&Binding) -> bool,
    ) -> Vec<Lost> {
        let Some(connection) = connection(flow) else { return Vec::new() };
        let all = (connection, 0)..=(connection, u32::MAX);
        let gone: Vec<_> = self.by_connection.range(all).copied().collect();
        gone.into_iter()
            .filter_map(|entry| {
                self.by_connection.remove(&entry);
                self.sift(entry.1, |binding| {
                    let valid = Some(binding).filter(|binding| binding.until > now);
                    valid?.without(flow, &can_be_woken)
                })
            })
            .collect()
    }

    /// Keeps of a place what `keep` lets stay; tells whose it is when that is less.
    fn sift(&mut self, at: u32, keep: impl Fn(Binding) -> Option<Binding>) -> Option<Lost> {
        let place = self.places.get(at)?;
        let aor: Box<[u8]> = place.packed.aor().into();
        let before: Vec<_> = place.packed.bindings().collect();
        let flows = |all: &[Binding]| all.iter().filter(|binding| binding.flow.is_some()).count();
        let (count, flowing) = (before.len(), flows(&before));
        let left: Vec<_> = before.into_iter().filter_map(keep).collect();
        if !aor.is_empty() {
            self.replace(&aor, &left);
        }
        let what = if left.len() < count { What::Binding } else { What::Connection };
        let less = what == What::Binding || flows(&left) < flowing;
        less.then_some(Lost { aor, left: left.len(), what })
    }

    /// Looks through so many places, and vacates those of whom `stays` does not want any more; tells who goes, and where to look on.
    pub(crate) fn sweep(
        &mut self,
        (from, most): (usize, usize),
        stays: impl Fn(&[u8]) -> bool,
    ) -> (Vec<Box<[u8]>>, Option<usize>) {
        let next = from.saturating_add(most);
        let looked_at = self.places.some(from, most).map(|place| place.packed.aor());
        let goes = |aor: &&[u8]| !aor.is_empty() && !stays(aor);
        let gone: Vec<Box<[u8]>> = looked_at.filter(goes).map(Box::from).collect();
        for aor in &gone {
            self.replace(aor, &[]);
        }
        (gone, (next < self.places.len()).then_some(next))
    }

    /// When something expires.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.alarms.next()
    }

    /// The place of an address.
    fn find(&self, aor: &[u8]) -> Option<u32> {
        let is_its = |at| self.places.get(at).is_some_and(|place| place.packed.aor() == aor);
        self.index.find(self.key.hash_one(aor), is_its)
    }

    /// A place for an address that has none.
    fn settle(&mut self, aor: &[u8]) -> Option<u32> {
        let at = self.places.take()?;
        let (key, places) = (self.key, &self.places);
        let hash_of = |at| places.get(at).map_or(0, |place| key.hash_one(place.packed.aor()));
        self.index.insert(key.hash_one(aor), at, hash_of);
        Some(at)
    }

    /// Gives its place back.
    fn vacate(&mut self, aor: &[u8], at: u32) {
        self.index.remove(self.key.hash_one(aor), at);
        let count = self.places.get(at).map_or(0, |place| place.packed.count());
        self.bindings = self.bindings.saturating_sub(count);
        self.places.give_back(at);
    }
}

fn connection(flow: Flow) -> Option<Connection> {
    (flow.connection != 0).then_some((flow.listener, flow.connection))
}

#[cfg(test)]
mod tests {
    use protocol::Transport;

    use super::*;

    fn binding(uri: &[u8], until: u64, connection: u32) -> Binding {
        let peer = "203.0.113.1:40000".parse().unwrap();
        let flow = Flow {
            transport: Transport::Tcp,
            listener: 1,
            connection,
            peer,
            identity: protocol::Identity::NONE,
        };
        let flow = (connection != 0).then_some(flow);
        let said = Said {
            uri,
            call_id: b"c",
            features: b"",
            cseq: 1,
            q: 1000,
            until: Time(until),
            since: Time(1),
            first_cseq: 1,
            flow,
        };
        Binding::new(said, [].into_iter()).unwrap()
    }

    /// The store has names of its own: they begin with a NUL.
    #[test]
    fn nobody_is_called_nul() {
        assert_eq!(aor_of(b"sip:%61@h").as_deref(), Some(&b"a"[..]));
        assert_eq!(aor_of(b"sip:%00ban@h"), None);
    }

    fn counts(lost: &[Lost]) -> Vec<(&[u8], usize)> {
        lost.iter().map(|lost| (&*lost.aor, lost.left)).collect()
    }

    #[test]
    fn what_expires_is_forgotten_and_one_alarm_serves_an_address() {
        let mut location = Location::new(&mut Dice::new(1));
        for until in [10, 20, 30, 40] {
            assert!(location.replace(b"a", &[binding(b"sip:a@h", until, 0)]));
        }
        assert_eq!(location.alarms.len(), 1);
        location.replace(b"b", &[binding(b"sip:b@h", 15, 0), binding(b"sip:c@h", 90, 0)]);
        assert!(location.wake(Time(14)).is_empty());
        assert_eq!(counts(&location.wake(Time(15))), [(&b"b"[..], 1)]);
        assert_eq!(location.bindings(Time(39), b"a").len(), 1);
        assert_eq!(location.bindings(Time(40), b"a").len(), 0, "even before its alarm");
        assert_eq!(counts(&location.wake(Time(100))), [(&b"a"[..], 0), (b"b", 0)]);
        assert_eq!((location.len(), location.deadline()), (0, None));
        location.replace(b"c", &[binding(b"sip:c@h", 200, 0)]);
        assert_eq!(location.places.len(), 2, "a place that is free is used again");
    }

    #[test]
    fn the_end_of_a_connection_ends_what_only_it_reaches() {
        let mut location = Location::new(&mut Dice::new(1));
        location.replace(b"a", &[binding(b"sip:a@10.0.0.1", 90, 7), binding(b"sip:a@h", 90, 0)]);
        location.replace(b"b", &[binding(b"sip:b@203.0.113.1", 90, 7)]);
        let flow = location.bindings(Time(1), b"b")[0].flow.unwrap();
        let lost = location.failed(Time(1), flow, |_| false);
        assert_eq!(counts(&lost), [(&b"a"[..], 1), (b"b", 1)]);
        assert_eq!((lost[0].what, lost[1].what), (What::Binding, What::Connection));
        assert_eq!(location.bindings(Time(1), b"b")[0].flow, None, "its Contact can be called");
        assert!(location.failed(Time(1), flow, |_| false).is_empty());
    }

    fn pack(said: Said<'_>) -> Binding {
        Binding::new(said, [].into_iter()).unwrap()
    }

    /// Refreshed in its place or packed anew: the octets are the same, and so is what the end of its connection takes away.
    #[test]
    fn a_binding_that_is_alone_is_refreshed_in_its_place() {
        let by = |connection| binding(b"sip:a@h", 1, connection).flow;
        let said = |cseq: u32, first_cseq: u32| Said {
            uri: b"sip:a@h",
            call_id: b"c",
            features: b";video",
            cseq,
            q: 700,
            until: Time(1_000_000 + u64::from(cseq)),
            since: Time(u64::from(cseq)),
            first_cseq,
            flow: by(7),
        };
        let refreshes = |before: Said<'_>, next: Said<'_>| {
            let mut location = Location::new(&mut Dice::new(1));
            location.replace(b"a", &[pack(before)]);
            assert!(location.only(before.until, b"a").is_none(), "it is over");
            let at = location.only(Time(1), b"a").unwrap().at;
            location.refresh(at, b"a", next);
            assert_eq!(location.written(b"a"), &*Location::packed(b"a", &[pack(next)]));
            assert_eq!((location.touched().len(), location.bindings_in_all()), (2, 1));
            // Who is lost with another connection first would be listed anew.
            let lost = [8, 7].map(|connection| {
                location.failed(Time(1), by(connection).unwrap(), |_| true).len()
            });
            let gone = next.flow.map_or(0, |flow| flow.connection);
            assert_eq!(lost, [usize::from(gone == 8), usize::from(gone == 7)]);
        };
        for (before, next) in [
            ((1, 1), (2, 2)),
            ((127, 127), (128, 128)),
            ((3, 2), (4, 2)),
            ((2, 2), (3, 2)),
            ((1 << 31, 7), (u32::MAX, 7)),
        ] {
            let (before, next) = (said(before.0, before.1), said(next.0, next.1));
            let others = [
                next,
                Said { call_id: b"d", ..next },
                Said { call_id: b"longer", ..next },
                Said { features: b"", ..next },
                Said { q: 1000, ..next },
                Said { flow: by(8), ..next },
                Said { flow: None, ..next },
            ];
            for other in others {
                refreshes(before, other);
                refreshes(Said { flow: None, ..before }, other);
            }
        }
    }

    #[test]
    fn only_a_binding_that_is_alone_and_has_no_path_is() {
        let mut location = Location::new(&mut Dice::new(1));
        location.replace(b"a", &[binding(b"sip:a@h", 10, 0), binding(b"sip:b@h", 10, 0)]);
        assert!(location.only(Time(1), b"a").is_none() && location.only(Time(1), b"b").is_none());
        let said = binding(b"sip:b@h", 10, 0);
        let path = Binding::new(said.said(), [&b"<sip:p;lr>"[..]].into_iter()).unwrap();
        location.replace(b"b", &[path]);
        assert!(location.only(Time(1), b"b").is_none());
    }

    /// What one more address costs, when every table has just doubled.
    #[test]
    fn an_address_with_one_binding_costs_180_octets_at_most() {
        const DOUBLED: usize = 2;
        const ALLOCATION: usize = 8;
        let said = Said {
            uri: b"sip:1000001@192.168.178.201:5060",
            call_id: b"3848276298220188511@192.168.178.201",
            cseq: 1,
            q: 1000,
            until: Time(1),
            since: Time(1),
            first_cseq: 1,
            features: b"",
            flow: None,
        };
        let binding = Binding::new(said, [].into_iter()).unwrap();
        let packed = Packed::new(b"1000001", &[binding]);
        // A row of eleven is filled to six sevenths, and a table grows by half.
        let indexed = 64 * 7 * 3 / (11 * 6 * 2) + 1;
        let alarm = size_of::<(u32, u32)>();
        let place = size_of::<places::Place>();
        let cost = packed.len() + ALLOCATION + place + indexed + alarm * DOUBLED;
        assert!(cost <= 180, "{cost}");
    }
}
