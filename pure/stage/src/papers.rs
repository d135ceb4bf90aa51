//! `Papers`: what stands for certificates on a stage. A TLS line begins with one word from each side: whom it wants there, and who it is.
//! What follows is as readable as on any other line, so that ladders can be drawn.

use std::collections::BTreeMap;

use protocol::Identity;
use protocol::transport::{Subject, Wildcards, distrust};
use sip::Bytes;

use crate::limits;

/// What an actor can prove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Papers {
    /// Whatever it is asked to be. It proves nothing about itself when nobody asks.
    #[default]
    Any,
    /// These domains.
    Of(Vec<Box<str>>),
}

impl Papers {
    /// Is it whom we want there?
    pub(crate) fn prove(&self, wanted: &str) -> Result<(), distrust::Why> {
        let Self::Of(names) = self else { return Ok(()) };
        let subject = Subject { uris: Vec::new(), hosts: names.clone() };
        let proven = subject.is_for(wanted, Wildcards::Refused);
        if proven { Ok(()) } else { Err(distrust::Why::OtherName(names.clone().into())) }
    }

    /// Who it is, when it shows that unasked: the first of its domains.
    pub(crate) fn identity(&self) -> Identity {
        match self {
            Self::Of(names) => names.first().map_or(Identity::NONE, |name| Identity::of(name)),
            Self::Any => Identity::NONE,
        }
    }

    /// The first word on a line.
    pub(crate) fn word(&self) -> Bytes {
        let names = match self {
            Self::Any => "*".to_owned(),
            Self::Of(names) => names.join(","),
        };
        format!("\u{16}TLS {names}\n").into()
    }

    /// Reads a first word; `None` when it has not come as a whole. What is no such word is the word of somebody who speaks no TLS.
    pub(crate) fn read(octets: &[u8]) -> Option<Result<(Self, usize), distrust::Why>> {
        let end = octets.iter().position(|octet| *octet == b'\n')?;
        let word = octets.get(..end).and_then(|word| std::str::from_utf8(word).ok());
        let Some(names) = word.and_then(|word| word.strip_prefix("\u{16}TLS ")) else {
            return Some(Err(distrust::Why::NotTls));
        };
        let papers = match names {
            "*" => Self::Any,
            names => {
                Self::Of(names.split(',').filter(|name| !name.is_empty()).map(Into::into).collect())
            }
        };
        Some(Ok((papers, end + 1)))
    }
}

/// The names that machines have introduced.
#[derive(Clone, Debug, Default)]
pub(crate) struct Introduced(BTreeMap<Identity, Box<str>>);

impl Introduced {
    /// Takes what an [`Output::Introduce`](protocol::Output::Introduce) says.
    pub(crate) fn note(&mut self, name: Box<str>) {
        if self.0.len() >= limits::INTRODUCED {
            self.0.clear();
        }
        self.0.insert(Identity::of(&name), name);
    }

    /// The name behind an identity.
    pub(crate) fn name(&self, identity: Identity) -> Option<&str> {
        self.0.get(&identity).map(|name| &**name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_word_reads_back_and_half_of_it_does_not() {
        for papers in [Papers::Any, Papers::Of(vec!["a.example".into(), "b.example".into()])] {
            let word = papers.word();
            assert_eq!(Papers::read(&word), Some(Ok((papers, word.len()))));
            assert_eq!(Papers::read(&word[..word.len() - 1]), None);
        }
        assert_eq!(Papers::read(b"OPTIONS sip:a SIP/2.0\r\n"), Some(Err(distrust::Why::NotTls)));
    }
}
