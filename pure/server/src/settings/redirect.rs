//! `Redirect`: a user that is somewhere else (RFC 3261 §8.3).

/// A user that is somewhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The user part, unescaped.
    pub user: Box<str>,
    /// Where to try instead.
    pub to: Elsewhere,
}

/// Where else somebody is (RFC 3261 §21.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elsewhere {
    /// 300, 301, 302 or 305.
    pub status: u16,
    /// SIP URIs, best first. On a route, one without a user is asked for the same user.
    pub to: Vec<Box<str>>,
    /// For how many seconds that is so; `None`: nothing is said about it.
    pub expires: Option<u32>,
}

/// What a server does with requests for others than itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// It forwards them (§16).
    #[default]
    Proxy,
    /// It answers where to go (§8.3).
    Redirect,
}

impl Redirect {
    /// A user that is for now at one of these places, best first.
    pub fn new(user: &str, to: &[&str]) -> Self {
        let to = to.iter().map(|uri| Box::from(*uri)).collect();
        Self { user: user.into(), to: Elsewhere { status: 302, to, expires: None } }
    }
}
