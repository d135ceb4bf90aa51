//! `Errand`: a request on a route: which, and with what number.

use protocol::Fault;
use protocol::locate::Domain;
use sip::uri::SipUri;
use sip::{Bytes, Message, Uri};

use super::{Dialled, e164};
use crate::proxy::{Onward, Target, Way};
use crate::redirect;
use crate::settings::{Action, Elsewhere, Route, Whose};
use crate::turn::Turn;

/// A request on a route.
#[derive(Clone, Debug)]
pub(crate) struct Errand {
    /// The number of the route, in the settings of this generation.
    pub(crate) route: usize,
    pub(crate) generation: u32,
    /// What was dialled, and how.
    pub(crate) dialled: Dialled,
    /// The number as it goes on.
    pub(crate) number: String,
    /// The Request-URI, as it came.
    pub(crate) uri: Bytes,
}

/// What becomes of a request on a route.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It goes to the first of these that takes it.
    Targets(Vec<Target>),
    /// It goes where the DNS says, when this name is asked for (RFC 6116).
    Ask(Domain),
    /// It goes to the first member of this group that takes it.
    Group(Box<str>),
    /// It is answered: try there.
    Answer(Bytes),
}

impl Errand {
    /// Takes a route.
    pub(crate) fn new(
        generation: u32,
        route: (usize, &Route),
        dialled: Dialled,
        uri: Bytes,
    ) -> Self {
        let (place, route) = route;
        let written = String::from_utf8_lossy(&dialled.user);
        let number = match &route.rewrite {
            Some(rewrite) if !written.is_empty() => rewrite.apply(&written),
            _ => written.into_owned(),
        };
        Self { route: place, generation, dialled, number, uri }
    }

    /// What becomes of the request.
    pub(crate) fn outcome(&self, turn: &Turn<'_>, request: &Message) -> Result<Outcome, Fault> {
        let Some(route) = turn.house.route(self) else { return Err(Fault::NoRoute) };
        match &route.action {
            Action::To(hops) => self.targets(route, hops).map(Outcome::Targets),
            Action::Enum(zone) => {
                let name = Domain::of(zone).and_then(|zone| e164::name_of(&self.number, &zone));
                name.map(Outcome::Ask).ok_or(Fault::NotFound)
            }
            Action::Group(name) => Ok(Outcome::Group(name.clone())),
            Action::Redirect(elsewhere) => {
                let places = redirect::places(elsewhere, self.elsewhere(elsewhere)?);
                let answer = redirect::answer(turn, request, elsewhere.status, &places);
                answer.map(Outcome::Answer).ok_or(Fault::NotFound)
            }
            Action::Deny { status, reason } => Err(Fault::Denied(*status, reason.clone())),
        }
    }

    /// Where the request goes, in the order of the route.
    fn targets(&self, route: &Route, hops: &[Box<str>]) -> Result<Vec<Target>, Fault> {
        if hops.is_empty() {
            return Ok(vec![self.target(route, None)?]);
        }
        hops.iter().map(|hop| self.target(route, Some(hop))).collect()
    }

    /// The request as it goes on to a next hop; `None`: to where the DNS of its domain says. A number is at home wherever it is sent,
    /// so it gets the host of the hop; a user of another domain stays one.
    pub(crate) fn target(&self, route: &Route, hop: Option<&str>) -> Result<Target, Fault> {
        let uri = match (&route.matches.whose, hop) {
            (Whose::Ours, None) => {
                return Err(Fault::Unroutable("The Route of the Number Has No Target"));
            }
            (Whose::Ours, Some(hop)) => self.at(&sip_uri(hop.as_bytes())?),
            (Whose::Domain(_) | Whose::Anybody, _) => self.there()?,
        };
        let way = hop.map_or(Way::Uri, |hop| Way::Hop(Bytes::copy_from_slice(hop.as_bytes())));
        Ok(Target { onward: Onward::Failing(None), ..Target::of(uri, way) })
    }

    /// The Request-URI with the number as it goes on.
    fn there(&self) -> Result<Bytes, Fault> {
        if self.number.as_bytes() == &*self.dialled.user {
            return Ok(self.uri.clone());
        }
        Ok(self.at(&sip_uri(&self.uri)?))
    }

    /// The places where somebody else is: one without a user is asked for the same user.
    fn elsewhere(&self, elsewhere: &Elsewhere) -> Result<Vec<Bytes>, Fault> {
        let place = |uri: &str| {
            let uri = uri.as_bytes();
            let parsed = sip_uri(uri)?;
            Ok(if parsed.user.is_some() { Bytes::copy_from_slice(uri) } else { self.at(&parsed) })
        };
        elsewhere.to.iter().map(|uri| place(uri)).collect()
    }

    fn at(&self, place: &SipUri<'_>) -> Bytes {
        self.dialled.at(&self.number, place).into()
    }
}

/// A URI of the settings.
fn sip_uri(uri: &[u8]) -> Result<SipUri<'_>, Fault> {
    match Uri::parse(uri) {
        Ok(Uri::Sip(uri)) => Ok(uri),
        _ => Err(Fault::Unroutable("The Route Leads to No SIP URI")),
    }
}
