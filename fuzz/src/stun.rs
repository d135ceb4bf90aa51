//! A datagram that may be a question by STUN: it is answered or not, and never with more than thrice its octets.

/// Any octets; and a good header before them, so that attributes are reached.
pub fn run(octets: &[u8]) {
    judge(octets);
    let length = u16::try_from(octets.len()).unwrap_or(u16::MAX).to_be_bytes();
    judge(&[&[0, 1], &length[..], b"\x21\x12\xa4\x42transaction!", octets].concat());
}

fn judge(octets: &[u8]) {
    for from in ["192.0.2.1:9", "[2001:db8::1]:9"] {
        let Some(answer) = from.parse().ok().and_then(|from| stun::answer(octets, from)) else {
            continue;
        };
        assert!(answer.len() <= 3 * octets.len());
        assert_eq!(answer.get(8..20), octets.get(8..20), "another transaction");
        assert!(stun::looks_like_stun(octets) && stun::looks_like_stun(&answer));
    }
}
