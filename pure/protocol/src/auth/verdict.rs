//! Is the answer right? Credentials, judged by a server (RFC 7616 §3.4, RFC 3261 §22.4).

use std::borrow::Cow;

use sip::header::{AuthParams, nonce_count, plain};

use super::digest::answer;
use super::{Algorithm, Asked, Freshness, Ha1, Made, Names, Qop, matches, response};

/// What a client claims: the parameters of its credentials, without quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    /// Who it says it is, or the hash of that.
    pub username: Cow<'a, str>,
    /// How `username` is written: [`Algorithm::user_hash`] (RFC 7616 §3.4.4).
    pub names: Names,
    /// The `uri` that it hashed; a proxy on the way may have changed the Request-URI since.
    pub uri: Cow<'a, str>,
    /// The hash.
    pub algorithm: Algorithm,
    session: bool,
    nonce: Cow<'a, str>,
    nc: Cow<'a, str>,
    /// The count: 1 when no qop is named, for such an answer is good once.
    count: u32,
    cnonce: Cow<'a, str>,
    qop: Protected,
    response: Cow<'a, str>,
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
    /// Right, and for a nonce of ours that is young. Whether its count was used before, its keeper knows.
    Right(Made),
    /// The password is right, but the nonce is old, or not ours any more.
    Stale,
    /// Not right, or nobody's.
    Wrong,
}

impl<'a> Claim<'a> {
    /// Reads credentials for `realm`; `None` when they are for another realm, of another scheme, or not complete.
    pub fn read(params: &AuthParams<'a>, realm: &str) -> Option<Self> {
        // In the order in which most phones write them: those are found first.
        let [name, claimed, nonce, uri, response, algorithm, cnonce, qop, nc, userhash, extended] =
            params
                .pick([
                    "username",
                    "realm",
                    "nonce",
                    "uri",
                    "response",
                    "algorithm",
                    "cnonce",
                    "qop",
                    "nc",
                    "userhash",
                    "username*",
                ])
                .ok()?;
        if !params.is_digest() || plain(claimed?)? != realm {
            return None;
        }
        let token = algorithm.and_then(plain);
        let (algorithm, session) = Algorithm::of(token.as_deref().unwrap_or("MD5"))?;
        let qop = match qop.and_then(plain).as_deref() {
            None => Protected::Unnamed,
            Some(qop) if qop.eq_ignore_ascii_case("auth") => Protected::Request,
            Some(qop) if qop.eq_ignore_ascii_case("auth-int") => Protected::RequestAndBody,
            Some(_) => return None,
        };
        let named = qop != Protected::Unnamed;
        let hashed = userhash.and_then(plain).is_some_and(|yes| yes.eq_ignore_ascii_case("true"));
        let names = if hashed { Names::Hashed } else { Names::Plain };
        let nc = if named { plain(nc?)? } else { Cow::default() };
        Some(Self {
            username: username(name, extended, names)?,
            names,
            uri: plain(uri?)?,
            algorithm,
            session,
            nonce: plain(nonce?)?,
            count: if named { nonce_count(&nc).filter(|count| *count > 0)? } else { 1 },
            nc,
            cnonce: if named || session { plain(cnonce?)? } else { Cow::default() },
            qop,
            response: plain(response?)?,
        })
    }

    /// The nonce and which use of it this is: what [`Counts`](super::Counts) spend.
    pub fn count(&self) -> (&str, u32) {
        (&self.nonce, self.count)
    }

    /// Judges the claim for a request's method and body. How fresh its nonce is, [`Nonces::look`](super::Nonces::look) says; `ha1` is what we know of the
    /// user. For one that we do not know the same work is done, so that the time of the answer tells nobody who exists.
    pub fn judge(
        &self,
        freshness: Freshness,
        (method, body): (&str, &[u8]),
        ha1: Option<&Ha1>,
    ) -> Verdict {
        let nobody = Ha1::nobody(self.algorithm);
        let expected = answer(ha1.unwrap_or(&nobody), &self.asked(method, body));
        let right = matches(expected.octets(), &self.response);
        match (right && ha1.is_some(), freshness) {
            (false, _) => Verdict::Wrong,
            (true, Freshness::Fresh(made)) => Verdict::Right(made),
            (true, Freshness::Stale | Freshness::Foreign) => Verdict::Stale,
        }
    }

    /// What the answer to a request with these credentials can say: that we know the password too, and which nonce to use from now on
    /// (Authentication-Info, RFC 7616 §3.5). The answer has no body.
    pub fn info(&self, ha1: &Ha1, next: &str) -> String {
        let Self { nc, cnonce, .. } = self;
        let proof = response(ha1, &self.asked("", b""));
        let qop = match self.qop {
            Protected::Unnamed => return format!("nextnonce=\"{next}\", rspauth=\"{proof}\""),
            Protected::Request => "auth",
            Protected::RequestAndBody => "auth-int",
        };
        let cnonce = String::from_utf8_lossy(&sip::quote(cnonce.as_bytes())).into_owned();
        format!("nextnonce=\"{next}\", qop={qop}, rspauth=\"{proof}\", cnonce={cnonce}, nc={nc}")
    }

    fn asked<'b>(&'b self, method: &'b str, body: &'b [u8]) -> Asked<'b> {
        Asked {
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
        }
    }
}

