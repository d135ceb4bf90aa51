//! `Secrecy`: whether a stream is SRTP, and where its keys come from: the descriptions (RFC 4568 §5, §7) or a handshake (RFC 5763 §5).

use super::slot::Slot;
use super::{Refusal, Stream};
use crate::{Attribute, Crypto, Description, Fingerprint, Handshake, Media, Part, Secret, Setup};

/// Whether others may hear a stream on its way. The keys are ours, one for each suite that we speak, most wanted first; their tags differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Secrecy {
    /// They may: RTP and nothing else.
    #[default]
    None,
    /// They may, unless the other side offers SRTP. A stream that was protected once stays so.
    Welcome(Vec<Crypto>),
    /// They may not: SRTP or nothing.
    Required(Vec<Crypto>),
    /// They may not, nor may whoever carries the descriptions: SRTP with keys from a handshake, or nothing. In the other cases such keys are
    /// taken too, where the stream has a certificate.
    Handshake,
}

/// The keys of a stream, one for each way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// The suite of both.
    pub suite: Box<str>,
    /// What we send with.
    pub ours: Secret,
    /// What the other side sends with.
    pub theirs: Secret,
}

/// What a section of ours says about it.
pub(super) struct Cover {
    pub(super) protocol: Box<str>,
    pub(super) cryptos: Vec<Crypto>,
    /// With a handshake: who begins it.
    pub(super) setup: Option<Setup>,
    pub(super) way: Way,
}

/// What a section of ours says about the way.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    pub(super) mux: bool,
    pub(super) ice: bool,
    pub(super) mid: Option<Box<str>>,
}

/// What makes the keys of a section.
pub(super) type Keys = (Option<Secrets>, Option<Handshake>);

const PLAIN: &str = "RTP/AVP";
const SECRET: &str = "RTP/SAVP";
const SHAKEN: &str = "UDP/TLS/RTP/SAVP";

/// Whether a section has keys in it.
fn is_secret(media: &Media) -> bool {
    media.protocol.eq_ignore_ascii_case(SECRET) && media.attribute("fingerprint").is_none()
}

/// Whether a section's keys come from a handshake (RFC 5764 §8). Some say no more than that it is SRTP, and then a fingerprint.
fn is_shaken(description: &Description, media: &Media) -> bool {
    let named = ["UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"];
    let meant = [SECRET, "RTP/SAVPF"];
    let is = |names: [&str; 2]| names.iter().any(|name| media.protocol.eq_ignore_ascii_case(name));
    is(named)
        || is(meant)
            && media.cryptos().next().is_none()
            && says(description, media, "fingerprint").next().is_some()
}

/// What a section says under a name; what its session says, when it is silent.
fn says<'a>(
    description: &'a Description,
    media: &'a Media,
    name: &'static str,
) -> impl Iterator<Item = &'a str> {
    let own = media.attribute(name).is_some();
    let of = move |attribute: &&'a Attribute| &*attribute.name == name;
    let section = media.attributes().filter(of);
    let session = description.attributes().filter(of).take(if own { 0 } else { usize::MAX });
    section.chain(session).map(Attribute::text)
}

/// Their certificates and who they want to begin; `None` when one of it is missing.
fn shaken(description: &Description, media: &Media) -> Option<(Vec<Fingerprint>, Setup)> {
    let theirs: Vec<_> = says(description, media, "fingerprint")
        .filter_map(Fingerprint::parse)
        .take(FINGERPRINTS)
        .collect();
    let setup = says(description, media, "setup").next().and_then(Setup::parse)?;
    (!theirs.is_empty()).then_some((theirs, setup))
}

/// One for each hash that there is.
const FINGERPRINTS: usize = 8;

/// Whether a section that stands is protected.
fn stands_secret(media: &Media) -> bool {
    !media.protocol.eq_ignore_ascii_case(PLAIN) && media.port != 0
}

