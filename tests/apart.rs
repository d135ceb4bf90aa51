//! A test in namespaces of its own (namespaces(7)): a disk, a network or a clock that no other process has.

use std::ffi::OsStr;
use std::process::Command;

/// Runs a test of this program again, in a process in which this variable is set and that has namespaces of its own, as unshare(1) names them; a script makes
/// them what they are to be. Where that is not allowed the test is skipped.
pub(crate) fn runs_again(
    test: &str,
    (variable, value): (&str, &OsStr),
    (namespaces, script): (&[&str], &str),
) {
    let script = format!("{script} && exec \"$0\" --exact \"$1\"");
    let output = Command::new("unshare")
        .args(namespaces)
        .args(["sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env(variable, value)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.contains("ermitted") {
        let missing = format!("there can be no namespace here: {said}");
        assert!(std::env::var_os("OFFHOOK_REQUIRE_PEERS").is_none(), "{missing}");
        println!("skipped: {missing}");
    } else {
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && told.contains("1 passed"), "{told}{said}");
    }
}
