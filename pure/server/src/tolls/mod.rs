//! Tolls: calls along routes cost money. How many an account has at once, and what becomes of one that tries what is forbidden.
//!
//! A password that was stolen is worth what can be phoned with it. Every shard counts for itself and tells the others, so limits
//! hold for the whole server, but for calls that begin on several shards in the same moment.

use std::collections::BTreeMap;
use std::time::Duration;

use machine::Time;
use protocol::bans::Caution;
use protocol::doors::Event;
use protocol::{Fault, Flow, Output};
use sip::header::{From, ReferTo};
use sip::uri::{unescape, without_password};
use sip::{Message, Method};

use crate::bans::{Bans, Proof};
use crate::debts::Debts;
use crate::house::House;
use crate::limits;
use crate::proxy::Plan;
use crate::purpose::{self, Purpose};
use crate::settings::Toll;
use crate::turn::{self, Turn};

/// What accounts do on routes.
#[derive(Debug)]
pub(crate) struct Tolls {
    tried: Debts<u64>,
    paused: Debts<u64>,
    /// Calls of accounts on other shards.
    elsewhere: BTreeMap<(u64, u16), u32>,
}

impl Default for Tolls {
    fn default() -> Self {
        let tried = Debts::new(limits::SUSPICIOUS_ACCOUNTS);
        let paused = Debts::new(limits::SUSPICIOUS_ACCOUNTS);
        Self { tried, paused, elsewhere: BTreeMap::new() }
    }
}

impl Tolls {
    /// Whoever has sent a request has proven who it is: may it do that?
    pub(crate) fn permit(
        &mut self,
        turn: &mut Turn<'_>,
        way: (Flow, &Message, &Plan),
        (purpose, proof): (&Purpose, Proof),
        bans: &mut Bans,
    ) -> Result<(), Fault> {
        let (flow, request, plan) = way;
        let referred = refers(turn, flow, request);
        if let Some(number) = referred.as_deref().or_else(|| forbids(turn.house, purpose)) {
            self.forbidden(turn, way, number);
            if proof == Proof::Given {
                bans.defrauded(turn, flow, request);
            }
        }
        purpose::permitted(turn, plan, purpose)?;
        match referred {
            Some(_) => Err(Fault::Denied(403, "Calls There Are Not Allowed".into())),
            None => self.admit(turn, (request, plan), purpose),
        }
    }

    /// May a request go along its route?
    fn admit(
        &self,
        turn: &Turn<'_>,
        (request, plan): (&Message, &Plan),
        purpose: &Purpose,
    ) -> Result<(), Fault> {
        let Some(user) = payer(turn.house, plan, purpose) else { return Ok(()) };
        let account = number(turn.house, user);
        if self.paused.of(turn.now, account) > Duration::ZERO {
            return Err(Fault::Denied(403, "Calls of This Account Are Paused".into()));
        }
        let begins = request.method() == Some(Method::Invite);
        let Some(most) = most(turn.house, user).filter(|_| begins) else { return Ok(()) };
        let elsewhere = self.elsewhere.range((account, 0)..=(account, u16::MAX));
        let elsewhere = elsewhere.fold(0_u32, |sum, (_, calls)| sum.saturating_add(*calls));
        let has = turn.calls.of_account(account).saturating_add(elsewhere);
        if has < most { Ok(()) } else { Err(Fault::Denied(403, TOO_MANY.into())) }
    }

    /// Somebody tries what is forbidden: it is reported, and its account has to wait when it goes on.
    fn forbidden(
        &mut self,
        turn: &mut Turn<'_>,
        (flow, request, plan): (Flow, &Message, &Plan),
        number: &[u8],
    ) {
        let user = plan.proven.as_deref();
        let paused = user.is_some_and(|user| {
            let account = self::number(turn.house, user);
            if turn.house.settings.shard.count > 1 {
                turn.out.push(Output::Caution(Caution::Tried { account }));
            }
            self.tried(turn.now, turn.house, account)
        });
        let from = request.get::<From>().map(|from| from.uri).unwrap_or_default();
        turn.out.push(Output::Report(Event::Fraud {
            user: text(user.unwrap_or(&without_password(from))),
            source: flow.peer,
            method: request.method().map_or("", Method::as_str).into(),
            number: text(number),
            paused,
            call_id: turn::call_id(request),
        }));
    }

