//! `Pictures`: the video of one call. We agree on it, carry its packets past SRTP and back, and know nothing of what is in them.

use std::any::Any;
use std::net::{IpAddr, SocketAddr};

use connectivity::Identity;
use machine::{Dice, Time};
use protocol::doors::{Output, Socket};
use rtp::Kind;
use sdp::{Agreed, Codec, Description, Media, Parameters, Refusal, Session, StreamId};
use sip::Bytes;

use super::way::{Port, Target, Way};
use super::wishes::{Wishes, secured};
use super::{Sockets, Sound};

/// What a program does with the pictures of a call. It is called on the phone's thread: it may not wait.
pub trait Video: Any + Send {
    /// What was agreed on, at the beginning and after each change of the call; `None`: there are no pictures, or no more.
    /// That the call is over it does not hear: [`PhoneEvent::Ended`](crate::PhoneEvent::Ended) says that.
    fn agreed(&mut self, format: Option<&VideoFormat>);

    /// An RTP or RTCP packet of the other side, as it was before it was protected.
    fn receive(&mut self, packet: &[u8]);
}

/// How pictures go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoFormat {
    /// The name of the encoding: `H264`, `VP8`.
    pub name: Box<str>,
    /// What the other side says of it (`a=fmtp`).
    pub parameters: Option<Box<str>>,
    /// The payload type of what we send.
    pub send: u8,
    /// The payload type of what comes.
    pub receive: u8,
    /// Whether the other side wants to get any now: not while one of us holds.
    pub wanted: bool,
}

/// A kind of pictures that a program speaks: the name of the encoding, and what `a=fmtp` says of it (or nothing). 90,000 ticks a second, as all have.
pub type VideoCodec<'a> = (&'a str, &'a str);

/// What a program wants with the pictures of a call.
pub(crate) struct Wanted {
    codecs: Vec<Codec>,
    video: Box<dyn Video>,
}

impl Wanted {
    pub(crate) fn new(codecs: &[VideoCodec<'_>], video: Box<dyn Video>) -> Self {
        let codec = |(name, parameters): &VideoCodec<'_>| {
            let codec = Codec::new(name, TICKS);
            match *parameters {
                "" => codec,
                own => codec.with_parameters(Parameters::Own(own.into())),
            }
        };
        Self { codecs: codecs.iter().map(codec).collect(), video }
    }

    /// There is no port for them, or no way.
    pub(crate) fn in_vain(&mut self) {
        self.video.agreed(None);
    }
}

/// The pictures of a call, and their way.
pub(crate) struct Pictures {
    video: Box<dyn Video>,
    pair: Sockets,
    id: StreamId,
    /// Kept while there are none: should they come back under the same keys, what protects them counts on (RFC 3711 §9.1).
    way: Option<Way>,
    state: State,
}

/// Whether there are any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not now.
    Off,
    /// They come, and the other side wants none.
    Unwanted,
    Wanted,
    /// There will be none any more: what protected them is lost.
    Over,
}

impl Pictures {
    /// As a stream of this session.
    pub(super) fn new(
        Wanted { codecs, video }: Wanted,
        pair: Sockets,
        session: &mut Session,
        (wishes, dice): (&Wishes, &mut Dice),
    ) -> Self {
        let mut wish = secured(sdp::Stream::video(pair.rtp.1, codecs), wishes, dice);
        wish.rtcp = pair.rtcp.1.port();
        let id = session.add(wish);
        Self { video, pair, id, way: None, state: State::Off }
    }

    pub(super) const fn id(&self) -> StreamId {
        self.id
    }

    pub(super) const fn pair(&self) -> Sockets {
        self.pair
    }

    pub(super) fn video(&mut self) -> &mut dyn Video {
        &mut *self.video
    }

    /// True for a socket of theirs.
    pub(super) fn has(&self, socket: Socket) -> bool {
        [self.pair.rtp.0, self.pair.rtcp.0].contains(&socket)
    }

