//! What an account wishes of the sound of its calls: as a stream of SDP; and what was agreed on, in the words of the stream of sound.

use std::net::{IpAddr, SocketAddr};

use connectivity::{Identity, Servers};
use machine::Dice;
use media::{Agreement, Codec, Direction, Extended, KeySet, Minimum, Opus};
use sdp::{Agreed, Host, Origin, Session};

use super::Srtp;
use super::local::Held;

/// What the account wishes of the sound of its calls, and of the way that it takes.
#[derive(Clone, Debug)]
pub(crate) struct Wishes {
    pub(crate) srtp: Srtp,
    /// Most wanted first.
    pub(crate) codecs: Vec<Codec>,
    /// The certificate for handshakes.
    pub(crate) identity: Option<Identity>,
    /// Whether a way is looked for (RFC 8445), and with whose help.
    pub(crate) ice: Option<Servers>,
}

/// The stream that we wish for.
pub(super) fn wish(local: SocketAddr, wishes: &Wishes, dice: &mut Dice) -> sdp::Stream {
    let spoken = |codec: &Codec| {
        let spoken = sdp::Codec::new(codec.name(), codec.clock_rate());
        match codec {
            Codec::Opus(_) => spoken
                .with_channels(codec.channels())
                .with_parameters(sdp::Parameters::Own(WE_HEAR.into())),
            _ => spoken,
        }
    };
    let audio = sdp::Stream::audio(local, wishes.codecs.iter().map(spoken));
    let narrow = |codec: &Codec| matches!(codec, Codec::Pcma | Codec::Pcmu);
    let noise = wishes.codecs.iter().any(narrow).then(|| sdp::Codec::new("CN", 8_000));
    secured(sdp::Stream { noise, extended: Some(METRICS.into()), ..audio }, wishes, dice)
}

/// The same stream, protected as wished.
pub(super) fn secured(stream: sdp::Stream, wishes: &Wishes, dice: &mut Dice) -> sdp::Stream {
    let certificate = wishes.identity.as_ref().map(|identity| identity.fingerprint().clone());
    let (secrecy, mux) = (wishes.srtp.secrecy(dice), wishes.srtp == Srtp::Dtls);
    sdp::Stream { secrecy, certificate, mux, ..stream }
}

/// The extended reports that we read and write: how good a call is (RFC 3611 §5.1).
const METRICS: &str = "voip-metrics";

/// What we want of the Opus that comes (RFC 7587 §6.1): each packet may say again what was in the last one. Nothing else: an INVITE that
/// outgrows a datagram has to go by TCP (RFC 3261 §18.1.1).
const WE_HEAR: &str = "useinbandfec=1";

/// A session that nobody has begun, without sockets. Its keys are told to nobody.
pub(super) fn session_at(ip: IpAddr, wishes: &Wishes) -> Session {
    let mut session = Session::new(Origin::new(0, ip));
    session.add(wish(SocketAddr::new(ip, NOWHERE), wishes, &mut Dice::new(0)));
    session
}

/// The port of the discard service.
const NOWHERE: u16 = 9;

/// What SDP has agreed on, in the words of the stream; `None` for a codec that the stream does not have, which we do not offer.
pub(super) fn agreement(agreed: &Agreed, held: Held) -> Option<Agreement> {
    let codec = |format: &sdp::Format| match Codec::named(&format.name)? {
        Codec::Opus(_) => {
            let wishes = format.parameters.as_deref().unwrap_or_default();
            Some(Codec::Opus(Opus::of(wishes)))
        }
        other => Some(other),
    };
    // RFC 3264 §8.4: 0.0.0.0 is an old way to say hold; there is nowhere to send to.
    let nowhere = matches!(&agreed.remote.host, Host::Ip(ip) if ip.is_unspecified());
    // Whom we hold must not hear what is said in the room. Without music for them nothing is sent.
    let mute = nowhere || (agreed.hold.is_ours() && held == Held::Nothing);
    let direction =
        if mute { agreed.direction.and(sdp::Direction::RecvOnly) } else { agreed.direction };
    Some(Agreement {
        send: (agreed.codec.send, codec(&agreed.codec)?),
        receive: agreed
            .formats
            .iter()
            .filter_map(|format| Some((format.receive, codec(format)?)))
            .collect(),
        send_keys: agreed.events.as_ref().map(|events| {
            (events.send, events.list.as_deref().map_or_else(KeySet::default, KeySet::read))
        }),
        receive_keys: agreed.events.as_ref().map(|events| events.receive),
        send_noise: agreed.noise.map(|noise| noise.send),
        receive_noise: agreed.noise.map(|noise| noise.receive),
        extended: match agreed.extended.iter().any(|kind| &**kind == METRICS) {
            true => Extended::VoipMetrics,
            false => Extended::None,
        },
        direction: match direction {
            sdp::Direction::SendRecv => Direction::SendRecv,
            sdp::Direction::SendOnly => Direction::SendOnly,
            sdp::Direction::RecvOnly => Direction::RecvOnly,
            sdp::Direction::Inactive => Direction::Inactive,
        },
        ptime: u8::try_from(agreed.ptime).unwrap_or(u8::MAX),
        minimum: Minimum::Fixed,
    })
}
