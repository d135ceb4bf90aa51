//! What a Contact says of its phone's notification service, and what a registrar says to that (RFC 8599 §4.1, §5.6.1).

use std::time::Duration;

use protocol::Fault;
use protocol::doors::Sleeper;
use sip::header::Contact;
use sip::uri::same;
use sip::{Message, Uri};

use super::REMIND;
use crate::house::House;
use crate::location::Binding;

/// The feature of a phone that wakes up by itself to register (RFC 8599 §4.1.4).
pub(super) const BY_ITSELF: &str = "+sip.pnsreg";

/// A phone whose Contact says how to wake it, by a service that we use.
pub(crate) fn can_be_woken(house: &House, aor: &[u8], contact: &[u8]) -> Option<Sleeper> {
    let push = house.settings.push.as_ref()?;
    let (provider, prid, param) = said(contact)?;
    let known = push.providers.iter().any(|known| known.eq_ignore_ascii_case(&provider));
    let complete = !prid.is_empty() && (!param.is_empty() || !NEED_PARAM.contains(&&*provider));
    (known && complete).then(|| Sleeper {
        aor: aor.into(),
        uri: contact.into(),
        provider: provider.into(),
        prid: prid.into(),
        param: param.into(),
    })
}

/// Services that need more than the name of the phone (RFC 8599 §10.1, §10.2).
const NEED_PARAM: [&str; 2] = ["apns", "fcm"];

/// A binding that must be woken before it can be called: one whose connection is gone, and every one that speaks in datagrams, for nothing
/// tells us that such a phone is awake.
pub(crate) fn asleep(house: &House, aor: &[u8], binding: &Binding) -> Option<Sleeper> {
    let awake = binding.flow.is_some_and(|flow| flow.transport.is_reliable());
    can_be_woken(house, aor, binding.uri()).filter(|_| !awake)
}

/// True for the binding of this phone: the parameters of the notification service count, too (RFC 8599 §5.3).
pub(crate) fn names(binding: &Binding, sleeper: &Sleeper) -> bool {
    let uris = (Uri::parse(binding.uri()), Uri::parse(&sleeper.uri));
    let same = matches!(&uris, (Ok(ours), Ok(theirs)) if same(ours, theirs));
    same && said(binding.uri()) == said(&sleeper.uri)
}

/// `pn-provider`, `pn-prid` and `pn-param` of a Contact that has the first.
fn said(contact: &[u8]) -> Option<(String, String, String)> {
    let Ok(Uri::Sip(uri)) = Uri::parse(contact) else { return None };
    let text = |name: &str| {
        let value = sip::uri::unescape(uri.params.get(name)?);
        String::from_utf8(value.into_owned()).ok()
    };
    let part = |name: &str| text(name).unwrap_or_default();
    Some((text("pn-provider")?, part("pn-prid"), part("pn-param")))
}

/// How long a phone that is to be woken must register for at least, so that there is time to remind it (RFC 8599 §5.6.1.1).
pub(crate) fn least_expiry(house: &House, aor: &[u8], contact: &[u8]) -> Option<Duration> {
    can_be_woken(house, aor, contact).map(|_| REMIND * 2)
}

/// What the 200 to a REGISTER says of notification services: a value of Feature-Caps each. One that only asks for a service that we do not
/// use is refused with 555, for there is nobody behind us who might (RFC 8599 §5.6.1.2).
pub(crate) fn capabilities(house: &House, request: &Message) -> Result<Vec<String>, Fault> {
    let Some(push) = &house.settings.push else { return Ok(Vec::new()) };
    let mut values = Vec::new();
    for contact in request.all::<Contact>().flatten() {
        let Some(address) = contact.address() else { continue };
        let Some((provider, prid, _)) = said(address.uri) else { continue };
        // One that wakes up by itself need not be reminded to register: it does so that long before the end.
        let reminder = match address.params.has(BY_ITSELF) {
            true => format!(";+sip.pnsreg=\"{}\"", REMIND.as_secs() + 1),
            false => String::new(),
        };
        let known = push
            .providers
            .iter()
            .filter(|known| provider.is_empty() || known.eq_ignore_ascii_case(&provider));
        let before = values.len();
        values.extend(known.map(|known| format!("*;+sip.pns=\"{known}\"{reminder}")));
        if values.len() == before && prid.is_empty() {
            return Err(Fault::PushUnsupported);
        }
    }
    values.dedup();
    Ok(values)
}
