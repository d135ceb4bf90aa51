//! A STUN and TURN server for tests: one client, and every rule of RFC 8656 that the client could break.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use stun::{Draft, Message, attributes, kinds, long_term_key};

/// The server, with one address to lend.
pub(super) struct Server {
    pub(super) at: SocketAddr,
    pub(super) relayed: SocketAddr,
    nonce: u32,
    client: Option<SocketAddr>,
    permitted: Vec<IpAddr>,
    channels: BTreeMap<u16, SocketAddr>,
    /// What it has passed on in channels, and how often it was asked with a nonce that had become stale.
    pub(super) channelled: u32,
    pub(super) stale: u32,
    pub(super) released: bool,
}

pub(super) const USER: &str = "turn";
pub(super) const PASSWORD: &str = "pw-turn";
const REALM: &str = "example.test";

/// From where, to where, what.
pub(super) type Datagram = (SocketAddr, SocketAddr, Vec<u8>);

impl Server {
    pub(super) fn new(at: SocketAddr) -> Self {
        let (permitted, channels) = (Vec::new(), BTreeMap::new());
        let relayed = SocketAddr::new(at.ip(), 49_152);
        Self {
            at,
            relayed,
            nonce: 1,
            client: None,
            permitted,
            channels,
            channelled: 0,
            stale: 0,
            released: false,
        }
    }

    /// From now on the nonce is another.
    pub(super) fn age(&mut self) {
        self.nonce += 1;
    }

    pub(super) fn receive(&mut self, (from, to, octets): Datagram) -> Vec<Datagram> {
        if to == self.relayed {
            return self.pass_back(from, &octets).into_iter().collect();
        }
        if let [64..=79, ..] = octets[..] {
            let number = u16::from_be_bytes([octets[0], octets[1]]);
            let length = usize::from(u16::from_be_bytes([octets[2], octets[3]]));
            self.channelled += 1;
            return vec![(self.relayed, self.channels[&number], octets[4..4 + length].to_vec())];
        }
        let message = Message::read(&octets).unwrap();
        let peer = message.address(attributes::XOR_PEER_ADDRESS);
        if message.kind == kinds::SEND {
            let peer = peer.unwrap();
            let data = message.find(attributes::DATA).unwrap().to_vec();
            return match self.permitted.contains(&peer.ip()) {
                true => vec![(self.relayed, peer, data)],
                false => Vec::new(),
            };
        }
        vec![(to, from, self.answer(from, &message, peer))]
    }

    fn answer(
        &mut self,
        from: SocketAddr,
        message: &Message<'_>,
        peer: Option<SocketAddr>,
    ) -> Vec<u8> {
        if message.kind == kinds::BINDING {
            let draft = Draft::new(kinds::BINDING_SUCCESS, message.transaction);
            return draft.with_address(attributes::XOR_MAPPED_ADDRESS, from).finish(None);
        }
        let key = long_term_key(USER, REALM, PASSWORD);
        let nonce = self.nonce.to_string();
        let refuse = |error: &[u8]| {
            Draft::new(message.kind | 0x0110, message.transaction)
                .with(attributes::ERROR_CODE, error)
                .with(attributes::REALM, REALM.as_bytes())
                .with(attributes::NONCE, nonce.as_bytes())
                .finish(None)
        };
        if !message.is_signed_with(&key) || message.text(attributes::USERNAME) != Some(USER) {
            return refuse(b"\0\0\x04\x01Unauthorized");
        }
        if message.text(attributes::NONCE) != Some(&nonce) {
            self.stale += 1;
            return refuse(b"\0\0\x04\x26Stale Nonce");
        }
        let good = Draft::new(message.kind | 0x0100, message.transaction);
        let good = match message.kind {
            kinds::ALLOCATE => {
                assert_eq!(message.find(attributes::REQUESTED_TRANSPORT), Some(&[17, 0, 0, 0][..]));
                self.client = Some(from);
                good.with_address(attributes::XOR_RELAYED_ADDRESS, self.relayed)
                    .with_address(attributes::XOR_MAPPED_ADDRESS, from)
            }
            kinds::CREATE_PERMISSION => {
                self.permitted.push(peer.unwrap().ip());
                good
            }
            kinds::CHANNEL_BIND => {
                let number = message.number(attributes::CHANNEL_NUMBER).unwrap() >> 16;
                self.channels.insert(u16::try_from(number).unwrap(), peer.unwrap());
                good
            }
            kinds::REFRESH => {
                self.released |= message.number(attributes::LIFETIME) == Some(0);
                good
            }
            other => panic!("{other:04x}"),
        };
        good.finish(Some(&key))
    }

    fn pass_back(&self, from: SocketAddr, octets: &[u8]) -> Option<Datagram> {
        let client = self.client.filter(|_| self.permitted.contains(&from.ip()))?;
        let channel = self.channels.iter().find(|(_, peer)| **peer == from);
        let wrapped = match channel {
            Some((number, _)) => {
                let length = u16::try_from(octets.len()).unwrap();
                [&number.to_be_bytes()[..], &length.to_be_bytes(), octets].concat()
            }
            None => Draft::new(kinds::DATA, [3; 12])
                .with_address(attributes::XOR_PEER_ADDRESS, from)
                .with(attributes::DATA, octets)
                .finish(None),
        };
        Some((self.at, client, wrapped))
    }
}
