//! `Route`: where requests go that are not for users of ours (RFC 3261 §16.5).

/// Where some requests go (RFC 3261 §16.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Which requests.
    pub matches: Match,
    /// The next hop, a SIP URI; `None`: the domain is looked up.
    pub to: Option<Box<str>>,
}

/// Which requests a route is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// Those for a domain. Users of that domain may call ours without being challenged, when they come from where `to` says.
    Domain(Box<str>),
    /// Those for one of our domains whose user begins with this, and is not a user of ours.
    Prefix(Box<str>),
}