    /// They are wanted at this address of ours from now on.
    pub(super) fn moved(&mut self, ip: IpAddr) {
        self.pair.rtp.1.set_ip(ip);
        self.pair.rtcp.1.set_ip(ip);
    }

    /// Goes on as agreed.
    pub(super) fn agree(&mut self, now: Time, agreed: &[Agreed], identity: Option<&Identity>) {
        let agreed = agreed.iter().find(|agreed| agreed.stream == self.id);
        self.state = match agreed {
            _ if self.state == State::Over => State::Over,
            None => State::Off,
            Some(agreed) => self.go_on(now, agreed, identity),
        };
        let format = agreed.filter(|_| self.is_on()).map(|agreed| VideoFormat {
            name: agreed.codec.name.clone(),
            parameters: agreed.codec.parameters.clone(),
            send: agreed.codec.send,
            receive: agreed.codec.receive,
            wanted: self.state == State::Wanted,
        });
        self.video.agreed(format.as_ref());
    }

    fn go_on(&mut self, now: Time, agreed: &Agreed, identity: Option<&Identity>) -> State {
        let before = self.way.take();
        let begins = before.is_none();
        self.way = Way::new(now, agreed, (identity, before));
        match (&self.way, agreed.direction.sends()) {
            (Some(_), true) => State::Wanted,
            (Some(_), false) => State::Unwanted,
            (None, _) if begins => State::Off,
            (None, _) => State::Over,
        }
    }

    const fn is_on(&self) -> bool {
        matches!(self.state, State::Wanted | State::Unwanted)
    }

    /// Their way, while there are any.
    fn way(&mut self) -> Option<&mut Way> {
        let is_on = self.is_on();
        self.way.as_mut().filter(|_| is_on)
    }

    /// A datagram came on one of their sockets.
    pub(super) fn receive(
        &mut self,
        now: Time,
        socket: Socket,
        (from, octets): (SocketAddr, &[u8]),
        out: &mut Vec<Output>,
    ) {
        let port = if socket == self.pair.rtp.0 { Port::Rtp } else { Port::Rtcp };
        let Some(way) = self.way() else { return };
        if Kind::of(octets) == Kind::Dtls && port == Port::Rtp {
            let mut sent = Vec::new();
            way.shake(now, (from, octets), &mut sent);
            return self.shaken(sent, out);
        }
        if let Some(packet) = way.admit(now, port, (from, octets)) {
            self.video.receive(&packet);
        }
    }

    /// A packet of the program goes out, when it is wanted there.
    pub(super) fn send(&mut self, packet: &[u8], out: &mut Vec<Output>) {
        let port = if Kind::of(packet) == Kind::Rtcp { Port::Rtcp } else { Port::Rtp };
        let wanted = self.state == State::Wanted || port == Port::Rtcp;
        let Some(way) = self.way().filter(|_| wanted) else { return };
        if let Some((Target::At(port, to), octets)) = way.send(port, packet.to_vec().into()) {
            let socket = if port == Port::Rtp { self.pair.rtp.0 } else { self.pair.rtcp.0 };
            out.push(Output::Media(socket, to, octets));
        }
    }

    /// Says what the handshake for their keys has to say.
    pub(super) fn wake(&mut self, now: Time, out: &mut Vec<Output>) {
        let is_due = |way: &&mut Way| way.deadline().is_some_and(|due| due <= now);
        let Some(way) = self.way().filter(is_due) else { return };
        let mut sent = Vec::new();
        way.wake(now, &mut sent);
        self.shaken(sent, out);
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.way.as_ref().filter(|_| self.is_on()).and_then(Way::deadline)
    }

    /// The handshake has gone on. Where it broke there are no pictures: the sound has one of its own.
    fn shaken(&mut self, sent: Vec<(SocketAddr, Bytes)>, out: &mut Vec<Output>) {
        let rtp = self.pair.rtp.0;
        out.extend(sent.into_iter().map(|(to, octets)| Output::Media(rtp, to, octets)));
        if self.way.take_if(|way| way.broken().is_some()).is_some() {
            self.state = State::Over;
            self.video.agreed(None);
        }
    }
}

