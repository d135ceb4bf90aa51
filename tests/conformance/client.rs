//! `Client`: one who is challenged, with a password and nothing around it.

use machine::Dice;
use protocol::auth::{Algorithm, Answers, Asked, Credentials, GiveUp, Ha1, Qop, Tries, response};
use sip::header::Authorization;
use sip::{Header as _, Message, Name};

/// What it asks for.
pub(crate) const URI: &str = "sip:bob@biloxi.example";

/// Bob, whose password is zanzibar.
pub(crate) fn bob() -> Answers {
    Answers::new(vec![Credentials::for_any_realm("bob", "zanzibar")])
}

/// A 401 with these rows.
fn refusal(rows: &[&str]) -> Message {
    Message::parse(format!("SIP/2.0 401 Unauthorized\r\n{}\r\n\r\n", rows.join("\r\n"))).unwrap()
}

/// One who is challenged.
pub(crate) struct Client {
    pub(crate) answers: Answers,
    pub(crate) tries: Tries,
    dice: Dice,
}

impl Client {
    pub(crate) fn new(answers: Answers) -> Self {
        Self { answers, tries: Tries::default(), dice: Dice::new(7) }
    }

    pub(crate) fn learn(&mut self, rows: &[&str]) -> Result<(), GiveUp> {
        self.answers.learn(&refusal(rows), &mut self.tries, &mut self.dice)
    }

    pub(crate) fn rows(&mut self) -> Vec<(Name, String)> {
        self.rows_with(b"")
    }

    pub(crate) fn rows_with(&mut self, body: &[u8]) -> Vec<(Name, String)> {
        let rows = self.answers.rows("INVITE", URI.as_bytes(), body);
        rows.into_iter().map(|(name, value)| (name, String::from_utf8(value).unwrap())).collect()
    }

    /// The value of the only row.
    pub(crate) fn row(&mut self) -> String {
        let rows = self.rows();
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows[0].1.clone()
    }
}

/// A parameter of credentials.
pub(crate) fn param(row: &str, name: &str) -> Option<String> {
    Authorization::parse(row.as_bytes()).unwrap().0.text(name)
}

/// What a server would expect to see as the response in `row`.
pub(crate) fn expected(row: &str, token: &str, qop: Qop<'_>) -> String {
    let (algorithm, session) = Algorithm::of(token).unwrap();
    let get = |name| param(row, name).unwrap_or_default();
    let ha1 = Ha1::of(algorithm, "bob", &get("realm"), "zanzibar");
    let (uri, nonce, nc, cnonce) = (&*get("uri"), &*get("nonce"), &*get("nc"), &*get("cnonce"));
    let asked = Asked { algorithm, session, method: "INVITE", uri, nonce, nc, cnonce, qop };
    response(&ha1, &asked)
}
