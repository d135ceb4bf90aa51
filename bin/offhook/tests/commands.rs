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
