//! `Atlas`: which master serves which slots, and the desk of each, where wishes are handed in.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::RangeInclusive;
use std::sync::mpsc::SyncSender;

use crate::clerk::Errand;
use crate::cluster::Office;
use crate::limits;
use crate::resp::Said;
use crate::slot::SLOTS;

/// Host and port.
pub(crate) type Place = (String, u16);

/// Which slots which master serves.
pub(crate) type Map = Vec<(RangeInclusive<u16>, Place)>;

/// The map in force, and the desks.
#[derive(Debug, Default)]
pub(crate) struct Atlas {
    slots: BTreeMap<u16, (u16, Place)>,
    desks: BTreeMap<Place, SyncSender<Errand>>,
}

impl Atlas {
    /// Whether there is a map at all.
    pub(crate) fn is_blank(&self) -> bool {
        self.slots.is_empty()
    }

    /// The desk for a slot.
    pub(crate) fn desk(&self, slot: u16) -> Option<&SyncSender<Errand>> {
        let (_, (last, place)) = self.slots.range(..=slot).next_back()?;
        if slot <= *last { self.desks.get(place) } else { None }
    }

    /// The desk of a master, which is made by `open` when there is none.
    pub(crate) fn desk_of(
        &mut self,
        place: &Place,
        open: impl FnOnce(&Place) -> Option<SyncSender<Errand>>,
    ) -> Option<&SyncSender<Errand>> {
        if !self.desks.contains_key(place) && self.desks.len() < limits::MASTERS {
            self.desks.insert(place.clone(), open(place)?);
        }
        self.desks.get(place)
    }

    /// Takes a new map. Desks of masters that are in it no more are closed.
    pub(crate) fn redraw(
        &mut self,
        map: Map,
        mut open: impl FnMut(&Place) -> Option<SyncSender<Errand>>,
    ) {
        let places: BTreeSet<_> = map.iter().map(|(_, place)| place.clone()).collect();
        self.desks.retain(|place, _| places.contains(place));
        for place in &places {
            self.desk_of(place, &mut open);
        }
        let rows = map.into_iter().map(|(slots, place)| (*slots.start(), (*slots.end(), place)));
        self.slots = rows.collect();
    }

    /// The masters, to be asked for a newer map.
    pub(crate) fn places(&self) -> Vec<Place> {
        self.desks.keys().cloned().collect()
    }

    /// Closes every desk.
    pub(crate) fn close(&mut self) {
        *self = Self::default();
    }
}

/// Asks a server for its map. One that is no cluster serves everything itself.
pub(crate) fn survey(office: &Office, place: &Place) -> io::Result<Map> {
    let mut wire = office.open_wire(place)?;
    match wire.ask(&[b"CLUSTER", b"SLOTS"])? {
        Said::Row(rows) => Ok(rows.into_iter().filter_map(|row| read_row(row, place)).collect()),
        Said::Error(why) if why.contains("cluster support disabled") => {
            Ok(vec![(0..=SLOTS.saturating_sub(1), place.clone())])
        }
        other => Err(io::Error::other(format!("CLUSTER SLOTS: {other:?}"))),
    }
}

/// `first, last, [host, port, …], replicas…`; an empty host is the one that was asked.
fn read_row(row: Said, asked: &Place) -> Option<(RangeInclusive<u16>, Place)> {
    let Said::Row(parts) = row else { return None };
    let [Said::Number(first), Said::Number(last), Said::Row(master), ..] = &parts[..] else {
        return None;
    };
    let [Said::Octets(host), Said::Number(port), ..] = &master[..] else { return None };
    let host = host.as_deref().and_then(|host| std::str::from_utf8(host).ok()).unwrap_or_default();
    let host = if host.is_empty() || host == "?" { asked.0.clone() } else { host.into() };
    let slots = u16::try_from(*first).ok()?..=u16::try_from(*last).ok()?;
    Some((slots, (host, u16::try_from(*port).ok()?)))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[test]
    fn a_map_is_read_and_a_slot_finds_its_desk() {
        let master = |host: &str, port| {
            Said::Row(vec![Said::Octets(Some(host.as_bytes().into())), Said::Number(port)])
        };
        let row =
            |first, last, master| Said::Row(vec![Said::Number(first), Said::Number(last), master]);
        let asked = ("h1".to_owned(), 7000);
        let rows = [row(0, 99, master("", 7000)), row(200, 16_383, master("h2", 7001))];
        let map: Map = rows.into_iter().filter_map(|row| read_row(row, &asked)).collect();
        assert!(read_row(row(0, 99_999, master("x", 1)), &asked).is_none());
        let mut atlas = Atlas::default();
        let mut inboxes = Vec::new();
        let mut opened = Vec::new();
        atlas.redraw(map, |place| {
            let (desk, inbox) = sync_channel(1);
            inboxes.push(inbox);
            opened.push(place.clone());
            Some(desk)
        });
        assert_eq!(opened, [("h1".into(), 7000), ("h2".into(), 7001)]);
        assert!(atlas.desk(99).is_some() && atlas.desk(200).is_some());
        assert!(atlas.desk(100).is_none() && atlas.desk(199).is_none());
        atlas.redraw(vec![(0..=16_383, ("h2".into(), 7001))], |_| None);
        assert_eq!(atlas.places(), [("h2".into(), 7001)]);
    }
}
