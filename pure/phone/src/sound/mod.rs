//! `Sound`: the sound of one call. Its sockets, what was agreed about them, and the stream between mouth and ear.

mod local;
mod searched;
mod shield;
mod way;
mod wishes;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use connectivity::{Came, Identity, Role, Search, Sent, Servers};
use machine::{Dice, Time};
use media::{Audio, NotPressed, Signal, Signals, Stream};
use protocol::dialog::Tag;
use protocol::doors::{CallQuality, Output, Socket};
use rtp::Kind;
use sdp::{Agreed, Description, Hold, Origin, Refusal, Session, StreamId};
use sip::Bytes;

use crate::unable::Unable;
use crate::{limits, quality};
pub(crate) use local::Chime;
pub use local::EarlyMedia;
use local::Local;
pub use shield::Srtp;
use way::{Port, Target, Way};
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
    local: Local,
    /// The last handshake that came before anything was agreed on: those who begin need not wait for our answer (RFC 5763 §6.2).
    hasty: Option<(SocketAddr, Bytes)>,
    identity: Option<Identity>,
    /// Who looks for a way to the other side; and what that must still be told.
    search: Option<Search>,
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
        (wishes, mut dice): (Wishes, Dice),
    ) -> Self {
        let local = pair.rtp.1;
        let mut wish = wish(local, &wishes, &mut dice);
        wish.rtcp = pair.rtcp.1.port();
        let mut session = Session::new(Origin::new(dice.roll(), local.ip()));
        let id = session.add(wish);
        let (early, identity) = (Vec::new(), wishes.identity);
        Self {
            audio,
            pair,
            session,
            id,
            early,
            heard: None,
            playing: None,
            local: Local::default(),
            hasty: None,
            identity,
            search: None,
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

    /// An offer of ours.
    pub(crate) fn offer(&mut self) -> Result<Vec<u8>, Refusal> {
        self.role.get_or_insert(Role::Controlling);
        self.tell_addresses();
        self.session.offer().map(|offer| offer.write())
    }

    /// The answer to an offer of theirs.
    pub(crate) fn answer(&mut self, now: Time, offer: &Description) -> Result<Vec<u8>, Refusal> {
        self.role.get_or_insert(Role::Controlled);
        let theirs = offer.media.iter().find_map(|media| sdp::Ice::of(offer, media));
        if let (Some(search), Some(theirs)) = (&mut self.search, theirs) {
            search.hear_offer(&theirs);
        }
        self.tell_addresses();
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
    pub(crate) fn accept_early(
        &mut self,
        now: Time,
        (tag, which): (Tag, EarlyMedia),
        answer: &[u8],
    ) {
        if self.early.len() >= limits::EARLY || self.has_early(&tag) {
            return;
        }
        let mut session = self.session.clone();
        let Ok(answer) = Description::parse(answer) else { return };
        if let Ok(agreed) = session.accept(&answer) {
            let wanted = match which {
                EarlyMedia::First => self.early.is_empty(),
                EarlyMedia::Last => true,
                EarlyMedia::Nobody => false,
            };
            if wanted {
                self.agree(now, &agreed);
                self.heard = Some(tag.clone());
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
        if self.heard.as_ref() == Some(tag) {
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
        let found = early.into_iter().find(|(fork, _)| fork == tag);
        let Some((_, session)) = found else { return self.accept(now, answer) };
        self.session = session;
        if self.heard.take().as_ref() != Some(tag) {
            let agreed = self.session.agreed().to_vec();
            self.agree(now, &agreed);
        }
        Ok(())
    }

    /// The INVITE goes out anew: what forks of the first have said is over.
    pub(crate) fn begin_anew(&mut self) {
        self.early.clear();
        self.heard = None;
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

    /// From the next offer or answer on, sound is wanted at this address of ours; the sockets stay. A way that was looked for is looked for anew, from
    /// there (an ICE restart, RFC 8445 §9).
    pub(crate) fn moved(
        &mut self,
        now: Time,
        (ip, servers): (IpAddr, &Servers),
        out: &mut Vec<Output>,
    ) {
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
        if self.search.is_some() {
            self.to_meet = None;
            self.look(now, servers, out);
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
        let port = if socket == self.pair.rtp.0 { Port::Rtp } else { Port::Rtcp };
        let mut inside = None;
        if let (Some(search), Port::Rtp) = (&mut self.search, port) {
            let mut sent = Sent::new();
            let came = search.receive(now, (from, octets), &mut sent);
            self.put(sent, out);
            self.follow(now, out);
            match came {
                Came::Taken => return Vec::new(),
                Came::Relayed(peer, octets) => inside = Some((peer, octets)),
                Came::Other => {}
            }
        }
        let (from, octets) = inside.as_ref().map_or((from, octets), |(peer, it)| (*peer, &**it));
        let searched = self.playing.as_ref().is_some_and(|playing| playing.way.is_searched());
        let knows = |search: &Search| search.knows(from);
        if searched && port == Port::Rtp && !self.search.as_ref().is_some_and(knows) {
            return Vec::new();
        }
        if Kind::of(octets) == Kind::Dtls && port == Port::Rtp {
            self.shake(now, (from, octets), out);
            return Vec::new();
        }
        let Some(playing) = &mut self.playing else { return Vec::new() };
        let Some(octets) = playing.way.admit(now, port, (from, octets)) else { return Vec::new() };
        let mut said = Vec::new();
        match port {
            Port::Rtp => playing.stream.receive(now, &octets, &mut said),
            Port::Rtcp => playing.stream.receive_rtcp(now, &octets, &mut said),
        }
        self.carry(now, said, out)
    }

    /// A datagram of the handshake for the keys.
    fn shake(&mut self, now: Time, (from, octets): (SocketAddr, &[u8]), out: &mut Vec<Output>) {
        let lost = |playing: &Playing| playing.way.is_searched() && !playing.way.is_found();
        let Some(playing) = self.playing.as_mut().filter(|playing| !lost(playing)) else {
            self.hasty = Some((from, octets.to_vec().into()));
            return;
        };
        let mut sent = Vec::new();
        playing.way.shake(now, (from, octets), &mut sent);
        self.post(now, sent, out);
    }

    /// Sends what the way itself has to say, and begins to talk once it is open.
    fn post(&mut self, now: Time, sent: Vec<(SocketAddr, Bytes)>, out: &mut Vec<Output>) {
        let searched = self.playing.as_ref().is_some_and(|playing| playing.way.is_searched());
        let mut wrapped = Sent::new();
        for (to, octets) in sent {
            match &mut self.search {
                Some(search) if searched => search.send(now, &octets, &mut wrapped),
                _ => out.push(Output::Media(self.pair.rtp.0, to, octets)),
            }
        }
        self.put(wrapped, out);
        let Some(playing) = &mut self.playing else { return };
        if playing.begun == Begun::No && playing.way.is_open() {
            playing.begun = Begun::Yes;
            let agreement = playing.stream.agreement().clone();
            // Nothing was said or heard so far, and nothing is late.
            playing.stream = Stream::new(now, agreement, Dice::new(self.dice.seed()));
            playing.stream.cover(playing.way.cover());
        }
    }

    fn put(&self, sent: Sent, out: &mut Vec<Output>) {
        let rtp = self.pair.rtp.0;
        out.extend(sent.into_iter().map(|(to, octets)| Output::Media(rtp, to, octets.into())));
    }

    /// Says and plays what is due.
    pub(crate) fn wake(&mut self, now: Time, out: &mut Vec<Output>) -> Vec<char> {
        self.search_on(now, out);
        let playing = self.playing.as_mut();
        if let Some(playing) = playing.filter(|it| it.way.deadline().is_some_and(|due| due <= now))
        {
            let mut sent = Vec::new();
            playing.way.wake(now, &mut sent);
            if let Some((from, octets)) = self.hasty.take_if(|_| playing.way.is_found()) {
                playing.way.shake(now, (from, &octets), &mut sent);
            }
            self.post(now, sent, out);
        }
        let holds = self.holds();
        let playing = self.playing.as_mut().filter(|playing| playing.begun == Begun::Yes);
        let Some(playing) = playing else {
            self.local.alone(now, &mut *self.audio);
            return Vec::new();
        };
        if playing.stream.deadline() > now {
            return Vec::new();
        }
        // RFC 3960 §3.2: what they let us hear is better than what we play.
        if playing.stream.hears() {
            self.local.hush(Signal::Ringback);
        }
        let mut said = Vec::new();
        self.local.with((now, holds), &mut self.audio, |audio| {
            playing.stream.wake(now, audio, &mut said);
        });
        self.carry(now, said, out)
    }

    /// When something is due.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let search = self.search.as_ref().and_then(Search::deadline);
        let search = search.into_iter().chain(self.to_meet.as_ref().map(|(now, _)| *now)).min();
        let chime = self.local.deadline();
        let Some(Playing { stream, way, begun }) = &self.playing else {
            return search.into_iter().chain(chime).min();
        };
        let talk = if *begun == Begun::Yes { Some(stream.deadline()) } else { chime };
        talk.into_iter().chain(way.deadline()).chain(search).min()
    }

    /// Why nothing will ever be heard, when that is so.
    pub(crate) fn broken(&self) -> Option<String> {
        let way = &self.playing.as_ref()?.way;
        if way.is_searched() && self.search.as_ref().is_some_and(Search::has_failed) {
            return Some("no way to the other side was found".into());
        }
        way.broken().map(|why| why.to_string())
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
    pub(crate) fn close(mut self, now: Time, out: &mut Vec<Output>) -> (Box<dyn Audio>, Sockets) {
        let mut said = Vec::new();
        if let Some(playing) = &mut self.playing {
            playing.stream.close(now, &mut said);
        }
        self.carry(now, said, out);
        if let Some(search) = &mut self.search {
            let mut sent = Sent::new();
            search.close(now, &mut sent);
            self.put(sent, out);
        }
        (self.audio, self.pair)
    }

    fn carry(&mut self, now: Time, said: Vec<media::Output>, out: &mut Vec<Output>) -> Vec<char> {
        let Some(playing) = &mut self.playing else { return Vec::new() };
        let (mut keys, mut ready) = (Vec::new(), Vec::new());
        for output in said {
            let (port, octets) = match output {
                media::Output::Rtp(octets) => (Port::Rtp, octets),
                media::Output::Rtcp(octets) => (Port::Rtcp, octets),
                media::Output::Key(key) => {
                    keys.push(key);
                    continue;
                }
            };
            if let Some((target, octets)) = playing.way.send(port, octets) {
                ready.push((target, octets));
            }
        }
        for (target, octets) in ready {
            self.dispatch(now, (target, octets), out);
        }
        keys
    }

    /// Sends a packet of the stream, there or by the way that was found.
    fn dispatch(&mut self, now: Time, (target, octets): (Target, Bytes), out: &mut Vec<Output>) {
        match target {
            Target::At(Port::Rtp, to) => out.push(Output::Media(self.pair.rtp.0, to, octets)),
            Target::At(Port::Rtcp, to) => out.push(Output::Media(self.pair.rtcp.0, to, octets)),
            Target::Searched => {
                let mut sent = Sent::new();
                self.search.iter_mut().for_each(|search| search.send(now, &octets, &mut sent));
                self.put(sent, out);
            }
        }
    }

    /// Goes on as agreed. Whoever is heard is learned anew: the other side may have moved.
    fn agree(&mut self, now: Time, agreed: &[Agreed]) {
        let Some(agreed) = agreed.iter().find(|agreed| agreed.stream == self.id) else { return };
        let held = self.local.for_held();
        let Some(agreement) = agreement(agreed, held) else { return };
        let (mut stream, before, begun) = match self.playing.take() {
            Some(Playing { mut stream, way, begun }) => {
                stream.agree(now, agreement);
                (stream, Some(way), begun)
            }
            None => (Stream::new(now, agreement, Dice::new(self.dice.seed())), None, Begun::No),
        };
        self.to_meet = agreed.ice.clone().map(|theirs| (now, theirs));
        let way = Way::new(now, agreed, (self.identity.as_ref(), before));
        self.playing = way.map(|way| {
            let begun = if way.is_open() { Begun::Yes } else { begun };
            stream.cover(way.cover());
            Playing { stream, way, begun }
        });
    }
}
