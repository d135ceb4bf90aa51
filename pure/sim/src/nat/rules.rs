//! `NatRules`: how a NAT behaves, in the words of RFC 4787.

use std::time::Duration;

/// The behaviour of one NAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatRules {
    /// When an internal endpoint keeps its external one (§4.1).
    pub mapping: Dependence,
    /// Who outside may send to it (§5).
    pub filtering: Dependence,
    /// Which external port is picked (§4.2).
    pub ports: Ports,
    /// Which external address is picked, when there are several (§4.1, REQ-2).
    pub pooling: Pooling,
    /// What happens to parcels from inside to an external endpoint of its own (§6).
    pub hairpin: Hairpin,
    /// Which direction keeps a mapping alive (§4.3, REQ-6).
    pub refresh: Refresh,
    /// How long a mapping for datagrams lives unused (§4.3, REQ-5).
    pub udp_timeout: Duration,
    /// How long a mapping for a stream lives unused (RFC 5382 §5, REQ-5).
    pub tcp_timeout: Duration,
    /// How many mappings it can hold.
    pub table: usize,
}

/// On what of the remote endpoint something depends (§4.1 and §5 use the same three words).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependence {
    /// On nothing.
    EndpointIndependent,
    /// On its IP address.
    AddressDependent,
    /// On its IP address and port.
    AddressAndPortDependent,
}

/// Which external port a mapping gets (§4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// The internal one if it is free, else the next one of the same parity and range (REQ-3a, REQ-4).
    Preserve,
    /// Any of the same parity and range (REQ-4).
    Parity,
    /// Any above 1023.
    Any,
}

/// Which external address a new mapping gets (REQ-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// One internal address always gets the same one.
    Paired,
    /// Each mapping gets any.
    Arbitrary,
}

/// What happens to a parcel from inside to an external endpoint of the same NAT (§6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hairpin {
    /// It is turned around and comes from the sender's external endpoint (REQ-9a).
    ExternalSource,
    /// It is turned around and comes from the sender's internal endpoint.
    InternalSource,
    /// It is dropped.
    Unsupported,
}

/// Which direction keeps a mapping alive (REQ-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// Only parcels that go out.
    Outbound,
    /// Parcels that go out or come in. A stranger can then keep a mapping alive (REQ-6a).
    Both,
}

impl NatRules {
    /// What RFC 4787 asks for (REQ-1 to REQ-9), with its more stringent filter.
    pub const WELL_BEHAVED: Self = Self {
        mapping: Dependence::EndpointIndependent,
        filtering: Dependence::AddressDependent,
        ports: Ports::Preserve,
        pooling: Pooling::Paired,
        hairpin: Hairpin::ExternalSource,
        refresh: Refresh::Outbound,
        udp_timeout: Duration::from_secs(300),
        tcp_timeout: Duration::from_secs(7440),
        table: crate::limits::MAPPINGS,
    };

    /// Once called a full cone: whoever knows the external endpoint may send to it.
    pub const FULL_CONE: Self =
        Self { filtering: Dependence::EndpointIndependent, ..Self::WELL_BEHAVED };

    /// Once called port-restricted: the Linux router at home, with its 30 s for unanswered datagrams.
    pub const PORT_RESTRICTED: Self = Self {
        filtering: Dependence::AddressAndPortDependent,
        hairpin: Hairpin::Unsupported,
        udp_timeout: Duration::from_secs(30),
        ..Self::WELL_BEHAVED
    };

    /// Once called symmetric: the one that needs a relay.
    pub const SYMMETRIC: Self = Self {
        mapping: Dependence::AddressAndPortDependent,
        ports: Ports::Any,
        ..Self::PORT_RESTRICTED
    };
}

/// The lowest and the highest port that `wanted` may be mapped to. Well-known ports stay well-known (REQ-3a); under
/// parity (REQ-4) every second port from the lowest is meant.
pub(super) const fn port_range(ports: Ports, wanted: u16) -> (u16, u16) {
    let odd = wanted & 1;
    match ports {
        Ports::Any => (1024, 65_535),
        Ports::Preserve | Ports::Parity if wanted < 1024 => (2 - odd, 1023 - (1 - odd)),
        Ports::Preserve | Ports::Parity => (1024 + odd, 65_534 + odd),
    }
}