    /// An account has tried what is forbidden; true when it has to wait from now on.
    fn tried(&mut self, now: Time, house: &House, account: u64) -> bool {
        let rules = &house.settings.tolls;
        let Some(each) = rules.window.checked_div(rules.attempts) else { return false };
        let owed = self.tried.of(now, account);
        self.tried.add(now, account, rules.window.saturating_sub(owed).min(each));
        let enough = self.tried.of(now, account) > rules.window.saturating_sub(each);
        let anew = enough && self.paused.of(now, account) == Duration::ZERO;
        if anew {
            self.paused.add(now, account, rules.pause);
        }
        anew
    }

    /// Another shard tells of an account.
    pub(crate) fn cautioned(&mut self, now: Time, house: &House, caution: &Caution) {
        match *caution {
            Caution::Tried { account } => drop(self.tried(now, house, account)),
            Caution::Calls { account, shard, calls: 0 } => {
                self.elsewhere.remove(&(account, shard));
            }
            Caution::Calls { account, shard, calls } => {
                let key = (account, shard);
                let room = self.elsewhere.len() < limits::CALLS;
                if room || self.elsewhere.contains_key(&key) {
                    self.elsewhere.insert(key, calls);
                }
            }
            Caution::Did(_) | Caution::Barred(_) | Caution::Lifted(_) | Caution::Known(_) => {}
        }
    }
}

/// The account that pays for a request: one that goes along a route on which calls are counted.
fn payer<'a>(house: &House, plan: &'a Plan, purpose: &Purpose) -> Option<&'a [u8]> {
    let Purpose::Routed(errand) = purpose else { return None };
    let counted = house.route(errand).is_some_and(|route| route.toll == Toll::Counted);
    plan.proven.as_deref().filter(|_| counted)
}

/// The account that a call counts for, when its calls are limited.
pub(crate) fn account(house: &House, plan: &Plan, purpose: &Purpose) -> Option<u64> {
    let user = payer(house, plan, purpose)?;
    most(house, user).map(|_| number(house, user))
}

/// Is it forbidden, whoever wants it? The number, if so.
pub(crate) fn forbids<'a>(house: &House, purpose: &'a Purpose) -> Option<&'a [u8]> {
    let Purpose::Routed(errand) = purpose else { return None };
    let forbidden = house.route(errand).is_some_and(|route| route.toll == Toll::Forbidden);
    forbidden.then_some(&*errand.dialled.user)
}

/// Somebody who is sent to a forbidden number by a REFER would be asked to pay for it: the number.
fn refers(turn: &Turn<'_>, flow: Flow, request: &Message) -> Option<Box<[u8]>> {
    if request.method() != Some(Method::Refer) {
        return None;
    }
    let refer = request.get::<ReferTo<'_>>()?;
    let plan = Plan::to(request.wire().slice_ref(refer.uri), turn.house);
    let purpose = purpose::of(turn, flow, (request, &plan), &mut |_, _, _| {}).ok()?;
    forbids(turn.house, &purpose).map(Box::from)
}

/// A phone of a user has answered a call with a forbidden number: nobody is sent there.
pub(crate) fn report_redirection(
    turn: &mut Turn<'_>,
    (caller, request): (Flow, &Message),
    user: &[u8],
    number: &[u8],
) {
    let (user, number, call_id) = (text(user), text(number), turn::call_id(request));
    let (source, method) = (caller.peer, "INVITE".into());
    let paused = false;
    let event = Event::Fraud { user, source, method, number, paused, call_id };
    turn.out.push(Output::Report(event));
}

/// An account as a number: the same on all shards.
fn number(house: &House, user: &[u8]) -> u64 {
    house.seal.number([b"account", user])
}

/// How many calls an account may have at once.
fn most(house: &House, user: &[u8]) -> Option<u32> {
    house.user(user).and_then(|user| user.calls).or(house.settings.tolls.calls)
}

fn text(octets: &[u8]) -> Box<str> {
    let short = octets.get(..limits::COUNTED_NAME).unwrap_or(octets);
    String::from_utf8_lossy(&unescape(short)).into()
}

const TOO_MANY: &str = "Too Many Calls of This Account";
