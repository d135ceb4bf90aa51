//! What a request is for, and whether its sender must prove who it is (RFC 3261 §16.4, §16.5, §22).

use protocol::{Fault, Flow};
use sip::header::Route;
use sip::{Bytes, Header as _, Message, Method, Uri};

use crate::gruu::{Aim, Phone};
use crate::house::Place;
use crate::outbound::{self, Token};
use crate::proxy::{Plan, Target, Way};
use crate::settings::Match;
use crate::turn::Turn;
use crate::{admission, gate, redirect};

/// What a request is for.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// Our registrar.
    Register,
    /// What can we do?
    Options,
    /// OPTIONS to a user, with no hop left: we tell how far it came.
    LastHop,
    /// Somebody who is elsewhere.
    Redirect(Bytes),
    /// A user of ours.
    User(Box<[u8]>),
    /// A user of ours that there is not.
    Nobody,
    /// Somebody elsewhere.
    Relay(Box<Target>),
    /// A number that a route is for.
    Number(Box<Target>),
}

/// What a request is for, by its Request-URI, its routes, and what we know.
pub(crate) fn of(turn: &Turn<'_>, request: &Message, plan: &Plan) -> Result<Purpose, Fault> {
    let uri = Uri::parse(&plan.uri).map_err(Fault::Malformed)?;
    let way = plan.onward().map_or(Way::Uri, Way::Flow);
    let relay = |way| Ok(Purpose::Relay(Box::new(Target::of(plan.uri.clone(), way))));
    let method = request.method();
    match plan.token {
        Token::Forged => return Err(Fault::ForgedToken),
        Token::Flow(flow) => return relay(Way::Edge(flow)),
        Token::None => {}
    }
    match turn.house.place(&uri) {
        Place::Us | Place::User(_) if method == Some(Method::Register) => Ok(Purpose::Register),
        Place::Us if method == Some(Method::Options) => Ok(Purpose::Options),
        Place::Us => Err(Fault::MethodNotAllowed),
        Place::User(user) => match &plan.aim {
            Aim::Anybody => user_or_number(turn, request, plan, user),
            Aim::Phone(phone) => Ok(phone_of(turn, phone)),
            Aim::Nobody => Ok(Purpose::Nobody),
        },
        Place::Foreign => {
            let host = uri.sip().map(|uri| uri.host);
            let route = host.and_then(|host| turn.house.route_for(&host));
            match (&way, route.and_then(|route| route.to.as_deref())) {
                (Way::Uri, Some(to)) => relay(Way::Hop(Bytes::copy_from_slice(to.as_bytes()))),
                _ => relay(way),
            }
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

fn user_or_number(
    turn: &Turn<'_>,
    request: &Message,
    plan: &Plan,
    user: Box<[u8]>,
) -> Result<Purpose, Fault> {
    // §16.3 step 3: whoever asks how far its OPTIONS can go is answered here.
    if request.method() == Some(Method::Options) && admission::hops(request).is_err() {
        return Ok(Purpose::LastHop);
    }
    if let Some(redirect) = redirect::of(turn, &user) {
        let answer = redirect::answer(turn, request, redirect);
        return answer.map(Purpose::Redirect).ok_or(Fault::NotFound);
    }
    if turn.house.knows(&user) {
        return Ok(Purpose::User(user));
    }
    let route = turn.house.route_for_number(&user);
    if let Some(to) = route.and_then(|route| route.to.as_deref()) {
        return number_to(to, &user, plan);
    }
    if turn.house.trusts_everybody() { Ok(Purpose::User(user)) } else { Ok(Purpose::Nobody) }
}

/// A number that a route is for: the same user, at the host that the route names.
fn number_to(to: &str, user: &[u8], plan: &Plan) -> Result<Purpose, Fault> {
    let fault = Fault::Unroutable("The Route of the Number Is No SIP URI");
    let Ok(Uri::Sip(hop)) = Uri::parse(to.as_bytes()) else { return Err(fault) };
    let user = sip::uri::escape_user(user);
    let mut uri = Vec::with_capacity(plan.uri.len());
    sip::uri::SipUri { user: Some(&user), password: None, ..hop }.write(&mut uri);
    let hop = Way::Hop(Bytes::copy_from_slice(to.as_bytes()));
    Ok(Purpose::Number(Box::new(Target::of(uri.into(), hop))))
}

/// Must the sender prove who it is? For what the settings name, and for everything that leaves the house; not within a dialog that we
/// have let pass, and not for the users of a domain that we have a route for, as long as they call ours.
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
        // A number leads to somebody who is paid for it: no pass is good for that.
        Purpose::Number(_) => true,
        Purpose::Relay(_) => {
            let welcome = plan.pass.is_some() || plan.token.flow().is_some();
            !welcome && !outbound::is_edge_for(turn.house, &plan.uri)
        }
        Purpose::Register | Purpose::Options | Purpose::LastHop => challenged,
        Purpose::User(_) | Purpose::Nobody | Purpose::Redirect(_) => {
            challenged && plan.pass.is_none() && !is_from_a_peer(turn, flow, request)
        }
    }
}

/// May a request go where it wants to? Within a call that was let pass; otherwise it leaves the house only for a domain that a route
/// is for, whoever asks: a phone that was taken over would be a way to everywhere.
pub(crate) fn may_go(turn: &Turn<'_>, plan: &Plan, purpose: &Purpose) -> bool {
    let welcome = plan.pass.is_some() || plan.token.flow().is_some();
    if turn.house.trusts_everybody() || welcome {
        return true;
    }
    let routed = |uri: &[u8]| match Uri::parse(uri) {
        Ok(Uri::Sip(parsed)) => {
            turn.house.route_for(&parsed.host).is_some() || outbound::is_edge_for(turn.house, uri)
        }
        _ => false,
    };
    match (plan.routes.first(), purpose) {
        (Some(next), _) => Route::parse(next).is_ok_and(|next| routed(next.uri)),
        (None, Purpose::Relay(_)) => routed(&plan.uri),
        (None, _) => true,
    }
}

/// True for a request of another domain that we have a route for, from the address that the route names.
fn is_from_a_peer(turn: &Turn<'_>, flow: Flow, request: &Message) -> bool {
    if gate::claims_to_be_ours(turn, request) {
        return false;
    }
    let Some(from) = request.get::<sip::header::From>() else { return false };
    let Ok(Uri::Sip(from)) = Uri::parse(from.uri) else { return false };
    let Some(route) = turn.house.route_for(&from.host) else { return false };
    let Match::Domain(_) = route.matches else { return false };
    match route.to.as_deref().map(|to| Uri::parse(to.as_bytes())) {
        Some(Ok(Uri::Sip(hop))) => {
            hop.host.ip().is_none_or(|ip| ip.to_canonical() == flow.peer.ip().to_canonical())
        }
        _ => true,
    }
}
