//! Who may watch our calls and come into them, and who is believed to be whom they say (RFC 4235 §6, RFC 3911 §7, RFC 3891 §5).
//!
//! A From is no proof: everybody writes into it what they like, our own address too. So nobody is a friend by default. Those whom the account lists
//! are, when somebody has looked who they are: our server, or whoever routes packets to their own address.

use std::net::IpAddr;

use protocol::{Flow, Transport};
use sip::header::{From, PAssertedIdentity};
use sip::{Message, Name, Uri};

use crate::phone::Phone;

impl Phone {
    /// True for what our server has passed on while we are registered: from its address, and by a way that is no easier to forge than ours to it.
    pub(crate) fn comes_from_server(&self, came: Flow) -> bool {
        let hardness = |by: Transport| (by.is_reliable(), by.is_secure());
        self.registration.comes_from(came.peer.ip())
            && hardness(came.transport) >= hardness(self.line.account.transport())
    }

    /// True when somebody can be believed to be whom the From says: our server has looked, or they come from their own address.
    pub(crate) fn vouches(&self, sender: &[u8], came: Flow) -> bool {
        self.comes_from_server(came) || host_of(sender) == Some(came.peer.ip().to_canonical())
    }

    /// True for a request of somebody to whom the account shows its calls.
    pub(crate) fn is_of_friend(&self, request: &Message, came: Flow) -> bool {
        let shown = |who: &[u8]| self.line.account.shows_calls_to(who);
        let Some(sender) = request.get::<From<'_>>() else { return false };
        self.vouches(sender.uri, came)
            && shown(sender.uri)
            && !(self.comes_from_server(came) && is_asserted_otherwise(request, shown))
    }
}

/// True when the server that passes a request on says that it is of somebody else than these (RFC 3325 §8: only whom we trust is heard).
fn is_asserted_otherwise(request: &Message, these: impl Fn(&[u8]) -> bool) -> bool {
    let mut asserted = request.all::<PAssertedIdentity<'_>>().flatten();
    request.has(Name::PAssertedIdentity) && !asserted.any(|who| these(who.uri))
}

/// True when two addresses are of the same user at the same place; the two schemes are one here.
pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
    match (Uri::parse(one), Uri::parse(other)) {
        (Ok(Uri::Sip(one)), Ok(Uri::Sip(other))) => {
            let place = |uri: &sip::uri::SipUri<'_>| uri.hostport().to_string();
            one.user == other.user && place(&one).eq_ignore_ascii_case(&place(&other))
        }
        _ => false,
    }
}

fn host_of(uri: &[u8]) -> Option<IpAddr> {
    let Ok(Uri::Sip(uri)) = Uri::parse(uri) else { return None };
    uri.host.ip().map(|ip| ip.to_canonical())
}
