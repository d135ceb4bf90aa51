//! `Kept`: a ban as it is written down, for the next life and for the other nodes of a cluster. Signed: nobody else bans anybody.

use machine::Time;
use protocol::bans::{Ban, Offence, Source, Treatment};

use crate::octets::cut;
use crate::seal::Seal;

/// What is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// A source is barred.
    Barred(Ban),
    /// An operator has lifted its ban: the edition of that.
    Lifted(Source, u64),
}

impl Kept {
    pub(super) const fn source(&self) -> Source {
        match self {
            Self::Barred(ban) => ban.source,
            Self::Lifted(source, _) => *source,
        }
    }

    pub(super) fn write(&self, seal: &Seal) -> Box<[u8]> {
        let mut octets = vec![FORM];
        match self {
            Self::Barred(ban) => {
                let offence = OFFENCES.iter().position(|known| *known == ban.offence);
                let offence = offence.and_then(|at| u8::try_from(at).ok()).unwrap_or(0);
                octets.extend_from_slice(&[BARRED, offence]);
                octets.extend_from_slice(&ban.source.octets());
                octets.extend_from_slice(&ban.count.to_be_bytes());
                octets.extend_from_slice(&ban.times.to_be_bytes());
                octets.extend_from_slice(&ban.since.0.to_be_bytes());
                octets.extend_from_slice(&ban.until.0.to_be_bytes());
                octets.extend_from_slice(&ban.edition.to_be_bytes());
                octets.extend_from_slice(ban.sample.as_bytes());
            }
            Self::Lifted(source, edition) => {
                octets.push(LIFTED);
                octets.extend_from_slice(&source.octets());
                octets.extend_from_slice(&edition.to_be_bytes());
            }
        }
        let signature = seal.sign([PURPOSE, &octets]);
        octets.extend_from_slice(&signature);
        octets.into()
    }

    /// Nothing for what we have not written, and for what only a newer program understands.
    pub(super) fn read(seal: &Seal, octets: &[u8]) -> Option<Self> {
        let (signed, signature) = octets.split_last_chunk::<16>()?;
        if !seal.has_signed([PURPOSE, signed], signature) {
            return None;
        }
        let mut rest = signed;
        let [form, kind] = cut(&mut rest)?;
        match (form, kind) {
            (FORM, BARRED | BARRED_BEFORE) => {
                let [offence] = cut(&mut rest)?;
                let offence = *OFFENCES.get(usize::from(offence))?;
                let source = Source::from_octets(cut(&mut rest)?);
                let (count, times) =
                    (u32::from_be_bytes(cut(&mut rest)?), u32::from_be_bytes(cut(&mut rest)?));
                let [since, until] = [take_number(&mut rest)?, take_number(&mut rest)?];
                let edition = if kind == BARRED { take_number(&mut rest)? } else { since };
                let (since, until) = (Time(since), Time(until));
                let sample = std::str::from_utf8(rest).ok()?.into();
                let treatment = Treatment::Barred;
                Some(Self::Barred(Ban {
                    source,
                    treatment,
                    offence,
                    count,
                    times,
                    since,
                    until,
                    edition,
                    sample,
                }))
            }
            (FORM, LIFTED) => {
                Some(Self::Lifted(Source::from_octets(cut(&mut rest)?), take_number(&mut rest)?))
            }
            _ => None,
        }
    }
}

fn take_number(rest: &mut &[u8]) -> Option<u64> {
    cut(rest).map(u64::from_be_bytes)
}

/// Under which key a source is written down: no address of record has a NUL in it.
pub(super) fn key(source: Source) -> Box<[u8]> {
    [KEY, &source.octets()].concat().into()
}

/// Whether something was written down under such a key.
pub(crate) fn is_key(key: &[u8]) -> bool {
    key.strip_prefix(KEY).is_some_and(|source| source.len() == 8)
}

const KEY: &[u8] = b"\0ban";

/// What the signatures are for.
const PURPOSE: &[u8] = b"ban";

/// The form of what is written.
const FORM: u8 = 1;
/// Without an edition.
const BARRED_BEFORE: u8 = 1;
const LIFTED: u8 = 2;
const BARRED: u8 = 3;

/// As they are numbered here.
const OFFENCES: [Offence; 5] = [
    Offence::WrongPassword,
    Offence::UnknownUser,
    Offence::NotSip,
    Offence::Fraud,
    Offence::ByHand,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn ban(source: &str) -> Ban {
        Ban {
            source: source.parse().unwrap(),
            treatment: Treatment::Barred,
            offence: Offence::Fraud,
            count: 12,
            times: 3,
            since: Time(1_700_000_000_000_000_000),
            until: Time(1_700_000_300_000_000_001),
            edition: 1_700_000_000_000_000_007,
            sample: "INVITE from sip:ä@example.test".into(),
        }
    }

    #[test]
    fn what_is_written_reads_back_and_nothing_else_does() {
        let seal = Seal::new(7);
        for kept in [
            Kept::Barred(ban("203.0.113.9")),
            Kept::Barred(ban("2001:db8::/64")),
            Kept::Lifted("203.0.113.9".parse().unwrap(), 9),
        ] {
            let octets = kept.write(&seal);
            assert_eq!(Kept::read(&seal, &octets), Some(kept));
            assert_eq!(Kept::read(&Seal::new(8), &octets), None, "of another cluster");
            for at in 0..octets.len() {
                assert_eq!(Kept::read(&seal, &octets[..at]), None, "{at} octets");
                let mut other = octets.clone();
                other[at] ^= 4;
                assert_eq!(Kept::read(&seal, &other), None, "{at}");
            }
        }
    }

    /// It had no edition: as old as the ban is what it says.
    #[test]
    fn what_an_earlier_program_has_written_reads() {
        let (seal, ban) = (Seal::new(7), ban("203.0.113.9"));
        let mut octets = Kept::Barred(ban.clone()).write(&seal).into_vec();
        octets.truncate(octets.len() - 16);
        octets[1] = BARRED_BEFORE;
        drop(octets.drain(35..43));
        octets.extend_from_slice(&seal.sign([PURPOSE, &octets[..]]));
        let edition = ban.since.0;
        assert_eq!(Kept::read(&seal, &octets), Some(Kept::Barred(Ban { edition, ..ban })));
    }

    #[test]
    fn a_key_is_told_from_an_address_of_record() {
        assert!(is_key(&key("203.0.113.9".parse().unwrap())));
        assert!(!is_key(b"101") && !is_key(b"\0ban") && !is_key(b""));
    }
}
