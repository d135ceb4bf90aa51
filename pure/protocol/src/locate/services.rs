//! `Services`: the NAPTR records of a name, by asking the DNS (RFC 3403; RFC 6116 for numbers).

use super::alias::{Chased, chase};
use super::lookup::Data;
use super::{Domain, Found, Kind, Lookup, Naptr, Step, Unlocated};
use crate::limits;

/// One search for the services of a name, through its aliases.
#[derive(Clone, Debug)]
pub struct Services {
    lookup: Lookup,
    aliases: usize,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Begun,
    Asked,
    Known(Result<Vec<Naptr>, Unlocated>),
}

impl Services {
    /// Begins to look for the services of a name.
    pub const fn of(name: Domain) -> Self {
        let lookup = Lookup { name, kind: Kind::Naptr };
        Self { lookup, aliases: 0, state: State::Begun }
    }

    /// What is to be done next. A name without any has none: that is an answer, too.
    pub fn step(&mut self) -> Step<Naptr> {
        match &self.state {
            State::Begun => {
                self.state = State::Asked;
                Step::Ask(vec![self.lookup.clone()])
            }
            State::Asked => Step::Wait,
            State::Known(known) => Step::Done(known.clone()),
        }
    }

    /// Takes the answer to a question. What was not asked changes nothing.
    pub fn answer(&mut self, lookup: &Lookup, found: Found) {
        if *lookup != self.lookup || !matches!(self.state, State::Asked) {
            return;
        }
        let records = match found {
            Found::Failed => return self.state = State::Known(Err(Unlocated::NoAnswer)),
            Found::Nothing => return self.state = State::Known(Ok(Vec::new())),
            Found::Records(records) => records,
        };
        self.state = match chase(lookup, records) {
            Chased::Elsewhere(name) if self.aliases < limits::DNS_ALIASES => {
                self.aliases = self.aliases.saturating_add(1);
                self.lookup.name = name;
                State::Begun
            }
            Chased::Here(data) => State::Known(Ok(data
                .into_iter()
                .filter_map(|data| match data {
                    Data::Naptr(service) => Some(service),
                    _ => None,
                })
                .collect())),
            Chased::Nothing | Chased::Elsewhere(_) => State::Known(Ok(Vec::new())),
        };
    }

    /// What can be said now, when nobody wants to wait longer.
    ///
    /// # Errors
    /// When nothing is known yet.
    pub fn so_far(&self) -> Result<Vec<Naptr>, Unlocated> {
        match &self.state {
            State::Known(known) => known.clone(),
            State::Begun | State::Asked => Err(Unlocated::NoAnswer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locate::Record;

    fn name(text: &str) -> Domain {
        Domain::of(text).unwrap()
    }

    fn record(owner: &str, data: Data) -> Record {
        Record { owner: name(owner), data }
    }

    #[test]
    fn services_are_found_through_an_alias_and_none_is_an_answer() {
        let service = Naptr {
            order: 1,
            preference: 2,
            flags: "u".into(),
            service: "E2U+sip".into(),
            regexp: "!^.*$!sip:a@h!".into(),
            replacement: None,
        };
        let mut search = Services::of(name("1.e164.arpa"));
        let Step::Ask(asked) = search.step() else { panic!() };
        assert_eq!(search.step(), Step::Wait);
        search.answer(
            &asked[0],
            Found::Records(vec![record("1.e164.arpa", Data::Alias(name("b.test")))]),
        );
        let Step::Ask(again) = search.step() else { panic!() };
        assert_eq!(again[0].name, name("b.test"));
        search.answer(&asked[0], Found::Nothing);
        assert_eq!(search.so_far(), Err(Unlocated::NoAnswer), "that was not asked any more");
        let found = vec![record("b.test", Data::Naptr(service.clone()))];
        search.answer(&again[0], Found::Records(found));
        assert_eq!(search.step(), Step::Done(Ok(vec![service])));
        for (found, known) in
            [(Found::Nothing, Ok(vec![])), (Found::Failed, Err(Unlocated::NoAnswer))]
        {
            let mut search = Services::of(name("1.e164.arpa"));
            let Step::Ask(asked) = search.step() else { panic!() };
            search.answer(&asked[0], found);
            assert_eq!(search.step(), Step::Done(known));
        }
    }

    #[test]
    fn aliases_end() {
        let mut search = Services::of(name("a.test"));
        let mut rounds = 0;
        while let Step::Ask(asked) = search.step() {
            rounds += 1;
            let owner = asked[0].name.as_str().to_owned();
            let next = if owner == "a.test" { "b.test" } else { "a.test" };
            search.answer(&asked[0], Found::Records(vec![record(&owner, Data::Alias(name(next)))]));
        }
        assert!(rounds <= limits::DNS_ALIASES + 1);
        assert_eq!(search.so_far(), Ok(vec![]));
    }
}