impl Secrecy {
    /// What an offer says. `written` is what stands in its place now.
    pub(super) fn offered(&self, stream: &Stream, written: &Media) -> Cover {
        let shaken = stands_secret(written) && written.attribute("setup").is_some();
        let cover = match self {
            // RFC 8842 §5.2: whoever offers, offers both parts.
            Self::Handshake => Cover::shaken(SHAKEN, Setup::ActPass),
            _ if shaken => Cover::shaken(&written.protocol, Setup::ActPass),
            Self::Welcome(keys) if stands_secret(written) => Cover::secret(keys),
            Self::None | Self::Welcome(_) => Cover::plain(),
            Self::Required(keys) => Cover::secret(keys),
        };
        let mid = written.mid().map(Into::into);
        Cover { way: Way { mux: stream.mux, ice: stream.ice.is_some(), mid }, ..cover }
    }

    /// What we can do, for who only asks: no key is told.
    pub(super) fn possible(&self) -> Cover {
        let protocol = match self {
            Self::None | Self::Welcome(_) => PLAIN,
            Self::Required(_) => SECRET,
            Self::Handshake => SHAKEN,
        };
        Cover { protocol: protocol.into(), ..Cover::plain() }
    }

    /// What an answer says to an offered section, and what makes the keys that hold then. `slot` is what stands in its place now.
    pub(super) fn answered(
        stream: &Stream,
        (section, description, theirs): (usize, &Description, &Media),
        slot: &Slot,
    ) -> Result<(Cover, Keys), Refusal> {
        let refusal = || Refusal::Protocol { section, protocol: theirs.protocol.clone() };
        let plain = theirs.protocol.eq_ignore_ascii_case(PLAIN);
        match &stream.secrecy {
            Self::None => {}
            _ if stream.certificate.is_some() && is_shaken(description, theirs) => {
                let (theirs_are, setup) =
                    shaken(description, theirs).ok_or(Refusal::Keys { section })?;
                // RFC 5763 §5: who answers begins, where there is a choice; RFC 8842 §5.3: unless somebody has begun already.
                let part = match setup {
                    Setup::Active => Part::Passive,
                    Setup::Passive => Part::Active,
                    Setup::ActPass => slot.part.unwrap_or(Part::Active),
                };
                let cover = Cover::shaken(&theirs.protocol, part.setup());
                return Ok((cover, (None, Some(Handshake { part, theirs: theirs_are }))));
            }
            Self::Welcome(keys) | Self::Required(keys) if is_secret(theirs) => {
                let ours = |theirs: &Crypto| keys.iter().find(|ours| ours.has_suite(&theirs.suite));
                let found = theirs.cryptos().find_map(|theirs| Some((ours(&theirs)?, theirs)));
                let (ours, theirs) = found.ok_or(Refusal::Keys { section })?;
                // RFC 4568 §5.1.2: the tag is the offer's.
                let said = Crypto { tag: theirs.tag, ..ours.clone() };
                return Ok((Cover::secret(&[said]), (Some(Secrets::of(ours, theirs)), None)));
            }
            _ => {}
        }
        let may_be_plain = matches!(stream.secrecy, Self::None | Self::Welcome(_));
        if plain && may_be_plain && !stands_secret(&slot.written) {
            return Ok((Cover::plain(), (None, None)));
        }
        Err(refusal())
    }

