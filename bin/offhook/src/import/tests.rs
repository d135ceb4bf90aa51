//! Tests on files of our own making in tests/corpus/import.

use super::draft::Kind;
use super::*;
use crate::config::{Credential, Secret};

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/corpus/import").join(name)
}

fn drafted(name: &str, read: fn(&Path, &mut Draft) -> io::Result<()>) -> (Config, Draft, String) {
    let mut draft = Draft::default();
    read(&corpus(name), &mut draft).unwrap();
    let text = draft.write();
    let config = Config::parse("made", &text).unwrap_or_else(|said| panic!("{said}\n{text}"));
    (config, draft, text)
}

/// What was said of a kind, place and words, of those that begin so.
fn said(draft: &Draft, kind: Kind) -> Vec<String> {
    let of_kind = draft.remarks().iter().filter(|remark| remark.kind == kind);
    of_kind.map(|remark| format!("{} {}", remark.place, remark.what)).collect()
}

#[track_caller]
fn has(said: &[String], begins: &str) {
    assert!(said.iter().any(|line| line.starts_with(begins)), "{begins}\n{said:#?}");
}

fn numbers(config: &Config) -> Vec<&str> {
    config.extensions.iter().map(|extension| &*extension.number).collect()
}

fn password(config: &Config, at: usize) -> &Secret {
    let Credential::Password(password) = &config.extensions[at].credential else { panic!("{at}") };
    password
}

#[test]
fn an_office_of_asterisk_is_taken_over_and_what_is_not_is_said() {
    let (config, draft, text) = drafted("pjsip/pjsip.conf", pjsip::read);
    assert_eq!(numbers(&config), ["101", "102", "103"]);
    assert_eq!(*password(&config, 0), Secret::new("kq7xw3mz;t9rdbe4h"));
    assert_eq!(config.extensions[0].name.as_deref(), Some("Front desk"));
    assert_eq!(config.extensions[1].contacts, ["sip:102@192.0.2.55:5060"]);
    assert!(matches!(config.extensions[2].credential, Credential::Ha1(_)));
    assert_eq!((&*config.auth.realm, config.registrar.max_contacts), ("asterisk", 5));
    let domains: Vec<_> = config.domains.iter().map(ToString::to_string).collect();
    assert_eq!(domains, ["192.0.2.10", "198.51.100.77"]);
    assert_eq!(config.listen.udp, ["192.0.2.10:5060".parse().unwrap()]);
    assert_eq!(config.listen.tls, ["0.0.0.0:5061".parse().unwrap()]);
    assert!(
        text.contains("# match = { network = [\"203.0.113.0/28\", \"203.0.113.99\"] }"),
        "{text}"
    );
    let (lost, look) = (said(&draft, Kind::NotTaken), said(&draft, Kind::Look));
    for begins in [
        "pjsip.conf:3 `#include ../outside.conf`: it lies outside",
        "pjsip.conf:4 `#exec /usr/bin/generate-more`: ",
        "pjsip.conf:25 transport [transport-sctp]: `sctp` is not spoken here",
        "pjsip.conf:29 endpoint [carrier] has no auth",
        "pjsip.conf:33 [carrier]: outbound_auth = carrier-auth: ",
        "pjsip.conf:47 registration [carrier]: ",
        "phones.conf:3 [101] context: there is no dial plan",
        "phones.conf:24 [101] mailboxes: ",
        "phones.conf:58 [104]: its digest is of the name `someone-else`",
        "phones.conf:65 account `1 05`: ",
        "phones.conf:72 endpoint [106]: there is no auth [missing]",
        "phones.conf:74 a line that is no option",
    ] {
        has(&lost, begins);
    }
    has(&look, "phones.conf:30 the password of extension `102` contains the number");
    has(&look, "phones.conf:34 [auth102]: its phone must call itself `102`");
    assert!(look.iter().any(|line| line.contains("aors differ in max_contacts")), "{look:#?}");
    has(&said(&draft, Kind::NotNeeded), "phones.conf:5 allow (2 lines");
    // What a template says is said once, however many phones have it.
    assert_eq!(lost.iter().filter(|line| line.starts_with("phones.conf:3 ")).count(), 1);
}

#[test]
fn nothing_that_is_said_shows_a_password() {
    for (name, read) in [
        ("pjsip/pjsip.conf", pjsip::read as fn(&Path, &mut Draft) -> io::Result<()>),
        ("subscriber.csv", kamailio::read),
    ] {
        let (_, draft, _) = drafted(name, read);
        let all = format!("{:?}", draft.remarks());
        for secret in
            ["kq7xw3mz", "102102", "Kunde-geheim", "0123456789abcdef", "another-long", "fedcba98"]
        {
            assert!(!all.contains(secret), "{secret} in {all}");
        }
    }
}

