//! `Preferences`: which phones of a user a caller wants, by what they say of themselves (RFC 3841 §7.2).
//!
//! A feature tag is compared without knowing what it means: its value says by its form whether it is a word, a text or a number. A phone
//! that says nothing of itself is neither chosen nor left out.

mod feature;

use protocol::Fault;
use protocol::doors::Reach;
use sip::header::{AcceptContact, Event, RejectContact};
use sip::{Message, Method, Name, Params};

use crate::limits;
use feature::{Features, Tag};

/// What a request wants.
#[derive(Debug)]
pub(crate) enum Preferences<'a> {
    /// Its caller has said it, by headers.
    Said(Wishes),
    /// What follows from what it asks for (§7.2.2).
    Implied(&'a Message),
}

/// Features that phones should have, or not.
#[derive(Debug)]
pub(crate) struct Wishes {
    unwanted: Vec<Features>,
    wanted: Vec<Wanted>,
}

/// The features of one Accept-Contact.
#[derive(Debug)]
struct Wanted {
    features: Features,
    required: bool,
    explicit: bool,
}

/// More rules than we look at are refused (§11).
pub(crate) fn admits(request: &Message) -> Result<(), Fault> {
    let rules = request.elements(Name::AcceptContact).chain(request.elements(Name::RejectContact));
    if rules.take(limits::PREFERENCES + 1).count() > limits::PREFERENCES {
        return Err(Fault::TooManyPreferences);
    }
    Ok(())
}

impl<'a> Preferences<'a> {
    /// Reads them off a request.
    pub(super) fn of(request: &'a Message) -> Self {
        if !request.has(Name::AcceptContact) && !request.has(Name::RejectContact) {
            return Self::Implied(request);
        }
        let most = limits::PREFERENCES;
        let unwanted = request.all::<RejectContact>().take(most).flatten();
        let wanted = request.all::<AcceptContact>().take(most).flatten().map(|wanted| Wanted {
            features: Features::of(wanted.params),
            required: wanted.is_required(),
            explicit: wanted.is_explicit(),
        });
        let (unwanted, wanted): (Vec<_>, Vec<_>) =
            (unwanted.map(|unwanted| Features::of(unwanted.params)).collect(), wanted.collect());
        if unwanted.is_empty() && wanted.is_empty() {
            return Self::Implied(request);
        }
        Self::Said(Wishes { unwanted, wanted })
    }

    /// The bindings that may be tried. When what the method implies leaves none, all: they say 405 by themselves (§7.2.4).
    pub(super) fn choose(&self, mut bindings: Vec<Reach>) -> Vec<Reach> {
        // Most phones say nothing that a method could ask for.
        let says = |binding: &Reach| {
            let params = Params::new(&binding.features);
            params.has("methods") || params.has("events")
        };
        let fits = |wishes: &Wishes, binding: &Reach| {
            wishes.judge(&Features::written(&binding.features)).is_some()
        };
        match self {
            Self::Said(wishes) => bindings.retain(|binding| fits(wishes, binding)),
            Self::Implied(request) if bindings.iter().any(says) => {
                let wishes = Wishes::implied_by(request);
                let may = |binding: &Reach| !says(binding) || fits(&wishes, binding);
                if bindings.iter().any(may) {
                    bindings.retain(may);
                }
            }
            Self::Implied(_) => {}
        }
        bindings
    }

    /// How well a binding fits among those of equal `q`, in thousandths (§7.2.4, "Qa"). What was not said orders nothing: phones of equal
    /// preference ring together, whatever they say of themselves.
    pub(super) fn rank(&self, binding: &Reach) -> u16 {
        match self {
            Self::Implied(_) => 1000,
            Self::Said(wishes) => wishes.judge(&Features::written(&binding.features)).unwrap_or(0),
        }
    }
}

impl Wishes {
    /// §7.2.2: whoever answers must know the method, and the event package.
    fn implied_by(request: &Message) -> Self {
        let method = request.method().map_or("", Method::as_str);
        let mut features = Features::default();
        features.add("methods", method);
        if let Some(event) =
            request.get::<Event>().filter(|_| request.method() == Some(Method::Subscribe))
        {
            features.add("events", event.package);
        }
        let wanted = vec![Wanted { features, required: true, explicit: false }];
        Self { unwanted: Vec::new(), wanted }
    }