    /// What makes the keys, by an answer to the section that we wrote.
    pub(super) fn accepted(
        (section, description, theirs): (usize, &Description, &Media),
        written: &Media,
    ) -> Result<Keys, Refusal> {
        // RFC 8829 §5.8.3 wants the word of the offer. aiortc answers SAVPF to SAVP: the F promises feedback, and keys are made the same way.
        let alike = written.attribute("setup").is_some() && is_shaken(description, theirs);
        if !alike && !theirs.protocol.eq_ignore_ascii_case(&written.protocol) {
            return Err(Refusal::Protocol { section, protocol: theirs.protocol.clone() });
        }
        if written.attribute("setup").is_some() {
            let (theirs, setup) = shaken(description, theirs).ok_or(Refusal::Keys { section })?;
            let part = match setup {
                Setup::Active => Part::Passive,
                Setup::Passive => Part::Active,
                // RFC 5763 §5: an answer must choose.
                Setup::ActPass => return Err(Refusal::Keys { section }),
            };
            return Ok((None, Some(Handshake { part, theirs })));
        }
        if !is_secret(written) {
            return Ok((None, None));
        }
        // RFC 4568 §5.1.3: one line, with the tag and the suite of one of ours.
        let mut said = theirs.cryptos();
        let (theirs, more) = (said.next().ok_or(Refusal::Keys { section })?, said.next());
        let ours =
            written.cryptos().find(|ours| ours.tag == theirs.tag && ours.has_suite(&theirs.suite));
        match (ours, more) {
            (Some(ours), None) => Ok((Some(Secrets::of(&ours, theirs)), None)),
            _ => Err(Refusal::Keys { section }),
        }
    }
}

impl Secrets {
    fn of(ours: &Crypto, theirs: Crypto) -> Self {
        Self { suite: ours.suite.clone(), ours: ours.key.clone(), theirs: theirs.key }
    }
}

impl Cover {
    fn plain() -> Self {
        Self { protocol: PLAIN.into(), cryptos: Vec::new(), setup: None, way: Way::default() }
    }

    fn secret(keys: &[Crypto]) -> Self {
        Self { protocol: SECRET.into(), cryptos: keys.to_vec(), ..Self::plain() }
    }

