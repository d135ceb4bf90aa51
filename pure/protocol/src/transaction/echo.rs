//! `Echo`: a provisional answer that waits for repeats of its request (RFC 3261 §17.2.1), kept as what it has of its own. Most of its octets stand in
//! the request: it has the Vias, From, To, Call-ID and CSeq of that (§8.2.6.2).

use sip::Bytes;

use crate::limits;

/// The octets that an answer has of its own, and where in its request the others stand.
#[derive(Clone, Debug)]
pub(super) struct Echo(Box<[u8]>);

/// Octets before those of its own: where the octets of the request begin that come before them, how many those are, and how many are its own.
const HEAD: usize = 6;

/// What two lines begin with alike is as long as this, or not worth a word.
const LEAST: usize = 2 * HEAD;

/// It is shorter than the answer by so much, or the answer is kept as it is.
const WORTH: usize = 64;

impl Echo {
    /// That of an answer to this request; nothing, when it would not be shorter by much.
    pub(super) fn of(answer: &[u8], request: &[u8]) -> Option<Self> {
        if answer.len() > limits::ECHO {
            return None;
        }
        let lines = Lines::of(request.get(..limits::ECHO).unwrap_or(request));
        let (mut all, mut rest) = (Vec::with_capacity(answer.len()), answer);
        let mut found = lines.longest(rest);
        while !rest.is_empty() {
            let (from, shared) = found;
            let (alike, behind) = rest.split_at_checked(shared)?;
            let own = if matches!(alike, [] | [.., b'\n']) { 0 } else { line(behind) };
            let (own, then) = lines.next(behind, own);
            found = then;
            let (own, next) = behind.split_at_checked(own)?;
            for number in [from, shared, own.len()] {
                all.extend_from_slice(&u16::try_from(number).ok()?.to_be_bytes());
            }
            all.extend_from_slice(own);
            rest = next;
        }
        (all.len() + WORTH <= answer.len()).then(|| Self(all.into()))
    }

    /// The answer, for the same request.
    pub(super) fn answer(&self, request: &[u8]) -> Bytes {
        let (mut answer, mut rest) = (Vec::new(), &self.0[..]);
        while let Some(([a, b, c, d, e, f], behind)) = rest.split_first_chunk::<HEAD>() {
            let numbers = [[*a, *b], [*c, *d], [*e, *f]];
            let [from, shared, own] = numbers.map(|number| usize::from(u16::from_be_bytes(number)));
            let alike = request.get(from..).and_then(|request| request.get(..shared));
            let Some((own, next)) = behind.split_at_checked(own) else { break };
            answer.extend_from_slice(alike.unwrap_or_default());
            answer.extend_from_slice(own);
            rest = next;
        }
        answer.into()
    }
}

/// A request, and where the lines of its head begin.
struct Lines<'a> {
    text: &'a [u8],
    begin: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a [u8]) -> Self {
        let (mut begin, mut at) = (Vec::with_capacity(32), 0);
        while let Some(rest @ [_, ..]) = text.get(at..)
            && !rest.starts_with(b"\r\n")
            && begin.len() < limits::ECHO_LINES
        {
            begin.push(at);
            at += line(rest);
        }
        Self { text, begin }
    }

    /// The first line of a text, from so far on, that begins as one of these does, and which that is.
    fn next(&self, text: &[u8], mut at: usize) -> (usize, (usize, usize)) {
        while let Some(rest @ [_, ..]) = text.get(at..) {
            let found = self.longest(rest);
            if found.1 > 0 {
                return (at, found);
            }
            at += line(rest);
        }
        (at, (0, 0))
    }

    /// The line that begins as a text does for longest: where it begins, and for how many octets; for none, when they are few.
    fn longest(&self, text: &[u8]) -> (usize, usize) {
        let alike = |from| {
            let line = self.text.get(from..).unwrap_or_default();
            line.iter().zip(text).take_while(|(one, other)| one == other).count()
        };
        let all = self.begin.iter().map(|from| (*from, alike(*from)));
        all.filter(|it| it.1 >= LEAST).max_by_key(|it| it.1).unwrap_or_default()
    }
}

/// How long the first line of a text is, with its end.
fn line(text: &[u8]) -> usize {
    text.iter().position(|octet| *octet == b'\n').map_or(text.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &str = "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK7;rport\r\nMax-Forwards: 70\r\n\
        f: \"A\" <sip:a@example.test>;tag=1928301774\r\nTo: <sip:b@example.test>\r\nCall-ID: 3848276298220188511@198.51.100.1\r\n\
        CSeq: 1 INVITE\r\nContact: <sip:a@198.51.100.1>\r\n\r\nVia: SIP/2.0/UDP of the body\r\n";
    const RINGING: &str = "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK7;rport=9;received=192.0.2.1\r\n\
        Record-Route: <sip:h;lr>\r\nf: \"A\" <sip:a@example.test>;tag=1928301774\r\nTo: <sip:b@example.test>;tag=x\r\n\
        Call-ID: 3848276298220188511@198.51.100.1\r\nCSeq: 1 INVITE\r\nContact: <sip:b@192.0.2.4>\r\nl: 0\r\n\r\n";

    #[test]
    fn an_answer_is_told_octet_for_octet_and_kept_short() {
        let echo = Echo::of(RINGING.as_bytes(), INVITE.as_bytes()).unwrap();
        assert_eq!(echo.answer(INVITE.as_bytes()), RINGING);
        assert!(echo.0.len() < RINGING.len() / 2, "{} of {}", echo.0.len(), RINGING.len());
    }

    #[test]
    fn whatever_ends_anywhere_reads_back_or_is_not_kept_so() {
        let reads_back = |(end, cut)| {
            let (answer, request) = (&RINGING.as_bytes()[..end], &INVITE.as_bytes()[..cut]);
            let echo = Echo::of(answer, request);
            echo.inspect(|echo| assert_eq!(echo.answer(request), answer, "{end}, {cut}")).is_some()
        };
        let ends =
            (0..=RINGING.len()).flat_map(|end| (0..=INVITE.len()).map(move |cut| (end, cut)));
        let short = ends.filter(|ends| reads_back(*ends)).count();
        assert!(short > 1000);
    }

    #[test]
    fn what_shares_little_or_is_longer_than_real_ones_is_kept_as_it_is() {
        assert!(Echo::of(b"", b"").is_none());
        assert!(Echo::of(&[b'x'; 500], INVITE.as_bytes()).is_none());
        let long = [RINGING.as_bytes(), &[b'x'; limits::ECHO]].concat();
        assert!(Echo::of(&long, INVITE.as_bytes()).is_none());
        let late = [&[b'x'; limits::ECHO], INVITE.as_bytes()].concat();
        assert!(Echo::of(RINGING.as_bytes(), &late).is_none());
        let many = ["a:1\r\n".repeat(limits::ECHO_LINES).as_bytes(), INVITE.as_bytes()].concat();
        assert!(Echo::of(RINGING.as_bytes(), &many).is_none());
    }
}
