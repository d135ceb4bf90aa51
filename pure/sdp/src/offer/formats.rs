//! `Format`: a codec and the payload types that both sides gave it; how they are found (RFC 3264 §5.1, §6.1, §8.3.2).

use super::{Codec, Events, Noise, Stream};
use crate::rtpmap::{FIRST_DYNAMIC, LAST_PAYLOAD_TYPE, static_payload_type};
use crate::{Media, RtpMap};

/// A codec as agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// Its name, as we spell it.
    pub name: Box<str>,
    /// Ticks a second of the RTP timestamp.
    pub clock_rate: u32,
    /// Channels.
    pub channels: u8,
    /// What the other side says about it in `a=fmtp`.
    pub parameters: Option<Box<str>>,
    /// The payload type to send with.
    pub send: u8,
    /// The payload type that the other side sends with.
    pub receive: u8,
}

impl Format {
    fn new(codec: &Codec, parameters: Option<&str>, send: u8, receive: u8) -> Self {
        Self {
            name: codec.name.clone(),
            clock_rate: codec.clock_rate,
            channels: codec.channels,
            parameters: parameters.map(Box::from),
            send,
            receive,
        }
    }
}

/// A codec that stands in a section of ours, and its payload type there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) payload_type: u8,
    pub(super) codec: Codec,
}

/// What both sides have in common in one section.
#[derive(Default)]
pub(super) struct Common {
    pub(super) formats: Vec<Format>,
    pub(super) events: Option<Events>,
    pub(super) noise: Option<Noise>,
    /// What our section lists, in its order.
    pub(super) listed: Vec<Listed>,
}

/// What of an offered section we speak, in the offerer's order and with its payload types (RFC 3264 §6.1).
pub(super) fn of_offer(
    stream: &Stream,
    theirs: &Media,
    memory: &Memory,
) -> Option<(Format, Common)> {
    let mut common = Common::default();
    for payload_type in theirs.payload_types() {
        let Some(map) = theirs.rtpmap(payload_type).or_else(|| memory.rtpmap(payload_type)) else {
            continue;
        };
        let fmtp = theirs.fmtp(payload_type);
        let Some(codec) = stream.codecs.iter().find(|codec| codec.is(&map, fmtp)) else { continue };
        if common.listed.iter().any(|listed| listed.codec == *codec) {
            continue;
        }
        common.listed.push(Listed { payload_type, codec: codec.clone() });
        common.formats.push(Format::new(codec, fmtp, payload_type, payload_type));
    }
    let first = common.formats.first()?.clone();
    let mut rates = [first.clock_rate, NARROW].into_iter();
    if let Some(listed) = rates.find_map(|rate| find(theirs, event_codec(stream, rate)?)) {
        let payload_type = listed.payload_type;
        let list = theirs.fmtp(payload_type).map(Box::from);
        common.events = Some(Events { send: payload_type, receive: payload_type, list });
        common.listed.push(listed);
    }
    let noise = stream.noise.clone().filter(|noise| noise.clock_rate == first.clock_rate);
    if let Some(listed) = noise.and_then(|codec| find(theirs, codec)) {
        let payload_type = listed.payload_type;
        common.noise = Some(Noise { send: payload_type, receive: payload_type });
        common.listed.push(listed);
    }
    Some((first, common))
}

/// What of our offer the answer took, in the answerer's order; sending with its payload types (RFC 3264 §5.1, §7).
pub(super) fn of_answer(offered: &[Listed], theirs: &Media) -> Option<(Format, Common)> {
    let ours = |map: &RtpMap, fmtp| offered.iter().find(|listed| listed.codec.is(map, fmtp));
    // An answer that leaves rtpmap away means ours.
    let meaning = |payload_type: u8| {
        theirs.rtpmap(payload_type).or_else(|| {
            offered
                .iter()
                .find(|listed| listed.payload_type == payload_type)
                .map(|listed| listed.codec.rtpmap(payload_type))
        })
    };
    let mut common = Common::default();
    let (mut events, mut noises) = (Vec::new(), Vec::new());
    for payload_type in theirs.payload_types() {
        let Some(map) = meaning(payload_type) else { continue };
        let fmtp = theirs.fmtp(payload_type);
        let Some(listed) = ours(&map, fmtp) else { continue };
        if is_events(&listed.codec.name) {
            events.push((
                listed.codec.clock_rate,
                Events {
                    send: payload_type,
                    receive: listed.payload_type,
                    list: fmtp.map(Box::from),
                },
            ));
        } else if is_noise(&listed.codec.name) {
            let clock_rate = listed.codec.clock_rate;
            let noise = Noise { send: payload_type, receive: listed.payload_type };
            noises.push((clock_rate, noise));
        } else {
            common.formats.push(Format::new(
                &listed.codec,
                fmtp,
                payload_type,
                listed.payload_type,
            ));
        }
    }
    let first = common.formats.first()?.clone();
    let at = |clock: u32| events.iter().find(|(rate, _)| *rate == clock);
    common.events = at(first.clock_rate).or_else(|| at(NARROW)).map(|(_, events)| events.clone());
    common.noise =
        noises.iter().find(|(rate, _)| *rate == first.clock_rate).map(|(_, noise)| *noise);
    Some((first, common))
}

