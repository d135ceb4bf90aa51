//! GRUU: addresses of one phone of a user, which anybody can call from anywhere (RFC 5627). No table is kept of them.
//!
//! A public one is the address of record with `gr`, whose value our seal signed over the user and a number that stands for the
//! phone: it stays the same for as long as the house keeps its secret, and gives away no MAC address. A temporary one has all of it in
//! its user part, closed, so that nobody can tell whose it is, and with it since when the phone has been registered without a break:
//! once that is over, it is nobody's.

use machine::{Dice, Time};
use protocol::doors::Reach;
use sip::uri::{SipUri, escape_user, unescape};
use sip::{Params, Uri};

use crate::house::House;
use crate::octets::cut;
use crate::routes::Dialled;

/// Whom of a user a Request-URI names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    /// Whoever is registered.
    Anybody,
    /// One phone.
    Phone(Box<Phone>),
    /// Nobody: it has a `gr` that we did not write.
    Nobody,
}

/// One phone of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phone {
    /// The user.
    pub(crate) aor: Box<[u8]>,
    /// What stands for its instance.
    number: u64,
    /// For a temporary GRUU: since when the phone must have been here.
    since: Option<Time>,
}

impl Aim {
    /// Reads it off a URI of ours.
    pub(crate) fn of(uri: &Uri<'_>, house: &House) -> Self {
        let Uri::Sip(uri) = uri else { return Self::Anybody };
        match (uri.user, uri.params.get("gr")) {
            (Some(user), Some(gr)) if house.is_ours(uri) => {
                Phone::read(house, &unescape(user), &unescape(gr))
                    .map_or(Self::Nobody, |phone| Self::Phone(phone.into()))
            }
            _ => Self::Anybody,
        }
    }

    /// The bindings that are meant: all, or those of one phone (RFC 5627 §6.1).
    pub(crate) fn meant(&self, house: &House, mut bindings: Vec<Reach>) -> Vec<Reach> {
        match self {
            Self::Anybody => {}
            Self::Phone(phone) => bindings.retain(|binding| phone.is(house, binding)),
            Self::Nobody => bindings.clear(),
        }
        bindings
    }
}

impl Phone {
    fn read(house: &House, user: &[u8], gr: &[u8]) -> Option<Self> {
        if let Some(token) = user.strip_prefix(TEMPORARY).filter(|_| gr.is_empty()) {
            let octets = house.seal.opened(TEMPORARY, token)?;
            let mut rest = &octets[..];
            let since = Some(Time(u64::from_be_bytes(cut(&mut rest)?)));
            let number = u64::from_be_bytes(cut(&mut rest)?);
            return Some(Self { aor: rest.into(), number, since });
        }
        let number = house.seal.verified(&public_of(user), gr)?.try_into().ok()?;
        Some(Self { aor: user.into(), number: u64::from_be_bytes(number), since: None })
    }

    /// True for a binding of this phone that the GRUU is still good for.
    pub(crate) fn is(&self, house: &House, binding: &Reach) -> bool {
        let since = self.since.is_none_or(|since| since == binding.since);
        let number = |instance: Vec<u8>| stands_for(house, &self.aor, &instance);
        since && binding.instance().map(number) == Some(self.number)
    }

    /// True for a GRUU that ends with its registration.
    pub(crate) const fn is_temporary(&self) -> bool {
        self.since.is_some()
    }
}

/// The public GRUU of a phone: the address as its user wrote it, and `gr`.
pub(crate) fn public(house: &House, to: &SipUri<'_>, instance: &[u8]) -> String {
    let aor = aor(to);
    let number = stands_for(house, &aor, instance).to_be_bytes();
    let gr = format!(";gr={}", house.seal.signed(&public_of(&aor), &number));
    address(to, &escape_user(&aor), &gr)
}

/// A new temporary GRUU of a phone.
pub(crate) fn temporary(
    house: &House,
    dice: &mut Dice,
    to: &SipUri<'_>,
    (instance, since): (&[u8], Time),
) -> String {
    let aor = aor(to);
    let number = stands_for(house, &aor, instance).to_be_bytes();
    let octets = [&since.0.to_be_bytes()[..], &number, &aor].concat();
    let user = house.seal.closed(dice, TEMPORARY, &octets);
    address(to, &[TEMPORARY, user.as_bytes()].concat(), ";gr")
}

/// How the user part of a temporary GRUU begins.
const TEMPORARY: &[u8] = b"gr-";

fn stands_for(house: &House, aor: &[u8], instance: &[u8]) -> u64 {
    house.seal.number([&b"instance"[..], aor, instance])
}

fn public_of(aor: &[u8]) -> Vec<u8> {
    [b"gruu of ", aor].concat()
}

/// As its bindings are kept: a number without what separates its digits.
fn aor(to: &SipUri<'_>) -> Box<[u8]> {
    Dialled::of_sip(to).map(|dialled| dialled.user).unwrap_or_default()
}

fn address(to: &SipUri<'_>, user: &[u8], gr: &str) -> String {
    let params = Params::new(gr.as_bytes());
    let mut uri = Vec::new();
    SipUri { user: Some(user), password: None, params, headers: None, ..*to }.write(&mut uri);
    String::from_utf8_lossy(&uri).into_owned()
}
