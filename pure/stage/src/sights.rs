//! Ladders of what a world's tap has seen: SIP message by message, media as it begins and changes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ladder::{Ladder, Lifeline, Rung, Step, Tone, Way};
use machine::Time;
use sim::{Fate, Host, HostId, Kind, Segment, Sighting, World};
use sip::header::CSeq;
use sip::stream::{Frame, Framer};
use sip::{Message, Method};

/// Draws all that the tap holds, in the order in which it was sent. Lifelines stand in this order, and all others behind them as
/// their hosts were added.
pub fn ladder<H: Host>(world: &mut World<H>, order: &[HostId]) -> Ladder {
    let mut seen: Vec<Sighting> = world.tap().sightings().cloned().collect();
    seen.sort_by_key(|sighting| sighting.sent);
    let mut drawing = Drawing::of(world, order, &seen);
    let media = Media::of(&drawing, &seen);
    for sighting in &seen {
        drawing.draw(sighting, &media);
    }
    drawing.ladder
}

/// The colour of a message.
fn tone(message: &Message) -> Tone {
    message.status().map_or(Tone::Request, |status| Tone::of_status(status.code()))
}

/// The ladder so far.
struct Drawing {
    ladder: Ladder,
    columns: BTreeMap<Option<HostId>, Lifeline>,
    /// What was sent before, from whom to whom: the same again is a repeat.
    before: BTreeSet<(Lifeline, Lifeline, Vec<u8>)>,
    /// Which way media flows between two, and when its last packet was sent.
    flowing: BTreeMap<(Lifeline, Lifeline), (Way, Time)>,
}

impl Drawing {
    fn of<H: Host>(world: &World<H>, order: &[HostId], seen: &[Sighting]) -> Self {
        let mut ladder = Ladder::default();
        let present: BTreeSet<Option<HostId>> =
            seen.iter().flat_map(|sighting| [sighting.from, sighting.to]).collect();
        let mut columns = BTreeMap::new();
        let all = order.iter().copied().chain(world.hosts().map(|(id, _)| id));
        for id in all.filter(|id| present.contains(&Some(*id))) {
            columns.entry(Some(id)).or_insert_with(|| ladder.lifeline(world.name(id)));
        }
        if present.contains(&None) {
            columns.insert(None, ladder.lifeline("elsewhere"));
        }
        let (before, flowing) = (BTreeSet::new(), BTreeMap::new());
        Self { ladder, columns, before, flowing }
    }

    fn draw(&mut self, sighting: &Sighting, media: &Media) {
        let Some((from, to)) = self.ends(sighting) else { return };
        if is_media(sighting) {
            return self.draw_media(sighting, (from, to), media);
        }
        for message in messages(sighting) {
            let (label, tone) = (message.title(), tone(&message));
            let mut rung = Rung::arrow(sighting.sent, from, to, &label, tone);
            if !sighting.fate.arrived() {
                rung = rung.lost();
            }
            let is_new = self.before.insert((from, to, message.wire().to_vec()));
            let repeat = (!is_new).then_some("again");
            if let Some(note) = note(repeat, sighting.fate, &message) {
                rung = rung.note(&note);
            }
            self.ladder.push(rung);
        }
    }

    fn draw_media(&mut self, sighting: &Sighting, ends: (Lifeline, Lifeline), media: &Media) {
        let (a, b) = (ends.0.min(ends.1), ends.0.max(ends.1));
        let Some(way) = media.way(sighting.sent, (a, b)) else { return };
        let lasts = media.way(sighting.sent + LASTS, (a, b)) == Some(way);
        let before = self.flowing.get(&(a, b)).copied();
        // After a silence it begins anew.
        let before = before.filter(|(_, last)| *last + LASTS > sighting.sent).map(|(way, _)| way);
        // What begins is drawn where it begins: at the first packet in the new direction.
        let own = if ends.0 == a { Way::Forth } else { Way::Back };
        let too_early = way == Way::Both && before == Some(own);
        let is_new = lasts && before != Some(way) && !too_early;
        if is_new {
            let label = codec(sighting.parcel.payload());
            self.ladder.push(Rung::new(sighting.sent, Step::Media { a, b, label, way }));
        }
        let now = if is_new { Some(way) } else { before };
        if let Some(now) = now {
            self.flowing.insert((a, b), (now, sighting.sent));
        }
    }

