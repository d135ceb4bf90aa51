//! `Reach`: one way to reach a user, and what wakes a phone that sleeps.

use machine::Time;
use sip::Params;

use crate::doors::Neighbour;
use crate::transport::Flow;

/// One way to reach a user: a binding, as a proxy needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The Contact URI.
    pub uri: Box<[u8]>,
    /// Preference, in thousandths.
    pub q: u16,
    /// The flow that the REGISTER came on: for connections, and for peers behind a NAT.
    pub flow: Option<Flow>,
    /// The node of a cluster that has this flow; nothing, when it is ours.
    pub node: Option<Neighbour>,
    /// The Path that the REGISTER came with, topmost first (RFC 3327).
    pub path: Vec<Box<[u8]>>,
    /// What the Contact said of the phone: its parameters as written, `;+sip.instance="<…>";video` (RFC 3840 §9).
    pub features: Box<[u8]>,
    /// Since when this phone has been registered without a break: its temporary GRUUs are as old (RFC 5627 §5.1).
    pub since: Time,
    /// Until when that is so; nothing, when it does not end by itself.
    pub until: Option<Time>,
    /// What wakes the phone before it can be reached; nothing for one that is awake.
    pub asleep: Option<Box<Sleeper>>,
}

/// A phone that sleeps, and what its Contact says about how to wake it (RFC 8599 §4.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sleeper {
    /// Whose it is.
    pub aor: Box<[u8]>,
    /// Its Contact URI.
    pub uri: Box<[u8]>,
    /// `pn-provider`: the notification service.
    pub provider: Box<str>,
    /// `pn-prid`: what the service calls the phone. Whoever has it can wake the phone.
    pub prid: Box<str>,
    /// `pn-param`: what else the service wants to know.
    pub param: Box<str>,
}

impl Reach {
    /// A way without anything special about it.
    pub fn to(uri: &[u8]) -> Self {
        let (path, features) = (Vec::new(), Box::default());
        let uri = uri.into();
        let (since, until) = (Time(0), None);
        let node = None;
        Self { uri, q: 1000, flow: None, node, path, features, since, until, asleep: None }
    }

    /// Which phone it is, as it names itself: two ways to one instance never ring together (RFC 5626 §7).
    pub fn instance(&self) -> Option<Vec<u8>> {
        Params::new(&self.features).unquoted("+sip.instance")
    }

    /// True when the phone keeps its flow up by itself, and has named it (RFC 5626 §4.2).
    pub fn names_its_flow(&self) -> bool {
        Params::new(&self.features).has("reg-id")
    }
}
