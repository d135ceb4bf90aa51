//! `Suspects`: what sources have done, and what is done with them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use machine::Time;
use protocol::bans::{Ban, Lifting, Misdeed, Offence, Source, Treatment};

use crate::limits;
use crate::settings;

/// Sources that have done something, no more than [`limits::SUSPECTS`].
#[derive(Debug, Default)]
pub(super) struct Suspects {
    all: BTreeMap<Source, Suspect>,
    /// When something changes for each that is heard: it is forgotten, or not slowed any more.
    order: BTreeSet<(Time, Source)>,
    /// When the ban of each of the others ends.
    barred: BTreeSet<(Time, Source)>,
    /// Those that were barred, until there was no room for them.
    displaced: Vec<Source>,
    /// The highest edition of a ban, or of its end, that is known here.
    latest: u64,
}

#[derive(Clone, Debug)]
struct Suspect {
    offence: Offence,
    count: u32,
    sample: Box<str>,
    /// When all that it has done has been paid for by waiting.
    paid: Time,
    /// How many bans it has had.
    times: u32,
    /// Of the last ban, or of its being lifted; 0: there was none.
    edition: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Until when it is remembered, at least.
    Watched { until: Time },
    /// It has done too much. Other shards may know something for it until then; meanwhile it is slowed.
    Weighed { until: Time },
    /// Slowed as long as it owes.
    Slowed { since: Time },
    /// Not heard.
    Barred { since: Time, until: Time },
}

impl Suspects {
    /// Notes what was done; true when that makes it too much.
    pub(super) fn note(&mut self, now: Time, rules: &settings::Bans, misdeed: &Misdeed) -> bool {
        let each = rules.window.checked_div(rules.failures).unwrap_or(rules.window);
        self.make_room(misdeed.source);
        self.change(misdeed.source, |suspect| {
            suspect.count = suspect.count.saturating_add(1);
            suspect.offence = misdeed.offence;
            suspect.sample.clone_from(&misdeed.sample);
            let most = now + 2 * rules.window;
            suspect.paid = (suspect.paid.max(now) + each * misdeed.weight / 10).min(most);
            let watched = matches!(suspect.state, State::Watched { .. });
            watched && suspect.paid - now > rules.window.saturating_sub(each)
        })
    }

    /// Keeps a source that has done too much waiting for its judgement.
    pub(super) fn weigh(&mut self, source: Source, until: Time) {
        self.change(source, |suspect| suspect.state = State::Weighed { until });
    }

    /// Slows a source.
    pub(super) fn slow(&mut self, now: Time, source: Source) {
        self.change(source, |suspect| suspect.state = State::Slowed { since: now });
    }

    /// Bars a source; for how long, that depends on how often it was.
    pub(super) fn bar(&mut self, now: Time, source: Source, rules: &settings::Bans) {
        let edition = self.next_edition(now);
        self.change(source, |suspect| {
            suspect.edition = edition;
            let longer = 4_u32.saturating_pow(suspect.times);
            let lasts = rules.first.saturating_mul(longer).min(rules.longest);
            suspect.times = suspect.times.saturating_add(1);
            suspect.state = State::Barred { since: now, until: now + lasts };
        });
    }

    /// Takes over the ban of another shard, or of an operator.
    pub(super) fn adopt(&mut self, ban: &Ban) {
        self.heard_of(ban.edition);
        self.make_room(ban.source);
        self.change(ban.source, |suspect| {
            suspect.edition = ban.edition;
            suspect.offence = ban.offence;
            suspect.count = ban.count;
            suspect.times = ban.times;
            suspect.sample.clone_from(&ban.sample);
            suspect.state = State::Barred { since: ban.since, until: ban.until };
        });
    }

    /// The edition of what is done now: higher than any that is known here, by a clock that all nodes have more or less.
    pub(super) fn next_edition(&mut self, now: Time) -> u64 {
        self.latest = now.0.max(self.latest.saturating_add(1));
        self.latest
    }

    /// Another node has come so far.
    pub(super) fn heard_of(&mut self, edition: u64) {
        self.latest = self.latest.max(edition);
    }

    /// Forgets what a source has done, but not that its ban was lifted; the ban that it had.
    pub(super) fn lift(&mut self, lifting: Lifting) -> Option<Ban> {
        let Lifting { source, edition, until } = lifting;
        let had = self.take(source).and_then(|suspect| suspect.ban(source));
        self.heard_of(edition);
        self.make_room(source);
        self.change(source, |suspect| {
            suspect.edition = edition;
            suspect.state = State::Watched { until };
        });
        had
    }

    /// The edition of the last word about a source: that it is banned, or that this was lifted; 0: there is none.
    pub(super) fn edition(&self, source: Source) -> u64 {
        self.all.get(&source).map_or(0, |suspect| suspect.edition)
    }

    /// Until when a source is remembered as it is.
    pub(super) fn until(&self, source: Source) -> Option<Time> {
        self.all.get(&source).map(Suspect::due)
    }

