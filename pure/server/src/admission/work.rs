//! `Work`: what it takes to begin something, beside what it takes to refuse it.

use protocol::Transport;
use sip::{Message, Method, Name, Uri};

use crate::house::{House, Place};

/// What it takes to begin something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Much more than to read it: to an INVITE belong a dozen messages more, and whoever is answered late has given up.
    Much,
    /// A response, as to refuse it would: a registration. So what is read is answered, and late is better than not at all.
    Answer,
    /// The same, and nothing is kept of it: somebody asks whether we live, and hears it, or who it is. A neighbour that is told that we
    /// are busy, or nothing, sends its calls elsewhere.
    Sign,
}

/// What one takes that is begun.
pub(crate) const WHOLE: u64 = 80;

impl Work {
    /// What a request would take.
    pub(crate) fn of(house: &House, request: &Message) -> Self {
        match request.method() {
            Some(Method::Register) => Self::Answer,
            Some(Method::Options) if asks_us(house, request) => Self::Sign,
            _ => Self::Much,
        }
    }

    /// How much of a turn it takes. As many are answered as streams bring in one: what is read and waits is refused too late.
    pub(crate) const fn share(self) -> u32 {
        match self {
            Self::Much => 96,
            Self::Answer | Self::Sign => 1,
        }
    }

    /// What it takes to refuse it in words, in parts of the whole.
    pub(crate) const fn words(self) -> u64 {
        match self {
            Self::Much => WHOLE / 5,
            Self::Answer | Self::Sign => WHOLE,
        }
    }

    /// What it takes to read it for nothing, in parts of the whole.
    pub(crate) const fn silence(self) -> u64 {
        match self {
            Self::Much => WHOLE / 16,
            Self::Answer | Self::Sign => WHOLE / 2,
        }
    }

    /// To how many that are begun belongs one that is refused in words. Who calls by a datagram and hears nothing calls six times more, and to read
    /// that takes twice what a word takes.
    pub(crate) const fn to_one_word(self, transport: Transport) -> u32 {
        match self {
            Self::Much if transport.is_reliable() => 4,
            Self::Much => 2,
            Self::Answer | Self::Sign => 16,
        }
    }
}

/// Is it for this server itself, goes on to nobody, and proves nothing that would have to be looked at?
fn asks_us(house: &House, request: &Message) -> bool {
    let more = [Name::Route, Name::Authorization, Name::ProxyAuthorization];
    let uri = Uri::parse(request.request_uri().unwrap_or_default());
    uri.is_ok_and(|uri| house.place(&uri) == Place::Us)
        && !more.iter().any(|name| request.has(*name))
}

#[cfg(test)]
mod tests {
    use machine::Dice;

    use super::*;
    use crate::settings::Settings;

    #[test]
    fn whether_we_live_is_asked_of_us_and_of_nobody_by_name() {
        let house = House::new(Settings::of("h", Vec::new()), &mut Dice::new(1));
        let work = |line: &str, rows: &str| {
            let request = format!("{line} SIP/2.0\r\n{rows}\r\n");
            Work::of(&house, &Message::parse(request).unwrap())
        };
        assert_eq!(work("REGISTER sip:h", ""), Work::Answer);
        for line in ["OPTIONS sip:h", "OPTIONS SIPS:H;transport=tcp"] {
            assert_eq!(work(line, ""), Work::Sign, "{line}");
            for more in ["Route: <sip:h;lr>\r\n", "Authorization: Digest a=b\r\n"] {
                assert_eq!(work(line, more), Work::Much, "{line} {more}");
            }
        }
        let others = ["sip:102@h", "tel:+4930", "sip:elsewhere", "sip:h;maddr=192.0.2.1", "x:y"];
        for uri in others {
            assert_eq!(work(&["OPTIONS ", uri].concat(), ""), Work::Much, "{uri}");
        }
        assert_eq!(work("INVITE sip:h", ""), Work::Much);
    }
}
