//! `Way`: where the packets of a call go and from whom they are let in; with the handshake that makes its keys, where they are made so.

use std::borrow::Cow;
use std::net::SocketAddr;

use connectivity::{Broken, Handshake, Identity, Said};
use machine::Time;
use sdp::{Agreed, Secrets};
use sip::Bytes;

use super::shield::Shield;
use crate::latch::{Admission, Latch, Trace};

/// The way of a call's packets.
pub(super) struct Way {
    found: Found,
    rtcp: Rtcp,
    guard: Guard,
    /// The keys of descriptions, while others protect the call or nobody does: should they come back, they go on counting.
    resting: Option<Box<Shield>>,
}

/// How it is known where the other side is.
#[derive(Clone, Copy, Debug)]
enum Found {
    /// The description says it, and where it comes from.
    Latch(Latch),
    /// It is looked for (RFC 8445); there it is, once it is found.
    Searched(Option<SocketAddr>),
}

/// Where a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// There, from that port of ours.
    At(Port, SocketAddr),
    /// By the way that was found.
    Searched,
}

/// Where control packets go.
#[derive(Clone, Copy, Debug)]
enum Rtcp {
    /// Between ports of their own.
    Apart(Option<SocketAddr>),
    /// With the sound (RFC 5761).
    Muxed,
    /// Nowhere: there are none.
    Nowhere,
}

/// What protects the packets.
enum Guard {
    /// Nothing: RTP.
    Nobody,
    /// Keys from the descriptions.
    Shield(Box<Shield>),
    /// A handshake, and its keys once they are there.
    Handshake(Box<Shaking>),
}

struct Shaking {
    handshake: Handshake,
    /// Where the other side was announced, and whether the handshake knows.
    aim: Option<SocketAddr>,
    since: Option<Time>,
    shield: Option<Shield>,
    broken: Option<Broken>,
}

/// Which socket of the pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    Rtp,
    Rtcp,
}

impl Way {
    /// As agreed. What was there before goes on as far as it is still the same. `None` for keys that are of no use: without protection that was
    /// agreed on nothing flows.
    pub(super) fn new(
        now: Time,
        agreed: &Agreed,
        (identity, before): (Option<&Identity>, Option<Self>),
    ) -> Option<Self> {
        let searched = agreed.ice.is_some();
        let announced = agreed.remote.rtp_address().filter(|_| !searched);
        let known = before.as_ref().and_then(|before| before.searched()).filter(|_| searched);
        let rtcp = match (agreed.mux, &agreed.handshake) {
            (true, _) => Rtcp::Muxed,
            // RFC 5764 §3: the keys are those of the ports for sound; reports would want a handshake of their own.
            (false, Some(_)) => Rtcp::Nowhere,
            (false, None) => Rtcp::Apart(agreed.remote.rtcp_address()),
        };
        let (before, resting) = match before {
            Some(Self { guard: Guard::Shield(shield), .. }) => (None, Some(shield)),
            Some(Self { guard, resting, .. }) => (Some(guard), resting),
            None => (None, None),
        };
        let (guard, resting) = match (&agreed.handshake, agreed.secrets.clone()) {
            (Some(handshake), _) => {
                let whose = (handshake.part, handshake.theirs.clone());
                let going_on = match before {
                    Some(Guard::Handshake(shaking)) if shaking.goes_on(handshake, announced) => {
                        Some(shaking)
                    }
                    _ => None,
                };
                let begun = || {
                    let handshake = Handshake::new(now, identity?.clone(), whose);
                    let (since, aim) = (Some(now), announced.or(known));
                    let shaking = Shaking { handshake, aim, since, shield: None, broken: None };
                    Some(Box::new(shaking))
                };
                (Guard::Handshake(going_on.or_else(begun)?), resting)
            }
            (None, Some(secrets)) => {
                let shield = Shield::with(secrets, resting.map(|resting| *resting))?;
                (Guard::Shield(Box::new(shield)), None)
            }
            (None, None) => (Guard::Nobody, resting),
        };
        let found = match searched {
            true => Found::Searched(known),
            false => Found::Latch(Latch::new(now, announced)),
        };
        Some(Self { found, rtcp, guard, resting })
    }

    /// True when the way is looked for.
    pub(super) const fn is_searched(&self) -> bool {
        matches!(self.found, Found::Searched(_))
    }

    /// True when it is known where the other side is.
    pub(super) const fn is_found(&self) -> bool {
        !matches!(self.found, Found::Searched(None))
    }

    const fn searched(&self) -> Option<SocketAddr> {
        match self.found {
            Found::Searched(at) => at,
            Found::Latch(_) => None,
        }
    }

