//! The scanner is not fooled by what looks like code.

use super::*;

#[test]
fn strings_and_comments_are_blanked_in_place() {
    let text = "let a = \"// no\"; // yes\nlet b = r#\"\"{\"#; /* /* { */ */ let c = '\"'; let d: &'a str = b\"\\\"{\";";
    let source = Source::read(text);
    assert_eq!(source.code.len(), text.len());
    assert_eq!(source.comments.len(), text.len());
    assert!(!source.code.contains('{'), "{}", source.code);
    assert!(!source.code.contains("yes") && source.comments.contains("// yes"));
    assert!(!source.comments.contains("no"));
    assert!(source.code.contains("let c =") && source.code.contains("&'a str"));
}

#[test]
fn a_test_module_is_known_by_its_lines_and_by_its_file() {
    let source = Source::read(
        "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n#[cfg(test)]\nmod more;\n",
    );
    let lines: Vec<usize> = (1..=6).filter(|line| source.is_test(*line)).collect();
    assert_eq!(lines, [2, 3, 4, 5]);
    assert_eq!(source.test_modules, ["more"]);
}

#[test]
fn a_function_is_as_long_as_its_lines_of_code() {
    let text = "trait T { fn none(&self); }\nfn a(x: fn(u8) -> [u8; 2]) {\n    // why\n\n    let y = || { 1 };\n}\nfn b() {}\n";
    let lengths: Vec<(String, usize, usize)> =
        Source::read(text).functions().into_iter().map(|f| (f.name, f.line, f.length)).collect();
    assert_eq!(lengths, [("a".to_owned(), 2, 3), ("b".to_owned(), 7, 1)]);
}

#[test]
fn a_word_is_not_a_part_of_another() {
    assert_eq!(words("unsafe_code unsafe nunsafe", "unsafe").collect::<Vec<_>>(), [12]);
}
