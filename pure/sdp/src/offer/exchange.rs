//! Reading the other side's offer or answer against our streams (RFC 3264 §6, §7, §8).

use super::agreed::{Remote, packet_time, their_direction};
use super::formats::{self, Common, Format};
use super::secrecy::{Keys, Way};
use super::slot::{Life, Slot};
use super::{Agreed, Hold, Refusal, Secrecy, Session, Stream, StreamId, compose};
use crate::{Description, Direction, Ice, Media, Trickle, limits};

/// The places as they are after an exchange, and what stands in them.
type Outcome = (Vec<Slot>, Vec<Agreed>);

/// One section of theirs, in its description.
#[derive(Clone, Copy)]
struct Theirs<'a> {
    description: &'a Description,
    media: &'a Media,
    section: usize,
}

impl Session {
    /// Gives every stream that has no place yet one of its own, below all others (RFC 3264 §8.1).
    pub(super) fn place_new(&self, slots: &mut Vec<Slot>) -> Result<(), Refusal> {
        for (index, stream) in self.streams.iter().enumerate() {
            let Some(stream) = stream else { continue };
            let id = StreamId(index);
            if slots.iter().any(|slot| slot.stream == Some(id)) {
                continue;
            }
            if slots.len() >= limits::SECTIONS {
                return Err(Refusal::TooManySections);
            }
            let mut slot = Slot::off(Media::new(&stream.kind, 0, "RTP/AVP"));
            slot.stream = Some(id);
            slot.life = Life::On(Vec::new());
            slots.push(slot);
        }
        Ok(())
    }

    /// What an offer would make of our places.
    pub(super) fn read_offer(&self, offer: &Description) -> Result<Outcome, Refusal> {
        let (got, want) = (offer.media.len(), self.slots.len());
        if got < want {
            return Err(Refusal::Sections { got, want });
        }
        if got > limits::SECTIONS {
            return Err(Refusal::TooManySections);
        }
        let mut slots = self.slots.clone();
        slots.extend(offer.media.iter().skip(want).map(|media| Slot::off(media.clone())));
        // First of all what they turned off: a stream may move from there to another section.
        for (slot, media) in slots.iter_mut().zip(&offer.media).filter(|(_, media)| media.port == 0)
        {
            turn_off(Some(slot), media);
        }
        let mut agreed = Vec::new();
        let mut why = None;
        for (section, media) in offer.media.iter().enumerate() {
            let theirs = Theirs { description: offer, media, section };
            match self.answer_section(theirs, &mut slots) {
                Ok(stands) => agreed.extend(stands),
                Err(refusal) => {
                    why = why.or(Some(refusal));
                    turn_off(slots.get_mut(section), media);
                }
            }
        }
        // A session of nothing that we wanted is refused as a whole; one whose sections they turned off themselves is not.
        match why {
            Some(refusal) if agreed.is_empty() => Err(refusal),
            _ => Ok((slots, agreed)),
        }
    }

    /// Our answer to one section: agreed, off because they said so, or refused.
    fn answer_section(
        &self,
        theirs: Theirs<'_>,
        slots: &mut [Slot],
    ) -> Result<Option<Agreed>, Refusal> {
        let Theirs { description, media, section } = theirs;
        if media.port == 0 {
            return Ok(None);
        }
        let (id, stream) = self.take_stream(section, media, slots).ok_or(Refusal::NoMedia)?;
        let Some(slot) = slots.get_mut(section) else { return Err(Refusal::TooManySections) };
        let (mut cover, keys) = Secrecy::answered(stream, (section, description, media), slot)?;
        let (remote, ice) = (theirs.remote()?, theirs.ice(stream));
        cover.way =
            Way { mux: media.has_rtcp_mux(), ice: ice.is_some(), mid: media.mid().map(Into::into) };
        let (codec, common) =
            formats::of_offer(stream, media, &slot.memory).ok_or(Refusal::Formats { section })?;
        let their_way = their_direction(description, media);
        let direction = stream.direction.and(their_way.mirrored());
        slot.memory.learn(media);
        slot.stream = Some(id);
        slot.written = compose::live((stream, &cover), &common.listed, direction, self.address());
        slot.part = keys.1.as_ref().map(|handshake| handshake.part);
        let hold = Hold::of(stream.direction, their_way);
        let way = (remote, cover.way.mux, ice);
        let agreed = theirs.agreed((id, stream, keys), way, (direction, hold), (codec, &common));
        slot.life = Life::On(common.listed);
        Ok(Some(agreed))
    }

