//! §5.4: what a GRUU must be like.

use std::collections::BTreeSet;

use offhook_tests::office::{Office, Phone, settings, trusting};
use sip::Uri;
use sip::uri::same;

use super::{call, sign_on};

/// "A registrar MUST be able to determine the instance ID and AOR when presented with a GRUU." "if two GRUUs are associated with different
/// AORs or different instance IDs or both, the GRUUs MUST be different based on URI equality comparison." "A GRUU in a domain MUST NOT be
/// equivalent, based on URI comparison, to any AOR in a domain except for the one associated with the GRUU."
/// Proves: rfc5627-5.4-1, rfc5627-5.4-2, rfc5627-5.4-3, rfc5627-5.4-7.
#[test]
fn every_gruu_is_another_and_nobodys_address() {
    let mut office = Office::new(trusting());
    let mut all = Vec::new();
    for user in [102, 104] {
        for instance in ["aaaa", "bbbb"] {
            let mut phone = Phone::udp(user);
            phone.flow.peer.set_port(if instance == "aaaa" { 6000 } else { 7000 });
            let (public, temporary) = sign_on(&mut office, &phone, instance, 1);
            all.extend([(user, public), (user, temporary)]);
        }
    }
    let parsed = |uri: &str| Uri::parse(uri.as_bytes()).map(|uri| format!("{uri:?}")).unwrap();
    let alike = |a: &str, b: &str| {
        same(&Uri::parse(a.as_bytes()).unwrap(), &Uri::parse(b.as_bytes()).unwrap())
    };
    for (at, (user, gruu)) in all.iter().enumerate() {
        for (_, other) in all.iter().skip(at + 1) {
            assert!(!alike(gruu, other), "{gruu} {other}");
        }
        for aor in (101..110).filter(|aor| aor != user) {
            assert!(!alike(gruu, &format!("sip:{aor}@example.test")), "{}", parsed(gruu));
        }
        let last = user % 100;
        assert_eq!(call(&mut office, gruu), Ok(vec![format!("198.51.100.{last}")]));
    }
}

/// "The likelihood that the temporary GRUU is equal to another GRUU that the registrar has created MUST be vanishingly small." "Given a pair
/// of GRUUs, it MUST be computationally infeasible to determine whether they were issued for the same AOR or instance ID"
/// Proves: rfc5627-A-16, rfc5627-1-1.
#[test]
fn two_temporary_gruus_of_one_phone_are_as_unlike_as_those_of_two() {
    let mut office = Office::new(trusting());
    let phone = Phone::udp(102);
    let all: Vec<_> = (1..100).map(|n| sign_on(&mut office, &phone, "aaaa", n).1).collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 99);
    // Every second digit by chance: of 16, one in 16 is the same.
    let digits = |gruu: &str| gruu.split(['-', '@']).nth(1).unwrap().to_owned();
    let alike = |a: &str, b: &str| a.bytes().zip(b.bytes()).filter(|(a, b)| a == b).count();
    for pair in all.windows(2) {
        let (a, b) = (digits(&pair[0]), digits(&pair[1]));
        assert!(a.len() == b.len() && alike(&a, &b) < a.len() / 4, "{a}\n{b}");
    }
}

/// "Once an AOR is no longer valid within a domain, all of its GRUUs MUST be considered invalid as well."
/// Proves: rfc5627-5.4-6.
#[test]
fn the_gruus_of_a_user_who_has_left_are_nobodys() {
    let mut office = Office::new(trusting());
    let (public, temporary) = sign_on(&mut office, &Phone::udp(102), "aaaa", 1);
    // The house has restarted, with its secret and without 102.
    let mut fewer = settings();
    fewer.challenge = vec!["REGISTER".into()];
    fewer.users.retain(|user| &*user.name != "102");
    let mut office = Office::new(fewer);
    for gruu in [public, temporary] {
        assert_eq!(call(&mut office, &gruu), Err(404), "{gruu}");
    }
}