    /// A way was found, or another, or it has ended.
    pub(super) fn follow(
        &mut self,
        now: Time,
        to: Option<SocketAddr>,
        out: &mut Vec<(SocketAddr, Bytes)>,
    ) {
        let Found::Searched(at) = &mut self.found else { return };
        if *at == to {
            return;
        }
        *at = to;
        let (Guard::Handshake(shaking), Some(to)) = (&mut self.guard, to) else { return };
        let mut said = Vec::new();
        shaking.aim = Some(to);
        shaking.since = None;
        shaking.handshake.aim(now, to, &mut said);
        shaking.hear(said, out);
    }

    /// True when something can flow.
    pub(super) fn is_open(&self) -> bool {
        if matches!(self.found, Found::Searched(None)) {
            return false;
        }
        match &self.guard {
            Guard::Nobody | Guard::Shield(_) => true,
            Guard::Handshake(shaking) => shaking.shield.is_some(),
        }
    }

    /// Why nothing ever will.
    pub(super) fn broken(&self) -> Option<Broken> {
        match &self.guard {
            Guard::Nobody | Guard::Shield(_) => None,
            Guard::Handshake(shaking) => shaking.broken,
        }
    }

    /// How the packets are protected, and how many that came were refused for it.
    pub(super) fn srtp(&self) -> Option<(&'static str, u64)> {
        self.protection().map(|shield| (shield.suite().name(), shield.refused()))
    }

    /// Octets by which a report grows before it goes out.
    pub(super) fn cover(&self) -> u16 {
        self.protection().map_or(0, |shield| shield.suite().report_cover_octets())
    }

    fn protection(&self) -> Option<&Shield> {
        match &self.guard {
            Guard::Nobody => None,
            Guard::Shield(shield) => Some(shield),
            Guard::Handshake(shaking) => shaking.shield.as_ref(),
        }
    }

    /// A datagram of a handshake came on the port for sound.
    pub(super) fn shake(
        &mut self,
        now: Time,
        (from, octets): (SocketAddr, &[u8]),
        out: &mut Vec<(SocketAddr, Bytes)>,
    ) {
        // Whoever reads our description may come by any of the pairs that carry: it is one and the same.
        let from = self.searched().unwrap_or(from);
        let Guard::Handshake(shaking) = &mut self.guard else { return };
        let mut said = Vec::new();
        shaking.take_aim(now, &mut said);
        shaking.handshake.receive(now, (from, octets), &mut said);
        shaking.hear(said, out);
    }

    /// Says again what was lost.
    pub(super) fn wake(&mut self, now: Time, out: &mut Vec<(SocketAddr, Bytes)>) {
        let Guard::Handshake(shaking) = &mut self.guard else { return };
        let mut said = Vec::new();
        shaking.take_aim(now, &mut said);
        if shaking.handshake.deadline().is_some_and(|due| due <= now) {
            shaking.handshake.wake(now, &mut said);
        }
        shaking.hear(said, out);
    }

    /// When something is due: nothing, while it is not known where the other side is.
    pub(super) fn deadline(&self) -> Option<Time> {
        if !self.is_found() {
            return None;
        }
        match &self.guard {
            Guard::Nobody | Guard::Shield(_) => None,
            Guard::Handshake(shaking) => shaking.since.or_else(|| shaking.handshake.deadline()),
        }
    }

    /// Opens a packet that came; `None` for one that is not of the other side.
    pub(super) fn admit<'a>(
        &mut self,
        now: Time,
        port: Port,
        (from, octets): (SocketAddr, &'a [u8]),
    ) -> Option<Cow<'a, [u8]>> {
        // Whoever does not have the key is nobody: it is not even learned from where they send.
        let octets = self.opened(octets)?;
        match (port, self.rtcp) {
            (Port::Rtp, _) => match &mut self.found {
                Found::Latch(latch) => {
                    let admission = latch.admits(now, from, Trace::of(&octets));
                    (admission == Admission::Welcome).then_some(octets)
                }
                // Who it is, the search has said.
                Found::Searched(_) => Some(octets),
            },
            (Port::Rtcp, Rtcp::Apart(to)) => {
                let known = [self.destination(), to];
                let is_known = |at: SocketAddr| at.ip().to_canonical() == from.ip().to_canonical();
                if !known.into_iter().flatten().any(is_known) {
                    return None;
                }
                self.rtcp = Rtcp::Apart(Some(from));
                Some(octets)
            }
            (Port::Rtcp, Rtcp::Muxed | Rtcp::Nowhere) => None,
        }
    }

    /// Where a packet goes, and what goes there.
    pub(super) fn send(&mut self, port: Port, octets: Bytes) -> Option<(Target, Bytes)> {
        let target = match (port, self.rtcp) {
            (Port::Rtcp, Rtcp::Apart(to)) => Target::At(Port::Rtcp, to?),
            (Port::Rtcp, Rtcp::Nowhere) => return None,
            (Port::Rtp, _) | (Port::Rtcp, Rtcp::Muxed) => match self.found {
                Found::Latch(latch) => Target::At(Port::Rtp, latch.destination()?),
                Found::Searched(at) => at.map(|_| Target::Searched)?,
            },
        };
        Some((target, self.sealed(octets)?))
    }

    const fn destination(&self) -> Option<SocketAddr> {
        match self.found {
            Found::Latch(latch) => latch.destination(),
            Found::Searched(at) => at,
        }
    }

    fn shield(&mut self) -> Option<&mut Shield> {
        match &mut self.guard {
            Guard::Nobody => None,
            Guard::Shield(shield) => Some(shield),
            Guard::Handshake(shaking) => shaking.shield.as_mut(),
        }
    }

    fn opened<'a>(&mut self, octets: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        if matches!(self.guard, Guard::Nobody) {
            return Some(octets.into());
        }
        let mut packet = octets.to_vec();
        self.shield()?.open(&mut packet).ok().map(|()| packet.into())
    }

    /// What goes out of a packet; nothing, while there is no key, or when it is used up.
    fn sealed(&mut self, octets: Bytes) -> Option<Bytes> {
        if matches!(self.guard, Guard::Nobody) {
            return Some(octets);
        }
        let mut packet = octets.to_vec();
        self.shield()?.seal(&mut packet).ok().map(|()| packet.into())
    }
}

