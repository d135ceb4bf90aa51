//! `Shield`: SRTP around the packets of one call (RFC 3711), with the keys that both sides told each other (RFC 4568) or have made (RFC 5764).

use machine::Dice;
use rtp::Kind;
use sdp::{Crypto, Secrecy, Secret, Secrets};
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
    retired: Retired,
    /// How many packets that came were none of theirs, or came again.
    refused: u64,
}

/// Keys that others have taken the place of, on each side one for each suite at most, and how far they were used. Should they come back, no packet of
/// ours may have a number that one before it had, and what came before is not let in again (RFC 3711 §3.3.2, §9.1).
#[derive(Debug, Default)]
struct Retired {
    ours: Vec<(Named, Sender)>,
    theirs: Vec<(Named, Receiver)>,
}

/// A key, and what it is used with: two suites may have keys of one length.
type Named = (Suite, Secret);

/// Lays one by, and takes another up where it was, if it was laid by before.
fn exchange<T>(retired: &mut Vec<(Named, T)>, old: (Named, T), new: &Named) -> Option<T> {
    retired.push(old);
    let found = retired.iter().position(|(key, _)| key == new);
    let found = found.map(|at| retired.remove(at).1);
    let much = retired.len().saturating_sub(Suite::ALL.len());
    retired.drain(..much);
    found
}

impl Shield {
    /// Around what flows from now on. What was there before stays, as far as its keys do: its packets are counted on (RFC 3711 §3.3.1, §9.1).
    /// `None` for keys that are of no use.
    pub(super) fn with(secrets: Secrets, before: Option<Self>) -> Option<Self> {
        let suite = Suite::named(&secrets.suite)?;
        let ours = Master::new(suite, secrets.ours.reveal())?;
        let theirs = Master::new(suite, secrets.theirs.reveal())?;
        let (mut sender, mut receiver) = (Sender::new(&ours)?, Receiver::new(&theirs)?);
        let (mut retired, mut refused) = (Retired::default(), 0);
        if let Some(before) = before {
            (retired, refused) = (before.retired, before.refused);
            let Secrets { ours, theirs, .. } = before.secrets;
            let [old, new] = [(before.suite, ours), (suite, secrets.ours.clone())];
            sender = exchange(&mut retired.ours, (old, before.sender), &new).unwrap_or(sender);
            let [old, new] = [(before.suite, theirs), (suite, secrets.theirs.clone())];
            receiver =
                exchange(&mut retired.theirs, (old, before.receiver), &new).unwrap_or(receiver);
        }
        Some(Self { secrets, suite, sender, receiver, retired, refused })
    }

    pub(super) const fn suite(&self) -> Suite {
        self.suite
    }

    /// How many packets were not let in (RFC 3711 §3.3 wants to hear of them).
    pub(super) const fn refused(&self) -> u64 {
        self.refused
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
        let opened = match Kind::of(packet) {
            Kind::Rtcp => self.receiver.open_report(packet),
            _ => self.receiver.open(packet),
        };
        self.refused += u64::from(opened.is_err());
        opened
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys of one suite, the same for both sides.
    fn secrets(Crypto { suite, key, .. }: &Crypto) -> Secrets {
        Secrets { suite: suite.clone(), ours: key.clone(), theirs: key.clone() }
    }

    const REPORT: [u8; 8] = [0x80, 201, 0, 1, 0, 0, 0, 7];

    /// RFC 3711 §9.1: a key that comes back goes on where it was: no two reports have one number.
    #[test]
    fn a_suite_that_comes_back_goes_on_counting() {
        let all = keys(&mut Dice::new(1));
        let mut shield = None;
        let sealed: Vec<_> = [0, 2, 0, 2, 0]
            .map(|nth| {
                let mut now = Shield::with(secrets(&all[nth]), shield.take()).unwrap();
                let mut packet = REPORT.to_vec();
                now.seal(&mut packet).unwrap();
                assert!(now.retired.ours.len() <= 1, "one for each suite");
                shield = Some(now);
                packet
            })
            .into();
        assert!(sealed[0] != sealed[2] && sealed[2] != sealed[4] && sealed[1] != sealed[3]);
    }

    /// RFC 3711 §3.3.2: what was let in once is not let in again, though they have used another key meanwhile.
    #[test]
    fn what_came_before_a_suite_went_and_came_back_is_not_let_in_again() {
        let all = keys(&mut Dice::new(1));
        let mut theirs = Shield::with(secrets(&all[0]), None).unwrap();
        let mut packet = REPORT.to_vec();
        theirs.seal(&mut packet).unwrap();
        let mut ours = Shield::with(secrets(&all[0]), None).unwrap();
        ours.open(&mut packet.clone()).unwrap();
        for nth in [2, 0, 1, 2, 0] {
            ours = Shield::with(secrets(&all[nth]), Some(ours)).unwrap();
            if nth == 0 {
                assert!(ours.open(&mut packet.clone()).is_err(), "heard twice");
            }
        }
        let mut next = REPORT.to_vec();
        theirs.seal(&mut next).unwrap();
        ours.open(&mut next).unwrap();
        assert_eq!(ours.refused(), 2);
    }

    /// Whoever tells new keys again and again makes us keep no more than one for each suite.
    #[test]
    fn no_more_keys_are_kept_than_there_are_suites() {
        let mut shield = None;
        for seed in 0..100 {
            let all = keys(&mut Dice::new(seed));
            let fresh = Shield::with(secrets(&all[seed as usize % all.len()]), shield).unwrap();
            assert!(fresh.retired.ours.len() <= Suite::ALL.len());
            assert!(fresh.retired.theirs.len() <= Suite::ALL.len());
            shield = Some(fresh);
        }
    }
}