    fn shaken(protocol: &str, setup: Setup) -> Self {
        Self { protocol: protocol.into(), setup: Some(setup), ..Self::plain() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Codec, Description, Origin, Session, Stream, StreamId};

    const LONG: &str = "AEAD_AES_256_GCM";
    const USUAL: &str = "AES_CM_128_HMAC_SHA1_80";

    fn keys(first: u8, suites: &[&str]) -> Vec<Crypto> {
        let line = |(tag, suite): (u32, &&str)| Crypto {
            tag,
            suite: (*suite).into(),
            key: vec![first + tag as u8; 30].into(),
        };
        (1..).zip(suites).map(line).collect()
    }

    fn party(number: u8, secrecy: Secrecy) -> (Session, StreamId) {
        let at = [192, 0, 2, number].into();
        let mut session = Session::new(Origin::new(number.into(), at));
        let audio = Stream::audio((at, 4000).into(), [Codec::pcma()]);
        let id = session.add(Stream { secrecy, ..audio });
        (session, id)
    }

    fn text(description: &Description) -> String {
        String::from_utf8(description.write()).unwrap()
    }

    #[test]
    fn both_agree_on_the_first_suite_in_common_and_each_sends_with_its_own_key() {
        let (mut alice, _) = party(1, Secrecy::Required(keys(10, &[LONG, USUAL])));
        let (mut bob, _) = party(2, Secrecy::Welcome(keys(20, &[USUAL])));
        let offer = alice.offer().unwrap();
        assert!(text(&offer).contains("m=audio 4000 RTP/SAVP 8 "), "{}", text(&offer));
        assert!(text(&offer).contains("a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:"));
        let (answer, bobs) = bob.answer(&offer).unwrap();
        assert!(text(&answer).contains("a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:"));
        assert_eq!(text(&answer).matches("a=crypto").count(), 1);
        let alices = alice.accept(&answer).unwrap();
        let (here, there) = (alices[0].secrets.clone().unwrap(), bobs[0].secrets.clone().unwrap());
        assert_eq!((&*here.suite, &*there.suite), (USUAL, USUAL));
        assert_eq!((here.ours.reveal(), here.theirs.reveal()), (&[12; 30][..], &[21; 30][..]));
        assert_eq!((&here.ours, &here.theirs), (&there.theirs, &there.ours));
    }

    #[test]
    fn a_protected_stream_stays_so_whoever_offers_next() {
        let (mut alice, _) = party(1, Secrecy::Required(keys(10, &[USUAL])));
        let (mut bob, id) = party(2, Secrecy::Welcome(keys(20, &[USUAL])));
        let (answer, before) = bob.answer(&alice.offer().unwrap()).unwrap();
        alice.accept(&answer).unwrap();
        bob.hold(id);
        let again = bob.offer().unwrap();
        assert!(text(&again).contains("RTP/SAVP"), "{}", text(&again));
        let (answer, _) = alice.answer(&again).unwrap();
        assert_eq!(bob.accept(&answer).unwrap()[0].secrets, before[0].secrets);
        let plain = text(&again).replace("SAVP", "AVP").replace("a=crypto", "a=nothing");
        let plain = Description::parse(plain.as_bytes()).unwrap();
        let refusal = bob.answer(&plain).unwrap_err();
        assert!(matches!(refusal, Refusal::Protocol { section: 0, .. }), "{refusal}");
    }

    #[test]
    fn what_must_not_be_heard_is_never_plain_and_what_is_plain_takes_no_keys() {
        let (mut strict, _) = party(1, Secrecy::Required(keys(10, &[USUAL])));
        let (mut plain, _) = party(2, Secrecy::None);
        let refusal = strict.answer(&plain.offer().unwrap()).unwrap_err();
        assert_eq!((refusal.status(), refusal.warning()), (488, Some(302)));
        let refusal = plain.answer(&strict.offer().unwrap()).unwrap_err();
        assert_eq!(refusal, Refusal::OfferPending);
        plain.rejected();
        let (mut strict, _) = party(1, Secrecy::Required(keys(10, &[USUAL])));
        assert!(plain.answer(&strict.offer().unwrap()).is_err());
        let (mut welcoming, _) = party(3, Secrecy::Welcome(keys(30, &[LONG])));
        strict.rejected();
        let refusal = welcoming.answer(&strict.offer().unwrap()).unwrap_err();
        assert_eq!(refusal, Refusal::Keys { section: 0 });
        assert_eq!(
            plain.offer().and_then(|offer| welcoming.answer(&offer)).unwrap().1[0].secrets,
            None
        );
    }

    /// RFC 4568 §5.1.3: one line, with what was offered.
    #[test]
    fn an_answer_with_another_key_line_than_was_offered_is_refused() {
        let answered = |change: &dyn Fn(String) -> String| {
            let (mut alice, _) = party(1, Secrecy::Required(keys(10, &[LONG, USUAL])));
            let (mut bob, _) = party(2, Secrecy::Welcome(keys(20, &[USUAL])));
            let (answer, _) = bob.answer(&alice.offer().unwrap()).unwrap();
            let answer = change(text(&answer));
            alice.accept(&Description::parse(answer.as_bytes()).unwrap())
        };
        let refused = Err(Refusal::Keys { section: 0 });
        assert!(answered(&|answer| answer).is_ok());
        assert_eq!(answered(&|answer| answer.replace("crypto:2", "crypto:1")), refused);
        assert_eq!(answered(&|answer| answer.replace("crypto:2", "crypto:9")), refused);
        assert_eq!(answered(&|answer| answer.replace("a=crypto", "a=nothing")), refused);
        let twice = |answer: String| {
            let at = answer.find("a=crypto").unwrap();
            let line = answer[at..].split_inclusive("\r\n").next().unwrap().to_owned();
            answer.replace(&line, &line.repeat(2))
        };
        assert_eq!(answered(&twice), refused);
        assert!(answered(&|answer| answer.replace("RTP/SAVP", "RTP/AVP")).is_err());
    }

    #[test]
    fn nobody_who_only_asks_learns_a_key() {
        let (session, _) = party(1, Secrecy::Required(keys(10, &[USUAL])));
        let can = text(&session.capabilities());
        assert!(can.contains("RTP/SAVP") && !can.contains("crypto"), "{can}");
    }
}
