//! `Best`: the one answer of all branches that the caller gets (RFC 3261 §16.7 steps 6 and 7).

use std::borrow::Cow;

use sip::{Message, Name, Status};

/// The best final answer so far, and everything that asked for credentials.
#[derive(Debug, Default)]
pub(crate) struct Best(
    /// Most requests are never refused: they carry a pointer.
    Option<Box<Refused>>,
);

#[derive(Debug)]
struct Refused {
    chosen: Candidate,
    challenges: Vec<Asks>,
}

/// A row that asks for credentials.
pub(crate) type Asks = (Name, Box<[u8]>);

/// A final answer that was not passed on at once.
#[derive(Debug)]
pub(crate) enum Candidate {
    /// A branch's.
    Theirs(Message),
    /// Ours, for a branch that never answered.
    Ours(Status, Cow<'static, str>),
}

impl Candidate {
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Theirs(response) => response.status().unwrap_or(Status::SERVER_INTERNAL_ERROR),
            Self::Ours(status, _) => *status,
        }
    }
}

impl Best {
    /// True when nobody has answered yet.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Takes one more final answer of 300 to 699.
    pub(crate) fn offer(&mut self, candidate: Candidate) {
        let status = candidate.status();
        let mut asks = Vec::new();
        if let Candidate::Theirs(response) = &candidate
            && matches!(status, Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED)
        {
            for name in [Name::WwwAuthenticate, Name::ProxyAuthenticate] {
                asks.extend(response.rows(name).map(|row| (name, row.into())));
            }
        }
        match self.0.as_deref_mut() {
            None => self.0 = Some(Box::new(Refused { chosen: candidate, challenges: asks })),
            Some(Refused { chosen, challenges }) => {
                challenges.append(&mut asks);
                if rank(status) < rank(chosen.status()) {
                    *chosen = candidate;
                }
            }
        }
    }

    /// The answer to pass on, with the challenges that other branches had; none when nobody answered.
    pub(crate) fn take(&mut self) -> Option<(Candidate, Vec<Asks>)> {
        let Refused { chosen, challenges } = *self.0.take()?;
        let asks =
            matches!(chosen.status(), Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED);
        let mut others = if asks { challenges } else { Vec::new() };
        if let Candidate::Theirs(response) = &chosen {
            others.retain(|(name, value)| !response.rows(*name).any(|row| *row == **value));
        }
        Some((chosen, others))
    }
}

/// Lower is better: 6xx, then the lowest class; of the 4xx first what tells how to ask again; a 503 and silence last of theirs.
fn rank(status: Status) -> u8 {
    match (status.class(), status) {
        (6, _) => 0,
        (3, _) => 1,
        (
            _,
            Status::UNAUTHORIZED
            | Status::PROXY_AUTHENTICATION_REQUIRED
            | Status::UNSUPPORTED_MEDIA_TYPE
            | Status::BAD_EXTENSION
            | Status::ADDRESS_INCOMPLETE,
        ) => 2,
        // Who was silent, and whom we have cancelled for that, has said nothing.
        (4, Status::REQUEST_TIMEOUT | Status::REQUEST_TERMINATED) => 4,
        (4, _) => 3,
        (_, Status::SERVICE_UNAVAILABLE) => 6,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, rows: &str) -> Candidate {
        let wire = format!("SIP/2.0 {status} X\r\n{rows}\r\n");
        Candidate::Theirs(Message::parse(wire).unwrap())
    }

    #[test]
    fn trap_12_the_best_answer_of_any_order() {
        for (all, best) in [
            (&[404, 603, 302][..], 603),
            (&[404, 302, 500], 302),
            (&[486, 401, 404], 401),
            (&[408, 486], 486),
            (&[503, 500], 500),
            (&[503, 408], 408),
            (&[503], 503),
            (&[480, 486], 480),
            (&[487, 486], 486),
        ] {
            let mut best_of = Best::default();
            all.iter().for_each(|status| best_of.offer(response(*status, "")));
            assert_eq!(best_of.take().unwrap().0.status().code(), best, "{all:?}");
        }
    }

    #[test]
    fn trap_12_challenges_of_all_branches_are_collected() {
        let mut best = Best::default();
        best.offer(response(407, "Proxy-Authenticate: Digest realm=\"a\"\r\n"));
        best.offer(response(404, ""));
        best.offer(response(
            401,
            "WWW-Authenticate: Digest realm=\"b\"\r\nWWW-Authenticate: Digest realm=\"c\"\r\n",
        ));
        let (chosen, others) = best.take().unwrap();
        assert_eq!((chosen.status().code(), others.len()), (407, 2));
        assert!(others.iter().all(|(name, _)| *name == Name::WwwAuthenticate));
    }
}