    /// The stream of ours for a section of theirs: the one that stands there; else the first of that kind that stands nowhere else.
    fn take_stream(
        &self,
        section: usize,
        media: &Media,
        slots: &mut [Slot],
    ) -> Option<(StreamId, &Stream)> {
        let fits = |id: StreamId| {
            self.stream(id).filter(|stream| stream.kind.eq_ignore_ascii_case(&media.kind))
        };
        let here = slots.get(section).and_then(|slot| slot.stream);
        if let Some((id, stream)) = here.and_then(|id| Some((id, fits(id)?))) {
            return Some((id, stream));
        }
        let stands = |id| slots.iter().any(|slot| slot.is_on() && slot.stream == Some(id));
        let (id, stream) = (0..self.streams.len())
            .map(StreamId)
            .filter(|id| !stands(*id))
            .find_map(|id| Some((id, fits(id)?)))?;
        // It leaves the place that is off, or it would be offered there again.
        slots.iter_mut().filter(|slot| slot.stream == Some(id)).for_each(|slot| slot.stream = None);
        Some((id, stream))
    }

    /// What an answer makes of our offer.
    pub(super) fn read_answer(&self, answer: &Description) -> Result<Outcome, Refusal> {
        let (got, want) = (answer.media.len(), self.slots.len());
        if got != want {
            return Err(Refusal::Sections { got, want });
        }
        let mut slots = self.slots.clone();
        let mut agreed = Vec::new();
        for (section, (slot, media)) in slots.iter_mut().zip(&answer.media).enumerate() {
            let theirs = Theirs { description: answer, media, section };
            let stands = self.answered_section(theirs, slot)?;
            if stands.is_none() {
                slot.life = Life::Off;
            }
            agreed.extend(stands);
        }
        Ok((slots, agreed))
    }

    /// Their answer to one section of ours; `None` when it is off.
    fn answered_section(
        &self,
        theirs: Theirs<'_>,
        slot: &mut Slot,
    ) -> Result<Option<Agreed>, Refusal> {
        let Theirs { description, media, section } = theirs;
        if !media.kind.eq_ignore_ascii_case(&slot.written.kind) {
            return Err(Refusal::Kind { section });
        }
        let (Life::On(offered), Some(id)) = (&slot.life, slot.stream) else { return Ok(None) };
        // A stream that was removed meanwhile stays offered until our next offer.
        let Some(stream) = self.stream(id).filter(|_| media.port != 0) else { return Ok(None) };
        let keys = Secrecy::accepted((section, description, media), &slot.written)?;
        let remote = theirs.remote()?;
        let (codec, common) =
            formats::of_answer(offered, media).ok_or(Refusal::Formats { section })?;
        let ours = slot.written.direction().unwrap_or_default();
        let their_way = their_direction(description, media);
        let ways = (ours.and(their_way.mirrored()), Hold::of(ours, their_way));
        slot.memory.learn(media);
        slot.part = keys.1.as_ref().map(|handshake| handshake.part);
        let offered = |name: &str| slot.written.attribute(name).is_some();
        let mux = offered("rtcp-mux") && media.has_rtcp_mux();
        let ice = theirs.ice(stream).filter(|_| offered("ice-ufrag"));
        Ok(Some(theirs.agreed((id, stream, keys), (remote, mux, ice), ways, (codec, &common))))
    }
}

/// Port 0 in our answer.
fn turn_off(slot: Option<&mut Slot>, like: &Media) {
    if let Some(slot) = slot {
        slot.life = Life::Off;
        slot.written = compose::off(like);
    }
}

/// The port of the discard service, for who has no address to say yet (RFC 8840 §4.1.1).
const NOWHERE: u16 = 9;

impl Theirs<'_> {
    fn remote(&self) -> Result<Remote, Refusal> {
        self.description
            .connection_of(self.media)
            .and_then(|connection| Remote::of(connection, self.media))
            .ok_or(Refusal::Address { section: self.section })
    }

    /// What they say for ICE, when we have addresses of our own. RFC 8839 §4.2.5: where the address of the section is none of theirs, somebody
    /// on the way has changed it, and knows better than ICE.
    fn ice(&self, stream: &Stream) -> Option<Ice> {
        stream.ice.as_ref()?;
        let ice = Ice::of(self.description, self.media)?;
        let remote = self.remote().ok()?;
        let changed = remote.rtp_address().is_some_and(|default| {
            let (ip, port) = (default.ip().to_string(), default.port().to_string());
            let is = |one: &str| {
                let mut fields = one.split_ascii_whitespace().skip(4);
                fields.next().is_some_and(|it| it.eq_ignore_ascii_case(&ip))
                    && fields.next() == Some(&*port)
            };
            default.port() != NOWHERE && !ice.candidates.iter().any(|one| is(one))
        });
        (!changed || ice.candidates.is_empty() && ice.trickle != Trickle::Off).then_some(ice)
    }

    fn agreed(
        &self,
        (id, stream, (secrets, handshake)): (StreamId, &Stream, Keys),
        (remote, mux, ice): (Remote, bool, Option<Ice>),
        (direction, hold): (Direction, Hold),
        (codec, common): (Format, &Common),
    ) -> Agreed {
        Agreed {
            stream: id,
            section: self.section,
            local: stream.local,
            remote,
            direction,
            hold,
            codec,
            formats: common.formats.clone(),
            events: common.events.clone(),
            noise: common.noise,
            extended: self.media.extended_reports(),
            secrets,
            handshake,
            mux,
            ice,
            ptime: packet_time(self.media),
        }
    }
}
