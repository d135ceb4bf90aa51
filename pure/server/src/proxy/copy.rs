//! The copy that is forwarded (RFC 3261 §16.6 steps 1–6, 8 and 10): one edit, everything else as it came.

use protocol::transaction::Trace;
use protocol::{Fault, Flow, Listener, Transport};
use sip::header::{CSeq, MaxBreadth, MaxForwards, ProxyAuthorization, Require, Route, Via};
use sip::uri::SipUri;
use sip::{Bytes, Edit, Header as _, Message, Method, Name, Uri};

use super::across;
use super::branch::{self, OurBranch};
use super::history::Past;
use super::pass::{End, Pass};
use super::plan::{Plan, sip_uri};
use super::target::{Target, Way};
use super::{identity, session_timer};
use crate::admission::lists;
use crate::house::{House, Place};
use crate::limits;
use crate::location::flow_to_keep;
use crate::outbound;
use crate::seal::Seal;

/// What all copies of one request share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Original<'a> {
    pub(crate) house: &'a House,
    pub(crate) seal: &'a Seal,
    pub(crate) request: &'a Message,
    pub(crate) plan: &'a Plan,
    /// How the request came.
    pub(crate) came: Flow,
    /// What its copies tell of how it came to be where it is.
    pub(crate) past: Option<&'a Past>,
}

/// One copy: where it goes, and what is its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Copy<'a> {
    pub(crate) target: &'a Target,
    pub(crate) flow: Flow,
    /// What makes its branch unique.
    pub(crate) unique: u32,
    pub(crate) breadth: u32,
}

/// A copy as it goes out.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) wire: Bytes,
    /// The branch of its top Via.
    pub(crate) branch: OurBranch,
    /// Of an INVITE: what is kept of it when it has been heard.
    pub(crate) trace: Option<Trace>,
}

/// Request-URI and routes of a copy, as the next hop must see them.
#[derive(Clone, Debug)]
pub(crate) struct Routing {
    /// Nothing: that of the target, as it is.
    uri: Option<Bytes>,
    pub(crate) routes: Box<[Bytes]>,
    /// True for a `sips` URI.
    pub(crate) secure: bool,
    changed: bool,
}

impl Routing {
    /// The target's Path, then the routes that are left; turned around for a strict router (§16.6 step 6).
    pub(crate) fn of(plan: &Plan, target: &Target) -> Self {
        let mut routes = target.path.clone();
        routes.extend(plan.routes.iter().cloned());
        let changed = plan.rerouted || !target.path.is_empty();
        // §26.2.2, RFC 5630 §5.1: who was asked for by a SIPS URI is not told in the open, wherever it is.
        let (uri, secure) = (clean(&target.uri), is_sips(&target.uri) || is_sips(&plan.uri));
        let strict =
            routes.first().and_then(|first| sip_uri(first)).is_some_and(|uri| !uri.is_loose());
        if !strict {
            return Self { uri, routes: routes.into(), secure, changed };
        }
        let first = routes.remove(0);
        let last = uri.as_ref().unwrap_or(&target.uri);
        routes.push([b"<", &**last, b">"].concat().into());
        let (uri, secure) = match Route::parse(&first) {
            Ok(route) => {
                let uri = first.slice_ref(route.uri);
                (Some(clean(&uri).unwrap_or(uri)), secure || is_sips(route.uri))
            }
            Err(_) => (uri, secure),
        };
        Self { uri, routes: routes.into(), secure, changed: true }
    }

    /// The Request-URI of a copy for this target.
    pub(crate) fn uri<'a>(&'a self, target: &'a Target) -> &'a Bytes {
        self.uri.as_ref().unwrap_or(&target.uri)
    }

