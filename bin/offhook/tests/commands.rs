//! The program as it is called: exit codes, and what goes where.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail like tests"
)]

use std::path::PathBuf;
use std::process::{Command, Output};

fn offhook(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_offhook"))
        .args(arguments)
        .output()
        .expect("the program starts")
}

/// A file of this test's own.
fn file(name: &str, text: &[u8]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

fn ended(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_good_file_is_summed_up() {
    let path = file("good.toml", b"domains = \"example.test\"\n");
    let (code, out, log) = ended(&offhook(&["check", &path]));
    assert_eq!((code, log.as_str()), (Some(0), ""));
    assert!(out.starts_with("answers for  example.test\nudp          127.0.0.1:5060\n"), "{out}");
    assert!(out.lines().count() < 24, "one screen: {out}");
}

/// What stands in the summary is so, and the files that the server reads at its start are read.
#[test]
fn a_node_of_a_cluster_is_summed_up_and_its_secret_is_looked_at() {
    use std::os::unix::fs::PermissionsExt as _;

    let secret = file("check-cluster.secret", b"00112233445566778899aabbccddeeff\n");
    let mode = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&secret, permissions).expect("ours");
    };
    let example = include_str!("../../../docs/examples/cluster/offhook.toml");
    let example = example.replace("cluster.secret", &secret);
    let listens = "[listen]\nconsole_socket = \"/run/offhook/console.sock\"\n";
    let text = example.replace("[listen]\n", listens);
    let path = file("check-cluster.toml", text.as_bytes());
    mode(0o600);
    let (code, out, log) = ended(&offhook(&["check", &path]));
    assert_eq!((code, log.as_str()), (Some(0), ""));
    for row in [
        "console      /run/offhook/console.sock (permissions 600)\n",
        "keeps        registrations in Redis at 10.0.0.1:7000, 10.0.0.2:7000, 10.0.0.3:7000\n",
        "cluster      other nodes reach this one at 10.0.0.1:5070 by TCP\n",
    ] {
        assert!(out.contains(row), "{out}");
    }
    assert!(!out.contains("LONG-PASSWORD"), "{out}");
    assert!(out.lines().count() < 24, "one screen: {out}");
    mode(0o644);
    let (code, _, log) = ended(&offhook(&["check", &path]));
    assert!(code == Some(2) && log.contains("others may read it: chmod 600"), "{log}");
    mode(0o600);
    let nodes = text.replacen("[cluster]\n", "[cluster]\ncertificate = \"/nonexistent.pem\"\nprivate_key = \"/nonexistent.key\"\nauthority = \"/nonexistent.ca\"\n", 1);
    let path = file("check-nodes.toml", nodes.as_bytes());
    let (code, _, log) = ended(&offhook(&["check", &path]));
    assert!(code == Some(2) && log.contains("/nonexistent."), "{log}");
    let store = text.replace("redis://", "rediss://");
    let store = store.replace("replicas = 0", "authority = \"/nonexistent.store\"");
    let path = file("check-store.toml", store.as_bytes());
    let (code, _, log) = ended(&offhook(&["check", &path]));
    assert!(code == Some(2) && log.contains("/nonexistent.store"), "{log}");
}

/// A token that others may read is none.
#[test]
fn a_token_that_everybody_may_read_is_told_of() {
    use std::os::unix::fs::PermissionsExt as _;

    let token = file("check.token", b"0123456789abcdef0123456789abcdef\n");
    let text = format!("[listen]\nconsole = \"127.0.0.1:0\"\n[console]\ntoken_file = {token:?}\n");
    let path = file("check-token.toml", text.as_bytes());
    for (mode, told) in [(0o640, false), (0o644, true), (0o600, false)] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&token, permissions).expect("ours");
        let (code, _, log) = ended(&offhook(&["check", &path]));
        assert_eq!((code, log.contains("everybody on this machine")), (Some(0), told), "{log}");
    }
}

#[test]
fn a_wrong_file_is_exit_code_2() {
    let path = file("wrong.toml", b"[listen]\nupd = []\n");
    let (code, out, said) = ended(&offhook(&["check", &path]));
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert_eq!(
        said,
        format!("{path}:2:1: [listen] has no key `upd`\n2 | upd =…\n  | ^^^ did you mean `udp`?\n")
    );
    let (code, _, line) = ended(&offhook(&["--log", "json", "check", &path]));
    assert_eq!((code, line.lines().count()), (Some(2), 1));
    assert!(
        line.contains("\"level\":\"error\",\"event\":\"config_refused\",\"place\":\""),
        "{line}"
    );
}

