//! `Agreed`: what two descriptions together mean for one stream.

use std::net::{IpAddr, SocketAddr};

use super::{Format, Secrets, StreamId};
use crate::{Connection, Description, Direction, Handshake, Host, Ice, Media, limits};

/// A stream on which both sides agreed. A stream of ours that has none is off: refused, removed, or never offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Which of our streams.
    pub stream: StreamId,
    /// The place of its `m=` line, from 0.
    pub section: usize,
    /// Where we receive RTP.
    pub local: SocketAddr,
    /// Where the other side receives.
    pub remote: Remote,
    /// What we do: whether we may send, and whether anything may come. RTCP flows in either case, except that none is sent to
    /// `0.0.0.0`.
    pub direction: Direction,
    /// Who put whom on hold.
    pub hold: Hold,
    /// What to send: the most wanted of the formats.
    pub codec: Format,
    /// All that may come, most wanted first; the first is [`codec`](Self::codec).
    pub formats: Vec<Format>,
    /// Keys, at the clock rate of the codec (RFC 4733); `None` when they have to go as sound.
    pub events: Option<Events>,
    /// Comfort noise; `None` when silence has to be sent like sound (RFC 3389 §5.1).
    pub noise: Option<Noise>,
    /// The extended reports that the other side asks for (RFC 3611 §5.1).
    pub extended: Box<[Box<str>]>,
    /// The keys of both sides, when they stand in the descriptions.
    pub secrets: Option<Secrets>,
    /// The handshake that makes the keys. With neither the stream is not protected.
    pub handshake: Option<Handshake>,
    /// RTCP comes and goes on the RTP port (RFC 5761).
    pub mux: bool,
    /// The other side's addresses, when a way is looked for.
    pub ice: Option<Ice>,
    /// Milliseconds of sound to put into a packet.
    pub ptime: u16,
}

/// Where the other side receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// The machine.
    pub host: Host,
    /// Its port for RTP.
    pub rtp: u16,
    /// Its port for RTCP.
    pub rtcp: u16,
    /// Its machine for RTCP, where that is another (RFC 3605 §2.1).
    pub reports: Option<IpAddr>,
}

/// The payload types of telephone events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// To send with.
    pub send: u8,
    /// That the other side sends with.
    pub receive: u8,
    /// Those that the other side takes, as it lists them (RFC 4733 §2.4.1); without a list it takes the keys.
    pub list: Option<Box<str>>,
}

/// The payload types of comfort noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    /// To send with.
    pub send: u8,
    /// That the other side sends with.
    pub receive: u8,
}

/// Who has stopped wanting to hear the other (RFC 3264 §8.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hold {
    /// Nobody.
    #[default]
    None,
    /// We hold them.
    Ours,
    /// They hold us.
    Theirs,
    /// Each holds the other.
    Both,
}

impl Hold {
    /// Whether the other side put us on hold.
    pub const fn is_theirs(self) -> bool {
        matches!(self, Self::Theirs | Self::Both)
    }

    /// Whether we put the other side on hold.
    pub const fn is_ours(self) -> bool {
        matches!(self, Self::Ours | Self::Both)
    }

    pub(super) const fn of(ours: Direction, theirs: Direction) -> Self {
        match (ours.receives(), theirs.receives()) {
            (true, true) => Self::None,
            (false, true) => Self::Ours,
            (true, false) => Self::Theirs,
            (false, false) => Self::Both,
        }
    }
}

impl Remote {
    /// Where to send RTP; `None` when the host is a name that has to be resolved, or `0.0.0.0`.
    pub fn rtp_address(&self) -> Option<SocketAddr> {
        self.ip().map(|address| SocketAddr::new(address, self.rtp))
    }

    /// Where to send RTCP.
    pub fn rtcp_address(&self) -> Option<SocketAddr> {
        self.reports.or_else(|| self.ip()).map(|address| SocketAddr::new(address, self.rtcp))
    }

    fn ip(&self) -> Option<IpAddr> {
        match &self.host {
            Host::Ip(address) => Some(*address).filter(|address| !address.is_unspecified()),
            Host::Name(_) => None,
        }
    }

    /// Where a section of theirs wants its media; `None` when nobody here could send there.
    pub(super) fn of(connection: &Connection, media: &Media) -> Option<Self> {
        let host = connection.address.host().filter(|_| !connection.is_multicast())?;
        // RFC 8866 §5.14: one port above, unless a=rtcp says another.
        let (rtcp, said) = media.rtcp().unwrap_or((media.port.saturating_add(1), None));
        let reports = said.and_then(|address| match address.host() {
            Some(Host::Ip(ip)) if !ip.is_unspecified() && !ip.is_multicast() => Some(ip),
            _ => None,
        });
        Some(Self { host, rtp: media.port, rtcp, reports })
    }
}

/// What their section wants: its direction, and nothing at all when it points to `0.0.0.0` (RFC 3264 §8.4).
pub(super) fn their_direction(description: &Description, media: &Media) -> Direction {
    let said = description.direction_of(media);
    // RFC 8840 §4.1.1: whoever tells addresses later has none to say yet.
    let nowhere = description.connection_of(media).is_some_and(Connection::is_nowhere)
        && Ice::of(description, media).is_none();
    if nowhere { said.and(Direction::SendOnly) } else { said }
}

/// The packet time to send: theirs, else 20 ms (RFC 3551 §4.2), never more than they or we can take.
pub(super) fn packet_time(media: &Media) -> u16 {
    let most = media.maxptime().unwrap_or(limits::PACKET_TIME).min(limits::PACKET_TIME);
    media.ptime().unwrap_or(20).min(most)
}
