//! `Sound`: the sound of one call. Its sockets, what was agreed about them, and the stream between mouth and ear.

mod shield;

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use machine::{Dice, Time};
use media::{Agreement, Audio, Codec, Direction, KeySet, Minimum, NotPressed, Opus, Stream};
use protocol::dialog::Tag;
use protocol::doors::{CallQuality, Output, Socket};
use sdp::{Agreed, Description, Hold, Host, Origin, Refusal, Session, StreamId};
use sip::Bytes;

use crate::latch::{Admission, Latch};
use crate::unable::Unable;
use crate::{limits, quality};
use shield::Shield;
pub use shield::Srtp;

/// What an account wants of the sound of its calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) srtp: Srtp,
    /// Most wanted first.
    pub(crate) codecs: &'a [Codec],
}

/// The sound of one call.
pub(crate) struct Sound {
    audio: Box<dyn Audio>,
    pair: Sockets,
    session: Session,
    id: StreamId,
    /// What early answers have agreed on, fork by fork: the 2xx of such a one says nothing new. The first is the one that is heard.
    early: Vec<(Tag, Session)>,
    playing: Option<Playing>,
    dice: Dice,
}

/// The pair of sockets that the driver lends, and the addresses that they are bound to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sockets {
    pub(crate) rtp: (Socket, SocketAddr),
    pub(crate) rtcp: (Socket, SocketAddr),
}

/// What flows since the first answer.
struct Playing {
    stream: Stream,
    latch: Latch,
    rtcp: Option<SocketAddr>,
    shield: Option<Shield>,
}