    fn ends(&self, sighting: &Sighting) -> Option<(Lifeline, Lifeline)> {
        let column = |id| self.columns.get(&id).copied();
        column(sighting.from).zip(column(sighting.to))
    }
}

/// When media went from whom to whom.
struct Media(BTreeMap<(Lifeline, Lifeline), Vec<Time>>);

impl Media {
    fn of(drawing: &Drawing, seen: &[Sighting]) -> Self {
        let mut sent = BTreeMap::<_, Vec<Time>>::new();
        for sighting in seen.iter().filter(|sighting| is_media(sighting)) {
            if let Some(ends) = drawing.ends(sighting) {
                sent.entry(ends).or_default().push(sighting.sent);
            }
        }
        Self(sent)
    }

    /// Which way media flows between two for a moment from `at` on.
    fn way(&self, at: Time, (a, b): (Lifeline, Lifeline)) -> Option<Way> {
        let flows = |ends| {
            let times: &[Time] = self.0.get(&ends).map_or(&[], Vec::as_slice);
            let first = times.partition_point(|time| *time < at);
            times.get(first).is_some_and(|time| *time <= at + MOMENT)
        };
        match (flows((a, b)), flows((b, a))) {
            (true, true) => Some(Way::Both),
            (true, false) => Some(Way::Forth),
            (false, true) => Some(Way::Back),
            (false, false) => None,
        }
    }
}

/// Two packets this far apart belong to one flow of sound.
const MOMENT: Duration = Duration::from_millis(200);

/// A change of direction that does not last this long is one side being a little later than the other.
const LASTS: Duration = Duration::from_millis(500);

fn is_media(sighting: &Sighting) -> bool {
    let Kind::Datagram(octets) = &sighting.parcel.kind else { return false };
    rtp::Kind::of(octets) == rtp::Kind::Rtp && rtp::Packet::parse(octets).is_ok()
}

/// `RTP PCMU`: by the static payload types (RFC 3551 §6).
fn codec(octets: &[u8]) -> String {
    match rtp::Packet::parse(octets).map(|packet| packet.payload_type) {
        Ok(0) => "RTP PCMU".to_owned(),
        Ok(8) => "RTP PCMA".to_owned(),
        Ok(number) => format!("RTP {number}"),
        Err(_) => "RTP".to_owned(),
    }
}

fn messages(sighting: &Sighting) -> Vec<Message> {
    match &sighting.parcel.kind {
        Kind::Datagram(octets) => Message::parse(octets.clone()).into_iter().collect(),
        Kind::Stream(_, Segment::Data(octets)) => {
            let mut framer = Framer::default();
            framer.push(octets);
            let frames = std::iter::from_fn(|| framer.cut().ok().flatten());
            let message = |frame| match frame {
                Frame::Message(message) => Some(message),
                Frame::Ping | Frame::Pong => None,
            };
            frames.filter_map(message).collect()
        }
        Kind::Stream(..) | Kind::Unreachable(_) => Vec::new(),
    }
}

/// A word for the reader, where the arrow does not say it all.
fn note(repeat: Option<&str>, fate: Fate, message: &Message) -> Option<String> {
    let body = match message.get::<CSeq>().map(|cseq| cseq.method) {
        _ if message.body().is_empty() => None,
        Some(Method::Invite | Method::Ack) => Some("SDP"),
        _ => None,
    };
    let fate = match fate {
        Fate::Delivered | Fate::Lost => None,
        Fate::Doubled => Some("a second copy"),
        Fate::Corrupted => Some("a bit turned over on the way"),
        Fate::Overflowed => Some("a queue was full"),
        Fate::TooBig => Some("too long for the path"),
        Fate::Parted => Some("there was no way through"),
        Fate::NoRoute => Some("nobody has that address"),
        Fate::Foreign => Some("not the sender's address"),
        Fate::Unmapped => Some("a NAT knew nothing of it"),
        Fate::Filtered => Some("a NAT did not let it in"),
        Fate::Exhausted => Some("a NAT was full"),
        Fate::NoHairpin => Some("a NAT does not turn around"),
        Fate::Down => Some("the host was down"),
        Fate::Closed => Some("nobody listened"),
        Fate::Gone => Some("the stream was gone"),
    };
    let words: Vec<&str> = [repeat, fate, body].into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(", "))
}
