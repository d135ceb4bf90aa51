//! Headers that name a dialog: Replaces, Join, Target-Dialog (RFC 3891 §6.1; RFC 3911 §7.1; RFC 4538 §7).

use super::Header;
use super::call_id::CallWord;
use crate::scan::Scan;
use crate::{Name, Params, ParseError};

/// The dialog that this call takes the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaces<'a> {
    /// Its Call-ID.
    pub call_id: CallWord<'a>,
    /// Its tag on the side that reads this.
    pub to_tag: &'a str,
    /// Its tag on the other side.
    pub from_tag: &'a str,
    /// True when it must not have been answered yet.
    pub early_only: bool,
}

/// The dialog that this call is to be mixed into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Join<'a> {
    /// Its Call-ID.
    pub call_id: CallWord<'a>,
    /// Its tag on the side that reads this.
    pub to_tag: &'a str,
    /// Its tag on the other side.
    pub from_tag: &'a str,
}

/// A dialog that shows that the sender may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetDialog<'a> {
    /// Its Call-ID.
    pub call_id: CallWord<'a>,
    /// Its tag on the side that sends this.
    pub local_tag: &'a str,
    /// Its tag on the side that reads this.
    pub remote_tag: &'a str,
}

impl<'a> Header<'a> for Replaces<'a> {
    const NAME: Name = Name::Replaces;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let (call_id, [to_tag, from_tag], params) = read(value, "Replaces", TO_FROM)?;
        Ok(Self { call_id, to_tag, from_tag, early_only: params.has("early-only") })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write(self.call_id, TO_FROM, [self.to_tag, self.from_tag], out);
        if self.early_only {
            out.extend_from_slice(b";early-only");
        }
    }
}

impl<'a> Header<'a> for Join<'a> {
    const NAME: Name = Name::Join;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let (call_id, [to_tag, from_tag], _) = read(value, "Join", TO_FROM)?;
        Ok(Self { call_id, to_tag, from_tag })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write(self.call_id, TO_FROM, [self.to_tag, self.from_tag], out);
    }
}

impl<'a> Header<'a> for TargetDialog<'a> {
    const NAME: Name = Name::TargetDialog;

    fn parse(value: &'a [u8]) -> Result<Self, ParseError> {
        let (call_id, [local_tag, remote_tag], _) = read(value, "Target-Dialog", LOCAL_REMOTE)?;
        Ok(Self { call_id, local_tag, remote_tag })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write(self.call_id, LOCAL_REMOTE, [self.local_tag, self.remote_tag], out);
    }
}

const TO_FROM: [&str; 2] = ["to-tag", "from-tag"];

const LOCAL_REMOTE: [&str; 2] = ["local-tag", "remote-tag"];

type Read<'a> = (CallWord<'a>, [&'a str; 2], Params<'a>);

/// A Call-ID and both tags: each must be there once, or it would be anybody's guess which dialog is meant.
fn read<'a>(value: &'a [u8], what: &'static str, names: [&str; 2]) -> Result<Read<'a>, ParseError> {
    let mut scan = Scan::new(value, what);
    scan.skip_blanks();
    let start = scan.error();
    let word = scan.take_while(|octet| octet > b' ' && octet != 0x7f && octet != b';');
    if word.is_empty() {
        return Err(start);
    }
    let error = scan.error();
    let params = Params::read(&mut scan)?;
    let [first, second] = names.map(|name| only(params, name).ok_or(error));
    Ok((CallWord(word), [first?, second?], params))
}

/// The value of a parameter that is there exactly once.
fn only<'a>(params: Params<'a>, name: &str) -> Option<&'a str> {
    let mut found = params.iter().filter(|param| param.name.eq_ignore_ascii_case(name));
    let value = found.next()?.value.and_then(crate::scan::ascii)?;
    // A tag is a token; real ones have a few octets more, but none that would end it.
    let plain = |octet: u8| octet > b' ' && !matches!(octet, b';' | b'"' | b',' | 0x7f);
    let good = !value.is_empty() && value.bytes().all(plain);
    (good && found.next().is_none()).then_some(value)
}

fn write(call_id: CallWord<'_>, names: [&str; 2], tags: [&str; 2], out: &mut Vec<u8>) {
    out.extend_from_slice(call_id.0);
    for (name, tag) in names.iter().zip(tags) {
        for part in [";", name, "=", tag] {
            out.extend_from_slice(part.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfcs_are_read() {
        let value =
            Replaces::parse(b"98asjd8@test.com;from-tag=54321 ;To-Tag=12345;early-only;x=y")
                .unwrap();
        let expected = Replaces {
            call_id: CallWord(b"98asjd8@test.com"),
            to_tag: "12345",
            from_tag: "54321",
            early_only: true,
        };
        assert_eq!(value, expected);
        assert_eq!(value.text(), "98asjd8@test.com;to-tag=12345;from-tag=54321;early-only");
        let join = Join::parse(b"12adf2f34456gs5;to-tag=12345;from-tag=54321").unwrap();
        assert_eq!(join.from_tag, "54321");
        let target = TargetDialog::parse(b"592435881734450904;local-tag=9m2n3wq;remote-tag=763231");
        assert_eq!(target.unwrap().remote_tag, "763231");
    }

    #[test]
    fn a_tag_that_is_missing_or_there_twice_is_an_error() {
        for bad in [
            "",
            ";to-tag=1;from-tag=2",
            "a;to-tag=1",
            "a;from-tag=1",
            "a;to-tag=;from-tag=2",
            "a;to-tag=1;from-tag=2;to-tag=3",
            "a b;to-tag=1;from-tag=2",
            // Found by fuzzing: a quote that nobody closes is no tag.
            "a;from-tag=1;to-tag=\"2;x=3",
        ] {
            assert!(Replaces::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
