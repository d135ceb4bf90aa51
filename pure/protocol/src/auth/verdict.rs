//! Is the answer right? Credentials, judged by a server (RFC 7616 §3.4, RFC 3261 §22.4).

use machine::Time;
use sip::header::AuthParams;

use super::{Algorithm, Asked, Freshness, Ha1, Nonces, Qop, matches, response};

/// What a client claims: the parameters of its credentials, without quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who it says it is.
    pub username: String,
    /// The `uri` that it hashed; a proxy on the way may have changed the Request-URI since.
    pub uri: String,
    /// The hash.
    pub algorithm: Algorithm,
    session: bool,
    nonce: String,
    nc: String,
    /// The count: 1 when no qop is named, for such an answer is good once.
    count: u32,
    cnonce: String,
    qop: Protected,
    response: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protected {
    Unnamed,
    Request,
    RequestAndBody,
}

/// What credentials are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Right, and never seen before.
    Right,
    /// The password is right, but the nonce is old, not ours any more, or its count was used.
    Stale,
    /// Not right, or nobody's.
    Wrong,
}

impl Claim {
    /// Reads credentials for `realm`; `None` when they are for another realm, of another scheme, or not complete.
    pub fn read(params: &AuthParams<'_>, realm: &str) -> Option<Self> {
        if !params.is_digest() || params.text("realm")? != realm {
            return None;
        }
        let token = params.text("algorithm");
        let (algorithm, session) = Algorithm::of(token.as_deref().unwrap_or("MD5"))?;
        let qop = match params.text("qop").as_deref() {
            None => Protected::Unnamed,
            Some(qop) if qop.eq_ignore_ascii_case("auth") => Protected::Request,
            Some(qop) if qop.eq_ignore_ascii_case("auth-int") => Protected::RequestAndBody,
            Some(_) => return None,
        };
        let named = qop != Protected::Unnamed;
        Some(Self {
            username: params.text("username")?,
            uri: params.text("uri")?,
            algorithm,
            session,
            nonce: params.text("nonce")?,
            nc: if named { params.text("nc")? } else { String::new() },
            count: if named { params.nonce_count().filter(|count| *count > 0)? } else { 1 },
            cnonce: if named || session { params.text("cnonce")? } else { String::new() },
            qop,
            response: params.text("response")?,
        })
    }

