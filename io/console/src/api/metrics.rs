//! `/metrics`: for Prometheus, and for whoever likes numbers. The nodes' part is here; the house writes its own behind it.

use std::rc::Rc;

use hyper::Method;
use server::figures::{Delays, Figures, Messages};

use super::{Asked, Content, Route, Said, status, targets};
use crate::answer::{Answer, Refusal};
use crate::desk::Desk;
use crate::{Exposition, Kind};

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) static ROUTES: &[Route] = &[Route {
    method: Method::GET,
    path: "/metrics",
    name: "metrics",
    about: "Metrics in Prometheus' text format; docs/metrics.md says what each means.",
    parameters: &[],
    answers: &[Said { status: 200, about: "Metrics.", content: Content::Text("text/plain") }],
    act: |desk, asked| Box::pin(metrics(desk, asked)),
}];

async fn metrics(desk: Rc<Desk>, _: Asked) -> Result<Answer, Refusal> {
    let (figures, silent) = status::gathered(&desk).await;
    let mut page = Exposition::default();
    let status = desk.house.status();
    page.family(Kind::Gauge, "offhook_build_info", "Which program this is.")
        .sample(&[("version", status.version)], 1);
    page.single(
        Kind::Gauge,
        "offhook_healthy",
        "1 when there are no troubles.",
        u8::from(status.troubles.is_empty() && silent.is_empty()),
    );
    page.single(
        Kind::Gauge,
        "offhook_draining",
        "1 once the server begins nothing new.",
        u8::from(status.draining),
    );
    page.single(
        Kind::Gauge,
        "offhook_config_generation",
        "Which config is in force: 1 is the one that the server began with, each reload adds 1.",
        status.generation,
    );
    page.single(Kind::Gauge, "offhook_shards", "Shards of the server.", desk.house.shards());
    page.single(
        Kind::Gauge,
        "offhook_shards_silent",
        "Shards that did not answer when this page was made; what they know is missing here.",
        silent.len(),
    );
    messages(&mut page, &figures);
    registrations(&mut page, &figures);
    if let Ok((_, found)) = targets::gathered(&desk).await {
        enter_targets(&mut page, &found);
    }
    desk.house.measure(&mut page);
    Ok(Answer::text(FORMAT, page.into_text()))
}

fn messages(page: &mut Exposition, figures: &Figures) {
    let ways = [("in", &figures.received), ("out", &figures.sent)];
    let name = "offhook_sip_requests_total";
    let mut family =
        page.family(Kind::Counter, name, "SIP requests by method; repeats are counted too.");
    for (way, messages) in ways {
        Messages::requests(messages).for_each(|(method, count)| {
            family.sample(&[("method", method), ("direction", way)], count);
        });
    }
    let name = "offhook_sip_responses_total";
    let mut family =
        page.family(Kind::Counter, name, "SIP responses by status code; repeats are counted too.");
    for (way, messages) in ways {
        Messages::responses(messages).for_each(|(code, count)| {
            family.sample(&[("code", &code.to_string()), ("direction", way)], count);
        });
    }
    let name = "offhook_sip_retransmissions_total";
    page.family(Kind::Counter, name, "Messages that were said again: `out` because we had no answer or were asked again, `in` because the peer did.")
        .sample(&[("direction", "in")], figures.repeats.received)
        .sample(&[("direction", "out")], figures.repeats.sent);
    refusals(page, figures);
}

/// What was not let in, and what is under way.
fn refusals(page: &mut Exposition, figures: &Figures) {
    page.single(
        Kind::Counter,
        "offhook_sip_unreadable_total",
        "What came and was no SIP message.",
        figures.unreadable,
    );
    page.single(
        Kind::Counter,
        "offhook_sip_challenges_total",
        "Requests whose sender was asked who it is (401, 407).",
        figures.challenged,
    );
    let name = "offhook_sip_refusals_total";
    let mut family = page.family(
        Kind::Counter,
        name,
        "Requests that the server refused itself, by status code and reason.",
    );
    for (status, reason, count) in figures.refused.all() {
        family.sample(&[("code", &status.to_string()), ("reason", reason)], count);
    }
    page.single(
        Kind::Gauge,
        "offhook_sip_transactions",
        "Transactions now, those too that only absorb repeats.",
        figures.now.transactions,
    );
    page.single(
        Kind::Gauge,
        "offhook_sip_requests_waiting",
        "Requests now that wait for an answer from elsewhere.",
        figures.now.forwarding,
    );
    page.single(
        Kind::Gauge,
        "offhook_sip_subscriptions",
        "Subscriptions now.",
        figures.now.subscriptions,
    );
}

fn registrations(page: &mut Exposition, figures: &Figures) {
    page.single(
        Kind::Gauge,
        "offhook_sip_registered_users",
        "Addresses of record that have bindings now.",
        figures.now.users,
    );
    page.single(
        Kind::Gauge,
        "offhook_sip_registrations",
        "Bindings now: a user may have several phones.",
        figures.now.bindings,
    );
    let registrations = &figures.registrations;
    let name = "offhook_sip_registration_request_delay_seconds";
    let help = "RFC 6076 RRD, the server's part: from a REGISTER that was let in to its 200, so the time that the disk takes.";
    enter_delays(page, name, help, &registrations.delay);
    let name = "offhook_sip_ineffective_registration_attempts_total";
    page.single(
        Kind::Counter,
        name,
        "RFC 6076 IRA: REGISTERs that were refused, other than by a challenge.",
        registrations.ineffective,
    );
}

/// Durations as a histogram.
fn enter_delays(page: &mut Exposition, name: &'static str, help: &str, delays: &Delays) {
    let count = delays.up_to().last().unwrap_or_default();
    let seconds = Delays::BOUNDS.iter().map(|millis| *millis as f64 / 1_000.0);
    page.family(Kind::Histogram, name, help).histogram(
        &[],
        seconds.zip(delays.up_to()),
        (count, delays.sum().as_secs_f64()),
    );
}

fn enter_targets(page: &mut Exposition, found: &server::Targets) {
    let name = "offhook_target_up";
    let mut family = page.family(
        Kind::Gauge,
        name,
        "1 for a member of a group that is alive or to be tried, 0 for one that is avoided.",
    );
    for member in &found.members {
        let up = !matches!(
            targets::word(targets::state(&member.addresses)),
            "suspect" | "probing" | "excused"
        );
        family.sample(&[("group", &member.group), ("to", &member.to)], u8::from(up));
    }
    let name = "offhook_target_calls";
    let mut family = page.family(
        Kind::Gauge,
        name,
        "Calls now of members of groups, where their number is limited.",
    );
    for member in &found.members {
        family.sample(&[("group", &member.group), ("to", &member.to)], member.calls);
    }
    page.single(
        Kind::Gauge,
        "offhook_addresses_failed",
        "Addresses that have failed lately, of members or not.",
        found.failed.len(),
    );
}