/// `username`, or `username*` for a name that no quoted string can hold (RFC 7616 §3.4): one of them, and a hash needs no `*`.
fn username<'a>(
    name: Option<&'a [u8]>,
    extended: Option<&'a [u8]>,
    names: Names,
) -> Option<Cow<'a, str>> {
    match (name.and_then(plain), extended.and_then(plain)) {
        (Some(name), None) => Some(name),
        (None, Some(extended)) if names == Names::Plain => {
            // RFC 5987 §3.2.1: charset'language'percent-encoded.
            let (charset, rest) = extended.split_once('\'')?;
            let (_, encoded) = rest.split_once('\'')?;
            let name = sip::uri::unescape(encoded.as_bytes());
            let name = String::from_utf8(name.into_owned())
                .ok()
                .filter(|_| charset.eq_ignore_ascii_case("UTF-8"));
            name.map(Cow::Owned)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use machine::{Dice, Time};
    use sip::Header as _;
    use sip::header::Authorization;

    use super::super::Nonces;
    use super::*;

    const MADE: Made = Made { at: Time(1_000_000), keeper: 0 };

    fn nonces(secret: u128) -> Nonces {
        Nonces::new(secret, 0, Duration::from_secs(300))
    }

    struct Case {
        nonce: String,
        ha1: Ha1,
    }

    fn case(algorithm: Algorithm) -> Case {
        let here = "192.0.2.1".parse().unwrap();
        let nonce = nonces(1).throw(MADE.at, &mut Dice::new(1), here);
        Case { nonce, ha1: Ha1::of(algorithm, "101", "r", "secret") }
    }

    fn claim(value: &str) -> Option<Claim<'_>> {
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
                (Qop::Absent, Verdict::Right(MADE)),
                (Qop::Auth, Verdict::Right(MADE)),
                (Qop::AuthInt(b"v=0"), Verdict::Wrong),
            ] {
                let case = case(algorithm);
                let written = written(&case, algorithm, qop, "00000001");
                let claim = claim(&written).unwrap();
                let freshness = nonces(1).look(MADE.at, &case.nonce);
                let judge = |request, ha1| claim.judge(freshness, request, ha1);
                let ha1 = Some(&case.ha1);
                assert_eq!(judge(("BYE", b"v=0"), ha1), Verdict::Wrong);
                assert_eq!(judge(("INVITE", b"v=0"), None), Verdict::Wrong);
                assert_eq!(judge(("INVITE", b"v=0"), ha1), Verdict::Right(MADE));
                assert_eq!(judge(("INVITE", b"v=1"), ha1), other_body);
            }
        }
    }

    #[test]
    fn trap_33_a_count_is_hexadecimal_and_a_right_one_in_capitals_is_right() {
        let case = case(Algorithm::Md5);
        let text = written(&case, Algorithm::Md5, Qop::Auth, "0000000a");
        let digits = claim(&text).unwrap().response;
        let capitals = text.replace(&*digits, &digits.to_uppercase());
        let claim = claim(&capitals).unwrap();
        assert_eq!(claim.count().1, 10);
        let freshness = nonces(1).look(MADE.at, &case.nonce);
        let judge = claim.judge(freshness, ("INVITE", b""), Some(&case.ha1));
        assert_eq!(judge, Verdict::Right(MADE));
    }

    #[test]
    fn a_name_may_be_hashed_or_written_in_the_long_form_but_not_twice() {
        let good = written(&case(Algorithm::Md5), Algorithm::Md5, Qop::Auth, "00000001");
        let read = |name: &str| {
            let text = good.replace("username=\"101\"", name);
            claim(&text).map(|claim| (claim.username.into_owned(), claim.names))
        };
        assert_eq!(read("username=\"ab\", userhash=true"), Some(("ab".into(), Names::Hashed)));
        assert_eq!(read("username=\"ab\", userhash=false"), Some(("ab".into(), Names::Plain)));
        let jason = Some(("J\u{e4}s\u{f8}n Doe".to_owned(), Names::Plain));
        assert_eq!(read("username*=UTF-8''J%C3%A4s%C3%B8n%20Doe"), jason);
        for bad in [
            "username=\"101\", username*=UTF-8''101",
            "username*=UTF-8''101, userhash=true",
            "username*=ISO-8859-1''101",
            "username*=UTF-8''%FF",
            "username*=101",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn who_was_let_in_learns_that_we_know_the_password_too_and_the_next_nonce() {
        for (qop, token) in [(Qop::Auth, "auth"), (Qop::AuthInt(b"v=0"), "auth-int")] {
            let case = case(Algorithm::Sha256);
            let written = written(&case, Algorithm::Sha256, qop, "0000000a");
            let claim = claim(&written).unwrap();
            let info = claim.info(&case.ha1, "next");
            let expected = Asked {
                algorithm: Algorithm::Sha256,
                session: false,
                method: "",
                uri: "sip:b@h",
                nonce: &case.nonce,
                nc: "0000000a",
                cnonce: "c",
                qop: if token == "auth" { Qop::Auth } else { Qop::AuthInt(b"") },
            };
            let proof = response(&case.ha1, &expected);
            assert_eq!(
                info,
                format!(
                    "nextnonce=\"next\", qop={token}, rspauth=\"{proof}\", cnonce=\"c\", nc=0000000a"
                )
            );
        }
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
        let case = case(Algorithm::Md5);
        let written = written(&case, Algorithm::Md5, Qop::Auth, "00000001");
        let claim = claim(&written).unwrap();
        let judge = |secret, now| {
            let freshness = nonces(secret).look(now, &case.nonce);
            claim.judge(freshness, ("INVITE", b""), Some(&case.ha1))
        };
        assert_eq!(judge(1, MADE.at), Verdict::Right(MADE));
        assert_eq!(judge(2, MADE.at), Verdict::Stale);
        assert_eq!(judge(1, MADE.at + Duration::from_secs(301)), Verdict::Stale);
    }
}
