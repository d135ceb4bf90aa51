//! A TURN server that we are, a guest of it who looks for a way to Bob, and Bob, in virtual time.

use std::net::SocketAddr;
use std::time::Duration;

use connectivity::{Came, Role, Search, Servers, Told, Turn};
use machine::{Dice, Time};
use stun::{Draft, Message, attributes, kinds, long_term_key};

pub(crate) const SERVER: &str = "203.0.113.3:3478";
pub(crate) const GUEST: &str = "192.0.2.1:4000";
pub(crate) const BOB: &str = "192.0.2.2:5000";
/// The address that is lent.
pub(crate) const RELAYED: &str = "203.0.113.3:49152";

const USER: &str = "turn";
const REALM: &str = "example.test";
pub(crate) const START: Time = Time(1_700_000_000_000_000_000);

/// The server, and its guest.
pub(crate) struct Lender {
    pub(crate) guest: Search,
    pub(crate) now: Time,
    /// What the server takes for fresh.
    pub(crate) nonce: String,
    asked: Vec<Vec<u8>>,
    /// Everything that the guest has said to it, and when, in milliseconds.
    pub(crate) log: Vec<(u64, Vec<u8>)>,
    /// What Bob has said by it that was sound.
    pub(crate) heard: Vec<(SocketAddr, Vec<u8>)>,
}

pub(crate) fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

impl Lender {
    /// The guest has just asked for an address.
    pub(crate) fn new() -> Self {
        let (username, password) = (USER.into(), "pw-turn".into());
        let turn = Some(Turn { at: at(SERVER), username, password });
        let servers = Servers { stun: None, turn, told: Told::Relayed };
        let mut out = Vec::new();
        let guest = Search::new(START, at(GUEST), (&servers, Dice::new(5)), &mut out);
        let (asked, log, heard) = (Vec::new(), Vec::new(), Vec::new());
        let mut lender = Self { guest, now: START, nonce: "n1".into(), asked, log, heard };
        lender.keep(out);
        lender
    }

    /// The guest has its address.
    pub(crate) fn open() -> Self {
        let mut lender = Self::new();
        let first = lender.only();
        lender.refuse(&first, 401);
        let second = lender.only();
        lender.grant(&second);
        assert!(lender.guest.is_ready());
        lender
    }

    fn keep(&mut self, out: Vec<(SocketAddr, Vec<u8>)>) {
        for (to, octets) in out {
            assert_eq!(to, at(SERVER), "everything goes to the relay");
            let millis = u64::try_from((self.now - START).as_millis()).unwrap();
            self.log.push((millis, octets.clone()));
            self.asked.push(octets);
        }
    }

