//! docs/traps.md says what is true: every trap is in it, and every test that it names exists.

use offhook_tests::shown::{assert_true, assert_whole, rows};

#[test]
fn the_page_of_traps_is_true_and_whole() {
    let numbers: Vec<_> = rows("traps.md").into_keys().collect();
    assert_eq!(numbers, (1..=60).collect::<Vec<_>>());
    assert_true("traps.md");
    assert_whole("traps.md", "tests/traps", "trap_");
}