impl Sound {
    pub(crate) fn new(
        audio: Box<dyn Audio>,
        pair: Sockets,
        (terms, mut dice): (Terms<'_>, Dice),
    ) -> Self {
        let local = pair.rtp.1;
        let mut wish = wish(local, terms, &mut dice);
        wish.rtcp = pair.rtcp.1.port();
        let mut session = Session::new(Origin::new(dice.roll(), local.ip()));
        let id = session.add(wish);
        Self { audio, pair, session, id, early: Vec::new(), playing: None, dice }
    }

    /// Whether an offer could be answered at all, before any socket is open (RFC 3261 §13.3.1.3).
    pub(crate) fn would_answer(offer: &Description, terms: Terms<'_>) -> Result<(), Refusal> {
        session_at(Ipv4Addr::LOCALHOST.into(), terms).answer(offer).map(drop)
    }

    /// What we could talk with, for who asks (RFC 3261 §11.2, RFC 3264 §9).
    pub(crate) fn capabilities(at: IpAddr, terms: Terms<'_>) -> Vec<u8> {
        session_at(at, terms).capabilities().write()
    }

    /// An offer of ours.
    pub(crate) fn offer(&mut self) -> Result<Vec<u8>, Refusal> {
        self.session.offer().map(|offer| offer.write())
    }

    /// The answer to an offer of theirs.
    pub(crate) fn answer(&mut self, now: Time, offer: &Description) -> Result<Vec<u8>, Refusal> {
        let (answer, agreed) = self.session.answer(offer)?;
        self.agree(now, &agreed);
        Ok(answer.write())
    }

    /// Takes the answer to our offer.
    pub(crate) fn accept(&mut self, now: Time, answer: &[u8]) -> Result<(), Refusal> {
        let answer = match Description::parse(answer) {
            Ok(answer) => answer,
            Err(error) => {
                self.session.rejected();
                return Err(error.into());
            }
        };
        let agreed = self.session.accept(&answer)?;
        self.agree(now, &agreed);
        if agreed.is_empty() { Err(Refusal::NoMedia) } else { Ok(()) }
    }

    /// An answer in a provisional response of the fork `tag`: what is heard until somebody picks up. Only the first of a fork counts.
    pub(crate) fn accept_early(&mut self, now: Time, tag: Tag, answer: &[u8]) {
        if self.early.len() >= limits::EARLY || self.has_early(&tag) {
            return;
        }
        let mut session = self.session.clone();
        let Ok(answer) = Description::parse(answer) else { return };
        if let Ok(agreed) = session.accept(&answer) {
            if self.early.is_empty() {
                self.agree(now, &agreed);
            }
            self.early.push((tag, session));
        }
    }

    /// True when something was agreed on with this fork.
    pub(crate) fn has_early(&self, tag: &Tag) -> bool {
        self.early.iter().any(|(fork, _)| fork == tag)
    }

    /// The answer to an offer of a fork with which something was agreed on before anybody has picked up (RFC 3311 §5.2).
    pub(crate) fn answer_early(
        &mut self,
        now: Time,
        tag: &Tag,
        offer: &Description,
    ) -> Result<Vec<u8>, Refusal> {
        let at = self.early.iter().position(|(fork, _)| fork == tag);
        let at = at.ok_or(Refusal::OfferPending)?;
        let (_, session) = self.early.get_mut(at).ok_or(Refusal::OfferPending)?;
        let (answer, agreed) = session.answer(offer)?;
        if at == 0 {
            self.agree(now, &agreed);
        }
        Ok(answer.write())
    }

    /// The 2xx of the fork `tag`, with an answer or without. The first answer of a fork counts, and what comes after it is ignored
    /// (RFC 3261 §13.2.1).
    pub(crate) fn accept_final(
        &mut self,
        now: Time,
        tag: &Tag,
        answer: &[u8],
    ) -> Result<(), Refusal> {
        let early = std::mem::take(&mut self.early);
        let found = early.into_iter().enumerate().find(|(_, (fork, _))| fork == tag);
        let Some((at, (_, session))) = found else { return self.accept(now, answer) };
        self.session = session;
        if at > 0 {
            let agreed = self.session.agreed().to_vec();
            self.agree(now, &agreed);
        }
        Ok(())
    }

    /// The INVITE goes out anew: what forks of the first have said is over.
    pub(crate) fn begin_anew(&mut self) {
        self.early.clear();
    }

    /// True when nobody waits for an answer and something was agreed on.
    pub(crate) fn is_agreed(&self) -> bool {
        self.session.agreed_for(self.id).is_some()
    }

    /// Somebody else speaks and hears from now on; whoever did until now is given back.
    pub(crate) fn hand_over(&mut self, audio: Box<dyn Audio>) -> Box<dyn Audio> {
        std::mem::replace(&mut self.audio, audio)
    }

    /// Our offer was refused: all is as it was, what we wish too (RFC 3261 §14.1).
    pub(crate) fn rejected(&mut self) {
        self.session.rejected();
        let agreed = self.session.agreed_for(self.id);
        if agreed.is_some_and(|agreed| matches!(agreed.hold, Hold::Ours | Hold::Both)) {
            self.hold();
        } else {
            self.resume();
        }
    }

    /// From the next offer on we listen no more.
    pub(crate) fn hold(&mut self) {
        self.session.hold(self.id);
    }

    /// From the next offer on we listen again.
    pub(crate) fn resume(&mut self) {
        self.session.resume(self.id);
    }

    /// True while the other side holds us.
    pub(crate) fn is_held(&self) -> bool {
        self.session.agreed_for(self.id).is_some_and(|agreed| agreed.hold.is_theirs())
    }

    /// True while we hold the other side.
    pub(crate) fn holds(&self) -> bool {
        self.session.agreed_for(self.id).is_some_and(|agreed| agreed.hold.is_ours())
    }

    /// From the next offer or answer on, sound is wanted at this address of ours; the sockets stay.
    pub(crate) fn moved(&mut self, ip: IpAddr) {
        self.pair.rtp.1.set_ip(ip);
        self.pair.rtcp.1.set_ip(ip);
        if let Some(stream) = self.session.stream_mut(self.id) {
            stream.local.set_ip(ip);
        }
        for (_, session) in &mut self.early {
            if let Some(stream) = session.stream_mut(self.id) {
                stream.local.set_ip(ip);
            }
        }
    }

    /// True for a socket of ours.
    pub(crate) fn has(&self, socket: Socket) -> bool {
        self.pair.rtp.0 == socket || self.pair.rtcp.0 == socket
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: char) -> Result<(), Unable> {
        let Some(playing) = &mut self.playing else { return Err(Unable::NotNow("stands")) };
        playing.stream.press(key).map_err(|why| match why {
            NotPressed::NoSuchKey(key) => Unable::BadKey(key),
            NotPressed::TooMany => Unable::TooFast,
        })
    }

    /// A datagram came on a socket of ours; keys that were pressed are returned.
    pub(crate) fn receive(
        &mut self,
        now: Time,
        socket: Socket,
        (from, octets): (SocketAddr, &[u8]),
        out: &mut Vec<Output>,
    ) -> Vec<char> {
        let Some(playing) = &mut self.playing else { return Vec::new() };
        // Whoever does not have the key is nobody: it is not even learned from where they send.
        let Some(octets) = playing.opened(octets) else { return Vec::new() };
        let (octets, mut said) = (&*octets, Vec::new());
        if socket == self.pair.rtp.0 {
            if playing.latch.admits(now, from) == Admission::Refused {
                return Vec::new();
            }
            playing.stream.receive(now, octets, &mut said);
        } else {
            let known = [playing.latch.destination(), playing.rtcp];
            let is_known = |at: SocketAddr| at.ip().to_canonical() == from.ip().to_canonical();
            if !known.into_iter().flatten().any(is_known) {
                return Vec::new();
            }
            playing.rtcp = Some(from);
            playing.stream.receive_rtcp(now, octets, &mut said);
        }
        self.carry(said, out)
    }

    /// Says and plays what is due.
    pub(crate) fn wake(&mut self, now: Time, out: &mut Vec<Output>) -> Vec<char> {
        let Some(playing) = &mut self.playing else { return Vec::new() };
        if playing.stream.deadline() > now {
            return Vec::new();
        }
        let mut said = Vec::new();
        playing.stream.wake(now, &mut *self.audio, &mut said);
        self.carry(said, out)
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.playing.as_ref().map(|playing| playing.stream.deadline())
    }

    /// Mouth and ear, to look at.
    pub(crate) fn audio(&mut self) -> &mut dyn Audio {
        &mut *self.audio
    }

    /// How good it was until now.
    pub(crate) fn quality(&self) -> Option<CallQuality> {
        let Playing { stream, shield, .. } = self.playing.as_ref()?;
        let suite = shield.as_ref().map(|shield| shield.suite().name());
        Some(quality::of(&stream.report(), stream.agreement().send.1, suite))
    }

    /// Ends it: a last RTCP packet, and the sockets and the audio go back to their owners.
    pub(crate) fn close(mut self, now: Time, out: &mut Vec<Output>) -> (Box<dyn Audio>, Sockets) {
        let mut said = Vec::new();
        if let Some(playing) = &mut self.playing {
            playing.stream.close(now, &mut said);
        }
        self.carry(said, out);
        (self.audio, self.pair)
    }

    fn carry(&mut self, said: Vec<media::Output>, out: &mut Vec<Output>) -> Vec<char> {
        let Some(playing) = &mut self.playing else { return Vec::new() };
        let mut keys = Vec::new();
        for output in said {
            let (socket, to, octets) = match output {
                media::Output::Rtp(octets) => {
                    (self.pair.rtp.0, playing.latch.destination(), octets)
                }
                media::Output::Rtcp(octets) => (self.pair.rtcp.0, playing.rtcp, octets),
                media::Output::Key(key) => {
                    keys.push(key);
                    continue;
                }
            };
            let sealed = to.zip(playing.sealed(octets));
            out.extend(sealed.map(|(to, octets)| Output::Media(socket, to, octets)));
        }
        keys
    }

    /// Goes on as agreed. Whoever is heard is learned anew: the other side may have moved.
    fn agree(&mut self, now: Time, agreed: &[Agreed]) {
        let Some(agreed) = agreed.iter().find(|agreed| agreed.stream == self.id) else { return };
        let Some(agreement) = agreement(agreed) else { return };
        let latch = Latch::new(now, agreed.remote.rtp_address());
        let rtcp = agreed.remote.rtcp_address();
        let (stream, before) = match self.playing.take() {
            Some(Playing { mut stream, shield, .. }) => {
                stream.agree(now, agreement);
                (stream, shield)
            }
            None => (Stream::new(now, agreement, Dice::new(self.dice.seed())), None),
        };
        let shield = agreed.secrets.clone().map(|secrets| Shield::with(secrets, before));
        // Keys that fit no suite of ours were not agreed to: without a shield nothing flows.
        if let Some(shield) = shield.map_or(Some(None), |shield| shield.map(Some)) {
            self.playing = Some(Playing { stream, latch, rtcp, shield });
        }
    }
}

impl Playing {
    /// What a packet was before it was protected; `None` for one that is not of the other side.
    fn opened<'a>(&mut self, octets: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let Some(shield) = &mut self.shield else { return Some(octets.into()) };
        let mut packet = octets.to_vec();
        shield.open(&mut packet).ok().map(|()| packet.into())
    }

