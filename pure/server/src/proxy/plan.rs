//! `Plan`: what the routes of a request say, before anybody is asked where its target is (RFC 3261 §16.4).

use machine::Time;
use protocol::{Flow, Transport};
use sip::header::Route;
use sip::uri::{Host, HostPort, SipUri};
use sip::{Bytes, Header as _, Message, Name, Params, ParseError, Uri};

use super::across;
use super::pass::{End, Shown};
use super::target::{Target, Way};
use crate::calls::Number;
use crate::gruu::Aim;
use crate::house::{House, Place};
use crate::limits;
use crate::outbound::Token;
use crate::seal::Seal;

/// A request as it looks once our own routes are taken off.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The Request-URI to go by.
    pub(crate) uri: Bytes,
    /// Whom it points to, when it can be read.
    pub(crate) place: Result<Place, ParseError>,
    /// The Route values that are left, as written.
    pub(crate) routes: Vec<Bytes>,
    /// True when the Route rows must be written anew.
    pub(crate) rerouted: bool,
    /// The pass that one of our routes carried.
    pub(crate) pass: Option<Box<Shown>>,
    /// The flow that one of our routes named.
    pub(crate) token: Token,
    /// Whom of a user of ours the Request-URI names.
    pub(crate) aim: Aim,
    /// The user of ours who has proven to have sent it; when there was a need to prove it.
    pub(crate) proven: Option<Box<[u8]>>,
    /// The call that it begins, when that is followed.
    pub(crate) call: Number,
}

impl Plan {
    /// Reads the routes of a request.
    pub(crate) fn of(
        request: &Message,
        (came, now): (Flow, Time),
        house: &House,
        seal: &Seal,
    ) -> Self {
        let keep = |part: &[u8]| request.wire().slice_ref(part);
        let mut plan = Self {
            uri: keep(request.request_uri().unwrap_or_default()),
            place: Ok(Place::Unknown),
            routes: match request.has(Name::Route) {
                true => request.elements(Name::Route).take(limits::ROUTES + 1).map(keep).collect(),
                false => Vec::new(),
            },
            rerouted: false,
            pass: None,
            token: Token::None,
            aim: Aim::Anybody,
            proven: None,
            call: Number::default(),
        };
        if plan.routes.len() > limits::ROUTES {
            // To pass some of them on would be to lead it elsewhere.
            plan.place = Err(ParseError { what: "number of Routes", at: 0 });
            return plan;
        }
        plan.undo_strict_routing(request, house, seal);
        plan.strip_our_maddr(came, house);
        plan.take_off_ours(request, (came, now), (house, seal));
        (plan.place, plan.aim) = read(&plan.uri, house);
        plan
    }

    /// A request without routes, sent anew to another URI.
    pub(crate) fn to(uri: Bytes, house: &House) -> Self {
        let (place, aim) = read(&uri, house);
        let (routes, token) = (Vec::new(), Token::None);
        let call = Number::default();
        Self { uri, place, routes, rerouted: false, pass: None, token, aim, proven: None, call }
    }

    /// The way onward: that which our pass remembers, when nobody else must be visited first.
    pub(crate) fn way(&self, house: &House) -> Way {
        let shown = self.pass.as_ref().filter(|_| self.routes.is_empty());
        let onward = shown.and_then(|shown| shown.onward);
        let Some(End { flow, node }) = onward else { return Way::Uri };
        let us = house.settings.cluster.map(|cluster| cluster.us);
        match node {
            None => Way::Flow(flow),
            Some(node) if us.is_none_or(|us| us.at != node.at) => Way::Across(node.into(), flow),
            Some(node) if us == Some(node) || flow.connection == 0 => Way::Flow(flow),
            // Of an earlier life.
            Some(_) => Way::Uri,
        }
    }

    /// Where the way onward leads; should the node be gone that has its flow, the phone is tried without it.
    pub(crate) fn target(&self, house: &House) -> Target {
        let way = self.way(house);
        let direct = match way {
            Way::Across(_, flow) if flow.connection == 0 => {
                let ip = flow.peer.ip();
                let here = house.listener_for(flow.transport, ip, flow.listener);
                here.map_or(Way::Uri, |listener| Way::Flow(Flow::to(listener, flow.peer)))
            }
            _ => Way::Uri,
        };
        let across = matches!(way, Way::Across(..));
        let spares = across.then(|| Target::of(self.uri.clone(), direct)).into_iter().collect();
        Target { spares, ..Target::of(self.uri.clone(), way) }
    }

