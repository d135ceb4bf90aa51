//! `Wanted`: what a REFER asks for, and whether it may be done (RFC 3515 §2.4.2, RFC 3892, RFC 4488).

use protocol::dialog::for_request_uri;
use protocol::locate::Scheme;
use sip::header::{ReferSub, ReferTo, ReferredBy};
use sip::{Header as _, Message, Name, Status, Uri};

use super::Token;
use crate::account::Account;
use crate::refusal::Refusal;

/// Whom a REFER wants to be called, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Whom.
    pub(crate) target: Box<[u8]>,
    /// The call that the new one takes the place of.
    pub(crate) replaces: Option<Vec<u8>>,
    /// Who asks, word for word.
    pub(crate) referred_by: Option<Vec<u8>>,
    /// What proves it to whom is called.
    pub(crate) token: Option<Token>,
    pub(super) audience: Audience,
}

/// Who wants to hear how it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    Transferor,
    /// RFC 4488: it has said so.
    Nobody,
}

impl Wanted {
    /// True when nobody wants to hear how it goes.
    pub(crate) fn is_quiet(&self) -> bool {
        self.audience == Audience::Nobody
    }

    /// Reads a REFER. What is not to be called is refused before anything is promised.
    pub(crate) fn read(request: &Message, account: &Account) -> Result<Self, Refusal> {
        let bad = |why: &str| Refusal::saying(Status::BAD_REQUEST, format!("Bad Request: {why}"));
        let mut rows = request.rows(Name::ReferTo);
        let (Some(row), None) = (rows.next(), rows.next()) else {
            return Err(bad("one Refer-To is wanted"));
        };
        if request.rows(Name::ReferredBy).count() > 1 {
            return Err(bad("more than one Referred-By"));
        }
        let to = ReferTo::parse(row).map_err(|error| bad(&error.to_string()))?;
        let quiet = request.get::<ReferSub<'_>>().is_some_and(|wish| !wish.is_wanted());
        Ok(Self {
            target: target(&to, account)?,
            replaces: to.replaces(),
            referred_by: referred_by(request),
            token: Token::of(request),
            audience: if quiet { Audience::Nobody } else { Audience::Transferor },
        })
    }

    /// The rows that the INVITE gets: who asked, and what it takes the place of (RFC 3892 §2.2, RFC 3891 §4). Other headers that stand in the
    /// Refer-To are not ours to say.
    pub(crate) fn rows(&self) -> Vec<(Name, Vec<u8>)> {
        let mut rows = Vec::new();
        rows.extend(self.referred_by.clone().map(|by| (Name::ReferredBy, by)));
        if let Some(replaces) = &self.replaces {
            rows.push((Name::Replaces, replaces.clone()));
            rows.push((Name::Require, b"replaces".to_vec()));
        }
        rows
    }
}

/// A SIP or telephone address, and nothing but an INVITE to it.
fn target(to: &ReferTo<'_>, account: &Account) -> Result<Box<[u8]>, Refusal> {
    let elsewhere = || Refusal::new(Status::UNSUPPORTED_URI_SCHEME);
    let uri = match to.parsed() {
        Ok(Uri::Sip(uri)) => uri,
        Ok(Uri::Tel(_)) => return Ok(to.uri.into()),
        Ok(Uri::Other(..)) | Err(_) => return Err(elsewhere()),
    };
    // RFC 3261 §8.1.1.8: whoever calls by TLS alone has an address that is reached so.
    if uri.secure && account.scheme != Scheme::Sips {
        return Err(elsewhere());
    }
    let other = |value: &[u8]| !value.eq_ignore_ascii_case(b"INVITE");
    if uri.params.get("method").is_some_and(other) {
        return Err(Refusal::saying(Status::FORBIDDEN, "Only Calls Are Made For Others"));
    }
    Ok(for_request_uri(to.uri).into())
}

fn referred_by(request: &Message) -> Option<Vec<u8>> {
    let row = request.rows(Name::ReferredBy).next()?;
    ReferredBy::parse(row).is_ok().then(|| row.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rows: &str) -> Result<Wanted, u16> {
        let request = Message::parse(format!("REFER sip:b@h SIP/2.0\r\n{rows}\r\n")).unwrap();
        let account = Account::new("sip:b@h").unwrap();
        Wanted::read(&request, &account).map_err(|no| no.status.code())
    }

    #[test]
    fn only_calls_to_people_are_made() {
        for (rows, status) in [
            ("", 400),
            ("Refer-To: <sip:a@h>\r\nRefer-To: <sip:b@h>\r\n", 400),
            ("Refer-To: <http://169.254.169.254/latest>\r\n", 416),
            ("Refer-To: <sips:a@h>\r\n", 416),
            ("Refer-To: <sip:a@h;method=BYE>\r\n", 403),
            ("Refer-To: <sip:a@h>\r\nReferred-By: <sip:x@h>\r\nReferred-By: <sip:y@h>\r\n", 400),
        ] {
            assert_eq!(read(rows), Err(status), "{rows}");
        }
        assert_eq!(&*read("r: tel:+1234\r\n").unwrap().target, b"tel:+1234");
    }

    #[test]
    fn what_stands_in_the_uri_is_not_smuggled_into_our_invite() {
        let wanted = read(
            "Refer-To: <sip:a@h;method=INVITE?Replaces=1%402%3Bto-tag%3Da%3Bfrom-tag%3Db&Subject=x&Route=%3Csip:evil%3E>\r\n\
             Referred-By: <sip:x@h>;cid=\"1\"\r\nRefer-Sub: false\r\n",
        )
        .unwrap();
        assert_eq!(&*wanted.target, b"sip:a@h");
        assert_eq!(wanted.audience, Audience::Nobody);
        let rows: Vec<_> = wanted
            .rows()
            .into_iter()
            .map(|(name, value)| {
                format!("{}: {}", name.as_str(), String::from_utf8(value).unwrap())
            })
            .collect();
        assert_eq!(
            rows,
            [
                "Referred-By: <sip:x@h>;cid=\"1\"",
                "Replaces: 1@2;to-tag=a;from-tag=b",
                "Require: replaces"
            ]
        );
    }
}