    /// What goes out of a packet; nothing, when its key is used up.
    fn sealed(&mut self, octets: Bytes) -> Option<Bytes> {
        let Some(shield) = &mut self.shield else { return Some(octets) };
        let mut packet = octets.to_vec();
        shield.seal(&mut packet).ok().map(|()| packet.into())
    }
}

/// The stream that we wish for.
fn wish(local: SocketAddr, terms: Terms<'_>, dice: &mut Dice) -> sdp::Stream {
    let spoken = |codec: &Codec| {
        let spoken = sdp::Codec::new(codec.name(), codec.clock_rate());
        match codec {
            Codec::Opus(_) => spoken
                .with_channels(codec.channels())
                .with_parameters(sdp::Parameters::Own(WE_HEAR.into())),
            _ => spoken,
        }
    };
    let audio = sdp::Stream::audio(local, terms.codecs.iter().map(spoken));
    sdp::Stream { secrecy: terms.srtp.secrecy(dice), ..audio }
}

/// What we want of the Opus that comes (RFC 7587 §6.1): each packet may say again what was in the last one. Nothing else: an INVITE that
/// outgrows a datagram has to go by TCP (RFC 3261 §18.1.1).
const WE_HEAR: &str = "useinbandfec=1";

/// A session that nobody has begun, without sockets. Its keys are told to nobody.
fn session_at(ip: IpAddr, terms: Terms<'_>) -> Session {
    let mut session = Session::new(Origin::new(0, ip));
    session.add(wish(SocketAddr::new(ip, NOWHERE), terms, &mut Dice::new(0)));
    session
}

/// The port of the discard service.
const NOWHERE: u16 = 9;

/// What SDP has agreed on, in the words of the stream; `None` for a codec that the stream does not have, which we do not offer.
fn agreement(agreed: &Agreed) -> Option<Agreement> {
    let codec = |format: &sdp::Format| match Codec::named(&format.name)? {
        Codec::Opus(_) => {
            let wishes = format.parameters.as_deref().unwrap_or_default();
            Some(Codec::Opus(Opus::of(wishes)))
        }
        other => Some(other),
    };
    // RFC 3264 §8.4: 0.0.0.0 is an old way to say hold; there is nowhere to send to.
    let nowhere = matches!(&agreed.remote.host, Host::Ip(ip) if ip.is_unspecified());
    // Whom we hold must not hear what is said in the room. We have no music for them, so nothing is sent.
    let mute = nowhere || agreed.hold.is_ours();
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
