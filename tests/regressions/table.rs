//! docs/regressions.md says what is true: every class is in it, and every test that it names exists.

use offhook_tests::shown::{assert_true, assert_whole, rows};

#[test]
fn the_page_of_classes_is_true_and_whole() {
    let numbers: Vec<_> = rows("regressions.md").into_keys().collect();
    let expected = (1..=27).chain([45]).chain(47..=53).chain([58, 59, 61, 62]);
    assert_eq!(numbers, expected.collect::<Vec<_>>());
    assert_true("regressions.md");
    assert_whole("regressions.md", "tests/regressions", "class_");
}
