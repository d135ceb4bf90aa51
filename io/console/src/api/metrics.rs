//! `/metrics`: for Prometheus, and for whoever likes numbers. The nodes' part is here; the house writes its own behind it.

use std::ops::RangeInclusive;
use std::rc::Rc;

use hyper::Method;
use server::figures::{Delays, Figures, Messages, Outcome, Sessions};

use super::{Asked, Content, Route, Said, status, targets};
use crate::answer::{Answer, Refusal};
use crate::desk::Desk;
use crate::{Exposition, Family, Kind};

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
    sessions(&mut page, &figures);
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
    let help =
        "SIP responses by status code and the method that they answer; repeats are counted too.";
    let mut family = page.family(Kind::Counter, name, help);
    for (way, messages) in ways {
        Messages::responses(messages).for_each(|(method, code, count)| {
            let code = code.to_string();
            family.sample(&[("code", &code), ("method", method), ("direction", way)], count);
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
    let away = figures.turned_away;
    let what = "Requests that came while there was too much to do, or too fast from one source (too_fast), by what became of them.";
    page.family(Kind::Counter, "offhook_sip_turned_away_total", what)
        .sample(&[("what", "refused")], away.refused)
        .sample(&[("what", "unheard")], away.unheard)
        .sample(&[("what", "too_fast")], away.too_fast);
    page.single(
        Kind::Gauge,
        "offhook_sip_new_requests_limit",
        "New requests that are begun in a second at most, because there is too much to do; 0: all are.",
        away.rate.unwrap_or_default(),
    );
    page.single(
        Kind::Gauge,
        "offhook_banned_sources",
        "Addresses and networks now that are not heard.",
        figures.now.barred,
    );
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
    enter_delays(&mut page.family(Kind::Histogram, name, help), &[], SHORT, &registrations.delay);
    let name = "offhook_sip_ineffective_registration_attempts_total";
    page.single(
        Kind::Counter,
        name,
        "RFC 6076 IRA: REGISTERs that were refused, other than by a challenge.",
        registrations.ineffective,
    );
    let name = "offhook_sip_ineffective_registration_attempts_ratio";
    let help = "RFC 6076 IRA since the start, 0 to 1: REGISTERs that were refused, of those that were let in or refused.";
    enter_ratio(page, name, help, registrations.ineffectiveness());
}

/// Calls, and how they begin and end.
fn sessions(page: &mut Exposition, figures: &Figures) {
    let sessions = &figures.sessions;
    page.single(
        Kind::Gauge,
        "offhook_sip_calls",
        "Calls now that pass through, those too that still ring.",
        figures.now.calls,
    );
    let name = "offhook_sip_sessions_total";
    let help = "Call attempts by what came of them: `answered`, `redirected` (3xx), `declined` by whoever was called (480, 486, 600, 603), \
                `cancelled` by the caller, `ineffective` (408, 500, 503, 504: RFC 6076 ISA), `failed` otherwise.";
    let mut family = page.family(Kind::Counter, name, help);
    for outcome in Outcome::ALL {
        family.sample(&[("outcome", outcome.as_str())], sessions.count(outcome));
    }
    let name = "offhook_sip_sessions_ended_total";
    page.family(
        Kind::Counter,
        name,
        "Answered calls that ended: `completed` by somebody who hung up, `lost` otherwise.",
    )
    .sample(&[("how", "completed")], sessions.completed)
    .sample(&[("how", "lost")], sessions.lost);
    let name = "offhook_sip_session_request_delay_seconds";
    let help = "RFC 6076 SRD: from an INVITE to the first sign that somebody rings, or to its final answer; of calls that were answered, and of those \
                that were not.";
    let mut family = page.family(Kind::Histogram, name, help);
    enter_delays(&mut family, &[("outcome", "successful")], SHORT, &sessions.successful_delay);
    enter_delays(&mut family, &[("outcome", "failed")], SHORT, &sessions.failed_delay);
    let name = "offhook_sip_session_disconnect_delay_seconds";
    let help = "RFC 6076 SDD: from a BYE to its 200, or to its failure.";
    let mut family = page.family(Kind::Histogram, name, help);
    enter_delays(&mut family, &[("outcome", "successful")], SHORT, &sessions.disconnected);
    enter_delays(&mut family, &[("outcome", "failed")], SHORT, &sessions.not_disconnected);
    let name = "offhook_sip_session_duration_seconds";
    let help = "RFC 6076 SDT: from the answer to the BYE.";
    enter_delays(&mut page.family(Kind::Histogram, name, help), &[], LONG, &sessions.duration);
    ratios(page, sessions);
}

/// The ratios of RFC 6076, since the start; nothing while there was no attempt.
fn ratios(page: &mut Exposition, sessions: &Sessions) {
    let ratios = [
        (
            "offhook_sip_session_establishment_ratio",
            "RFC 6076 SER since the start, 0 to 1: answered, of attempts that were not redirected.",
            sessions.establishment(),
        ),
        (
            "offhook_sip_session_establishment_effectiveness_ratio",
            "RFC 6076 SEER since the start, 0 to 1: as SER, and what people decline counts as success.",
            sessions.effectiveness(),
        ),
        (
            "offhook_sip_ineffective_session_attempts_ratio",
            "RFC 6076 ISA since the start, 0 to 1: attempts that failed on the way.",
            sessions.ineffective(),
        ),
        (
            "offhook_sip_session_completion_ratio",
            "RFC 6076 SCR since the start, 0 to 1: attempts that became calls and were hung up.",
            sessions.completion(),
        ),
    ];
    for (name, help, ratio) in ratios {
        enter_ratio(page, name, help, ratio);
    }
}

fn enter_ratio(page: &mut Exposition, name: &'static str, help: &str, ratio: Option<f64>) {
    let mut family = page.family(Kind::Gauge, name, help);
    if let Some(ratio) = ratio {
        family.sample(&[], ratio);
    }
}

/// Durations as a histogram, with those bounds (in milliseconds) that are of interest.
fn enter_delays(
    family: &mut Family<'_>,
    labels: &[(&str, &str)],
    bounds: RangeInclusive<u64>,
    delays: &Delays,
) {
    let count = delays.up_to().last().unwrap_or_default();
    let all = Delays::BOUNDS.into_iter().zip(delays.up_to());
    let shown = all.filter(|(bound, _)| bounds.contains(bound));
    let shown = shown.map(|(millis, count)| (millis as f64 / 1_000.0, count));
    family.histogram(labels, shown, (count, delays.sum().as_secs_f64()));
}

/// Bounds, in milliseconds, for what somebody waits for.
const SHORT: RangeInclusive<u64> = 1..=180_000;
/// Bounds, in milliseconds, for how long people talk.
const LONG: RangeInclusive<u64> = 1_000..=14_400_000;

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
