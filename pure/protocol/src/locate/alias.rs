//! Following aliases through an answer (CNAME, RFC 1034 §3.6.2), and no further than makes sense.

use super::Domain;
use super::lookup::{Data, Kind, Lookup, Record};
use crate::limits;

/// What an answer says about a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chased {
    /// These are the records.
    Here(Vec<Data>),
    /// Its name is an alias of this one, which the answer says no more about.
    Elsewhere(Domain),
    /// Nothing of use.
    Nothing,
}

/// Takes from an answer what was asked for, under the name that was asked or under one it is an alias of. All else was not
/// asked for, and whoever sent it is not believed.
pub(super) fn chase(lookup: &Lookup, records: Vec<Record>) -> Chased {
    let records: Vec<Record> = records.into_iter().take(limits::DNS_RECORDS).collect();
    let mut name = lookup.name.clone();
    for _ in 0..limits::DNS_ALIASES {
        let mine = |record: &&Record| record.owner == name;
        let found: Vec<Data> = records
            .iter()
            .filter(mine)
            .filter(|record| record.data.is(lookup.kind))
            .map(|record| record.data.clone())
            .collect();
        if !found.is_empty() {
            return Chased::Here(found);
        }
        let alias = records.iter().filter(mine).find_map(|record| match &record.data {
            Data::Alias(alias) => Some(alias.clone()),
            _ => None,
        });
        match alias {
            Some(alias) => name = alias,
            None if name == lookup.name => return Chased::Nothing,
            None => return Chased::Elsewhere(name),
        }
    }
    Chased::Nothing
}

impl Data {
    const fn is(&self, kind: Kind) -> bool {
        matches!(
            (self, kind),
            (Self::A(_), Kind::A)
                | (Self::Aaaa(_), Kind::Aaaa)
                | (Self::Srv(_), Kind::Srv)
                | (Self::Naptr(_), Kind::Naptr)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Domain {
        Domain::of(text).unwrap()
    }

    fn alias(owner: &str, to: &str) -> Record {
        Record { owner: name(owner), data: Data::Alias(name(to)) }
    }

    fn a(owner: &str, last: u8) -> Record {
        Record { owner: name(owner), data: Data::A([192, 0, 2, last].into()) }
    }

    fn chased(records: Vec<Record>) -> Chased {
        chase(&Lookup { name: name("a.example"), kind: Kind::A }, records)
    }

    #[test]
    fn an_alias_is_followed_in_any_order_of_records() {
        let records = vec![
            a("c.example", 3),
            alias("b.example", "c.example"),
            alias("a.example", "b.example"),
        ];
        assert_eq!(chased(records), Chased::Here(vec![Data::A([192, 0, 2, 3].into())]));
        assert_eq!(
            chased(vec![alias("a.example", "b.example")]),
            Chased::Elsewhere(name("b.example"))
        );
    }

    #[test]
    fn what_was_not_asked_for_is_not_believed() {
        assert_eq!(chased(vec![a("z.example", 9)]), Chased::Nothing);
        let other =
            Record { owner: name("a.example"), data: Data::Aaaa("2001:db8::1".parse().unwrap()) };
        assert_eq!(chased(vec![other]), Chased::Nothing);
    }

    #[test]
    fn aliases_in_a_circle_end() {
        assert_eq!(
            chased(vec![alias("a.example", "b.example"), alias("b.example", "a.example")]),
            Chased::Nothing
        );
        assert_eq!(chased(vec![alias("a.example", "a.example")]), Chased::Nothing);
    }

    #[test]
    fn a_long_chain_is_not_followed_to_its_end() {
        let chain = |links: usize| -> Vec<Record> {
            let name =
                |at: usize| if at == 0 { "a.example".to_owned() } else { format!("a{at}.example") };
            let mut records: Vec<Record> =
                (0..links).map(|at| alias(&name(at), &name(at + 1))).collect();
            records.push(a(&name(links), 1));
            records
        };
        assert!(matches!(chased(chain(limits::DNS_ALIASES - 1)), Chased::Here(_)));
        assert_eq!(chased(chain(limits::DNS_ALIASES)), Chased::Nothing);
    }
}