    /// Judges the claim for a request's method and body. `ha1` is what we know of the user; for one that we do not know the same
    /// work is done, so that the time of the answer tells nobody who exists. A right count is spent.
    pub fn judge(
        &self,
        now: Time,
        nonces: &mut Nonces,
        request: (&str, &[u8]),
        ha1: Option<&Ha1>,
    ) -> Verdict {
        let (method, body) = request;
        let asked = Asked {
            algorithm: self.algorithm,
            session: self.session,
            method,
            uri: &self.uri,
            nonce: &self.nonce,
            nc: &self.nc,
            cnonce: &self.cnonce,
            qop: match self.qop {
                Protected::Unnamed => Qop::Absent,
                Protected::Request => Qop::Auth,
                Protected::RequestAndBody => Qop::AuthInt(body),
            },
        };
        let nobody = Ha1::nobody();
        let freshness = nonces.look(now, &self.nonce, self.count);
        let right = matches(&response(ha1.unwrap_or(&nobody), &asked), &self.response);
        match (right && ha1.is_some(), freshness) {
            (false, _) => Verdict::Wrong,
            (true, Freshness::Fresh) => {
                nonces.spend(&self.nonce, self.count);
                Verdict::Right
            }
            (true, Freshness::Stale | Freshness::Replayed | Freshness::Foreign) => Verdict::Stale,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use machine::Dice;
    use sip::Header as _;
    use sip::header::Authorization;

    use super::*;

    struct Case {
        nonces: Nonces,
        nonce: String,
        ha1: Ha1,
    }

    fn case(algorithm: Algorithm) -> Case {
        let mut dice = Dice::new(1);
        let nonces = Nonces::new(Duration::from_secs(300), &mut dice);
        let nonce = nonces.throw(Time(1), &mut dice);
        Case { nonces, nonce, ha1: Ha1::of(algorithm, "101", "r", "secret") }
    }

    fn claim(value: &str) -> Option<Claim> {
        Claim::read(&Authorization::parse(value.as_bytes()).unwrap().0, "r")
    }

    /// Credentials as a phone writes them, right for `case`.
    fn written(case: &Case, algorithm: Algorithm, qop: Qop<'_>, nc: &str) -> String {
        let (token, session) = (algorithm.token(), false);
        let (method, uri, nonce, cnonce) = ("INVITE", "sip:b@h", &*case.nonce, "c");
        let asked = Asked { algorithm, session, method, uri, nonce, nc, cnonce, qop };
        let right = response(&case.ha1, &asked);
        let qop = match qop {
            Qop::Absent => String::new(),
            Qop::Auth => format!(", qop=auth, nc={nc}, cnonce=\"c\""),
            Qop::AuthInt(_) => format!(", qop=\"auth-int\", nc={nc}, cnonce=\"c\""),
        };
        format!(
            "Digest username=\"101\", realm=\"r\", uri=\"{uri}\", nonce=\"{nonce}\", algorithm={token}, \
             response=\"{right}\"{qop}"
        )
    }

    #[test]
    fn trap_33_every_algorithm_and_protection_is_judged() {
        use Algorithm::{Md5, Sha256, Sha512_256};
        for algorithm in [Md5, Sha256, Sha512_256] {
            for (qop, other_body) in [
                (Qop::Absent, Verdict::Right),
                (Qop::Auth, Verdict::Right),
                (Qop::AuthInt(b"v=0"), Verdict::Wrong),
            ] {
                let mut case = case(algorithm);
                let claim = claim(&written(&case, algorithm, qop, "00000001")).unwrap();
                let ha1 = Some(&case.ha1);
                let judge =
                    |nonces: &mut Nonces, request, ha1| claim.judge(Time(2), nonces, request, ha1);
                assert_eq!(judge(&mut case.nonces, ("BYE", b"v=0"), ha1), Verdict::Wrong);
                assert_eq!(judge(&mut case.nonces, ("INVITE", b"v=0"), None), Verdict::Wrong);
                let mut others = case.nonces;
                assert_eq!(judge(&mut others, ("INVITE", b"v=0"), ha1), Verdict::Right);
                assert_eq!(judge(&mut others, ("INVITE", b"v=0"), ha1), Verdict::Stale);
                let mut fresh = super::tests::case(algorithm).nonces;
                assert_eq!(judge(&mut fresh, ("INVITE", b"v=1"), ha1), other_body);
            }
        }
    }

    #[test]
    fn trap_33_a_count_is_hexadecimal_and_a_right_one_in_capitals_is_right() {
        let mut case = case(Algorithm::Md5);
        let text = written(&case, Algorithm::Md5, Qop::Auth, "0000000a");
        let claim = claim(&text).unwrap();
        let judge = claim.judge(Time(2), &mut case.nonces, ("INVITE", b""), Some(&case.ha1));
        assert_eq!(judge, Verdict::Right);
    }

    #[test]
    fn what_is_not_for_us_or_not_complete_is_no_claim() {
        let case = case(Algorithm::Md5);
        let good = written(&case, Algorithm::Md5, Qop::Auth, "00000001");
        assert!(claim(&good).is_some());
        for (from, to) in [
            ("realm=\"r\"", "realm=\"other\""),
            ("Digest", "Basic"),
            ("=MD5", "=MD4"),
            ("qop=auth", "qop=none"),
            ("00000001", "00000000"),
            ("00000001", "1"),
            ("username", "name"),
            ("response", "answer"),
        ] {
            assert_eq!(claim(&good.replace(from, to)), None, "{to}");
        }
    }

    #[test]
    fn a_right_answer_to_a_nonce_of_another_life_is_stale() {
        let mut old = case(Algorithm::Md5);
        let claim = claim(&written(&old, Algorithm::Md5, Qop::Auth, "00000001")).unwrap();
        let judge = |nonces: &mut Nonces, now, ha1| claim.judge(now, nonces, ("INVITE", b""), ha1);
        let mut foreign = Nonces::new(Duration::from_secs(300), &mut Dice::new(2));
        assert_eq!(judge(&mut foreign, Time(2), Some(&old.ha1)), Verdict::Stale);
        let late = Time(2) + Duration::from_secs(301);
        assert_eq!(judge(&mut old.nonces, late, Some(&old.ha1)), Verdict::Stale);
    }
}