impl Sound {
    /// Pictures go beside it, by sockets of their own. Where a way is looked for they do not: those would have to be looked for too. Sockets that are not
    /// used are handed back.
    pub(crate) fn show(
        &mut self,
        (mut wanted, pair): (Wanted, Sockets),
        wishes: &Wishes,
    ) -> Option<Sockets> {
        if wishes.ice.is_some() {
            wanted.in_vain();
            return Some(pair);
        }
        let wishes = (wishes, &mut self.dice);
        self.pictures = Some(Pictures::new(wanted, pair, &mut self.session, wishes));
        None
    }

    /// Who sees the pictures.
    pub(crate) fn video(&mut self) -> Option<&mut dyn Video> {
        self.pictures.as_mut().map(Pictures::video)
    }

    /// A packet of the program goes out with the pictures.
    pub(crate) fn send_video(&mut self, packet: &[u8], out: &mut Vec<Output>) {
        self.pictures.iter_mut().for_each(|pictures| pictures.send(packet, out));
    }

    /// The streams of its session: for the sound, and for pictures.
    pub(super) fn streams(&self) -> Streams {
        (self.id, self.pictures.as_ref().map(Pictures::id))
    }
}

/// The stream for the sound of a call, and that for its pictures.
pub(super) type Streams = (StreamId, Option<StreamId>);

/// Answers an offer; nothing that is said of pictures costs the call.
pub(super) fn answer(
    session: &mut Session,
    streams: Streams,
    offer: &Description,
) -> Result<(Description, Vec<Agreed>), Refusal> {
    with_sound(session, streams, |session, _| session.answer(offer))
}

/// Takes an answer in the same way. Where it cannot be taken, our offer is over.
pub(super) fn accept(
    session: &mut Session,
    streams: Streams,
    answer: &Description,
) -> Result<Vec<Agreed>, Refusal> {
    let accepted = with_sound(session, streams, |session, pictured| {
        let agreed = match pictured {
            Pictured::Yes => session.accept(answer),
            Pictured::No => session.accept(&sound_alone(answer, session.sections())),
        };
        agreed.map(|agreed| ((), agreed))
    });
    accepted.map(|((), agreed)| agreed).inspect_err(|_| session.rejected())
}

/// Does something with a session that must not fail for the pictures: if it does, or comes to pictures alone, it is done without them. Where that fails
/// too, nothing has changed.
fn with_sound<R>(
    session: &mut Session,
    (sound, pictures): Streams,
    deed: impl Fn(&mut Session, Pictured) -> Result<(R, Vec<Agreed>), Refusal>,
) -> Result<(R, Vec<Agreed>), Refusal> {
    let Some(pictures) = pictures else { return deed(session, Pictured::Yes) };
    let mut whole = session.clone();
    if let Ok((done, agreed)) = deed(&mut whole, Pictured::Yes)
        && (agreed.is_empty() || agreed.iter().any(|agreed| agreed.stream == sound))
    {
        *session = whole;
        return Ok((done, agreed));
    }
    let mut alone = session.clone();
    alone.remove(pictures);
    let done = deed(&mut alone, Pictured::No)?;
    *session = alone;
    Ok(done)
}

/// The same answer without pictures, as long as it should have been: some leave out what they do not know.
fn sound_alone(answer: &Description, sections: usize) -> Description {
    let mut alone = answer.clone();
    let others = alone.media.iter_mut().filter(|media| !media.kind.eq_ignore_ascii_case("audio"));
    others.for_each(|media| media.port = 0);
    let missing = sections.saturating_sub(alone.media.len());
    alone.media.extend((0..missing).map(|_| Media::new("video", 0, "RTP/AVP")));
    alone
}

/// Whether what the other side says of pictures counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pictured {
    Yes,
    No,
}

/// Ticks a second of the timestamps of all pictures (RFC 6184 §8.2.1, RFC 7741 §6.1).
const TICKS: u32 = 90_000;
