//! The corpus beside the project: torture, captured and hostile messages, each with the verdict that its index names.

#![expect(clippy::disallowed_methods, reason = "a test reads its samples from the disk")]

use std::path::{Path, PathBuf};

use offhook_sip::{Body, Message, check};

/// One line of an index.
struct Sample {
    name: String,
    class: String,
    expected: String,
    octets: Vec<u8>,
}

fn folder(name: &str) -> Vec<Sample> {
    let root = std::env::var_os("OFFHOOK_SHARED").map_or_else(beside_the_project, PathBuf::from);
    let folder = root.join("corpus").join(name);
    let Ok(index) = std::fs::read_to_string(folder.join("INDEX.tsv")) else {
        let missing = format!("{} is not there (set OFFHOOK_SHARED)", folder.display());
        assert!(std::env::var_os("OFFHOOK_REQUIRE_SAMPLES").is_none(), "{missing}");
        println!("skipped: {missing}");
        return Vec::new();
    };
    index.lines().skip(1).filter_map(|line| sample(&folder, line)).collect()
}

fn beside_the_project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared")
}

fn sample(folder: &Path, line: &str) -> Option<Sample> {
    let columns: Vec<_> = line.split('\t').collect();
    let octets = std::fs::read(folder.join(columns.first()?)).ok()?;
    let text = |column: usize| columns.get(column).copied().unwrap_or_default().to_owned();
    Some(Sample { name: text(0), class: text(4), expected: text(5), octets })
}

fn verdict(octets: &[u8]) -> Result<(), String> {
    let message = Message::parse(octets.to_vec()).map_err(|malformed| malformed.to_string())?;
    check(&message).map_err(|error| error.to_string())
}

/// Every sample of a folder whose verdict is not its index's.
fn disagreements(name: &str) -> Vec<String> {
    let wrong = |sample: &Sample| {
        if OVERRULED.iter().any(|(path, _)| *path == format!("{name}/{}", sample.name)) {
            return None;
        }
        let verdict = verdict(&sample.octets);
        let agrees = match sample.class.as_str() {
            "accept" => verdict.is_ok(),
            "reject" => verdict.is_err(),
            _ => true,
        };
        (!agrees).then(|| {
            format!(
                "{name}/{}: {}, but {verdict:?} ({})",
                sample.name, sample.class, sample.expected
            )
        })
    };
    folder(name).iter().filter_map(wrong).collect()
}

const FOLDERS: [&str; 6] =
    ["sip-rfc4475", "sip-rfc5118", "sip-messages", "sip-captured", "cve-sip", "sip-fuzz"];

/// Lines of the indexes that we do not follow, and why.
const OVERRULED: [(&str, &str); 12] = [
    ("sip-rfc5118/ipv6-good.dat", BARE_LF),
    ("sip-rfc5118/via-received-param-with-delim.dat", BARE_LF),
    ("sip-rfc5118/via-received-param-no-delim.dat", BARE_LF),
    ("sip-rfc5118/ipv6-in-sdp.dat", BARE_LF),
    ("sip-rfc5118/mult-ip-in-header.dat", BARE_LF),
    ("sip-rfc5118/mult-ip-in-sdp.dat", BARE_LF),
    ("sip-rfc5118/ipv4-mapped-ipv6.dat", BARE_LF),
    ("sip-rfc5118/ipv6-correct-abnf-2-colons.dat", BARE_LF),
    (
        "sip-messages/resiprocate-SipTortureTests.cxx_25.dat",
        "a Via's host is 1192.168.156.222: neither name nor number",
    ),
    (
        "sip-captured/sipnab-metasploit-sip-invite-spoof-f1.dat",
        "`sip:@host`: a user has at least one octet",
    ),
    ("sip-messages/resiprocate-raw-tests_524.dat", "prose follows the `>` of its Contact"),
    (
        "sip-messages/sofia-sip-own6.dat",
        "a URI in a Record-Route is folded; no URI has blanks (RFC 3261 §25.1)",
    ),
];

/// A line ends with CRLF (RFC 3261 §7), else two readers disagree about where a header ends; the .crlf.dat beside it is read.
const BARE_LF: &str = "bare LF";

#[test]
fn every_overruled_sample_is_refused() {
    for (path, why) in OVERRULED {
        let (name, file) = path.split_once('/').unwrap();
        let refused = |sample: &Sample| verdict(&sample.octets).is_err();
        assert!(
            folder(name).iter().filter(|sample| sample.name == file).all(refused),
            "{path}: {why}"
        );
    }
}

#[test]
fn every_sample_gets_the_verdict_of_its_index() {
    let wrong: Vec<_> = FOLDERS.iter().flat_map(|name| disagreements(name)).collect();
    assert!(wrong.is_empty(), "{} disagree:\n{}", wrong.len(), wrong.join("\n"));
}

/// RFC 4475 §3.1.1.11: a part that is no text, and octets that look like anything, are no trouble.
#[test]
fn the_torture_test_in_parts_has_two_and_a_nest_of_200_ends() {
    let parts = |folder_name: &str, file: &str| {
        let sample = folder(folder_name).into_iter().find(|sample| sample.name == file)?;
        let message = Message::parse(sample.octets).unwrap();
        let body = message.content().unwrap();
        let lengths = |parts: Vec<Body<'_>>| parts.iter().map(|part| part.octets().len()).collect();
        Some(
            body.parts()
                .map(|parts| parts.map_or_else(Vec::new, lengths))
                .and_then(|parts| body.find("application", "x-nobody-has-this").map(|_| parts)),
        )
    };
    assert!(parts("sip-rfc4475", "mpart01.dat").is_none_or(|parts| parts == Ok(vec![5, 342])));
    assert!(parts("cve-sip", "nested-multipart-200.dat").is_none_or(|parts| parts.is_err()));
}

#[test]
fn no_prefix_of_any_sample_panics() {
    for sample in FOLDERS.iter().flat_map(|name| folder(name)) {
        let ends = sample.octets.len().min(4000);
        for end in 0..=ends {
            let _ = verdict(&sample.octets[..end]);
        }
    }
}
