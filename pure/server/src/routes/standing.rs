//! `Standing`: whose server stands at a number. Servers write their numbers into Record-Route and Contact, and their certificates have names: a route
//! that leads a domain there says which (RFC 5922 §7.3).

use std::net::{IpAddr, SocketAddr};

use protocol::Transport;
use protocol::locate::{Hop, Means, Target};
use sip::Uri;

use crate::settings::{Action, Route, Whose};

/// The domains whose servers stand at numbers, by transport and address.
#[derive(Debug, Default)]
pub(crate) struct Standing(Vec<((Transport, SocketAddr), Box<str>)>);

impl Standing {
    /// What the routes say.
    pub(crate) fn of(routes: &[Route], means: &Means) -> Self {
        let mut all = Vec::new();
        for route in routes {
            let (Whose::Domain(domain), Action::To(hops)) = (&route.matches.whose, &route.action)
            else {
                continue;
            };
            let found = hops.iter().filter_map(|hop| at_once(hop, means)).flatten();
            let secure = found.filter(|target| target.transport.is_secure());
            all.extend(secure.map(|target| ((target.transport, target.address), domain.clone())));
        }
        Self(all)
    }

    /// Whoever is asked for by a number alone must be the one who stands there.
    pub(crate) fn name(&self, targets: &mut [Target]) {
        for target in targets.iter_mut().filter(|target| target.domain.parse::<IpAddr>().is_ok()) {
            let here = (target.transport, target.address);
            if let Some((_, domain)) = self.0.iter().find(|(at, _)| *at == here) {
                target.domain = domain.clone();
            }
        }
    }
}

fn at_once(hop: &str, means: &Means) -> Option<Vec<Target>> {
    let Ok(Uri::Sip(uri)) = Uri::parse(hop.as_bytes()) else { return None };
    Hop::of_uri(&uri).ok()?.at_once(means)?.ok()
}

#[cfg(test)]
mod tests {
    use protocol::locate::Families;

    use super::*;

    #[test]
    fn who_is_asked_for_by_number_is_who_stands_there() {
        let means =
            Means { transports: vec![Transport::Udp, Transport::Tls], families: Families::V4 };
        let routes = ["sip:192.0.2.20:5061;transport=tls", "sip:192.0.2.20:5060", "sip:b.test"]
            .map(|hop| Route::domain("biloxi.test", Some(hop)));
        let standing = Standing::of(&routes, &means);
        let named = |hop: &str| {
            let mut targets = at_once(hop, &means).unwrap();
            standing.name(&mut targets);
            targets[0].domain.to_string()
        };
        assert_eq!(named("sip:192.0.2.20:5061;transport=tls"), "biloxi.test");
        assert_eq!(named("sips:x@192.0.2.20"), "biloxi.test");
        // Another port, another number, and where nobody has to prove a name.
        assert_eq!(named("sip:192.0.2.20:5071;transport=tls"), "192.0.2.20");
        assert_eq!(named("sips:192.0.2.21"), "192.0.2.21");
        assert_eq!(named("sip:192.0.2.20"), "192.0.2.20");
    }
}
