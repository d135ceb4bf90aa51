//! docs/configuration.md is the table of keys, and the example that it names is a good one.

use std::path::Path;

use offhook::config::{Config, reference};
use offhook::records;

/// `OFFHOOK_WRITE=1 cargo test -p offhook --test documentation` writes the page anew.
#[test]
fn the_page_describes_every_key() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    if std::env::var_os("OFFHOOK_WRITE").is_some() {
        std::fs::write(&page, reference()).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&page).expect("the page is there");
    assert_eq!(
        written,
        reference(),
        "write it anew: OFFHOOK_WRITE=1 cargo test -p offhook --test documentation"
    );
}

/// The table of fields in docs/call-records.md is that of the program.
#[test]
fn the_page_on_call_records_describes_every_field() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/call-records.md");
    let written = std::fs::read_to_string(&page).expect("the page is there");
    let (before, rest) = written.split_once("<!-- fields:begin -->\n").expect("a mark");
    let (table, after) = rest.split_once("<!-- fields:end -->").expect("a mark");
    if std::env::var_os("OFFHOOK_WRITE").is_some() {
        let page_anew =
            [before, "<!-- fields:begin -->\n", &records::table(), "<!-- fields:end -->", after];
        std::fs::write(&page, page_anew.concat()).expect("the page can be written");
        return;
    }
    assert_eq!(
        table,
        records::table(),
        "OFFHOOK_WRITE=1 cargo test -p offhook --test documentation"
    );
}

/// Every example of a page is a config without a mistake.
#[test]
fn the_examples_of_routing_and_against_fraud_are_fine() {
    let page = |name| {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
        std::fs::read_to_string(page).expect("the page is there")
    };
    let page = page("routing.md") + &page("security.md");
    let examples: Vec<_> =
        page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        let config =
            Config::parse("an example", example).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        assert_eq!(config.warnings, []);
    }
}

#[test]
fn the_example_is_short_and_fine() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/offhook.toml");
    let config = Config::load(&example).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(config.extensions.len(), 5);
    assert_eq!(config.warnings, []);
    assert!(std::fs::read_to_string(example).expect("text").lines().count() < 30);
}

/// `OFFHOOK_WRITE=1 cargo test -p offhook --test documentation` writes it anew.
#[test]
fn the_document_of_the_api_is_what_the_server_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let text = format!("{:#}\n", console::openapi());
    if std::env::var_os("OFFHOOK_WRITE").is_some() {
        std::fs::write(&page, &text).expect("the document can be written");
    }
    let written = std::fs::read_to_string(&page).expect("the document is there");
    assert_eq!(
        written, text,
        "write it anew: OFFHOOK_WRITE=1 cargo test -p offhook --test documentation"
    );
}
