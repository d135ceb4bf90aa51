//! `Sound`: the sound of one call. Its sockets, what was agreed about them, and the stream between mouth and ear.

mod agreed;
mod flow;
mod local;
mod lookout;
mod pictures;
mod searched;
mod shield;
mod way;
mod wishes;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use connectivity::{Identity, NoWay, Role, Sent, Servers};
use machine::{Dice, Time};
use media::{Audio, NotPressed, Signal, Signals, Stream};
use protocol::dialog::Tag;
use protocol::doors::{CallQuality, Output, Socket};
use sdp::{Description, Origin, Refusal, Session, StreamId};
use sip::Bytes;

use crate::quality;
use crate::unable::Unable;
pub(crate) use local::Chime;
pub use local::EarlyMedia;
use local::Local;
use lookout::Lookout;
use pictures::Pictures;
pub(crate) use pictures::Wanted;
pub use pictures::{Video, VideoCodec, VideoFormat};
pub use shield::Srtp;
use way::Way;
pub(crate) use wishes::Wishes;
use wishes::{agreement, session_at, wish};

/// The sound of one call.
pub(crate) struct Sound {
    audio: Box<dyn Audio>,
    pair: Sockets,
    session: Session,
    id: StreamId,
    /// What early answers have agreed on, fork by fork: the 2xx of such a one says nothing new.
    early: Vec<(Tag, Session)>,
    /// Which of them is heard.
    heard: Option<Tag>,
    playing: Option<Playing>,
    pictures: Option<Pictures>,
    local: Local,
    /// The last handshake that came before anything was agreed on: those who begin need not wait for our answer (RFC 5763 §6.2).
    hasty: Option<(SocketAddr, Bytes)>,
    identity: Option<Identity>,
    /// Who looks for a way to the other side; and what that must still be told.
    lookout: Option<Lookout>,
    role: Option<Role>,
    to_meet: Option<(Time, sdp::Ice)>,
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
    way: Way,
    /// Whether the stream has begun: it does when its way is open.
    begun: Begun,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begun {
    No,
    Yes,
}

impl Sound {
    pub(crate) fn new(
        audio: Box<dyn Audio>,
        pair: Sockets,
        (wishes, mut dice): (&Wishes, Dice),
    ) -> Self {
        let local = pair.rtp.1;
        let mut wish = wish(local, wishes, &mut dice);
        wish.rtcp = pair.rtcp.1.port();
        let mut session = Session::new(Origin::new(dice.roll(), local.ip()));
        let id = session.add(wish);
        let (early, identity) = (Vec::new(), wishes.identity.clone());
        Self {
            audio,
            pair,
            session,
            id,
            early,
            heard: None,
            playing: None,
            pictures: None,
            local: Local::default(),
            hasty: None,
            identity,
            lookout: None,
            role: None,
            to_meet: None,
            dice,
        }
    }

    /// Whether an offer could be answered at all, before any socket is open (RFC 3261 §13.3.1.3).
    pub(crate) fn would_answer(offer: &Description, wishes: &Wishes) -> Result<(), Refusal> {
        session_at(Ipv4Addr::LOCALHOST.into(), wishes).answer(offer).map(drop)
    }

    /// True when keys are to come from a handshake.
    pub(crate) fn wants_handshake(offer: &Description) -> bool {
        let said = offer.attributes().chain(offer.media.iter().flat_map(sdp::Media::attributes));
        said.into_iter().any(|attribute| &*attribute.name == "fingerprint")
    }

    /// True when a way is to be looked for.
    pub(crate) fn wants_ice(offer: &Description) -> bool {
        offer.media.iter().any(|media| sdp::Ice::of(offer, media).is_some())
    }

    /// What we could talk with, for who asks (RFC 3261 §11.2, RFC 3264 §9).
    pub(crate) fn capabilities(at: IpAddr, wishes: &Wishes) -> Vec<u8> {
        session_at(at, wishes).capabilities().write()
    }

    /// True when nobody waits for an answer and something was agreed on.
    pub(crate) fn is_agreed(&self) -> bool {
        self.session.agreed_for(self.id).is_some()
    }

    /// Somebody else speaks and hears from now on; whoever did until now is given back.
    pub(crate) fn hand_over(&mut self, audio: Box<dyn Audio>) -> Box<dyn Audio> {
        std::mem::replace(&mut self.audio, audio)
    }

    /// True while the other side holds us.
    pub(crate) fn is_held(&self) -> bool {
        self.session.agreed_for(self.id).is_some_and(|agreed| agreed.hold.is_theirs())
    }

