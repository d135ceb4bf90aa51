//! What flows between mouth, ear and wire while a call lasts: what came is let in and heard, what is due is said and sent.

use std::net::SocketAddr;

use connectivity::{Came, Sent};
use machine::{Dice, Time};
use media::{Signal, Stream};
use protocol::doors::{Output, Socket};
use rtp::Kind;
use sip::Bytes;

use super::lookout::Lookout;
use super::pictures::Pictures;
use super::way::{Port, Target};
use super::{Begun, Playing, Sound};

impl Sound {
    /// A datagram came on a socket of ours; keys that were pressed are returned.
    pub(crate) fn receive(
        &mut self,
        now: Time,
        socket: Socket,
        (from, octets): (SocketAddr, &[u8]),
        out: &mut Vec<Output>,
    ) -> Vec<char> {
        if let Some(pictures) = self.pictures.as_mut().filter(|pictures| pictures.has(socket)) {
            pictures.receive(now, socket, (from, octets), out);
            return Vec::new();
        }
        let port = if socket == self.pair.rtp.0 { Port::Rtp } else { Port::Rtcp };
        let mut inside = None;
        if let (Some(lookout), Port::Rtp) = (&mut self.lookout, port) {
            let mut sent = Sent::new();
            let came = lookout.receive(now, (from, octets), &mut sent);
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
        let knows = |lookout: &Lookout| lookout.knows(from);
        if searched && port == Port::Rtp && !self.lookout.as_ref().is_some_and(knows) {
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
    pub(super) fn post(
        &mut self,
        now: Time,
        sent: Vec<(SocketAddr, Bytes)>,
        out: &mut Vec<Output>,
    ) {
        let searched = self.playing.as_ref().is_some_and(|playing| playing.way.is_searched());
        let mut wrapped = Sent::new();
        for (to, octets) in sent {
            match &mut self.lookout {
                Some(lookout) if searched => lookout.send(now, &octets, &mut wrapped),
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

    pub(super) fn put(&self, sent: Sent, out: &mut Vec<Output>) {
        let rtp = self.pair.rtp.0;
        out.extend(sent.into_iter().map(|(to, octets)| Output::Media(rtp, to, octets.into())));
    }

    /// Says and plays what is due.
    pub(crate) fn wake(&mut self, now: Time, out: &mut Vec<Output>) -> Vec<char> {
        self.search_on(now, out);
        self.pictures.iter_mut().for_each(|pictures| pictures.wake(now, out));
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
        let search = self.lookout.as_ref().and_then(Lookout::deadline);
        let to_meet = self.to_meet.as_ref().map(|(now, _)| *now);
        let pictures = self.pictures.as_ref().and_then(Pictures::deadline);
        let search = search.into_iter().chain(to_meet).chain(pictures).min();
        let chime = self.local.deadline();
        let Some(Playing { stream, way, begun }) = &self.playing else {
            return search.into_iter().chain(chime).min();
        };
        let talk = if *begun == Begun::Yes { Some(stream.deadline()) } else { chime };
        talk.into_iter().chain(way.deadline()).chain(search).min()
    }

    pub(super) fn carry(
        &mut self,
        now: Time,
        said: Vec<media::Output>,
        out: &mut Vec<Output>,
    ) -> Vec<char> {
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
                self.lookout.iter_mut().for_each(|lookout| lookout.send(now, &octets, &mut sent));
                self.put(sent, out);
            }
        }
    }
}
