//! `Zone`: records written like a zone file, and the answers of a server that has them.

use domain::base::iana::Rcode;
use domain::base::{CharStr, Message, MessageBuilder, Name, Rtype, Serial, ToName as _, Ttl};
use domain::rdata::{A, Aaaa, Cname, Naptr, Soa, Srv};

type Owned = Name<Vec<u8>>;

/// Records: `name ttl type data…`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Zone {
    records: Vec<Line>,
    /// How long "nothing" may be kept.
    pub(crate) minimum: u32,
    /// The largest answer by UDP.
    pub(crate) payload: usize,
}

#[derive(Clone, Debug)]
struct Line {
    owner: Owned,
    ttl: Ttl,
    rtype: Rtype,
    words: Vec<String>,
}

impl Zone {
    pub(crate) fn of(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let records = lines.map(|line| {
            let words: Vec<String> =
                line.split_whitespace().map(|word| word.trim_matches('"').to_owned()).collect();
            Line {
                owner: name(&words[0]),
                ttl: Ttl::from_secs(words[1].parse().unwrap()),
                rtype: words[2].parse().unwrap(),
                words: words[3..].to_vec(),
            }
        });
        Self { records: records.collect(), minimum: 60, payload: 1_232 }
    }

    /// The answer to a question that came by UDP.
    pub(crate) fn answer(&self, query: &[u8]) -> Vec<u8> {
        let whole = self.answer_by_tcp(query);
        if whole.len() <= self.payload {
            return whole;
        }
        let mut cut =
            MessageBuilder::new_vec().start_answer(message(query), Rcode::NOERROR).unwrap();
        cut.header_mut().set_tc(true);
        cut.finish()
    }

    /// The whole answer. Aliases are followed as a resolver follows them.
    pub(crate) fn answer_by_tcp(&self, query: &[u8]) -> Vec<u8> {
        let query = message(query);
        let question = query.sole_question().unwrap();
        let mut asked: Owned = question.qname().to_name();
        let known = self.records.iter().any(|line| line.owner == asked);
        let rcode = if known { Rcode::NOERROR } else { Rcode::NXDOMAIN };
        let mut answer = MessageBuilder::new_vec().start_answer(query, rcode).unwrap();
        answer.header_mut().set_ra(true);
        let mut any = false;
        for _ in 0..10 {
            let mine = |line: &&Line| line.owner == asked;
            for line in
                self.records.iter().filter(mine).filter(|line| line.rtype == question.qtype())
            {
                any = true;
                push(&mut answer, line);
            }
            let alias = self.records.iter().filter(mine).find(|line| line.rtype == Rtype::CNAME);
            match alias {
                Some(alias) if !any => {
                    push(&mut answer, alias);
                    asked = name(&alias.words[0]);
                }
                _ => break,
            }
        }
        let mut authority = answer.authority();
        if !any {
            let ttl = Ttl::from_secs(3_600);
            let soa = Soa::new(
                name("ns.test"),
                name("hm.test"),
                Serial(1),
                ttl,
                ttl,
                ttl,
                Ttl::from_secs(self.minimum),
            );
            authority.push((name("test"), ttl, soa)).unwrap();
        }
        authority.finish()
    }
}

/// An answer that says nothing but this.
pub(crate) fn refuse(query: &[u8], rcode: Rcode) -> Vec<u8> {
    MessageBuilder::new_vec().start_answer(message(query), rcode).unwrap().finish()
}

/// What is asked, as words.
pub(crate) fn asked(query: &[u8]) -> String {
    let question = message(query).sole_question().unwrap();
    format!("{} {}", question.qname(), question.qtype())
}

pub(crate) fn message(octets: &[u8]) -> &Message<[u8]> {
    Message::from_slice(octets).unwrap()
}

pub(crate) fn name(text: &str) -> Owned {
    text.parse().unwrap()
}

fn push(answer: &mut domain::base::message_builder::AnswerBuilder<Vec<u8>>, line: &Line) {
    let Line { owner, ttl, rtype, words } = line;
    let number = |at: usize| words[at].parse::<u16>().unwrap();
    let chars = |at: usize| CharStr::from_octets(words[at].clone().into_bytes()).unwrap();
    match *rtype {
        Rtype::A => answer.push((owner, *ttl, A::new(words[0].parse().unwrap()))),
        Rtype::AAAA => answer.push((owner, *ttl, Aaaa::new(words[0].parse().unwrap()))),
        Rtype::CNAME => answer.push((owner, *ttl, Cname::new(name(&words[0])))),
        Rtype::SRV => {
            answer.push((owner, *ttl, Srv::new(number(0), number(1), number(2), name(&words[3]))))
        }
        Rtype::NAPTR => {
            let naptr =
                Naptr::new(number(0), number(1), chars(2), chars(3), chars(4), name(&words[5]));
            answer.push((owner, *ttl, naptr))
        }
        other => panic!("{other}"),
    }
    .unwrap();
}