/// The codec with the payload type that a section gives it.
fn find(media: &Media, codec: Codec) -> Option<Listed> {
    let is = |payload_type: &u8| {
        media.rtpmap(*payload_type).is_some_and(|map| codec.is(&map, media.fmtp(*payload_type)))
    };
    let payload_type = media.payload_types().find(is)?;
    Some(Listed { payload_type, codec })
}

/// RFC 4733 §2.1: telephone events run at the clock of the sound they belong to; [`NARROW`] says what else is taken.
fn event_codec(stream: &Stream, clock_rate: u32) -> Option<Codec> {
    let events = stream.events.clone()?;
    Some(Codec::new(EVENTS, clock_rate).with_parameters(super::Parameters::Own(events)))
}

fn is_events(name: &str) -> bool {
    name.eq_ignore_ascii_case(EVENTS)
}

fn is_noise(name: &str) -> bool {
    name.eq_ignore_ascii_case(NOISE)
}

/// Comfort noise (RFC 3389 §5.1).
const NOISE: &str = "CN";

/// The clock of events that phones list which know no other, whatever they speak. Their events run at the clock of the sound all the same.
const NARROW: u32 = 8_000;

const EVENTS: &str = "telephone-event";

/// The meaning of payload types in one section, which does not change while the session lasts (RFC 3264 §8.3.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory(Vec<(RtpMap, Option<Box<str>>)>);

impl Memory {
    fn rtpmap(&self, payload_type: u8) -> Option<RtpMap> {
        self.0.iter().map(|(map, _)| map).find(|map| map.payload_type == payload_type).cloned()
    }

    fn find(&self, codec: &Codec) -> Option<u8> {
        self.0
            .iter()
            .find(|(map, fmtp)| codec.is(map, fmtp.as_deref()))
            .map(|(map, _)| map.payload_type)
    }

    /// Learns what a section says. What is known already stays; so there are never more than there are payload types.
    pub(super) fn learn(&mut self, media: &Media) {
        for payload_type in media.payload_types().filter(|number| *number >= FIRST_DYNAMIC) {
            if self.rtpmap(payload_type).is_some() {
                continue;
            }
            if let Some(map) = media.rtpmap(payload_type) {
                self.0.push((map, media.fmtp(payload_type).map(Box::from)));
            }
        }
    }

    /// All that we offer of a stream: each codec, then comfort noise, then telephone events at each of their clock rates.
    pub(super) fn list(&self, stream: &Stream) -> Vec<Listed> {
        let mut rates: Vec<u32> = Vec::new();
        for codec in &stream.codecs {
            if !rates.contains(&codec.clock_rate) {
                rates.push(codec.clock_rate);
            }
        }
        let events = rates.into_iter().filter_map(|rate| event_codec(stream, rate));
        let mut listed: Vec<Listed> = Vec::new();
        for codec in stream.codecs.iter().chain(&stream.noise).cloned().chain(events) {
            let known = static_payload_type(&codec.name, codec.clock_rate, codec.channels);
            let payload_type = known.or_else(|| self.find(&codec)).or_else(|| self.free(&listed));
            // More dynamic codecs than dynamic payload types: the least wanted stay unsaid.
            listed.extend(payload_type.map(|payload_type| Listed { payload_type, codec }));
        }
        listed
    }

    fn free(&self, listed: &[Listed]) -> Option<u8> {
        (FIRST_DYNAMIC..=LAST_PAYLOAD_TYPE).find(|number| {
            self.rtpmap(*number).is_none()
                && listed.iter().all(|listed| listed.payload_type != *number)
        })
    }
}