    /// What it was asked since the last look.
    pub(crate) fn asked(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.asked)
    }

    pub(crate) fn only(&mut self) -> Vec<u8> {
        let mut asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:02x?}");
        asked.remove(0)
    }

    /// The guest does something.
    pub(crate) fn act(&mut self, deed: impl FnOnce(&mut Search, Time, &mut connectivity::Sent)) {
        let mut out = Vec::new();
        deed(&mut self.guest, self.now, &mut out);
        self.keep(out);
    }

    /// The guest gets this.
    pub(crate) fn says(&mut self, octets: &[u8]) {
        let mut came = Came::Other;
        self.act(|guest, now, out| came = guest.receive(now, (at(SERVER), octets), out));
        if let Came::Relayed(peer, octets) = came {
            self.heard.push((peer, octets));
        }
    }

    /// Time passes, and nobody answers.
    pub(crate) fn wait(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(due) = self.guest.deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.act(|guest, now, out| guest.wake(now, out));
        }
        self.now = end;
    }

    /// Refuses a request; signed, where it was.
    pub(crate) fn refuse(&mut self, request: &[u8], code: u16) {
        let refusal = self.refusal(request, code);
        let signed = !matches!(code, 401 | 438);
        self.says(&refusal.finish(signed.then_some(&key()[..])));
    }

    pub(crate) fn refusal(&self, request: &[u8], code: u16) -> Draft {
        let request = Message::read(request).unwrap();
        let [class, number] = [code / 100, code % 100].map(|part| u8::try_from(part).unwrap());
        Draft::new(request.kind | 0x0110, request.transaction)
            .with(attributes::ERROR_CODE, &[0, 0, class, number, b'n', b'o'])
            .with(attributes::REALM, REALM.as_bytes())
            .with(attributes::NONCE, self.nonce.as_bytes())
    }

    /// Grants a request.
    pub(crate) fn grant(&mut self, request: &[u8]) {
        let good = success(request).finish(Some(&key()));
        self.says(&good);
    }

    /// Lives on, grants everything, and carries what goes to Bob and what comes from him.
    pub(crate) fn live(&mut self, bob: &mut Search, millis: u64) {
        for _ in 0..millis / 5 {
            self.wait(5);
            let mut from_bob = Vec::new();
            bob.wake(self.now, &mut from_bob);
            for octets in self.asked() {
                match carried(&octets) {
                    Some(data) => {
                        bob.receive(self.now, (at(RELAYED), &data), &mut from_bob);
                    }
                    None => self.grant(&octets),
                }
            }
            for (to, octets) in from_bob {
                assert_eq!(to, at(RELAYED));
                self.says(&data(at(BOB), &octets));
            }
        }
    }

    /// The guest and Bob have read each other's descriptions.
    pub(crate) fn meet(&mut self) -> Search {
        let mut out = Vec::new();
        let nobody = Servers::default();
        let mut bob = Search::new(self.now, at(BOB), (&nobody, Dice::new(6)), &mut out);
        let (ours, theirs) = (self.guest.said(), bob.said());
        bob.meet(self.now, (&ours, Role::Controlled), &mut out);
        self.act(|guest, now, out| guest.meet(now, (&theirs, Role::Controlling), out));
        bob
    }
}

/// The key of the only guest.
pub(crate) fn key() -> [u8; 16] {
    long_term_key(USER, REALM, "pw-turn")
}

/// The answer to a request that is granted, unsigned.
pub(crate) fn success(request: &[u8]) -> Draft {
    let request = Message::read(request).unwrap();
    let draft = Draft::new(request.kind | 0x0100, request.transaction);
    if request.kind != kinds::ALLOCATE {
        return draft;
    }
    draft
        .with_address(attributes::XOR_RELAYED_ADDRESS, at(RELAYED))
        .with_address(attributes::XOR_MAPPED_ADDRESS, at(GUEST))
}

/// What a peer has sent, as an indication.
pub(crate) fn data(peer: SocketAddr, octets: &[u8]) -> Vec<u8> {
    let draft = Draft::new(kinds::DATA, [3; 12]).with_address(attributes::XOR_PEER_ADDRESS, peer);
    draft.with(attributes::DATA, octets).finish(None)
}

/// What is to be passed on, if it is something like that.
fn carried(octets: &[u8]) -> Option<Vec<u8>> {
    if let [64..=79, _, l0, l1, rest @ ..] = octets {
        return Some(rest[..usize::from(u16::from_be_bytes([*l0, *l1]))].to_vec());
    }
    let message = Message::read(octets).unwrap();
    (message.kind == kinds::SEND).then(|| message.find(attributes::DATA).unwrap().to_vec())
}

/// The type of a message.
pub(crate) fn kind(octets: &[u8]) -> u16 {
    Message::read(octets).unwrap().kind
}

/// The attributes of a message as they stand there: type, value, padding. It must be whole ones up to its end.
pub(crate) fn attributes_of(octets: &[u8]) -> Vec<(u16, Vec<u8>, Vec<u8>)> {
    let (mut rest, mut all) = (&octets[20..], Vec::new());
    while let [k0, k1, l0, l1, more @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let whole = length.next_multiple_of(4);
        let kind = u16::from_be_bytes([*k0, *k1]);
        all.push((kind, more[..length].to_vec(), more[length..whole].to_vec()));
        rest = &more[whole..];
    }
    assert!(rest.is_empty());
    all
}
