//! `Route`: where requests go that are not for users of ours (RFC 3261 §16.5), as the settings say it.

use std::net::SocketAddr;

use super::Elsewhere;
use crate::routes::{Hours, Network, Pattern, Rewrite};

/// Where some requests go. The first route that fits is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// What people call it.
    pub name: Box<str>,
    /// Which requests.
    pub matches: Match,
    /// When; `None`: always.
    pub when: Option<Hours>,
    /// What becomes of the number.
    pub rewrite: Option<Rewrite>,
    /// Who may take it.
    pub trust: Trust,
    /// What calls along it cost.
    pub toll: Toll,
    /// What is done with them.
    pub action: Action,
}

/// Which requests a route is for: all that is said here must be so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// For whose addresses.
    pub whose: Whose,
    /// The number, or the user, begins with one of these; none: whatever it is.
    pub prefixes: Vec<Box<str>>,
    /// The number looks so.
    pub pattern: Option<Pattern>,
    /// One of these methods; none: all.
    pub methods: Vec<Box<str>>,
    /// One of our users asks for it, and these are their names; none: whoever asks.
    pub callers: Vec<Box<str>>,
    /// It comes from one of these networks; none: from anywhere.
    pub networks: Vec<Network>,
    /// It came by the listener that is bound here; none: by any.
    pub listeners: Vec<SocketAddr>,
}

/// Whose addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Whose {
    /// Our own domains: numbers, and names that are no users of ours.
    #[default]
    Ours,
    /// This domain. Its users may call ours without being challenged, when they come from where the route leads.
    Domain(Box<str>),
    /// Any domain but ours.
    Anybody,
}

/// Who may take a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Whoever has proven to be a user of ours.
    #[default]
    Proven,
    /// Whoever comes from where the route says.
    Network,
}

/// What calls along a route cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Toll {
    /// Money: the limits of [`Tolls`](super::Tolls) hold.
    #[default]
    Counted,
    /// Nothing, or they must go through whatever they cost: emergencies.
    Free,
    /// Nobody has any business there: whoever tries is reported. For a route that refuses.
    Forbidden,
}

/// What is done with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// It goes to the first of these next hops, SIP URIs, that takes it; to none: where the domain's DNS says.
    To(Vec<Box<str>>),
    /// It goes where the DNS says below this zone (RFC 6116); when it says nothing, the next route is taken.
    Enum(Box<str>),
    /// It goes to the first member of this group that takes it.
    Group(Box<str>),
    /// It is answered: try there.
    Redirect(Elsewhere),
    /// It is refused.
    Deny {
        /// The status: 403, 603 …
        status: u16,
        /// Why, in words for the caller.
        reason: Box<str>,
    },
}

impl Route {
    /// A route for the requests of a domain: to a next hop, or where its DNS says.
    pub fn domain(domain: &str, to: Option<&str>) -> Self {
        let whose = Whose::Domain(domain.into());
        Self::new(domain, Match { whose, ..Match::default() }, to)
    }

    /// A route for the numbers that begin so.
    pub fn prefix(prefix: &str, to: &str) -> Self {
        let prefixes = vec![prefix.into()];
        Self::new(&format!("{prefix}…"), Match { prefixes, ..Match::default() }, Some(to))
    }

    /// Does it take whatever the other one fits? Then the other one, behind it, is never taken. One that asks the DNS may lead nowhere.
    pub fn covers(&self, other: &Self) -> bool {
        !matches!(self.action, Action::Enum(_))
            && (self.when.is_none() || self.when == other.when)
            && self.matches.covers(&other.matches)
    }

    fn new(name: &str, matches: Match, to: Option<&str>) -> Self {
        Self {
            name: name.into(),
            matches,
            when: None,
            rewrite: None,
            trust: Trust::Proven,
            toll: Toll::Counted,
            action: Action::To(to.into_iter().map(Box::from).collect()),
        }
    }
}

impl Match {
    fn covers(&self, other: &Self) -> bool {
        let whose = self.whose == other.whose
            || self.whose == Whose::Anybody && matches!(other.whose, Whose::Domain(_));
        let begins =
            |longer: &str| self.prefixes.iter().any(|prefix| longer.starts_with(&**prefix));
        let prefixes = !other.prefixes.is_empty() && other.prefixes.iter().all(|it| begins(it));
        whose
            && (self.prefixes.is_empty() || prefixes)
            && (self.pattern.is_none() || self.pattern == other.pattern)
            && has_all(&self.methods, &other.methods)
            && has_all(&self.callers, &other.callers)
            && has_all(&self.networks, &other.networks)
            && has_all(&self.listeners, &other.listeners)
    }
}

/// None are all; otherwise all of the narrower list must be in the wider.
fn has_all<T: PartialEq>(wide: &[T], narrow: &[T]) -> bool {
    wide.is_empty() || !narrow.is_empty() && narrow.iter().all(|item| wide.contains(item))
}