#[test]
fn what_is_no_text_or_not_there_is_exit_code_2() {
    let path = file("binary.toml", b"domains = \"a\"\nrealm\xff");
    let (code, _, said) = ended(&offhook(&["check", &path]));
    assert_eq!(code, Some(2));
    assert!(said.starts_with(&format!("{path}:2:6: octet 0xff is not UTF-8\n")), "{said}");
    let (code, _, said) = ended(&offhook(&["check", "/nonexistent/offhook.toml"]));
    assert_eq!(code, Some(2));
    assert!(said.starts_with("/nonexistent/offhook.toml: No such file"), "{said}");
}

#[test]
fn a_call_is_explained_and_the_exit_code_says_how_it_ends() {
    let path = file("routes.toml", b"domains = \"example.test\"\n[[route]]\nmatch = { prefix = \"+44\" }\nto = \"sip:192.0.2.1\"\n");
    let ask = |sentence| ended(&offhook(&["ctl", "explain", sentence, "--config", &path]));
    let (code, out, said) = ask("101 dials +44 20");
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(out.contains("goes to      sip:+4420@192.0.2.1 by sip:192.0.2.1\n"), "{out}");
    assert_eq!(ask("101 dials 9").0, Some(1));
    let (code, out, said) = ask("101 9");
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(said.contains("has no `dials`"), "{said}");
}

#[test]
fn wrong_usage_is_exit_code_2_and_questions_are_0() {
    for arguments in [
        &[][..],
        &["chekc"],
        &["check"],
        &["check", "a", "b"],
        &["--log", "xml", "check", "a"],
        &["phone", "call", "102", "--account", "sip:101@127.0.0.1", "--dtmf", "12x"],
        &["phone", "answer", "--account", "sip:101@127.0.0.1", "--refuse", "200"],
    ] {
        assert_eq!(offhook(arguments).status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(
        ended(&offhook(&["--version"])),
        (Some(0), format!("offhook {}\n", env!("CARGO_PKG_VERSION")), String::new())
    );
    assert_eq!(offhook(&["--help"]).status.code(), Some(0));
}

/// What Asterisk was told becomes a config that `check` accepts; it holds passwords, so only its owner reads it, and nothing is written over.
#[test]
fn an_imported_config_is_fine_and_what_is_missing_is_said() {
    use std::os::unix::fs::PermissionsExt as _;

    let sample = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/corpus/import/pjsip/pjsip.conf")
        .display()
        .to_string();
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("imported.toml");
    let _ = std::fs::remove_file(&out);
    let out = out.display().to_string();
    let import = ["import", "pjsip", &sample, "--domain", "pbx.example.test", "--out", &out];
    let (code, stdout, said) = ended(&offhook(&import));
    assert_eq!((code, &*stdout), (Some(0), ""), "{said}");
    assert!(said.contains("pjsip.conf:47: not taken over: registration [carrier]: "), "{said}");
    let mode = std::fs::metadata(&out).expect("written").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let written = std::fs::read_to_string(&out).expect("text");
    assert!(written.contains("\n# pjsip.conf:47: not taken over: "), "{written}");
    // Its certificate is not on this machine.
    assert!(said.contains("look at this: [tls] certificate /etc/asterisk/cert.pem is not on this"));
    let without = ["tls = ", "[tls]", "certificate = ", "private_key = "];
    let kept = written.lines().filter(|line| !without.iter().any(|it| line.starts_with(it)));
    let here = kept.collect::<Vec<_>>().join("\n");
    let (code, summary, said) =
        ended(&offhook(&["check", &file("imported-here.toml", here.as_bytes())]));
    assert_eq!(code, Some(0), "{said}");
    assert!(summary.starts_with("answers for  pbx.example.test, 192.0.2.10"), "{summary}");
    assert!(summary.contains("101 Front desk, 102 Ada, 103 (MD5 only)"), "{summary}");
    let (code, _, said) = ended(&offhook(&import));
    assert_eq!(code, Some(1), "it is there already: {said}");
    let (code, _, said) = ended(&offhook(&["import", "kamailio", &sample]));
    assert_eq!(code, Some(2), "{said}");
    let (_, _, lines) = ended(&offhook(&["--log", "json", "import", "pjsip", &sample]));
    assert!(lines.lines().all(|line| line.starts_with('{') && line.ends_with('}')), "{lines}");
}
