//! Changes of every kind, one after another: the index that a changed message has is the one that its reader would make, and who only
//! writes it gets the same octets.

use sip::header::{CSeq, From, To, Via};
use sip::{Edit, Message, Name};

/// Reads pairs of octets as changes, up to a pair of zeros, and makes them to the message behind them.
pub fn run(octets: &[u8]) {
    let (pairs, _) = octets.as_chunks::<2>();
    let changes: Vec<_> = pairs.iter().take_while(|pair| **pair != [0, 0]).take(MOST).collect();
    let rest = octets.get(2 * changes.len() + 2..).unwrap_or_default();
    let Ok(mut message) = Message::parse(rest.to_vec()) else { return };
    made(&message, &changes);
    if message.checked().is_ok() {
        made(&message, &changes);
    }
}

fn made(message: &Message, changes: &[&[u8; 2]]) {
    let mut edit = message.edit();
    changes.iter().for_each(|change| make(&mut edit, **change));
    match (edit.clone().octets(), edit.finish()) {
        (Ok(octets), Ok(changed)) => {
            assert_eq!(octets, changed.wire(), "who needs no index gets the same");
            is_known(&changed);
        }
        (Err(_), Err(_)) => {}
        (octets, changed) => panic!("{octets:?} is not {changed:?}"),
    }
}

fn make(edit: &mut Edit<'_>, [what, which]: [u8; 2]) {
    let pick = |number: usize, of: usize| number % of.max(1);
    let name = NAMES.get(pick(which.into(), NAMES.len())).copied().unwrap_or(Name::Other);
    let place = pick(usize::from(which) / NAMES.len(), VALUES.len());
    let value = VALUES.get(place).copied().unwrap_or_default();
    match what % 10 {
        0 | 1 => edit.push_raw(name, value),
        2 | 3 => edit.replace_raw(name, value),
        4 => edit.remove_first(name),
        5 => edit.remove_all(name),
        6 => edit.append_raw(name.as_str(), value),
        7 => edit.request_uri(value),
        8 => edit.body(value),
        _ => edit.measured(),
    };
}

/// Whoever asks it hears what it would hear of one that was read.
fn is_known(changed: &Message) {
    let read = Message::parse(changed.wire().clone());
    let read = read.unwrap_or_else(|bad| panic!("{bad}"));
    assert!(changed.all_rows().eq(read.all_rows()), "{read:?}");
    assert_eq!((changed.start(), changed.body()), (read.start(), read.body()));
    for name in NAMES {
        assert!(changed.elements(name).eq(read.elements(name)), "{name:?} of {read:?}");
    }
    assert_eq!(changed.get::<Via<'_>>(), read.get::<Via<'_>>());
    assert_eq!(changed.get::<From<'_>>(), read.get::<From<'_>>());
    assert_eq!(changed.get::<To<'_>>(), read.get::<To<'_>>());
    assert_eq!(changed.get::<CSeq<'_>>(), read.get::<CSeq<'_>>());
    assert_eq!(changed.via_marks(), read.via_marks());
    let tags = |message: &Message| {
        [message.branch(), message.from_tag(), message.to_tag()]
            .map(|part| part.map(<[u8]>::to_vec))
    };
    assert_eq!(tags(changed), tags(&read));
}

/// A proxy makes some ten.
const MOST: usize = 12;

const NAMES: [Name; 11] = [
    Name::Via,
    Name::Route,
    Name::From,
    Name::To,
    Name::CSeq,
    Name::Contact,
    Name::Subject,
    Name::ContentLength,
    Name::RecordRoute,
    Name::MaxForwards,
    Name::Other,
];

const VALUES: [&[u8]; 10] = [
    b"",
    b"SIP/2.0/UDP a;rport;branch=z9hG4bKb",
    b"<sip:a@b>;tag=1",
    b" \"a,b\" <sip:a@b>,<sip:c>, ",
    b"7 INVITE",
    b"\r\n ",
    b"a\r\nEvil: 1",
    b"\t,\x00\xff\"",
    b"<",
    b"sip:x@y z",
];
