//! `offhook demo` as a newcomer runs it: the call happens, and both sides hear each other.

use std::path::PathBuf;
use std::process::Command;

#[test]
fn both_sides_hear_each_other_and_the_ladder_is_kept() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("demo");
    let _ = std::fs::remove_dir_all(&folder);
    let output = Command::new(env!("CARGO_BIN_EXE_offhook"))
        .args(["demo", "--out"])
        .arg(&folder)
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for line in ["407 Proxy Authentication Required", "180 Ringing", "on hold", "200 OK (BYE)"] {
        assert!(said.contains(line), "{line} is not in:\n{said}");
    }
    assert!(said.contains("Everything was heard as it should be."), "{said}");
    for file in ["ladder.svg", "ladder.txt", "alice-heard.wav", "bob-heard.wav"] {
        assert!(folder.join(file).metadata().expect(file).len() > 1000, "{file}");
    }
}

#[test]
fn the_verdict_is_there_for_programs_too() {
    let output = Command::new(env!("CARGO_BIN_EXE_offhook"))
        .args(["demo", "--json"])
        .output()
        .expect("the program starts");
    let verdict: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(verdict["right"], output.status.success());
    assert_eq!(verdict["sides"].as_array().map(Vec::len), Some(2));
    assert_eq!(verdict["sides"][1]["hz"], 440.0);
}
