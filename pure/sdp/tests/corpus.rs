//! The shared corpus: every description gets the verdict of its index, and no mutilation of any makes us panic.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test, and it reads the corpus from disk"
)]

use std::path::PathBuf;

use offhook_sdp::{Codec, Description, Media, Origin, Refusal, RtpMap, Session, Stream};

struct Sample {
    name: String,
    class: String,
    octets: Vec<u8>,
}

/// Every sample with its class; `None` and a word about it when the corpus is not there.
fn samples() -> Option<Vec<Sample>> {
    let shared = std::env::var_os("OFFHOOK_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let folder = shared.join("corpus/sdp");
    let Ok(index) = std::fs::read_to_string(folder.join("INDEX.tsv")) else {
        let missing = format!("no corpus at {} (set OFFHOOK_SHARED)", folder.display());
        assert!(std::env::var_os("OFFHOOK_REQUIRE_SAMPLES").is_none(), "{missing}");
        println!("skipped: {missing}");
        return None;
    };
    let samples: Vec<_> = index
        .lines()
        .skip(1)
        .map(|line| {
            let mut cells = line.split('\t');
            let name = cells.next().unwrap().to_string();
            let class = cells.nth(3).unwrap().to_string();
            let octets = std::fs::read(folder.join(&name)).unwrap();
            Sample { name, class, octets }
        })
        .collect();
    assert!(samples.len() > 200, "{} samples", samples.len());
    Some(samples)
}

fn phone() -> Session {
    let address = [192, 0, 2, 1];
    let mut session = Session::new(Origin::new(1, address.into()));
    session.add(Stream::audio((address, 4000).into(), [Codec::pcma(), Codec::pcmu()]));
    session
}

#[test]
fn what_is_well_formed_is_read_and_what_is_read_writes_back() {
    for Sample { name, class, octets } in samples().unwrap_or_default() {
        match Description::parse(&octets) {
            Ok(read) => {
                assert_eq!(Description::parse(&read.write()).as_ref(), Ok(&read), "{name}");
            }
            Err(wrong) => {
                assert_ne!(class, "accept", "{name}: {wrong}");
                assert!(wrong.at <= octets.len() && wrong.line > 0, "{name}: {wrong}");
            }
        }
    }
}

fn speaks_g711(media: &Media) -> bool {
    let codecs = [Codec::pcma(), Codec::pcmu()];
    let g711 = |map: RtpMap| codecs.iter().any(|codec| map.is_same_encoding(&codec.name, 8_000, 1));
    (&*media.kind, &*media.protocol) == ("audio", "RTP/AVP")
        && media.port != 0
        && media.payload_types().any(|number| media.rtpmap(number).is_some_and(g711))
}

/// "offer/answer possible": plain RTP with G.711 is always agreed on, and what is not says why.
#[test]
fn a_phone_with_g711_answers_every_offer_that_has_it() {
    let (mut agreed, mut refused) = (0, 0);
    for Sample { name, octets, .. } in samples().unwrap_or_default() {
        let Ok(offer) = Description::parse(&octets) else { continue };
        let g711 = offer.media.iter().any(speaks_g711);
        match phone().answer(&offer) {
            Ok((answer, streams)) => {
                assert_eq!(answer.media.len(), offer.media.len(), "{name}");
                assert_eq!(streams.len(), usize::from(g711), "{name}");
                assert_eq!(Description::parse(&answer.write()), Ok(answer), "{name}");
                agreed += streams.len();
            }
            Err(Refusal::Address { .. }) => refused += 1,
            Err(why) => {
                assert!(!g711, "{name}: {why}");
                assert_eq!(why.status(), 488, "{name}: {why}");
                refused += 1;
            }
        }
    }
    println!("{agreed} streams agreed on, {refused} offers refused");
}

#[test]
fn mutilated_descriptions_are_read_or_refused() {
    for Sample { octets, .. } in samples().unwrap_or_default() {
        for cut in (0..octets.len()).step_by(5) {
            let mut changed = octets.clone();
            changed[cut] ^= 1 << (cut % 8);
            read_or_refuse(&octets[..cut]);
            read_or_refuse(&octets[cut..]);
            read_or_refuse(&changed);
        }
    }
}

fn read_or_refuse(octets: &[u8]) {
    let Ok(read) = Description::parse(octets) else { return };
    assert_eq!(Description::parse(&read.write()).as_ref(), Ok(&read));
    let _ = phone().answer(&read);
    let mut caller = phone();
    caller.offer().unwrap();
    let _ = caller.accept(&read);
}