impl Shaking {
    /// RFC 8842 §4: the same certificates, the same parts and the same address are the same association. An address that is looked for is not
    /// announced, and may change.
    fn goes_on(&self, agreed: &sdp::Handshake, announced: Option<SocketAddr>) -> bool {
        self.handshake.is_with(agreed.part, &agreed.theirs)
            && (announced.is_none() || announced == self.aim)
    }

    fn take_aim(&mut self, now: Time, said: &mut Vec<Said>) {
        if let (Some(_), Some(aim)) = (self.since.take(), self.aim) {
            self.handshake.aim(now, aim, said);
        }
    }

    fn hear(&mut self, said: Vec<Said>, out: &mut Vec<(SocketAddr, Bytes)>) {
        for said in said {
            match said {
                Said::Send(to, octets) => out.push((to, octets.into())),
                Said::Keys(keys) => self.shield = shield(keys),
                Said::Failed(why) => self.broken = Some(why),
            }
        }
    }
}

fn shield(keys: connectivity::Keys) -> Option<Shield> {
    let suite = srtp::Suite::of_profile(keys.profile)?.name().into();
    let (ours, theirs) = (keys.ours.into(), keys.theirs.into());
    Shield::with(Secrets { suite, ours, theirs }, None)
}

#[cfg(test)]
mod tests {
    use machine::Dice;
    use sdp::{Origin, Part, Session};

    use super::super::wishes::{Wishes, wish};
    use super::*;
    use crate::Srtp;

    /// What two have agreed on, with keys in their descriptions.
    fn agreed() -> Agreed {
        let mut sides = [1, 2].map(|number: u8| {
            let at = SocketAddr::from(([192, 0, 2, number], 4000));
            let codecs = vec![media::Codec::Pcma];
            let wishes = Wishes { srtp: Srtp::Required, codecs, identity: None, ice: None };
            let mut session = Session::new(Origin::new(number.into(), at.ip()));
            session.add(wish(at, &wishes, &mut Dice::new(number.into())));
            session
        });
        let offer = sides[0].offer().unwrap();
        let (answer, _) = sides[1].answer(&offer).unwrap();
        sides[0].accept(&answer).unwrap().remove(0)
    }

    fn report(way: &mut Way) -> Bytes {
        let octets = [0x80, 201, 0, 1, 0, 0, 0, 7][..].to_vec();
        way.send(Port::Rtcp, octets.into()).unwrap().1
    }

    /// RFC 3711 §9.1: keys of descriptions go on counting after a handshake has made others, and after a time without any.
    #[test]
    fn keys_that_come_back_after_others_go_on_counting() {
        let identity = Identity::new(Time(0), &mut Dice::new(3)).unwrap();
        let theirs = vec![identity.fingerprint().clone()];
        let handshake = Some(sdp::Handshake { part: Part::Passive, theirs });
        let told = agreed();
        let shaken = Agreed { secrets: None, handshake, ..told.clone() };
        let plain = Agreed { secrets: None, ..told.clone() };
        let mut seen = Vec::new();
        let mut way = None;
        for agreed in [&told, &shaken, &told, &plain, &shaken, &told] {
            let mut now = Way::new(Time(0), agreed, (Some(&identity), way.take())).unwrap();
            if agreed.secrets.is_some() {
                seen.push(report(&mut now));
            }
            way = Some(now);
        }
        assert_eq!(seen.len(), 3);
        assert!(seen[0] != seen[1] && seen[1] != seen[2] && seen[0] != seen[2], "{seen:?}");
    }
}
