//! A clock that somebody sets, by an hour or by days, while the server runs and while it does not (RELIABILITY R23): nobody is forgotten, nobody stays for
//! ever, nonces do what they did. libfaketime sets it, for the server alone.

use std::path::{Path, PathBuf};

use machine::Dice;
use protocol::auth::{Answers, Credentials, Tries};
use sip::Name;

use crate::strangers::{Asker, OFFICE, status};
use crate::{Server, folder};

/// Where Debian has it.
const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// A server whose wall clock is what a file says.
struct Clock {
    file: PathBuf,
}

impl Clock {
    fn new(folder: &Path) -> Self {
        let clock = Self { file: folder.join("clock") };
        clock.set("+0");
        clock
    }

    /// Sets the wall clock to what it is, plus this.
    fn set(&self, offset: &str) {
        // At once, or the server could read half of it.
        let next = self.file.with_extension("next");
        std::fs::write(&next, offset).expect("written");
        std::fs::rename(next, &self.file).expect("renamed");
    }

    /// The server that lives by it, and keeps what it knows.
    fn start(&self, folder: &Path) -> Server {
        let config = OFFICE.replace("durability = \"memory\"", "durability = \"grouped\"");
        let file = self.file.clone();
        let environment = [
            ("LD_PRELOAD", PathBuf::from(LIBRARY)),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ];
        Server::start_in(folder, (&config, "json"), &environment)
    }
}

/// A phone that knows its password.
struct Phone {
    asker: Asker,
    answers: Answers,
}

impl Phone {
    fn new(server: &Server) -> Self {
        let asker = Asker::new(server);
        let own = Credentials::for_any_realm("101", "correct horse battery");
        Self { asker, answers: Answers::new(vec![own]) }
    }

    /// Says who it is with the nonce that it has, and with a new one where that is asked for: the answer's seconds for its contact, and whether it
    /// was asked.
    fn registers(&mut self, call: &str, rows: &str) -> (Vec<u32>, bool) {
        let mut asked = false;
        let mut tries = Tries::default();
        for attempt in 0..3 {
            let own = self.answers.rows("REGISTER", self.asker.uri().as_bytes(), b"");
            let own: String = own
                .iter()
                .map(|(name, value)| {
                    format!("{}: {}\r\n", name.as_str(), String::from_utf8_lossy(value))
                })
                .collect();
            let answer =
                self.asker.registers(&format!("{call}-{attempt}"), &format!("{own}{rows}"));
            if status(&answer) == 401 {
                asked = true;
                self.answers.learn(&answer, &mut tries, &mut Dice::new(1)).expect("understood");
                continue;
            }
            assert_eq!(status(&answer), 200, "{call}");
            let left = |row: &[u8]| {
                let row = String::from_utf8_lossy(row).into_owned();
                let text = row.rsplit_once("expires=").map_or("", |(_, text)| text).to_owned();
                text.parse().expect("seconds")
            };
            return (answer.rows(Name::Contact).map(left).collect(), asked);
        }
        panic!("{call}: asked again and again");
    }
}

const CONTACT: &str = "Contact: <sip:101@192.0.2.7>;expires=3600\r\n";

fn is_an_hour(left: &[u32]) {
    let [left] = left else { panic!("one contact: {left:?}") };
    assert!((3_000..=3_600).contains(left), "{left}");
}

#[test]
fn a_clock_that_is_set_while_it_runs_changes_nothing() {
    let folder = folder("serve-clock-set");
    let clock = Clock::new(&folder);
    let mut server = clock.start(&folder);
    let mut phone = Phone::new(&server);
    is_an_hour(&phone.registers("first", CONTACT).0);
    let mut days = std::collections::BTreeSet::new();
    for (nth, offset) in ["+1h", "-1h", "+3d", "-3d", "+0"].iter().enumerate() {
        clock.set(offset);
        let (left, asked) = phone.registers(&format!("asks-{nth}"), "");
        is_an_hour(&left);
        assert!(!asked, "{offset}: the nonce is as good as before");
        is_an_hour(&phone.registers(&format!("again-{nth}"), CONTACT).0);
        let mut other = Phone::new(&server);
        assert!(other.registers(&format!("other-{nth}"), "").1, "a new nonce, that is good");
        // The log lives by the clock on the wall.
        let line = server.line(&format!("\"call_id\":\"again-{nth}"));
        days.insert(crate::between(&line, "\"time\":\"", "T").to_owned());
    }
    assert!(days.len() >= 3, "the log knows no other day than {days:?}");
}

#[test]
fn a_clock_that_was_set_between_two_lives_ends_nobody() {
    let folder = folder("serve-clock-between");
    let clock = Clock::new(&folder);
    let mut phone = None;
    for (nth, offset) in ["+0", "+1h", "-1h", "+3d", "-3d"].iter().enumerate() {
        clock.set(offset);
        let server = clock.start(&folder);
        if nth == 0 {
            is_an_hour(&Phone::new(&server).registers("first", CONTACT).0);
        }
        let mut other = Phone::new(&server);
        is_an_hour(&other.registers(&format!("asks-{nth}"), "").0);
        phone = Some(other);
    }
    drop(phone);
}