    /// A strict router before us put our Record-Route into the Request-URI: what it replaced is the last route.
    fn undo_strict_routing(&mut self, request: &Message, house: &House, seal: &Seal) {
        if self.routes.is_empty() || !may_have(&self.uri, "lr") {
            return;
        }
        let Ok(Uri::Sip(uri)) = Uri::parse(&self.uri) else { return };
        if !uri.is_loose() || !house.is_ours(&uri) {
            return;
        }
        let Some(shown) = uri.user.and_then(|user| seal.read(user, request)) else { return };
        self.pass = Some(Box::new(shown));
        self.rerouted = true;
        let last = self
            .routes
            .pop()
            .and_then(|last| Route::parse(&last).ok().map(|route| last.slice_ref(route.uri)));
        self.uri = last.unwrap_or_default();
    }

    /// An `maddr` that is us has done its work once the request came as it says: by that port and transport.
    fn strip_our_maddr(&mut self, came: Flow, house: &House) {
        if !may_have(&self.uri, "maddr") {
            return;
        }
        let Ok(Uri::Sip(uri)) = Uri::parse(&self.uri) else { return };
        let Some(Ok(maddr)) = uri.params.get("maddr").map(Host::parse) else { return };
        let transport = match uri.transport() {
            Some(token) => Transport::of(token),
            None if uri.secure => Some(Transport::Tls),
            None => Some(Transport::Udp),
        };
        let Some(transport) = transport else { return };
        let port = uri.port.unwrap_or(transport.default_port());
        let by = house.listener(came.listener);
        let as_it_says =
            came.transport == transport && by.is_some_and(|listener| listener.bound.port() == port);
        let at = HostPort { host: maddr, port: Some(port) };
        if !as_it_says || !house.ours.has_address(&at, port) {
            return;
        }
        let mut params = Vec::new();
        let spent =
            |name: &str| ["maddr", "transport"].iter().any(|n| n.eq_ignore_ascii_case(name));
        for param in uri.params.iter().filter(|param| !spent(param.name)) {
            param.write(&mut params);
        }
        let mut stripped = Vec::with_capacity(self.uri.len());
        SipUri { port: None, params: Params::new(&params), ..uri }.write(&mut stripped);
        self.uri = stripped.into();
    }

    /// Takes off every route at the top that is us: two, when we changed the transport.
    fn take_off_ours(
        &mut self,
        request: &Message,
        (came, now): (Flow, Time),
        (house, seal): (&House, &Seal),
    ) {
        let mut taken = 0;
        for route in &self.routes {
            let Some(uri) = sip_uri(route) else { break };
            let shown = uri.user.and_then(|user| seal.read(user, request));
            // What another node of our cluster has signed is as good as ours: that node may be gone.
            let common = house.settings.cluster.is_some() && shown.is_some();
            if !common && !house.is_ours(&uri) {
                break;
            }
            self.pass = shown.map(Box::new).or(self.pass.take());
            if shown.is_none() && self.token == Token::None {
                self.token = match across::named(house, (&uri, request), now) {
                    Some(flow) if across::came(house, came) => Token::Flow(flow.into()),
                    _ => Token::of(&uri, came, house),
                };
            }
            self.rerouted = true;
            taken += 1;
        }
        self.routes.drain(..taken);
    }
}

/// Does a request show a pass of ours where we shall look for it: in the first of its routes, or where a strict router has put it?
pub(crate) fn shows_pass(house: &House, request: &Message) -> bool {
    let is_pass =
        |uri: &SipUri<'_>| uri.user.is_some_and(|user| house.seal.read(user, request).is_some());
    let mut routes = request.elements(Name::Route).take(OURS);
    let asked = || Uri::parse(request.request_uri().unwrap_or_default());
    routes.any(|route| sip_uri(route).is_some_and(|uri| is_pass(&uri)))
        || request.has(Name::Route) && matches!(asked(), Ok(Uri::Sip(uri)) if is_pass(&uri))
}

/// Routes of ours at the top of a request, at most: one for each side, where transports or nodes differ.
const OURS: usize = 4;

/// Whom a URI points to, and whom of a user it names.
fn read(uri: &[u8], house: &House) -> (Result<Place, ParseError>, Aim) {
    match Uri::parse(uri) {
        Ok(uri) => (Ok(house.place(&uri)), Aim::of(&uri, house)),
        Err(error) => (Err(error), Aim::Anybody),
    }
}

/// False for a URI that has no such parameter: most have none at all, and need not be read to see that.
fn may_have(uri: &[u8], param: &str) -> bool {
    let mut parts = uri.split(|octet| *octet == b';').skip(1);
    uri.contains(&b';')
        && parts.any(|part| {
            part.get(..param.len()).is_some_and(|name| name.eq_ignore_ascii_case(param.as_bytes()))
        })
}

/// The SIP URI of a Route value.
pub(crate) fn sip_uri(route: &[u8]) -> Option<SipUri<'_>> {
    let route = Route::parse(route).ok()?;
    match Uri::parse(route.uri).ok()? {
        Uri::Sip(uri) => Some(uri),
        Uri::Tel(_) | Uri::Other(..) => None,
    }
}