#[test]
fn subscribers_of_kamailio_are_taken_over_and_who_is_not_is_said() {
    let (config, draft, _) = drafted("subscriber.csv", kamailio::read);
    assert_eq!(numbers(&config), ["101", "102", "103", "anna.lind"]);
    assert_eq!(*password(&config, 0), Secret::new("kq7xw3mz,t9rdbe4h"));
    assert_eq!(config.auth.realm, "example.test");
    let lost = said(&draft, Kind::NotTaken);
    for begins in [
        "subscriber.csv:5 subscriber `104`: its digest is of another domain",
        "subscriber.csv:6 a second account `101`",
        "subscriber.csv:7 subscriber `105`: it has only ha1b",
        "subscriber.csv:8 a row without a username",
        "subscriber.csv:9 subscriber `106`: it has neither",
        "subscriber.csv:10 8 columns",
        "subscriber.csv column email_address: ",
    ] {
        has(&lost, begins);
    }
    has(&said(&draft, Kind::Look), "subscriber.csv:3 the password of extension `102`");
    assert_eq!(lost.len(), 7, "{lost:#?}");
}

#[test]
fn a_dump_and_the_database_itself_say_the_same() {
    let (config, draft, _) = drafted("subscriber.mysql.sql", kamailio::read);
    assert_eq!(*password(&config, 0), Secret::new("it's; a \\ (secret)"));
    assert_eq!((numbers(&config), said(&draft, Kind::NotTaken).len()), (vec!["101", "102"], 0));
    let file = std::env::temp_dir().join(format!("offhook-{:032x}", crate::seed::throw().unwrap()));
    let database = rusqlite::Connection::open(&file).unwrap();
    database
        .execute_batch(
            "CREATE TABLE subscriber (id INTEGER, username TEXT, domain TEXT, password TEXT, ha1 TEXT);
             INSERT INTO subscriber VALUES (1, '101', 'example.test', 'it''s; a \\ (secret)', NULL),
             (2, '102', 'example.test', '', '0123456789abcdef0123456789abcdef');",
        )
        .unwrap();
    drop(database);
    let mut draft = Draft::default();
    kamailio::read(&file, &mut draft).unwrap();
    std::fs::remove_file(&file).unwrap();
    let same = Config::parse("made", &draft.write()).unwrap();
    assert_eq!(same.extensions, config.extensions);
}

#[test]
fn a_file_that_is_something_else_is_refused() {
    for name in ["pjsip/pjsip.conf", "no-such-file"] {
        assert!(kamailio::read(&corpus(name), &mut Draft::default()).is_err(), "{name}");
    }
}

/// The config that was made of a pjsip.conf, which is one, and what was said.
fn of_pjsip(text: &str) -> (Config, Draft) {
    let folder =
        std::env::temp_dir().join(format!("offhook-{:032x}", crate::seed::throw().unwrap()));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("pjsip.conf"), text).unwrap();
    let mut draft = Draft::default();
    pjsip::read(&folder.join("pjsip.conf"), &mut draft).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let text = draft.write();
    let config = Config::parse("made", &text).unwrap_or_else(|said| panic!("{said}\n{text}"));
    (config, draft)
}

const UDP: &str = "[udp]\ntype=transport\nprotocol=udp\nbind=0.0.0.0:5060\n";
const PHONE: &str = "[101]\ntype=endpoint\nauth=a101\naors=101\n[a101]\ntype=auth\nusername=101\npassword=kq7xw3mzt9rdbe4h\n[101]\ntype=aor\nmax_contacts=2\n";

/// One line that cannot be taken over is one line that is missing, and not a config that is.
#[test]
fn what_is_wrong_with_one_transport_or_domain_costs_that_one_alone() {
    for (more, said_of_it) in [
        (
            "[by-name]\ntype=transport\nprotocol=udp\nbind=pbx.example.com\n",
            "pjsip.conf:5 transport [by-name]: ",
        ),
        (
            "[twice]\ntype=transport\nprotocol=udp\nbind=192.0.2.1:5060\n",
            "pjsip.conf:5 transport [twice]: ",
        ),
        ("[a_b!]\ntype=domain_alias\ndomain=a.test:5060\n", "pjsip.conf:7 domain `a.test:5060` "),
        (
            "[tcp]\ntype=transport\nprotocol=tcp\nbind=0.0.0.0\nexternal_signaling_address=no host\n",
            "pjsip.conf:9 [tcp] external_signaling_address: ",
        ),
        ("[x]\ntype=aor\nmaximum_expiration=99999999999\n", "pjsip.conf:7 "),
    ] {
        let (config, draft) = of_pjsip(&format!("{UDP}{more}{PHONE}"));
        assert_eq!(numbers(&config), ["101"], "{more}");
        assert_eq!(config.listen.udp, ["0.0.0.0:5060".parse().unwrap()], "{more}");
        has(&said(&draft, Kind::NotTaken), said_of_it);
    }
}

