//! A number whose place the DNS is asked for: what becomes of its answer (RFC 6116).

use protocol::locate::Domain;
use protocol::{Answer, Fault, Question, Ticket};
use sip::{Bytes, Uri};

use super::best::Candidate;
use super::context::{Context, State};
use super::members::Lead;
use super::target::{Onward, Target, Way};
use super::{Proxy, Wait};
use crate::gruu::Aim;
use crate::house::Place;
use crate::purpose;
use crate::routes::{Errand, e164};
use crate::settings::Trust;
use crate::turn::Turn;

impl Proxy {
    /// Asks the DNS where a number is.
    pub(super) fn ask_number(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        (errand, name): (Box<Errand>, Domain),
    ) {
        let ticket = self.ask(turn, Question::Services(name), Wait::Number(context.id));
        let until = turn.now + turn.house.settings.timers.patience();
        self.numbers.insert(ticket, errand);
        context.state = State::Locating { ticket, until };
    }

    /// The DNS has answered: the number is where it says; when it says nothing, the next route that fits is taken.
    pub(super) fn numbered(
        &mut self,
        turn: &mut Turn<'_>,
        context: &mut Context,
        (ticket, errand): (Ticket, Box<Errand>),
        answer: Answer,
    ) {
        if !matches!(context.state, State::Locating { ticket: asked, .. } if asked == ticket) {
            return;
        }
        context.state = State::Open;
        let records = match answer {
            Answer::Services(records) => records,
            _ => Vec::new(),
        };
        let uris = e164::uris_of(&errand.number, records);
        let best_first = (1..=1000).rev();
        let target = |(uri, q): (Bytes, u16)| target_of(turn, uri).map(|it| Target { q, ..it });
        let targets: Vec<_> = uris.into_iter().zip(best_first).filter_map(target).collect();
        if targets.is_empty() {
            return self.go_on(turn, context, &errand);
        }
        self.found(turn, context, targets.into());
    }

    /// The next route that fits, as if the one before were not there. Who was let on that one unproven is let on no other that wants a proof.
    fn go_on(&mut self, turn: &mut Turn<'_>, context: &mut Context, before: &Errand) {
        let request = (&context.request, &context.plan);
        let next = purpose::route_after(turn, context.came, request, before);
        let trust = |errand: &Errand| turn.house.route(errand).map(|route| route.trust);
        let proven = trust(before) == Some(Trust::Proven) || turn.house.trusts_everybody();
        let next = next.filter(|next| proven || trust(next) == Some(Trust::Network));
        let lead = match next {
            None => Err(Fault::NotFound),
            Some(errand) => self.lead(turn, &errand, &context.request),
        };
        match lead {
            Ok(Lead::To(targets)) => {
                self.took_turn(&targets);
                self.found(turn, context, targets.into());
            }
            Ok(Lead::Ask(asked)) => self.ask_number(turn, context, *asked),
            Ok(Lead::Answer(wire)) => {
                turn.call_redirected(context.plan.call, (context.id, wire));
                context.state = State::Refused;
            }
            Err(fault) => {
                context.best.offer(Candidate::Ours(fault.status(), fault.phrase()));
                self.settle(turn, context);
            }
        }
    }
}

/// Where a URI leads that the DNS says: to a user of ours, or elsewhere. The operator has let the DNS decide that, for these numbers.
fn target_of(turn: &Turn<'_>, uri: Bytes) -> Option<Target> {
    let place = turn.house.place(&Uri::parse(&uri).ok()?);
    let way = match place {
        Place::User(dialled) if turn.house.knows(&dialled.user) => {
            Way::User(dialled.user, Aim::Anybody)
        }
        Place::Foreign => Way::Uri,
        Place::User(_) | Place::Us | Place::Unknown => return None,
    };
    Some(Target { onward: Onward::Failing(None), ..Target::of(uri, way) })
}
