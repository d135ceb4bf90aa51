//! Credentials and challenges from strangers: none of them is right, and each challenge that we answer can be read.

use std::time::Duration;

use machine::{Dice, Time};
use protocol::auth::{Answers, Claim, Credentials, Nonces, Tries, Verdict};
use sip::header::{Authorization, ProxyAuthorization};
use sip::{Draft, Header, Message, Method, Name, Status};

/// `octets` as credentials, and as a challenge.
pub fn run(octets: &[u8]) {
    claimed(octets);
    challenged(octets);
}

fn claimed(octets: &[u8]) {
    let Ok(Authorization(params)) = Authorization::parse(octets) else { return };
    let Some(realm) = params.text("realm") else { return };
    let Some(claim) = Claim::read(&params, &realm) else { return };
    let nonces = Nonces::new(7, 0, Duration::from_secs(60));
    let freshness = nonces.look(Time(1), claim.count().0);
    let verdict = claim.judge(freshness, ("REGISTER", b""), None);
    assert_eq!(verdict, Verdict::Wrong);
}

fn challenged(octets: &[u8]) {
    let refusal = Draft::response(Status::UNAUTHORIZED)
        .raw(Name::WwwAuthenticate, octets)
        .raw(Name::ProxyAuthenticate, octets);
    // A value of 64 KiB makes a head that is too long.
    let Ok(refusal) = Message::parse(refusal.wire()) else { return };
    let mut answers = Answers::new(vec![Credentials::for_any_realm("user", "password")]);
    let mut dice = Dice::new(7);
    if answers.learn(&refusal, &mut Tries::default(), &mut dice).is_err() {
        return;
    }
    let draft = Draft::request(Method::Register, b"sip:h");
    let rows = answers.rows("REGISTER", b"sip:h", b"");
    assert!(!rows.is_empty());
    let granted = Draft::response(Status::OK).raw(Name::AuthenticationInfo, octets);
    if let Ok(granted) = Message::parse(granted.wire()) {
        answers.informed(&granted);
        assert_eq!(answers.rows("REGISTER", b"sip:h", b"").len(), rows.len());
    }
    let request = rows.iter().fold(draft, |draft, (name, value)| draft.raw(*name, value));
    let Ok(request) = Message::parse(request.wire()) else { return };
    assert_eq!(request.all_rows().count(), rows.len() + 1);
    let readable = |name, value: &[u8]| match name {
        Name::Authorization => Authorization::parse(value).is_ok(),
        _ => ProxyAuthorization::parse(value).is_ok(),
    };
    for (name, value) in &rows {
        assert!(readable(*name, value), "{:?}", String::from_utf8_lossy(value));
    }
}
