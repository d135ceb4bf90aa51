//! One Contact of a REGISTER: what it names, and whether it can be called at all (RFC 3261 §10.3 steps 6 and 7).

use protocol::Fault;
use sip::header::{Contact, NameAddr};
use sip::{Params, Uri};

use super::outbound::Outbound;
use crate::gruu::Aim;
use crate::house::{House, Place};
use crate::location::{INSTANCE, REG_ID, Which};

/// What a phone asks for with one Contact.
#[derive(Clone, Debug)]
pub(super) struct Asked<'a> {
    pub(super) uri: &'a [u8],
    /// Which binding is meant.
    pub(super) which: Which<'a>,
    pub(super) q: u16,
    /// How long it wants to be known, in seconds, when it says so itself.
    pub(super) expires: Option<u32>,
    /// All its other parameters, to be kept and told again.
    pub(super) features: Vec<u8>,
}

impl<'a> Asked<'a> {
    /// Reads one Contact; `None` for `*`.
    pub(super) fn read(contact: &Contact<'a>, outbound: Outbound) -> Option<Self> {
        let address = *contact.address()?;
        let features = kept(address.params, outbound);
        let which = match (instance(address.params), reg_id(&address, outbound)) {
            (Some(instance), Some(reg_id)) => Which::Flow { instance, reg_id },
            _ => Which::Uri(address.uri),
        };
        let (q, expires) = (contact.q(), contact.expires());
        Some(Self { uri: address.uri, which, q, expires, features })
    }

    /// Which phone it says that it is.
    pub(super) fn instance(&self) -> Option<Vec<u8>> {
        instance(Params::new(&self.features))
    }

    /// Refuses what nobody could call: it would ring for nobody, and its owner would wonder.
    pub(super) fn judge(&self, house: &House, aor: &[u8]) -> Result<Uri<'a>, Fault> {
        let uri = Uri::parse(self.uri).map_err(Fault::Malformed)?;
        match &uri {
            Uri::Sip(sip) if sip.headers.is_some() => return Err(Fault::ContactWithHeaders),
            Uri::Sip(_) => {}
            Uri::Tel(_) | Uri::Other(..) => return Err(Fault::ForeignContact),
        }
        let itself = match (house.place(&uri), Aim::of(&uri, house)) {
            (Place::User(dialled), _) if dialled.user[..] == *aor => true,
            (_, Aim::Phone(phone)) => *phone.aor == *aor,
            _ => false,
        };
        if itself { Err(Fault::ContactIsItself) } else { Ok(uri) }
    }
}

/// True when a Contact names a flow that the registrar is to keep (RFC 5626 §4.2).
pub(super) fn names_a_flow(address: &NameAddr<'_>) -> bool {
    instance(address.params).is_some() && number(address.params).is_some()
}

fn reg_id(address: &NameAddr<'_>, outbound: Outbound) -> Option<u32> {
    number(address.params).filter(|_| outbound == Outbound::Applies)
}

/// `reg-id`: never 0, and below 2^31 (RFC 5626 §10); anything else is none.
fn number(params: Params<'_>) -> Option<u32> {
    params.number(REG_ID).filter(|number| (1..1 << 31).contains(number))
}

fn instance(params: Params<'_>) -> Option<Vec<u8>> {
    params.unquoted(INSTANCE).filter(|instance| !instance.is_empty())
}

/// What is kept apart, what is the registrar's to say (RFC 5627 §5.1), and a `reg-id` that does not count, are left out.
fn kept(params: Params<'_>, outbound: Outbound) -> Vec<u8> {
    let flow =
        outbound == Outbound::Applies && instance(params).is_some() && number(params).is_some();
    let mut kept = Vec::new();
    for param in params.iter() {
        let is = |name: &str| param.name.eq_ignore_ascii_case(name);
        if !(["q", "expires", "pub-gruu", "temp-gruu"].into_iter().any(is) || is(REG_ID) && !flow) {
            param.write(&mut kept);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use sip::Header as _;

    use super::*;

    fn kept_of(contact: &str, outbound: Outbound) -> String {
        let contact = Contact::parse(contact.as_bytes()).unwrap();
        String::from_utf8(Asked::read(&contact, outbound).unwrap().features).unwrap()
    }

    #[test]
    fn parameters_are_kept_but_for_those_that_are_not_the_phones_to_say() {
        let contact = "<sip:a@b>;q=0.5;video;+sip.instance=\"<urn:uuid:1>\";reg-id=2;expires=9;pub-gruu=\"x\";audio";
        let instance = "+sip.instance=\"<urn:uuid:1>\"";
        assert_eq!(
            kept_of(contact, Outbound::Applies),
            format!(";video;{instance};reg-id=2;audio")
        );
        assert_eq!(kept_of(contact, Outbound::Ignored), format!(";video;{instance};audio"));
    }

    /// Proves: rfc5626-10-1.
    #[test]
    fn a_reg_id_is_from_1_to_2_to_the_31st_less_1_and_needs_an_instance() {
        for (number, counts) in
            [("0", false), ("1", true), ("2147483647", true), ("2147483648", false), ("x", false)]
        {
            let contact = format!("<sip:a@b>;+sip.instance=\"<urn:x>\";reg-id={number}");
            let kept = kept_of(&contact, Outbound::Applies);
            assert_eq!(kept.contains("reg-id"), counts, "{number}");
        }
        assert_eq!(kept_of("<sip:a@b>;reg-id=1", Outbound::Applies), "");
    }
}
