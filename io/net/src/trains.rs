//! Trains: datagrams of one length to one peer that the kernel takes as one, and cuts apart where they leave it (UDP segmentation
//! offload, udp(7)). The way through the kernel is what a datagram costs most; a train goes it once.

use std::net::{IpAddr, SocketAddr};

use crate::kernel::Parcel;
use crate::limits;

/// How datagrams are given to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loading {
    /// Each by itself, in their order.
    Singly,
    /// In trains, where many wait.
    Trains,
}

/// What the datagrams of a train have in common: where they go, where they come from, how many octets they have.
type Kind = (SocketAddr, Option<IpAddr>, usize);

fn kind(parcel: &Parcel) -> Kind {
    (parcel.to, parcel.from, parcel.octets.len())
}

/// How many kinds are remembered at once, while a row is put in order.
const PLACES: usize = 64;

/// Puts datagrams that can go in one train next to each other: in their order, behind the first of their kind.
pub(crate) fn couple(parcels: &mut [Parcel]) {
    let mut firsts: [Option<(Kind, usize)>; PLACES] = [None; PLACES];
    let mut number = 0;
    parcels.sort_by_cached_key(|parcel| {
        number += 1;
        let kind = kind(parcel);
        let place = usize::from(kind.0.port()).wrapping_add(kind.2.wrapping_mul(37)) % PLACES;
        match firsts.get_mut(place) {
            Some(Some((first, number))) if *first == kind => *number,
            Some(place) => place.insert((kind, number)).1,
            None => number,
        }
    });
}

/// Cuts a row into what goes as one: trains of neighbours, or each datagram by itself.
pub(crate) fn cut(parcels: &[Parcel], loading: Loading) -> impl Iterator<Item = &[Parcel]> {
    let mut rest = parcels;
    std::iter::from_fn(move || {
        let first = kind(rest.first()?);
        let most = match first.2 {
            1..=limits::WAGON if loading == Loading::Trains => {
                (limits::TRAIN_OCTETS / first.2).min(limits::TRAIN)
            }
            _ => 1,
        };
        let length = rest.iter().take(most).take_while(|parcel| kind(parcel) == first).count();
        let (train, others) = rest.split_at_checked(length)?;
        rest = others;
        Some(train)
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn parcel(port: u16, octets: &'static str) -> Parcel {
        let to = SocketAddr::from(([127, 0, 0, 1], port));
        Parcel { to, from: None, octets: Bytes::from_static(octets.as_bytes()) }
    }

    fn texts(parcels: &[Parcel]) -> Vec<&str> {
        parcels.iter().map(|parcel| str::from_utf8(&parcel.octets).unwrap()).collect()
    }

    #[test]
    fn what_is_alike_stands_behind_the_first_of_its_kind_in_its_order() {
        let mut row = [
            parcel(1, "a1"),
            parcel(1, "long"),
            parcel(2, "b1"),
            parcel(1, "a2"),
            parcel(2, "b2"),
            parcel(1, "gone"),
            parcel(1, "a3"),
        ];
        couple(&mut row);
        assert_eq!(texts(&row), ["a1", "a2", "a3", "long", "gone", "b1", "b2"]);
        let trains: Vec<usize> = cut(&row, Loading::Trains).map(<[_]>::len).collect();
        assert_eq!(trains, [3, 2, 2]);
        assert!(cut(&row, Loading::Singly).all(|one| one.len() == 1));
    }

    /// More kinds than are remembered, of which many fall into one place: nothing is lost.
    #[test]
    fn a_thousand_kinds_are_all_there_afterwards() {
        let mut row: Vec<Parcel> = (0..3000).map(|n| parcel(n % 1000 * 64, "x")).collect();
        couple(&mut row);
        let mut ports: Vec<u16> = row.iter().map(|parcel| parcel.to.port()).collect();
        ports.sort_unstable();
        let mut before: Vec<u16> = (0..3000).map(|n| n % 1000 * 64).collect();
        before.sort_unstable();
        assert_eq!(ports, before);
    }

    /// The kernel takes 63 at once, and as many octets as fit into one datagram. Nothing in nothing is no train.
    #[test]
    fn a_train_is_no_longer_than_the_kernel_takes() {
        let lengths = |octets: usize, count: usize| {
            let mut row = vec![parcel(1, ""); count];
            row.iter_mut().for_each(|parcel| parcel.octets = vec![b'x'; octets].into());
            cut(&row, Loading::Trains).map(<[_]>::len).collect::<Vec<usize>>()
        };
        assert_eq!(lengths(2, 130), [63, 63, 4]);
        assert_eq!(lengths(1200, 100), [54, 46]);
        assert_eq!(lengths(limits::WAGON + 1, 3), [1, 1, 1]);
        assert_eq!(lengths(0, 3), [1, 1, 1]);
    }
}
