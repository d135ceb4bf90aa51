//! What a request is for, and whether its sender must prove who it is (RFC 3261 §16.4, §16.5, §22).

use protocol::{Fault, Flow, Identity};
use sip::header::{From, Route};
use sip::uri::{Host, unescape};
use sip::{Bytes, Header as _, Message, Method, Uri};

use crate::gate::Asker;
use crate::gruu::{Aim, Phone};
use crate::house::Place;
use crate::outbound::{self, Token};
use crate::proxy::{Plan, Target, Way, came_across};
use crate::routes::{self, Asked, Dialled, Errand, Form, Miss};
use crate::settings::{self, Action, Trust};
use crate::turn::Turn;
use crate::{admission, gate, redirect, regevent};

/// What a request is for.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// Our registrar.
    Register,
    /// What can we do?
    Options,
    /// OPTIONS to a user, with no hop left: we tell how far it came.
    LastHop,
    /// Our registrar, for who watches the registrations of a user.
    Watch(Box<[u8]>),
    /// Somebody who is elsewhere.
    Redirect(Bytes),
    /// A user of ours.
    User(Box<[u8]>),
    /// A user of ours that there is not.
    Nobody,
    /// Somebody elsewhere, whom no route is for.
    Relay(Box<Target>),
    /// What a route is for.
    Routed(Box<Errand>),
}

/// Hears of each route that does not fit, and why.
pub(crate) type Witness<'a> = dyn FnMut(&settings::Route, Miss, &Asked<'_>) + 'a;

/// What a request is for, by its Request-URI, its routes, and what we know.
pub(crate) fn of(
    turn: &Turn<'_>,
    flow: Flow,
    (request, plan): (&Message, &Plan),
    witness: &mut Witness<'_>,
) -> Result<Purpose, Fault> {
    let place = plan.place.as_ref().map_err(|error| Fault::Malformed(*error))?;
    let way = plan.way(turn.house);
    let relay = |way| {
        let onward = plan.target(turn.house);
        let spares = if matches!(way, Way::Across(..)) { onward.spares } else { Vec::new() };
        Ok(Purpose::Relay(Box::new(Target { spares, ..Target::of(plan.uri.clone(), way) })))
    };
    let method = request.method();
    // Between nodes nothing goes but what is sealed for it.
    if came_across(turn.house, flow) && plan.token.flow().is_none() {
        return Err(Fault::ForgedToken);
    }
    match &plan.token {
        Token::Forged => return Err(Fault::ForgedToken),
        Token::Flow(flow) => return relay(Way::Edge(**flow)),
        Token::None => {}
    }
    match place {
        Place::Us | Place::User(_) if method == Some(Method::Register) => Ok(Purpose::Register),
        Place::Us if method == Some(Method::Options) => Ok(Purpose::Options),
        Place::Us if method == Some(Method::Subscribe) => {
            regevent::watched_within(request).map(Purpose::Watch)
        }
        Place::Us => Err(Fault::MethodNotAllowed),
        Place::User(dialled) => match &plan.aim {
            Aim::Anybody if regevent::is_meant(request) => Ok(watch(turn, dialled.user.clone())),
            Aim::Anybody => user_or_number(turn, flow, (request, plan), (dialled.clone(), witness)),
            Aim::Phone(phone) => Ok(phone_of(turn, phone)),
            Aim::Nobody => Ok(Purpose::Nobody),
        },
        Place::Foreign => {
            if turn.house.settings.routes.is_empty() && plan.pass.is_some() {
                return relay(way);
            }
            let Ok(Uri::Sip(uri)) = &Uri::parse(&plan.uri) else { return relay(way) };
            if plan.pass.is_some() {
                return relay(within_a_call(turn, way, &uri.host));
            }
            let nobody = Dialled { user: Box::default(), form: Form::Name };
            let dialled = Dialled::of_sip(uri).unwrap_or(nobody);
            let asked = (Some(uri.host), dialled);
            Ok(match route(turn, flow, (request, plan), (asked, witness)) {
                Some(errand) => Purpose::Routed(Box::new(errand)),
                None => Purpose::Relay(Box::new(Target::of(plan.uri.clone(), way))),
            })
        }
        Place::Unknown if plan.routes.is_empty() => Err(Fault::UnsupportedScheme),
        Place::Unknown => relay(way),
    }
}

/// RFC 5627 §6.1: a GRUU is neither redirected nor taken for a number; it is as valid as its user.
fn phone_of(turn: &Turn<'_>, phone: &Phone) -> Purpose {
    let known = turn.house.knows(&phone.aor) || turn.house.trusts_everybody();
    if known { Purpose::User(phone.aor.clone()) } else { Purpose::Nobody }
}

