//! Routes: where a request goes that is not for a user of ours (RFC 3261 §16.5). [`Asked::walk`] decides, and can say why.
//!
//! The first route that fits is taken. The server walks without a witness, `Node::explain` with one that writes down
//! why each route before it did not fit: so an explanation is never about another decision than the one that is made.

pub(crate) mod e164;
mod errand;
mod hours;
mod miss;
mod network;
mod number;
mod pattern;
mod rewrite;
mod standing;

use std::net::SocketAddr;

use machine::Time;
use sip::uri::Host;

use crate::settings::{Action, Route, Whose};

pub(crate) use errand::{Errand, Outcome};
pub use hours::{Civil, Days, Hours, WEEKDAYS, Zone, weekday};
pub use miss::Miss;
pub use network::Network;
pub(crate) use number::{Context, Dialled, Form, context};
pub use pattern::{Case, Pattern};
pub use rewrite::Rewrite;
pub(crate) use standing::Standing;

/// What a route may look at.
#[derive(Clone, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    /// The domain that was asked for; `None`: ours.
    pub(crate) host: Option<Host<'a>>,
    /// The number or user that was asked for; not text, not anybody's number.
    pub(crate) number: &'a str,
    /// The user of ours who asks, as the From says.
    pub(crate) caller: Option<&'a str>,
    pub(crate) source: SocketAddr,
    /// Where the listener is bound by which it came.
    pub(crate) listener: Option<SocketAddr>,
    pub(crate) now: Time,
}

impl Asked<'_> {
    /// The first route that fits, its number too, from the number `first` on. The witness hears of those before it.
    pub(crate) fn walk<'r>(
        &self,
        routes: &'r [Route],
        first: usize,
        witness: &mut dyn FnMut(&Route, Miss),
    ) -> Option<(usize, &'r Route)> {
        routes.iter().enumerate().skip(first).find(|(_, route)| match self.missed(route) {
            None => true,
            Some(miss) => {
                witness(route, miss);
                false
            }
        })
    }

    /// Why a route is not for this request; `None`: it is.
    fn missed(&self, route: &Route) -> Option<Miss> {
        let matches = &route.matches;
        let any_of = |names: &[Box<str>], this: &str| {
            names.is_empty() || names.iter().any(|name| **name == *this)
        };
        let begins = || matches.prefixes.iter().any(|prefix| self.number.starts_with(&**prefix));
        let whose = match &matches.whose {
            Whose::Ours => self.host.is_none(),
            Whose::Anybody => self.host.is_some(),
            Whose::Domain(domain) => self.host.as_ref().is_some_and(|host| is(domain, host)),
        };
        let checks = [
            (Miss::Domain, whose),
            (Miss::Prefix, matches.prefixes.is_empty() || begins()),
            (Miss::Pattern, matches.pattern.as_ref().is_none_or(|it| it.fits(self.number))),
            (Miss::Method, any_of(&matches.methods, self.method)),
            (
                Miss::Caller,
                matches.callers.is_empty()
                    || self.caller.is_some_and(|caller| any_of(&matches.callers, caller)),
            ),
            (
                Miss::Network,
                matches.networks.is_empty()
                    || matches.networks.iter().any(|network| network.has(self.source.ip())),
            ),
            (
                Miss::Listener,
                matches.listeners.is_empty()
                    || self.listener.is_some_and(|at| matches.listeners.contains(&at)),
            ),
            (Miss::NoNumber, self.can_be_asked_for(route)),
            (Miss::Hours, route.when.as_ref().is_none_or(|hours| hours.has(self.now))),
        ];
        checks.into_iter().find(|(_, fits)| !fits).map(|(miss, _)| miss)
    }
}

impl Asked<'_> {
    /// ENUM asks for global numbers alone.
    fn can_be_asked_for(&self, route: &Route) -> bool {
        let Action::Enum(_) = route.action else { return true };
        match &route.rewrite {
            Some(rewrite) => e164::is_global(&rewrite.apply(self.number)),
            None => e164::is_global(self.number),
        }
    }
}

/// Is a host this domain of the settings?
fn is(domain: &str, host: &Host<'_>) -> bool {
    Host::parse(domain.as_bytes()).is_ok_and(|domain| domain == *host)
}

/// The routes that name a domain, whenever and for whomever they are.
pub(crate) fn of_domain<'r>(
    routes: &'r [Route],
    host: &Host<'_>,
) -> impl Iterator<Item = &'r Route> {
    routes.iter().filter(move |route| match &route.matches.whose {
        Whose::Domain(domain) => is(domain, host),
        Whose::Ours | Whose::Anybody => false,
    })
}

/// Does any route lead to a domain? Asked for a Route that a caller wants visited.
pub(crate) fn lead_to(routes: &[Route], host: &Host<'_>) -> bool {
    let leads = |route: &Route| !matches!(route.action, Action::Deny { .. } | Action::Redirect(_));
    let anybody = routes.iter().any(|route| route.matches.whose == Whose::Anybody && leads(route));
    anybody || of_domain(routes, host).any(leads)
}

#[cfg(test)]
mod tests;
