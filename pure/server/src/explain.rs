//! `Explanation`: what the server would do with a request, and why. It is decided by the code that serves requests.

use protocol::Fault;
use sip::{Message, Name};

use crate::proxy::{Lead, Plan, Proxy, Target, Way, told};
use crate::purpose::Purpose;
use crate::turn::Turn;

/// What the server would do with a request, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The routes that do not fit, up to the one that does: which (from 0), what people call it, and why not.
    pub passed: Vec<Passed>,
    /// The route that is taken: which, and what people call it.
    pub taken: Option<(usize, String)>,
    /// The number that was dialled and what it became, when a route is taken.
    pub number: Option<(String, String)>,
    /// Must the caller prove who it is, before anything else?
    pub challenged: bool,
    /// What becomes of it then.
    pub verdict: Verdict,
}

/// A route that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Which, from 0.
    pub place: usize,
    /// What people call it.
    pub name: String,
    /// Why it does not fit.
    pub why: String,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is for the server itself.
    Ours,
    /// It is for a user of ours: for the phones that are registered then.
    Phones(String),
    /// It is answered with 302: try the phones of this user that are registered then.
    Contacts(String),
    /// It is forwarded to the first of these that takes it.
    Forwarded(Vec<Hop>),
    /// The DNS is asked for this name (ENUM): it goes where that says, or along the next route that fits.
    Asked(String),
    /// It is answered with this status: try there, best place first.
    Redirected(u16, Vec<String>),
    /// It is refused with this status, and this reason.
    Refused(u16, String),
}

/// One place where a request would go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The Request-URI there.
    pub uri: String,
    /// The next hop, when it is another than the URI says.
    pub by: Option<String>,
}

impl Explanation {
    /// Says what becomes of a request whose purpose is known.
    pub(crate) fn finish(
        mut self,
        turn: &mut Turn<'_>,
        proxy: &Proxy,
        (request, plan): (&Message, &Plan),
        judged: Result<Purpose, Fault>,
    ) -> Self {
        self.verdict = match judged {
            Ok(purpose) => verdict(turn, proxy, (request, plan), &purpose),
            Err(fault) => Err(fault),
        }
        .unwrap_or_else(|fault| Verdict::Refused(fault.status().code(), fault.phrase().into()));
        self
    }

    /// Notes which route is taken.
    pub(crate) fn take(&mut self, turn: &Turn<'_>, purpose: &Purpose) {
        let Purpose::Routed(errand) = purpose else { return };
        let name = turn.house.route(errand).map(|route| route.name.to_string());
        self.taken = name.map(|name| (errand.route, name));
        self.number = Some((text(&errand.dialled.user), errand.number.clone()));
    }
}

impl Default for Explanation {
    fn default() -> Self {
        Self {
            passed: Vec::new(),
            taken: None,
            number: None,
            challenged: false,
            verdict: Verdict::Ours,
        }
    }
}

fn verdict(
    turn: &mut Turn<'_>,
    proxy: &Proxy,
    (request, plan): (&Message, &Plan),
    purpose: &Purpose,
) -> Result<Verdict, Fault> {
    let forwarded = |turn: &Turn<'_>, targets: &[Target]| {
        if turn.house.only_redirects() {
            return told(turn, request, &plan.uri, targets).map(redirected);
        }
        Ok(Verdict::Forwarded(targets.iter().map(|target| hop(target, plan)).collect()))
    };
    Ok(match purpose {
        Purpose::Register | Purpose::Watch(_) | Purpose::Options | Purpose::LastHop => {
            Verdict::Ours
        }
        Purpose::User(user) if turn.house.only_redirects() => Verdict::Contacts(text(user)),
        Purpose::User(user) => Verdict::Phones(text(user)),
        Purpose::Relay(target) => forwarded(turn, std::slice::from_ref(&**target))?,
        Purpose::Redirect(wire) => redirected(wire.clone()),
        Purpose::Routed(errand) => match proxy.lead(turn, errand, request)? {
            Lead::To(targets) => forwarded(turn, &targets)?,
            Lead::Ask(asked) => Verdict::Asked(asked.1.to_string()),
            Lead::Answer(wire) => redirected(wire),
        },
        Purpose::Nobody => return Err(Fault::NotFound),
    })
}

fn hop(target: &Target, plan: &Plan) -> Hop {
    let by = match (&target.way, plan.routes.first()) {
        (_, Some(route)) => Some(text(route)),
        (Way::Hop(hop), None) if *hop != target.uri => Some(text(hop)),
        _ => None,
    };
    Hop { uri: text(&target.uri), by }
}

/// What an answer of ours says.
fn redirected(wire: sip::Bytes) -> Verdict {
    let Ok(answer) = Message::parse(wire) else { return Verdict::Ours };
    let status = answer.status().map_or(0, sip::Status::code);
    Verdict::Redirected(status, answer.rows(Name::Contact).map(text).collect())
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