    fn judge(&self, phone: &Features) -> Option<u16> {
        if phone.is_empty() {
            return Some(1000);
        }
        let rejects = |unwanted: &Features| unwanted.all_in(phone) && unwanted.fits(phone);
        if self.unwanted.iter().any(rejects) {
            return None;
        }
        if self.wanted.is_empty() {
            return Some(1000);
        }
        let (mut sum, mut count) = (0, 0);
        for wanted in &self.wanted {
            match wanted.score(phone) {
                Score::Drop => return None,
                Score::None => {}
                Score::Of(score) => {
                    sum += score;
                    count += 1;
                }
            }
        }
        u16::try_from(u32::checked_div(sum, count).unwrap_or(0)).ok()
    }
}

/// What one Accept-Contact says of a phone (§7.2.4, figure 1).
enum Score {
    Drop,
    None,
    Of(u32),
}

impl Wanted {
    fn score(&self, phone: &Features) -> Score {
        if !self.features.fits(phone) {
            return if self.required { Score::Drop } else { Score::None };
        }
        let present = self.features.iter().filter(|Tag { name, .. }| phone.has(name)).count();
        let score = u32::try_from(present * 1000).unwrap_or(0);
        let score = score.checked_div(u32::try_from(self.features.len()).unwrap_or(0));
        match score.unwrap_or(1000) {
            1000 => Score::Of(1000),
            _ if self.explicit && self.required => Score::Drop,
            _ if self.explicit => Score::Of(0),
            score => Score::Of(score),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(name: &str, q: u16, features: &str) -> Reach {
        Reach { q, features: features.as_bytes().into(), ..Reach::to(name.as_bytes()) }
    }

    fn request(method: &str, rows: &str) -> Message {
        Message::parse(format!("{method} sip:b@h SIP/2.0\r\n{rows}\r\n")).unwrap()
    }

    fn left(request: &Message, phones: &[Reach]) -> Vec<(String, u16)> {
        let preferences = Preferences::of(request);
        let left = preferences.choose(phones.to_vec()).into_iter();
        left.map(|phone| {
            (String::from_utf8_lossy(&phone.uri).into_owned(), preferences.rank(&phone))
        })
        .collect()
    }

    /// The example of RFC 3841 §7.2.5.
    /// Proves: rfc3841-7.2-4.
    #[test]
    fn the_example_of_the_rfc() {
        let phones = [
            phone("u1", 200, ";audio;video;methods=\"INVITE,BYE\""),
            phone("u2", 200, ";audio=\"FALSE\";methods=\"INVITE\";actor=\"msg-taker\""),
            phone("u3", 300, ";audio;actor=\"msg-taker\";methods=\"INVITE\";video"),
            phone("u4", 200, ";audio;methods=\"INVITE,OPTIONS\""),
            phone("u5", 500, ""),
        ];
        let wishes = request(
            "INVITE",
            "Reject-Contact: *;actor=\"msg-taker\";video\r\nAccept-Contact: *;audio;require\r\n\
             a: *;video;explicit\r\nAccept-Contact: *;methods=\"BYE\";class=\"business\";q=1.0\r\n",
        );
        let expected = [("u1", 833), ("u4", 500), ("u5", 1000)];
        assert_eq!(left(&wishes, &phones), expected.map(|(name, rank)| (name.to_owned(), rank)));
    }

    #[test]
    fn what_a_method_implies_leaves_out_who_cannot_but_never_all() {
        let phones =
            [phone("a", 1000, ";methods=\"INVITE,BYE\""), phone("b", 1000, ";methods=\"MESSAGE\"")];
        let names = |method: &str| {
            let left = left(&request(method, ""), &phones);
            left.into_iter().map(|(name, rank)| format!("{name}{rank}")).collect::<Vec<_>>()
        };
        assert_eq!(names("INVITE"), ["a1000"]);
        assert_eq!(names("MESSAGE"), ["b1000"]);
        assert_eq!(names("REFER"), ["a1000", "b1000"]);
        let events = [phone("a", 1000, ";events=\"dialog\""), phone("b", 1000, ";events=\"reg\"")];
        let subscribe = request("SUBSCRIBE", "Event: reg\r\n");
        assert_eq!(left(&subscribe, &events), [("b".to_owned(), 1000)]);
    }

    #[test]
    fn what_is_required_and_explicit_must_be_said() {
        let phones = [phone("a", 1000, ";audio"), phone("b", 1000, ";video"), phone("c", 1000, "")];
        let wishes = request("INVITE", "Accept-Contact: *;video;require;explicit\r\n");
        assert_eq!(left(&wishes, &phones), [("b".to_owned(), 1000), ("c".to_owned(), 1000)]);
    }
}
