//! `Secured`: domains that have offered TLS, so that somebody who hides it is noticed (RFC 3263 §7).

use std::collections::{BTreeMap, BTreeSet};

use machine::Time;

use super::Domain;
use crate::limits;

/// What a domain's NAPTR records say about TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// There is a `SIPS` service.
    Tls,
    /// There is none.
    NoTls,
}

/// Domains that have offered TLS. Of too many, the one that was heard of longest ago is forgotten.
#[derive(Clone, Debug, Default)]
pub struct Secured {
    heard: BTreeMap<Domain, Time>,
    oldest: BTreeSet<(Time, Domain)>,
}

impl Secured {
    /// Notes what a domain said. True when it has offered TLS before and does so no more: somebody may have changed its records on
    /// their way. The alarm is given once.
    pub fn withdrawn(&mut self, now: Time, domain: &Domain, offer: Offer) -> bool {
        let before = self.heard.remove(domain);
        if let Some(before) = before {
            self.oldest.remove(&(before, domain.clone()));
        }
        if offer == Offer::NoTls {
            return before.is_some();
        }
        if self.heard.len() >= limits::WATCHED_DOMAINS
            && let Some((_, forgotten)) = self.oldest.pop_first()
        {
            self.heard.remove(&forgotten);
        }
        self.heard.insert(domain.clone(), now);
        self.oldest.insert((now, domain.clone()));
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> Domain {
        Domain::of(&format!("d{number}.example")).unwrap()
    }

    #[test]
    fn a_domain_that_hides_its_tls_is_noticed_once() {
        let mut secured = Secured::default();
        let mut says = |offer| secured.withdrawn(Time(1), &name(0), offer);
        assert!(!says(Offer::NoTls));
        assert!(!says(Offer::Tls));
        assert!(!says(Offer::Tls));
        assert!(says(Offer::NoTls));
        assert!(!says(Offer::NoTls));
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut secured = Secured::default();
        for number in 0..=limits::WATCHED_DOMAINS {
            secured.withdrawn(Time(number as u64), &name(number), Offer::Tls);
        }
        assert_eq!(secured.heard.len(), limits::WATCHED_DOMAINS);
        assert_eq!(secured.oldest.len(), limits::WATCHED_DOMAINS);
        assert!(!secured.withdrawn(Time::NEVER, &name(0), Offer::NoTls));
        assert!(secured.withdrawn(Time::NEVER, &name(1), Offer::NoTls));
    }
}
