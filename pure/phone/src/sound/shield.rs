//! `Shield`: SRTP around the packets of one call (RFC 3711), with the keys that both sides told each other (RFC 4568) or have made (RFC 5764).

use machine::Dice;
use rtp::Kind;
use sdp::{Crypto, Secrecy, Secrets};
use srtp::{Master, Receiver, Refused, Sender, Suite};

/// Whether others may hear a call on its way. Keys that travel in the signalling (RFC 4568) are as safe as that is: over TLS to every hop and no
/// further. Keys that a handshake makes (RFC 5763) are safe from whoever only reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Srtp {
    /// They may: RTP and nothing else.
    Off,
    /// They may, unless the other side offers SRTP, of whichever kind.
    #[default]
    Welcome,
    /// They may not: a call that cannot have SRTP does not come about. We offer keys in the signalling; whoever offers a handshake gets one.
    Required,
    /// They may not, nor may those who carry the signalling: SRTP with keys from a handshake, or no call.
    Dtls,
}

impl Srtp {
    /// What a stream says of it, with fresh keys.
    pub(super) fn secrecy(self, dice: &mut Dice) -> Secrecy {
        match self {
            Self::Off => Secrecy::None,
            Self::Welcome => Secrecy::Welcome(keys(dice)),
            Self::Required => Secrecy::Required(keys(dice)),
            Self::Dtls => Secrecy::Handshake,
        }
    }
}

/// A key for each suite, the strongest first.
fn keys(dice: &mut Dice) -> Vec<Crypto> {
    let line = |(tag, suite): (u32, Suite)| {
        let mut key = Vec::with_capacity(Master::octets(suite) + 8);
        while key.len() < Master::octets(suite) {
            key.extend(dice.roll().to_be_bytes());
        }
        key.truncate(Master::octets(suite));
        Crypto { tag, suite: suite.name().into(), key: key.into() }
    };
    (1..).zip(Suite::ALL).map(line).collect()
}

/// The keys of a call, and what went by them.
#[derive(Debug)]
pub(super) struct Shield {
    secrets: Secrets,
    suite: Suite,
    sender: Sender,
    receiver: Receiver,
}

impl Shield {
    /// Around what flows from now on. What was there before stays, as far as its keys do: its packets are counted on (RFC 3711 §3.3.1).
    /// `None` for keys that are of no use.
    pub(super) fn with(secrets: Secrets, before: Option<Self>) -> Option<Self> {
        let suite = Suite::named(&secrets.suite)?;
        let ours = Master::new(suite, secrets.ours.reveal())?;
        let theirs = Master::new(suite, secrets.theirs.reveal())?;
        let (mut sender, mut receiver) = (Sender::new(&ours)?, Receiver::new(&theirs)?);
        if let Some(before) = before.filter(|before| before.suite == suite) {
            if before.secrets.ours == secrets.ours {
                sender = before.sender;
            }
            if before.secrets.theirs == secrets.theirs {
                receiver = before.receiver;
            }
        }
        Some(Self { secrets, suite, sender, receiver })
    }

    pub(super) const fn suite(&self) -> Suite {
        self.suite
    }

    /// Protects a packet that goes out.
    pub(super) fn seal(&mut self, packet: &mut Vec<u8>) -> Result<(), Refused> {
        match Kind::of(packet) {
            Kind::Rtcp => self.sender.protect_report(packet),
            _ => self.sender.protect(packet),
        }
    }

    /// Opens a packet that came.
    pub(super) fn open(&mut self, packet: &mut Vec<u8>) -> Result<(), Refused> {
        match Kind::of(packet) {
            Kind::Rtcp => self.receiver.open_report(packet),
            _ => self.receiver.open(packet),
        }
    }
}
