//! `[auth]`: which requests must prove who sent them (RFC 3261 §22, RFC 8760).

use protocol::auth::Algorithm;

use super::fault::{At, Faults};
use super::key::{Key, Section};
use super::near::nearest;
use super::table::Table;

/// Which requests must prove who sent them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// What a phone shows, and what its password belongs to.
    pub realm: String,
    /// The methods that are challenged; none: everybody is trusted.
    pub challenge: Vec<&'static str>,
    /// The digests that challenges offer, in this order; `None`: what every extension can answer, the strongest first.
    pub algorithms: Option<Vec<Algorithm>>,
    /// Whether users' names should come as hashes.
    pub userhash: bool,
}

impl Auth {
    pub(super) fn read(written: &Table<'_>, realm: String, faults: &mut Faults) -> Self {
        let realm = written.text("realm", faults).map_or(realm, |text| {
            judge_realm(text, faults);
            text.value.to_owned()
        });
        let challenge = match written.texts("challenge", faults) {
            Some(methods) => read_methods(&methods, faults),
            None => defaults(),
        };
        if challenge.is_empty() && written.has("challenge") {
            let what = "nobody is challenged: everybody who reaches this server can call and register as anybody";
            faults.warn(written.span_of("challenge"), what, "right for a test, wrong on a network");
        }
        let algorithms = written.texts("algorithms", faults).map(|texts| {
            if texts.is_empty() {
                let hint = "leave it out, or see challenge = [] to trust everybody";
                faults.refuse(written.span_of("algorithms"), "`algorithms` is empty", hint);
            }
            texts.into_iter().filter_map(|text| read_algorithm(text, faults)).collect()
        });
        let userhash = written.flag("userhash", faults).unwrap_or(false);
        Self { realm, challenge, algorithms, userhash }
    }
}

fn read_algorithm(written: At<&str>, faults: &mut Faults) -> Option<Algorithm> {
    let known = Algorithm::of(written.value).filter(|(_, session)| !session);
    if known.is_none() {
        let what = format!("unknown algorithm `{}`", written.value.escape_debug());
        let hint = match nearest(written.value, ALGORITHMS) {
            Some(name) => format!("did you mean \"{name}\"?"),
            None => format!("known: {}", ALGORITHMS.join(", ")),
        };
        faults.refuse(written.span, what, hint);
    }
    known.map(|(algorithm, _)| algorithm)
}

const ALGORITHMS: [&str; 3] = ["SHA-256", "SHA-512-256", "MD5"];

fn judge_realm(realm: At<&str>, faults: &mut Faults) {
    if realm.value.trim().is_empty() {
        faults.refuse(
            realm.span,
            "`realm` is empty",
            "leave it out: it is the first of `domains` then",
        );
    }
    if realm.value.contains(['"', '\\']) {
        let what = "`realm` has a quote or a backslash: phones disagree on how it is hashed then";
        faults.refuse(realm.span, what, "use letters, digits and dots");
    }
    if realm.value.contains(char::is_control) {
        faults.refuse(
            realm.span,
            "`realm` has a control character",
            "use letters, digits and dots",
        );
    }
}

fn read_methods(written: &[At<&str>], faults: &mut Faults) -> Vec<&'static str> {
    let mut methods = Vec::new();
    for method in written {
        let Some(known) = METHODS.iter().copied().find(|known| *known == method.value) else {
            refuse_method(*method, faults);
            continue;
        };
        if methods.contains(&known) {
            faults.refuse(method.span, format!("`{known}` is listed twice"), "remove one");
        }
        methods.push(known);
    }
    methods
}

fn refuse_method(method: At<&str>, faults: &mut Faults) {
    let (what, hint) = match (method.value, nearest(method.value, METHODS.iter().copied())) {
        ("ACK" | "CANCEL", _) => (
            format!(
                "`{}` cannot be challenged: nobody can send it again (RFC 3261 §22.1)",
                method.value
            ),
            "remove it".into(),
        ),
        (_, Some(known)) => (
            format!("unknown method `{}`", method.value.escape_debug()),
            format!("did you mean `{known}`?"),
        ),
        _ => (
            format!("unknown method `{}`", method.value.escape_debug()),
            format!("known: {}", METHODS.join(", ")),
        ),
    };
    faults.refuse(method.span, what, hint);
}

pub(super) fn defaults() -> Vec<&'static str> {
    vec!["REGISTER", "INVITE", "MESSAGE", "SUBSCRIBE", "REFER", "PUBLISH", "OPTIONS"]
}

/// The methods that can be challenged: all that IANA lists, but ACK and CANCEL.
pub(super) const METHODS: &[&str] = &[
    "REGISTER",
    "INVITE",
    "MESSAGE",
    "SUBSCRIBE",
    "REFER",
    "PUBLISH",
    "OPTIONS",
    "BYE",
    "INFO",
    "NOTIFY",
    "PRACK",
    "UPDATE",
];

pub(super) const SECTION: Section = Section {
    name: "auth",
    repeated: false,
    about: "Which requests must prove who sent them, by digest (RFC 3261 §22, RFC 8760).",
    keys: &[
        Key::optional(
            "realm",
            "the first of `domains`",
            "What phones show beside the password field. `ha1` digests contain it: whoever changes it makes them anew.",
        ),
        Key::new(
            "challenge",
            r#"["REGISTER", "INVITE", "MESSAGE", "SUBSCRIBE", "REFER", "PUBLISH", "OPTIONS"]"#,
            "The methods that are challenged; `[]` trusts everybody. The default is every method that begins something \
             or tells something. What belongs into a call (BYE, INFO, NOTIFY) passes within one that was let pass; from \
             strangers it is judged as INVITE is. ACK and CANCEL cannot be challenged.",
        ),
        Key::optional(
            "algorithms",
            "what every extension can answer: SHA-256, then MD5",
            "The digests that challenges offer, the preferred one first (RFC 8760 §2.4). Some phones read only the first \
             challenge: if one says \"unsupported algorithm\", write `[\"MD5\", \"SHA-256\"]`, or `[\"MD5\"]`.",
        ),
        Key::new(
            "userhash",
            "false",
            "Ask phones to send their user name as a hash (RFC 7616 §3.4.4). It stands in From and To all the same, and some \
             phones stumble over the word.",
        ),
    ],
};