/// Within a call that was let pass nothing is decided anew: a route says only how its domain is reached.
fn within_a_call(turn: &Turn<'_>, way: Way, host: &Host<'_>) -> Way {
    let mut routes = routes::of_domain(&turn.house.settings.routes, host);
    match (&way, routes.find_map(|route| turn.house.hops(route).next())) {
        (Way::Uri, Some(hop)) => Way::Hop(Bytes::copy_from_slice(hop.as_bytes())),
        _ => way,
    }
}

fn watch(turn: &Turn<'_>, user: Box<[u8]>) -> Purpose {
    let known = turn.house.knows(&user) || turn.house.trusts_everybody();
    if known && turn.is_home_of(&user) { Purpose::Watch(user) } else { Purpose::Nobody }
}

fn user_or_number(
    turn: &Turn<'_>,
    flow: Flow,
    (request, plan): (&Message, &Plan),
    (dialled, witness): (Dialled, &mut Witness<'_>),
) -> Result<Purpose, Fault> {
    // §16.3 step 3: whoever asks how far its OPTIONS can go is answered here.
    if request.method() == Some(Method::Options) && admission::hops(request).is_err() {
        return Ok(Purpose::LastHop);
    }
    if let Some(redirect) = turn.house.redirect(&dialled.user) {
        let uris = redirect.to.to.iter().map(|uri| Bytes::copy_from_slice(uri.as_bytes()));
        let places = redirect::places(&redirect.to, uris.collect());
        let answer = redirect::answer(turn, request, redirect.to.status, &places);
        return answer.map(Purpose::Redirect).ok_or(Fault::NotFound);
    }
    if turn.house.knows(&dialled.user) {
        return Ok(Purpose::User(dialled.user));
    }
    let user = dialled.user.clone();
    match route(turn, flow, (request, plan), ((None, dialled), witness)) {
        Some(errand) => Ok(Purpose::Routed(Box::new(errand))),
        None if turn.house.trusts_everybody() => Ok(Purpose::User(user)),
        None => Ok(Purpose::Nobody),
    }
}

/// The next route of a number, after one that has led nowhere.
pub(crate) fn route_after(
    turn: &Turn<'_>,
    flow: Flow,
    request: (&Message, &Plan),
    before: &Errand,
) -> Option<Errand> {
    let asked = (None, before.dialled.clone());
    let first = (before.generation, before.route.saturating_add(1));
    route_from(turn, flow, request, (asked, &mut |_, _, _| {}), first)
}

/// The route that a request takes. What is no text is no number, and takes none.
fn route(
    turn: &Turn<'_>,
    flow: Flow,
    request: (&Message, &Plan),
    asked: ((Option<Host<'_>>, Dialled), &mut Witness<'_>),
) -> Option<Errand> {
    route_from(turn, flow, request, asked, (turn.house.generation, 0))
}

fn route_from(
    turn: &Turn<'_>,
    flow: Flow,
    (request, plan): (&Message, &Plan),
    ((host, dialled), witness): ((Option<Host<'_>>, Dialled), &mut Witness<'_>),
    (generation, first): (u32, usize),
) -> Option<Errand> {
    let number = std::str::from_utf8(&dialled.user).ok()?.to_owned();
    let caller = caller(turn, request);
    let asked = Asked {
        method: request.method().map_or("", Method::as_str),
        host,
        number: &number,
        caller: caller.as_deref(),
        source: flow.peer,
        listener: turn.house.listener(flow.listener).map(|listener| listener.bound),
        now: turn.now,
    };
    let routes = turn.house.routes(generation);
    let mut witness = |route: &settings::Route, miss: Miss| witness(route, miss, &asked);
    let found = asked.walk(routes, first, &mut witness)?;
    Some(Errand::new(generation, found, dialled, plan.uri.clone()))
}

/// The user of ours who asks, as the From says. Whether that is true is found out before anything is done for it.
fn caller(turn: &Turn<'_>, request: &Message) -> Option<String> {
    let from = request.get::<From>()?;
    let Ok(Uri::Sip(uri)) = Uri::parse(from.uri) else { return None };
    let user = uri.user.filter(|_| turn.house.is_ours(&uri))?;
    String::from_utf8(unescape(user).into_owned()).ok()
}

/// Must the sender prove who it is? For what the settings name, and for everything that leaves the house; not within a dialog that we
/// have let pass, not on a route that is open for where it comes from, and not for the users of a domain that we have a route for, as
/// long as they call ours.
pub(crate) fn must_prove(
    turn: &Turn<'_>,
    flow: Flow,
    request: (&Message, &Plan),
    purpose: &Purpose,
) -> bool {
    let (request, plan) = request;
    if turn.house.trusts_everybody() {
        return false;
    }
    let challenged = request.method().is_some_and(|method| turn.house.challenges(method));
    match purpose {
        // A route leads to somebody who is paid for it: no pass is good for that.
        Purpose::Routed(errand) => {
            let proven = |route: &settings::Route| route.trust == Trust::Proven;
            turn.house.route(errand).is_none_or(proven)
                && !outbound::is_edge_for(turn.house, &plan.uri)
        }
        Purpose::Relay(_) => {
            let welcome = plan.pass.is_some() || plan.token.flow().is_some();
            !welcome && !outbound::is_edge_for(turn.house, &plan.uri)
        }
        Purpose::Register | Purpose::Watch(_) | Purpose::Options | Purpose::LastHop => challenged,
        Purpose::User(_) | Purpose::Nobody | Purpose::Redirect(_) => {
            challenged && plan.pass.is_none() && !is_from_a_peer(turn, flow, request)
        }
    }
}

/// A request whose sender is known: is it refused all the same?
pub(crate) fn permitted(turn: &Turn<'_>, plan: &Plan, purpose: &Purpose) -> Result<(), Fault> {
    if let Some(fault) = purpose.refusal(turn) {
        return Err(fault);
    }
    if purpose.is_for_others(turn) && !may_go(turn, plan, purpose) {
        return Err(Fault::NoRoute);
    }
    Ok(())
}

/// May a request go where it wants to? Within a call that was let pass; otherwise it leaves the house only along a route, whoever asks: a
/// phone that was taken over would be a way to everywhere. A Route that the caller wants visited is no way around that.
fn may_go(turn: &Turn<'_>, plan: &Plan, purpose: &Purpose) -> bool {
    let welcome = plan.pass.is_some() || plan.token.flow().is_some();
    if turn.house.trusts_everybody() || welcome {
        return true;
    }
    let leads = |uri: &[u8]| match Uri::parse(uri) {
        Ok(Uri::Sip(parsed)) => {
            routes::lead_to(&turn.house.settings.routes, &parsed.host)
                || outbound::is_edge_for(turn.house, uri)
        }
        _ => false,
    };
    match plan.routes.first() {
        Some(next) => Route::parse(next).is_ok_and(|next| leads(next.uri)),
        None if matches!(purpose, Purpose::Relay(_)) => {
            outbound::is_edge_for(turn.house, &plan.uri)
        }
        None => true,
    }
}

impl Purpose {
    /// As what we ask for credentials: as a server for what is answered here, else as a proxy. §8.3: what a redirected request requires
    /// is for those to whom it goes next.
    pub(crate) fn asker(&self, turn: &Turn<'_>) -> Asker {
        if self.is_for_others(turn) && !turn.house.only_redirects() {
            Asker::Proxy
        } else {
            Asker::Server
        }
    }

    /// Is it for somebody else than this server?
    fn is_for_others(&self, turn: &Turn<'_>) -> bool {
        match self {
            Self::Register | Self::Watch(_) | Self::Options | Self::Redirect(_) | Self::LastHop => {
                false
            }
            Self::User(_) | Self::Nobody | Self::Relay(_) => true,
            Self::Routed(errand) => {
                let action = turn.house.route(errand).map(|route| &route.action);
                !matches!(action, Some(Action::Redirect(_)))
            }
        }
    }

    /// What is refused, though it was understood: said only to those who may know.
    fn refusal(&self, turn: &Turn<'_>) -> Option<Fault> {
        match self {
            Self::Nobody => Some(Fault::NotFound),
            Self::Routed(errand) => match &turn.house.route(errand)?.action {
                Action::Deny { status, reason } => Some(Fault::Denied(*status, reason.clone())),
                _ => None,
            },
            _ => None,
        }
    }
}

/// True for a request of another domain that we have a route for: whoever has proven a domain is that one, wherever it calls from, and no
/// other; of the rest the address counts that the route names (RFC 5922 §7.4).
fn is_from_a_peer(turn: &Turn<'_>, flow: Flow, request: &Message) -> bool {
    if gate::claims_to_be_ours(turn, request) {
        return false;
    }
    let Some(from) = request.get::<From>() else { return false };
    let Ok(Uri::Sip(from)) = Uri::parse(from.uri) else { return false };
    let mut routes = routes::of_domain(&turn.house.settings.routes, &from.host);
    if !flow.identity.is_none() {
        let is_it = flow.identity == Identity::of(&from.host.to_string());
        return is_it && routes.any(|route| matches!(route.action, Action::To(_)));
    }
    routes.any(|route| match &route.action {
        Action::To(hops) if hops.is_empty() => true,
        _ => turn.house.hops(route).any(|hop| is_at(flow, hop)),
    })
}

/// True when a flow comes from the number that a hop names, or may come from its name.
fn is_at(flow: Flow, hop: &str) -> bool {
    match Uri::parse(hop.as_bytes()) {
        Ok(Uri::Sip(hop)) => {
            hop.host.ip().is_none_or(|ip| ip.to_canonical() == flow.peer.ip().to_canonical())
        }
        _ => true,
    }
}
