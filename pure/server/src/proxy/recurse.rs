//! Recursion: the contacts of a 3xx are tried for the caller (RFC 3261 §16.5, §16.7 step 4).
//!
//! Whoever answers so sends a call elsewhere at our expense. So only phones of our users may, for as long as the settings let them, to
//! other users of ours or to where a route leads; everything else goes back to the caller, who may follow it itself.

use protocol::doors::Reach;
use protocol::{Fault, Question};
use sip::header::Contact;
use sip::{Header as _, Message, Name, Status};

use super::best::Candidate;
use super::context::{Addressee, Branch, Context, Leg, State};
use super::copy::{Routing, is_sips};
use super::disposition::Disposition;
use super::preferences::Preferences;
use super::target::{self, Target, Way};
use super::{Lead, Plan, Proxy, Wait, history};
use crate::limits;
use crate::purpose::{self, Purpose};
use crate::settings::Recurse;
use crate::tolls;
use crate::turn::Turn;

impl Proxy {
    /// Takes over the contacts of a 3xx that may be tried. What is left of it: nothing, when all were taken.
    pub(super) fn recurse(
        &self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        response: Message,
    ) -> Option<Message> {
        // A 305 names a proxy, and 380 no place at all.
        let moves = matches!(response.status().map(Status::code), Some(300..=302));
        let allowed = turn.house.settings.proxy.recurse != Recurse::Never
            && matches!(context.addressee, Addressee::User(_))
            && context.state == State::Open
            && !Disposition(&context.request).no_recurse();
        if !moves || !allowed {
            return Some(response);
        }
        let (mut taken, mut left) = (Vec::new(), Vec::new());
        for element in response.elements(Name::Contact).take(limits::TARGETS) {
            let targets = self.targets_of(turn, context, &response, element);
            if targets.is_empty() {
                left.push(element);
            }
            taken.extend(targets);
        }
        if taken.is_empty() {
            return Some(response);
        }
        let diversions = history::diversions(turn.house, context, &response);
        context.is_diverted(diversions);
        taken.iter_mut().for_each(|target| target.diverted = true);
        taken.sort_by_key(|target| std::cmp::Reverse(target.q));
        // Whoever was asked has named others in its place: they come before those who were to come after it.
        taken.into_iter().rev().for_each(|target| context.add_first(target));
        let mut edit = response.edit();
        edit.remove_all(Name::Contact);
        for contact in &left {
            edit.append_raw(Name::Contact.as_str(), contact);
        }
        if left.is_empty() { None } else { edit.finish().ok() }
    }

    /// A target that is another user of ours: its bindings are asked for.
    pub(super) fn ask_for(&mut self, turn: &mut Turn<'_>, context: &mut Context, target: Target) {
        let Way::User(aor, _) = &target.way else { return };
        let at = context.branches.len();
        let ticket = self.ask(turn, Question::Locate(aor.clone()), Wait::Others(context.id, at));
        let until = turn.now + turn.house.settings.timers.patience();
        let routing = Routing::of(&context.plan, &target);
        let state = Leg::Looking { ticket, until };
        context.branches.push(Branch::new(target, routing, 1, state));
    }

    /// The bindings of the other user are known.
    pub(super) fn others(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        at: usize,
        bindings: Vec<Reach>,
    ) {
        let Some(branch) = context.branches.get_mut(at) else { return };
        if !matches!(branch.state, Leg::Looking { .. }) {
            return;
        }
        branch.state = Leg::Done;
        let diverted = branch.target.diverted;
        let Way::User(_, aim) = &branch.target.way else { return };
        let preferences = Preferences::of(&context.request);
        let bindings = preferences.choose(aim.meant(turn.house, bindings));
        let mut found = target::of_bindings(bindings, &preferences);
        found.iter_mut().for_each(|target| target.diverted = diverted);
        if found.is_empty() {
            let fault = Fault::Unregistered;
            context.best.offer(Candidate::Ours(fault.status(), fault.phrase()));
        }
        found.into_iter().rev().for_each(|target| context.add_first(target));
        self.settle(turn, context);
    }

    /// Where a contact of a 3xx leads, as a request for it would be judged; none: it is not ours to follow.
    fn targets_of(
        &self,
        turn: &mut Turn<'_>,
        context: &Context,
        response: &Message,
        element: &[u8],
    ) -> Vec<Target> {
        let Ok(Contact::At(address)) = Contact::parse(element) else { return Vec::new() };
        if is_sips(&context.plan.uri) && !is_sips(address.uri) {
            return Vec::new();
        }
        let plan = Plan::to(response.wire().slice_ref(address.uri), turn.house);
        let request = (&context.request, &plan);
        let purpose = purpose::of(turn, context.came, request, &mut |_, _, _| {});
        let q = address.params.q();
        if let Ok(purpose) = &purpose
            && let Some(number) = tolls::forbids(turn.house, purpose)
        {
            let Addressee::User(phone) = &context.addressee else { return Vec::new() };
            let call = (context.came, &context.request);
            tolls::report_redirection(turn, call, phone, number);
            return Vec::new();
        }
        let permitted = |purpose| purpose::permitted(turn, &plan, &purpose).map(|()| purpose);
        match purpose.and_then(permitted) {
            Ok(Purpose::User(aor)) => {
                let way = Way::User(aor, plan.aim.clone());
                vec![Target { q, ..Target::of(plan.uri, way) }]
            }
            Ok(Purpose::Routed(errand))
                if turn.house.settings.proxy.recurse == Recurse::AlongRoutes =>
            {
                match self.lead(turn, &errand, &context.request) {
                    // Of several hops of a route the first is tried before the second.
                    Ok(Lead::To(hops)) => {
                        let later = |place| q.saturating_sub(place);
                        let places = 0_u16..;
                        hops.into_iter()
                            .zip(places)
                            .map(|(hop, place)| Target { q: later(place), ..hop })
                            .collect()
                    }
                    Ok(Lead::Ask(_) | Lead::Answer(_)) | Err(_) => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }
}