#[test]
fn what_is_usual_in_asterisk_is_taken_over() {
    let (config, draft) = of_pjsip(&format!(
        "{UDP}[ws]\ntype=transport\nprotocol=ws\nbind=0.0.0.0:5060\n[a.test]\ntype=domain_alias\ndomain=a.test.\n\
         [out]\ntype=transport\nprotocol=tcp\nbind=192.0.2.1:5070\nexternal_signaling_address=2001:db8::1\nexternal_signaling_port=5090\n\
         {PHONE}minimum_expiration=0\n"
    ));
    let nothing: [String; 0] = [];
    assert_eq!(said(&draft, Kind::NotTaken), nothing);
    assert_eq!(config.listen.ws, ["0.0.0.0:8088".parse().unwrap()]);
    let domains: Vec<_> = config.domains.iter().map(ToString::to_string).collect();
    assert_eq!(domains, ["192.0.2.1", "[2001:db8::1]", "a.test"]);
    let place = config.listen.advertised.of("192.0.2.1:5070".parse().unwrap());
    assert_eq!(place, Some("[2001:db8::1]:5090"));
    assert_eq!(config.registrar.expires.min.as_secs(), 1);
}

/// Nothing goes without a word.
#[test]
fn what_has_no_place_here_is_said_of_addresses_certificates_and_caller_ids() {
    let phone = PHONE.replace("aors=101\n", "aors=101\ncallerid = Ada <+4930123>\n");
    let (config, draft) = of_pjsip(&format!(
        "[tls]\ntype=transport\nprotocol=tls\nbind=0.0.0.0:5061\ncert_file=/one.pem\npriv_key_file=/one.key\n\
         [other]\ntype=transport\nprotocol=tls\nbind=0.0.0.0:5062\ncert_file=/two.pem\npriv_key_file=/two.key\n\
         [desk]\ntype=identify\nendpoint=101\nmatch=192.0.2.7\n[gone]\ntype=identify\nendpoint=109\nmatch=192.0.2.8\n\
         {phone}[udp]\ntype=transport\nexternal_signaling_port=5090\n"
    ));
    let lost = said(&draft, Kind::NotTaken);
    for begins in [
        "pjsip.conf:7 transport [other]: a second certificate, /two.pem",
        "pjsip.conf:13 identify [desk]: endpoint [101] has an auth",
        "pjsip.conf:17 identify [gone]: there is no endpoint [109]",
        "pjsip.conf:25 [101] callerid: +4930123",
        "pjsip.conf:35 [udp] external_signaling_port: ",
    ] {
        has(&lost, begins);
    }
    let files = &config.tls.unwrap().certificate.unwrap();
    assert_eq!(files.certificate, Path::new("/one.pem"));
    assert_eq!(config.listen.tls.len(), 2);
}

#[test]
fn a_subscriber_whose_domain_is_none_costs_that_domain_alone() {
    let file = std::env::temp_dir().join(format!("offhook-{:032x}", crate::seed::throw().unwrap()));
    let rows = "username,domain,password\n101,a.test,kq7xw3mzt9rdbe4h\n102,a.test,v5npc8yfs2gjamtu\n\
         103,a.test:5060,w5npc8yfs2gjamtu\n104,\"b.test \",x5npc8yfs2gjamtu\n105,2001:db8::1,y5npc8yfs2gjamtu\n";
    std::fs::write(&file, rows).unwrap();
    let mut draft = Draft::default();
    kamailio::read(&file, &mut draft).unwrap();
    std::fs::remove_file(&file).unwrap();
    let config = Config::parse("made", &draft.write()).unwrap();
    assert_eq!(numbers(&config), ["101", "102", "103", "104", "105"]);
    let domains: Vec<_> = config.domains.iter().map(ToString::to_string).collect();
    assert_eq!(domains, ["a.test"]);
    let lost = said(&draft, Kind::NotTaken);
    for (line, domain) in [(4, "`a.test:5060`"), (5, "`b.test `"), (6, "`2001:db8::1`")] {
        let is_its = |said: &String| said.contains(&format!(":{line} domain {domain} "));
        assert!(lost.iter().any(is_its), "{lost:#?}");
    }
}