    /// The first source for which something is due, and what.
    pub(super) fn due(&mut self, now: Time, rules: &settings::Bans) -> Option<(Source, Due)> {
        loop {
            let (_, source) = self.first().filter(|(at, _)| *at <= now)?;
            let due = match self.all.get(&source)?.state {
                State::Weighed { .. } => {
                    self.slow(now, source);
                    return Some((source, Due::Judgement));
                }
                State::Slowed { .. } => Due::Free,
                State::Barred { .. } => Due::Heard,
                State::Watched { .. } => {
                    self.take(source);
                    continue;
                }
            };
            self.watch(now, source, rules);
            return Some((source, due));
        }
    }

    /// A ban is over. Who comes back soon is known again.
    fn watch(&mut self, now: Time, source: Source, rules: &settings::Bans) {
        self.change(source, |suspect| {
            suspect.paid = now;
            suspect.state = State::Watched { until: now + rules.longest };
        });
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Option<Time> {
        let first = self.first().map(|(at, _)| at);
        if self.displaced.is_empty() { first } else { Some(Time::default()) }
    }

    /// For whom something is due first, and when.
    fn first(&self) -> Option<(Time, Source)> {
        let (heard, barred) = (self.order.first(), self.barred.first());
        heard.into_iter().chain(barred).min().copied()
    }

    /// How many are barred.
    pub(super) fn barred(&self) -> usize {
        self.barred.len()
    }

    /// Whose bans have ended since this was asked last, because there was no room for them.
    pub(super) fn displaced(&mut self) -> Vec<Source> {
        let mut displaced = std::mem::take(&mut self.displaced);
        displaced.retain(|source| !self.is_barred(*source));
        displaced
    }

    /// True when a source is not heard.
    pub(super) fn is_barred(&self, source: Source) -> bool {
        let barred = |suspect: &Suspect| matches!(suspect.state, State::Barred { .. });
        !self.barred.is_empty() && self.all.get(&source).is_some_and(barred)
    }

    /// True when a source is slowed, or about to be judged.
    pub(super) fn is_slowed(&self, source: Source) -> bool {
        let slow = |suspect: &Suspect| {
            matches!(suspect.state, State::Slowed { .. } | State::Weighed { .. })
        };
        self.all.get(&source).is_some_and(slow)
    }

    /// The ban of a source.
    pub(super) fn ban(&self, source: Source) -> Option<Ban> {
        self.all.get(&source)?.ban(source)
    }

    /// Those that are banned, after one of them.
    pub(super) fn page(&self, after: Option<Source>) -> impl Iterator<Item = Ban> {
        let from = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let rest = self.all.range((from, std::ops::Bound::Unbounded));
        rest.filter_map(|(source, suspect)| suspect.ban(*source))
    }

    /// Changes a suspect, and when something is due for it; a new one, if it is none yet.
    fn change<R>(&mut self, source: Source, change: impl FnOnce(&mut Suspect) -> R) -> R {
        let mut suspect = self.take(source).unwrap_or_else(Suspect::new);
        let result = change(&mut suspect);
        self.order_of(&suspect).insert((suspect.due(), source));
        self.all.insert(source, suspect);
        result
    }

    fn take(&mut self, source: Source) -> Option<Suspect> {
        let suspect = self.all.remove(&source)?;
        self.order_of(&suspect).remove(&(suspect.due(), source));
        Some(suspect)
    }

    const fn order_of(&mut self, suspect: &Suspect) -> &mut BTreeSet<(Time, Source)> {
        match suspect.state {
            State::Barred { .. } => &mut self.barred,
            _ => &mut self.order,
        }
    }

    /// Whoever would be forgotten first gives way; a ban that way ends only when there is nothing but bans.
    fn make_room(&mut self, newcomer: Source) {
        if self.all.len() < limits::SUSPECTS || self.all.contains_key(&newcomer) {
            return;
        }
        if let Some((_, first)) = self.order.first().copied() {
            self.take(first);
        } else if let Some((_, first)) = self.barred.first().copied() {
            self.take(first);
            self.displaced.push(first);
        }
    }
}

/// What is due for a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nobody has said anything for it.
    Judgement,
    /// It is not slowed any more.
    Free,
    /// It is not barred any more.
    Heard,
}

impl Suspect {
    fn new() -> Self {
        Self {
            offence: Offence::ByHand,
            count: 0,
            sample: "".into(),
            paid: Time::default(),
            times: 0,
            edition: 0,
            state: State::Watched { until: Time::default() },
        }
    }

    fn due(&self) -> Time {
        match self.state {
            State::Watched { until } => until.max(self.paid),
            State::Weighed { until } | State::Barred { until, .. } => until,
            State::Slowed { .. } => self.paid,
        }
    }

    fn ban(&self, source: Source) -> Option<Ban> {
        let (treatment, since, until) = match self.state {
            State::Watched { .. } | State::Weighed { .. } => return None,
            State::Slowed { since } => (Treatment::Slowed, since, self.paid),
            State::Barred { since, until } => (Treatment::Barred, since, until),
        };
        let (offence, count, times) = (self.offence, self.count, self.times);
        Some(Ban {
            source,
            treatment,
            offence,
            count,
            times,
            since,
            until,
            edition: self.edition,
            sample: self.sample.clone(),
        })
    }
}

/// How long other shards have to say something for a source.
pub(super) const GRACE: Duration = Duration::from_millis(250);
