//! Trains: datagrams of one length to one peer that the kernel takes as one, and cuts apart where they leave it (UDP segmentation
//! offload, udp(7)). The way through the kernel is what a datagram costs most; a train goes it once.

use std::collections::BTreeMap;
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

/// Which datagrams may go in trains.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ways<'a> {
    /// None.
    Singly,
    /// Those that are not too long, and not too long for the way to their peer.
    Trains(&'a Narrow),
}

impl Ways<'_> {
    /// Octets of the longest datagram that goes to a peer in a train.
    fn wagon(self, peer: IpAddr) -> usize {
        match self {
            Self::Singly => 0,
            Self::Trains(narrow) => narrow.wagon(peer),
        }
    }
}

/// Peers to whom the way is narrower than others are: where a datagram has to be cut in parts, none goes in a train.
#[derive(Debug, Default)]
pub(crate) struct Narrow(BTreeMap<IpAddr, usize>);

impl Narrow {
    /// A train of datagrams of this length was not taken to this peer: from now on it is not tried.
    pub(crate) fn note(&mut self, peer: IpAddr, length: usize) {
        let wagon = self.wagon(peer).min(length.saturating_sub(1));
        if self.0.len() >= PLACES {
            // Ways change: now and then all are tried anew.
            self.0.clear();
        }
        self.0.insert(peer, wagon);
    }

    fn wagon(&self, peer: IpAddr) -> usize {
        self.0.get(&peer).copied().unwrap_or(limits::WAGON)
    }
}

/// Cuts a row into what goes as one: trains of neighbours, or each datagram by itself.
pub(crate) fn cut<'a>(parcels: &'a [Parcel], ways: Ways<'_>) -> impl Iterator<Item = &'a [Parcel]> {
    let mut rest = parcels;
    std::iter::from_fn(move || {
        let first = kind(rest.first()?);
        let most = match first.2 {
            length @ 1.. if length <= ways.wagon(first.0.ip()) => {
                (limits::TRAIN_OCTETS / length).min(limits::TRAIN)
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
    use std::net::{Ipv4Addr, UdpSocket};
    use std::time::Duration;

    use bytes::Bytes;
    use machine::{Machine, Time};
    use protocol::{Flow, Identity, Input, Output, Transport};

    use super::*;
    use crate::{Handle, Plan, Program, kernel};

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
        let trains: Vec<usize> =
            cut(&row, Ways::Trains(&Narrow::default())).map(<[_]>::len).collect();
        assert_eq!(trains, [3, 2, 2]);
        assert!(cut(&row, Ways::Singly).all(|one| one.len() == 1));
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
            cut(&row, Ways::Trains(&Narrow::default())).map(<[_]>::len).collect::<Vec<usize>>()
        };
        assert_eq!(lengths(2, 130), [63, 63, 4]);
        assert_eq!(lengths(1200, 100), [54, 46]);
        assert_eq!(lengths(limits::WAGON + 1, 3), [1, 1, 1]);
        assert_eq!(lengths(0, 3), [1, 1, 1]);
    }

    /// Says what it is told to say.
    struct Mouthpiece;

    impl Machine for Mouthpiece {
        type Input = Input;
        type Output = Output;

        fn handle(&mut self, _: Time, _: Input, _: &mut Vec<Output>) {}

        fn wake(&mut self, _: Time, _: &mut Vec<Output>) {}

        fn deadline(&self) -> Option<Time> {
            None
        }
    }

    /// A hundred datagrams of one length go to one peer at once; what it has of each reading.
    fn said(handle: &Handle<Mouthpiece>, peer: &UdpSocket) -> Vec<usize> {
        let (transport, identity) = (Transport::Udp, Identity::NONE);
        let listener = handle.listeners()[0].number;
        let peer_is = peer.local_addr().unwrap();
        let flow = Flow { transport, listener, connection: 0, peer: peer_is, identity };
        let text = |number: usize| format!("datagram {number:03} {}", "x".repeat(500));
        let say = move |_: &mut Mouthpiece, _, out: &mut Vec<Output>| {
            out.extend((0..100).map(|number| Output::Send(flow, text(number).into())));
        };
        handle.tell(0, say).unwrap();
        let (mut lengths, mut whole) = (Vec::new(), Vec::new());
        while whole.len() < 100 * text(0).len() {
            let mut room = vec![0; 70_000];
            let length = peer.recv(&mut room).unwrap();
            lengths.push(length / text(0).len());
            whole.extend_from_slice(&room[..length]);
        }
        assert_eq!(String::from_utf8(whole).unwrap(), (0..100).map(text).collect::<String>());
        lengths
    }

    /// Each comes whole, and in its order. A peer that takes trains as they are sees when there are none any more, and when there are again.
    #[test]
    fn a_reload_switches_trains_off_and_on() {
        let peer = |takes_trains: bool| {
            let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            peer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            kernel::set(&peer, libc::SOL_UDP, libc::UDP_GRO, takes_trains.into()).unwrap();
            peer
        };
        let (plain, taker) = (peer(false), peer(true));
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let plan = |loading| {
            let mut plan = Plan::new().on(Transport::Udp, at);
            plan.loading = loading;
            plan
        };
        let bound = plan(Loading::Trains).bind().unwrap();
        let running = bound.start(Program::new(), |_, _| Mouthpiece).unwrap();
        let handle = running.handle();
        assert_eq!(said(&handle, &plain), [1; 100]);
        assert_eq!(said(&handle, &taker), [63, 37]);
        for (loading, expected) in
            [(Loading::Singly, vec![1; 100]), (Loading::Trains, vec![63, 37])]
        {
            let prepared = handle.prepare(plan(loading)).unwrap();
            handle.renew(prepared, |_| |_: &mut Mouthpiece, _, _: &mut Vec<Output>| ()).unwrap();
            assert_eq!(said(&handle, &taker), expected, "{loading:?}");
        }
        handle.stop();
    }
}