    /// The URI of the next hop: that of a strict router is in the Request-URI already (§16.6 step 7).
    pub(crate) fn next<'a>(&'a self, plan: &'a Plan, target: &'a Target) -> Option<&'a [u8]> {
        if let Way::Hop(hop) = &target.way
            && self.routes.is_empty()
        {
            return Some(hop);
        }
        let first = target.path.first().or(plan.routes.first());
        match first.map(|first| Route::parse(first)) {
            Some(Ok(route)) => Some(route.uri),
            Some(Err(_)) => None,
            None => Some(self.uri(target)),
        }
    }
}

impl Original<'_> {
    /// Writes a copy.
    pub(crate) fn copy(&self, routing: &Routing, copy: &Copy<'_>) -> Result<Written, Fault> {
        let (request, branch) = (self.request, self.branch(copy));
        let (mut edit, uri) = (request.edit(), routing.uri(copy.target));
        if request.request_uri() != Some(uri) {
            edit.request_uri(uri);
        }
        match request.get::<MaxForwards>() {
            Some(MaxForwards(hops)) => edit.replace(&MaxForwards(hops.saturating_sub(1))),
            None => edit.append(&MaxForwards(limits::HOPS)),
        };
        let breadth = request.get::<MaxBreadth>().map(|MaxBreadth(breadth)| breadth);
        if breadth != Some(copy.breadth) || request.rows(Name::MaxBreadth).count() > 1 {
            edit.remove_all(Name::MaxBreadth).append(&MaxBreadth(copy.breadth));
        }
        self.record_routes(routing, copy, &mut edit);
        self.add_path(routing, copy, &mut edit);
        let via = self.via(copy, &branch);
        edit.push_raw(Name::Via, &via);
        let routes = routing.routes.join(&b", "[..]);
        if routing.changed {
            edit.remove_all(Name::Route);
            if !routes.is_empty() {
                edit.push_raw(Name::Route, &routes);
            }
        }
        self.consume_credentials(&mut edit);
        identity::assert(self, copy.flow.peer.ip(), &mut edit);
        if let Some(past) = self.past {
            past.write((self.house, request), copy.flow.peer.ip(), &mut edit);
        }
        session_timer::ask(self.house.settings.proxy.session_timer, request, &mut edit);
        if copy.flow.transport.is_reliable() && !request.has(Name::ContentLength) {
            edit.measured();
        }
        let wire = edit.octets().map_err(|malformed| Fault::Malformed(malformed.error))?;
        let trace = match request.method() {
            Some(Method::Invite) => Trace::of(request, uri, &via, &routes),
            _ => None,
        };
        Ok(Written { wire, branch, trace })
    }

    /// Credentials for our realm end here: nobody else has a use for them. Those for others pass (§22.3).
    fn consume_credentials(&self, edit: &mut Edit<'_>) {
        let realm = &*self.house.settings.realm;
        let rows: Vec<_> = self.request.rows(Name::ProxyAuthorization).collect();
        let ours = |row: &&[u8]| {
            ProxyAuthorization::parse(row)
                .is_ok_and(|value| value.0.text("realm").as_deref() == Some(realm))
        };
        if !rows.iter().any(ours) {
            return;
        }
        edit.remove_all(Name::ProxyAuthorization);
        for row in rows.iter().filter(|row| !ours(row)) {
            edit.push_raw(Name::ProxyAuthorization, row);
        }
    }

    /// The branch of a copy.
    fn branch(&self, copy: &Copy<'_>) -> OurBranch {
        let below = self.request.elements(Name::Via).next().unwrap_or_default();
        OurBranch::above(below, self.seal, (self.loop_hash(), copy.unique))
    }

    /// Our Via.
    fn via(&self, copy: &Copy<'_>, branch: &OurBranch) -> Vec<u8> {
        let sent_by =
            self.house.listener(copy.flow.listener).map_or("", |listener| &listener.advertised);
        let transport = copy.flow.transport;
        let mut text = Vec::with_capacity(128);
        for part in ["SIP/2.0/", transport.token(), " ", sent_by, ";branch="] {
            text.extend_from_slice(part.as_bytes());
        }
        text.extend_from_slice(branch.as_bytes());
        if self.asks_for_load(copy) {
            text.extend_from_slice(b";oc;oc-algo=\"loss\"");
        }
        // RFC 5923 §8.1: where we are known by our certificate, requests to us may come by this connection.
        text.extend_from_slice(match transport {
            Transport::Udp => b";rport",
            Transport::Tls => b";alias",
            Transport::Tcp | Transport::Ws | Transport::Wss => b"",
        });
        text
    }

    /// Is it another server that this goes to, and do we want to know how much we may send it (RFC 7339 §5.1)? A phone has no use for it.
    fn asks_for_load(&self, copy: &Copy<'_>) -> bool {
        self.house.settings.overload.feedback
            && match copy.target.way {
                Way::Hop(_) => true,
                Way::Uri => matches!(self.plan.place, Ok(Place::Foreign)),
                _ => false,
            }
    }

    /// What decides where a request goes (§16.6 step 8, RFC 5393 §4.2.1): not its method, so that CANCEL and ACK have the branch of
    /// their INVITE.
    pub(crate) fn loop_hash(&self) -> u64 {
        let request = self.request;
        let cseq = request.get::<CSeq>().map_or(0, |cseq| cseq.number).to_be_bytes();
        let from = request.from_tag().unwrap_or_default();
        let to = request.to_tag().unwrap_or_default();
        let parts = [&self.plan.uri, request.call_id(), from, to, &cseq];
        let routes = self.plan.routes.iter().map(|route| &**route);
        let rows = request.rows(Name::ProxyRequire);
        self.seal.mark(parts.into_iter().chain(routes).chain(rows))
    }

    /// True when this very request has been here before (§16.3 step 4).
    pub(crate) fn is_looping(&self) -> bool {
        let mut hash = None;
        let mut again = |via: &Via<'_>| {
            let part = via.branch().and_then(branch::loop_part);
            let theirs = part.filter(|_| self.house.ours.wrote(via));
            theirs.is_some_and(|theirs| theirs == *hash.get_or_insert_with(|| self.loop_hash()))
        };
        // Nearly all come from phones: the branch of the first is known, and none of ours.
        let first = self.request.branch().and_then(branch::loop_part).is_none();
        let vias = self.request.elements(Name::Via).take(limits::VIAS).skip(first.into());
        vias.filter_map(|via| Via::parse(via).ok()).any(|via| again(&via))
    }

    /// Our Record-Routes, the topmost first: one for each side when the sides differ, so that each sees a way it can go (RFC 5658
    /// §3.3). Only for requests that can begin or renew a dialog.
    fn record_routes(&self, routing: &Routing, copy: &Copy<'_>, edit: &mut Edit<'_>) {
        if !self.request.method().is_some_and(makes_a_dialog) {
            return;
        }
        // The node that has sent it here has named this one already.
        if across::came(self.house, self.came) {
            return;
        }
        let user = self.seal.write(self.request, &self.ends(copy));
        let (out, back) = (self.listener_beyond(copy), self.came.listener);
        let other = if out == back { None } else { self.house.listener(back) };
        for listener in self.house.listener(out).into_iter().chain(other) {
            let write = |text: &mut Vec<u8>| us(routing, listener, (&user, ""), text);
            edit.push_written(Name::RecordRoute, write);
        }
    }

    /// Our Path, for a phone of another registrar that must be found again by its flow: the token stands below, where the phone is,
    /// and above it, when the sides differ, what the registrar can reach (RFC 5626 §5.1, RFC 3608 §6.2). Whoever cannot keep it is to say
    /// so, or nobody would find the phone (RFC 3327 §5.2).
    fn add_path(&self, routing: &Routing, copy: &Copy<'_>, edit: &mut Edit<'_>) {
        let Some(token) = outbound::token_for(self.house, self.request, self.came) else { return };
        let (out, back) = (copy.flow.listener, self.came.listener);
        let Some(near) = self.house.listener(back) else { return };
        let far = if out == back { None } else { self.house.listener(out) };
        if let Some(far) = far {
            edit.push_written(Name::Path, |text| us(routing, far, ("", ""), text));
        }
        edit.push_written(Name::Path, |text| us(routing, near, (&token, ";ob"), text));
        if !lists::<Require<'_>>(self.request, "path") {
            edit.append_raw(Name::Require.as_str(), b"path");
        }
    }

    /// The ends that need more than their Contacts.
    fn ends(&self, copy: &Copy<'_>) -> Pass {
        let direct =
            self.request.elements(Name::Via).count() == 1 && !self.request.has(Name::RecordRoute);
        let contact = self.request.get::<sip::header::Contact>();
        let contact =
            contact.as_ref().and_then(|contact| contact.address()).map(|address| address.uri);
        let near =
            contact.filter(|_| direct).and_then(|uri| flow_to_keep(self.came, self.request, uri));
        let node = self.house.settings.cluster.map(|cluster| cluster.us);
        let ours = |flow: Flow| End { flow, node };
        let far = match &copy.target.way {
            Way::Across(node, flow) => Some(End { flow: *flow, node: Some(**node) }),
            _ => copy.target.way.flow().map(ours),
        };
        Pass { near: near.map(ours), far }
    }

    /// The listener by which the other side finds us: beyond another node it is one of the phone's own kind.
    fn listener_beyond(&self, copy: &Copy<'_>) -> u16 {
        let Way::Across(_, flow) = &copy.target.way else { return copy.flow.listener };
        let ip = self.came.peer.ip();
        let listener = self.house.listener_for(flow.transport, ip, flow.listener);
        listener.map_or(self.came.listener, |listener| listener.number)
    }
}