    /// True while we hold the other side.
    pub(crate) fn holds(&self) -> bool {
        self.session.agreed_for(self.id).is_some_and(|agreed| agreed.hold.is_ours())
    }

    /// From the next offer or answer on, sound is wanted at this address of ours; the sockets stay. A way that was looked for is looked for anew, from
    /// there (an ICE restart, RFC 8445 §9), and the other side is told once it is known what there is to tell.
    pub(crate) fn moved(
        &mut self,
        now: Time,
        (ip, servers): (IpAddr, &Servers),
        out: &mut Vec<Output>,
    ) {
        self.pair.rtp.1.set_ip(ip);
        self.pair.rtcp.1.set_ip(ip);
        if self.lookout.is_some() {
            return self.look(now, servers, out);
        }
        self.pictures.iter_mut().for_each(|pictures| pictures.moved(ip));
        let (sound, pictures) = self.streams();
        let early = self.early.iter_mut().map(|(_, session)| session);
        for session in early.chain([&mut self.session]) {
            for id in [sound].into_iter().chain(pictures) {
                session.stream_mut(id).into_iter().for_each(|stream| stream.local.set_ip(ip));
            }
        }
    }

    /// True for a socket of ours.
    pub(crate) fn has(&self, socket: Socket) -> bool {
        let pictured = self.pictures.as_ref().is_some_and(|pictures| pictures.has(socket));
        self.pair.rtp.0 == socket || self.pair.rtcp.0 == socket || pictured
    }

    /// Presses a key.
    pub(crate) fn press(&mut self, key: char) -> Result<(), Unable> {
        let Some(playing) = &mut self.playing else { return Err(Unable::NotNow("stands")) };
        playing.stream.press(key).map_err(|why| match why {
            NotPressed::NoSuchKey(key) => Unable::BadKey(key),
            NotPressed::TooMany => Unable::TooFast,
        })
    }

    /// Why nothing will be heard any more, when that is so, and the status that says it.
    pub(crate) fn broken(&self) -> Option<(u16, String)> {
        let way = &self.playing.as_ref()?.way;
        let lookout = self.lookout.as_ref().filter(|_| way.is_searched());
        let why = match lookout.and_then(Lookout::failure) {
            Some(NoWay::Lost) => {
                return Some((408, format!("the other side is gone: {}", NoWay::Lost)));
            }
            Some(why) => format!("no way to the other side was found: {why}"),
            None => way.broken()?.to_string(),
        };
        Some((488, format!("no sound could be agreed on: {why}")))
    }

    /// The owner hears a tone from now on. That it rings there is not played where something else is heard from there.
    pub(crate) fn chime(&mut self, now: Time, signals: Signals, signal: Signal) {
        let hears = self.playing.as_ref().is_some_and(|playing| playing.stream.hears());
        if signal == Signal::Ringback && hears {
            return;
        }
        if let Some(tone) = signals.tone(signal) {
            self.local.chime(now, signal, tone);
        }
    }

    /// That tone is heard no more.
    pub(crate) fn hush(&mut self, signal: Signal) {
        self.local.hush(signal);
    }

    /// What whom we hold hears, from now on; nothing: silence.
    pub(crate) fn set_music(&mut self, now: Time, music: Option<Box<dyn Audio>>) {
        self.local.music = music;
        let held = self.local.for_held();
        let agreed = self.session.agreed_for(self.id);
        let agreement = agreed.and_then(|agreed| agreement(agreed, held));
        if let (Some(playing), Some(agreement)) = (&mut self.playing, agreement) {
            playing.stream.agree(now, agreement);
        }
    }

    /// Mouth and ear, to look at.
    pub(crate) fn audio(&mut self) -> &mut dyn Audio {
        &mut *self.audio
    }

    /// How good it was until now.
    pub(crate) fn quality(&self) -> Option<CallQuality> {
        let Playing { stream, way, .. } = self.playing.as_ref()?;
        Some(quality::of(&stream.report(), stream.agreement().send.1, way.srtp()))
    }

    /// Ends it: a last RTCP packet, and the sockets and the audio go back to their owners.
    pub(crate) fn close(
        mut self,
        now: Time,
        out: &mut Vec<Output>,
    ) -> (Box<dyn Audio>, [Option<Sockets>; 2]) {
        let mut said = Vec::new();
        if let Some(playing) = &mut self.playing {
            playing.stream.close(now, &mut said);
        }
        self.carry(now, said, out);
        if let Some(lookout) = &mut self.lookout {
            let mut sent = Sent::new();
            lookout.close(now, &mut sent);
            self.put(sent, out);
        }
        (self.audio, [Some(self.pair), self.pictures.map(|pictures| pictures.pair())])
    }
}
