//! `Registration`: registered, and kept so: by one flow, or by several at once, each through a proxy of its own (RFC 3261 §10.2, RFC 5626 §4).

mod binding;
mod keeping;

use std::net::IpAddr;

use machine::{Dice, Time};
use protocol::Flow;
use protocol::auth::Token;
use protocol::doors::{Alive, Event, Output, PhoneEvent};

use crate::account::Account;
use crate::line::{Errand, Line, Outcome};
use binding::{Binding, Said};

/// What the phone does about being registered.
pub(crate) struct Registration {
    /// One for each way that is kept open; the first that stands is the way out.
    flows: Vec<Binding>,
}

impl Registration {
    pub(crate) fn new(account: &Account, dice: &mut Dice) -> Self {
        let ways = account.flows.iter().cloned().map(Some);
        let ways = ways.chain(account.flows.is_empty().then_some(None));
        let flows = (1..).zip(ways).map(|(number, way)| Binding::new(account, number, way, dice));
        Self { flows: flows.collect() }
    }

    /// True while a registrar believes us to be here.
    pub(crate) fn is_on(&self) -> bool {
        self.flows.iter().any(Binding::is_on)
    }

    /// How many flows stand.
    pub(crate) fn standing(&self) -> usize {
        self.flows.iter().filter(|flow| flow.is_on()).count()
    }

    /// True for the address of a server that we are registered with.
    pub(crate) fn comes_from(&self, ip: IpAddr) -> bool {
        self.flows.iter().any(|flow| flow.comes_from(ip))
    }

    /// True when nothing is under way.
    pub(crate) fn is_quiet(&self) -> bool {
        self.flows.iter().all(Binding::is_quiet)
    }

    /// True while a REGISTER waits for its answer.
    pub(crate) fn is_asking(&self) -> bool {
        self.flows.iter().any(Binding::is_asking)
    }

    /// Registers now, or again.
    pub(crate) fn register(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        self.each(line, out, |flow, line, out| flow.register(now, line, out));
    }

    /// Shows this token from now on.
    pub(crate) fn renew_token(&mut self, token: &Token) {
        self.flows.iter_mut().for_each(|flow| flow.renew_token(token));
    }

    /// Takes our bindings away.
    pub(crate) fn unregister(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        self.each(line, out, |flow, line, out| flow.unregister(now, line, out));
    }

    /// The way to a server broke: whoever is registered over it is not reachable by it any more.
    pub(crate) fn flow_failed(
        &mut self,
        now: Time,
        failed: Flow,
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        self.each(line, out, |flow, line, _| flow.failed(now, failed, &mut line.dice));
    }

    /// A sign of life was answered.
    pub(crate) fn alive(
        &mut self,
        now: Time,
        from: Flow,
        alive: Alive,
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        self.each(line, out, |flow, line, out| flow.alive(now, (from, alive), line, out));
    }

    /// This machine has another address: all ways are made anew. `before` is the Contact that was ours.
    pub(crate) fn moved(
        &mut self,
        now: Time,
        before: &str,
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        self.each(line, out, |flow, line, out| flow.moved(now, before, line, out));
    }

    pub(crate) fn wake(&mut self, now: Time, line: &mut Line, out: &mut Vec<Output>) {
        self.each(line, out, |flow, line, out| flow.wake(now, line, out));
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.flows.iter().filter_map(Binding::deadline).min()
    }

    /// The answer to the REGISTER of a flow.
    pub(crate) fn done(
        &mut self,
        now: Time,
        (number, errand, outcome): (u8, Errand, Outcome),
        line: &mut Line,
        out: &mut Vec<Output>,
    ) {
        // RFC 5626 §4.5: who has another way may wait longer.
        let spare = self.flows.iter().any(|flow| flow.number() != number && flow.is_on());
        if let Some(flow) = self.flows.iter_mut().find(|flow| flow.number() == number) {
            flow.done(now, (errand, outcome, spare), line, out);
        }
        self.tell(line, out);
    }

    fn each(
        &mut self,
        line: &mut Line,
        out: &mut Vec<Output>,
        mut deed: impl FnMut(&mut Binding, &mut Line, &mut Vec<Output>),
    ) {
        for flow in &mut self.flows {
            deed(flow, line, out);
        }
        self.tell(line, out);
    }

    /// What the flows have to say is what the program hears, as far as it concerns the whole; and the first that stands leads.
    fn tell(&mut self, line: &mut Line, out: &mut Vec<Output>) {
        line.lead(self.flows.iter().find(|flow| flow.stands()).map(Binding::lead));
        let (on, asking, off) =
            (self.is_on(), self.is_asking(), self.flows.iter().all(Binding::is_off));
        for flow in &mut self.flows {
            let number = flow.number();
            let event = match flow.said() {
                None => continue,
                Some(Said::Registered(expires)) => PhoneEvent::Registered { expires },
                Some(Said::Unregistered) if off => PhoneEvent::Unregistered,
                Some(Said::Unregistered) => continue,
                Some(Said::Not(status, reason)) if on || asking => {
                    PhoneEvent::FlowFailed { flow: number, status, reason }
                }
                Some(Said::Not(status, reason)) => PhoneEvent::NotRegistered { status, reason },
            };
            out.push(Output::Report(Event::Phone(event)));
        }
    }
}