/// Ourselves at a listener, for routes: `<sip:user@host:port;transport=…;lr>`, with what comes behind it.
fn us(routing: &Routing, listener: &Listener, (user, tail): (&str, &str), text: &mut Vec<u8>) {
    let first = routing.routes.first().and_then(|first| sip_uri(first));
    let secure = routing.secure || first.is_some_and(|uri| uri.secure);
    let at = if user.is_empty() { "" } else { "@" };
    let (key, transport) = match (listener.transport, secure) {
        (Transport::Udp, _) | (Transport::Tls, true) => ("", ""),
        (transport, _) => (";transport=", transport.uri_token()),
    };
    let scheme = if secure { "<sips:" } else { "<sip:" };
    for part in [scheme, user, at, &listener.advertised, key, transport, ";lr", tail, ">"] {
        text.extend_from_slice(part.as_bytes());
    }
}

/// Methods that begin a dialog or renew its targets, and all that we do not know (§16.6 step 4).
fn makes_a_dialog(method: Method<'_>) -> bool {
    match method {
        Method::Invite
        | Method::Subscribe
        | Method::Notify
        | Method::Refer
        | Method::Update
        | Method::Other(_) => true,
        Method::Ack
        | Method::Bye
        | Method::Cancel
        | Method::Register
        | Method::Options
        | Method::Prack
        | Method::Info
        | Method::Message
        | Method::Publish => false,
    }
}

/// True for a SIPS URI.
pub(super) fn is_sips(uri: &[u8]) -> bool {
    uri.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"sips:"))
}

/// A URI as it may stand in a request line, without `method` and headers (§16.6 step 2, §19.1.1); nothing, when it may as it is.
fn clean(uri: &Bytes) -> Option<Bytes> {
    // Most have nothing behind their host.
    if !uri.iter().any(|octet| matches!(octet, b';' | b'?')) {
        return None;
    }
    let Ok(Uri::Sip(sip)) = Uri::parse(uri) else { return None };
    if sip.headers.is_none() && !sip.params.has("method") {
        return None;
    }
    let mut params = Vec::new();
    for param in sip.params.iter().filter(|param| !param.name.eq_ignore_ascii_case("method")) {
        param.write(&mut params);
    }
    let mut clean = Vec::with_capacity(uri.len());
    SipUri { headers: None, params: sip::Params::new(&params), ..sip }.write(&mut clean);
    Some(clean.into())
}
