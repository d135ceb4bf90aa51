//! A strict reader of Prometheus' text format: what it does not know, it refuses.

use std::collections::{BTreeMap, BTreeSet};

/// A family of metrics.
#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) help: String,
    pub(crate) kind: String,
    /// Name with its suffix, labels, value.
    pub(crate) samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

impl Family {
    /// The value of the sample with these labels.
    pub(crate) fn value(&self, labels: &[(&str, &str)]) -> Option<f64> {
        let wanted: BTreeMap<String, String> =
            labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let found = self.samples.iter().find(|(_, labels, _)| *labels == wanted);
        found.map(|(.., value)| *value)
    }
}

/// Reads a page; its families in their order.
pub(crate) fn read(page: &str) -> Vec<(String, Family)> {
    assert!(page.ends_with('\n'), "the last line has an end");
    let mut families: Vec<(String, Family)> = Vec::new();
    let mut seen = BTreeSet::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a name and a help");
            assert!(is_name(name) && !help.is_empty(), "{line}");
            assert!(families.iter().all(|(known, _)| known != name), "{name} twice");
            families.push((name.into(), Family { help: help.into(), ..Family::default() }));
            continue;
        }
        let (name, family) = families.last_mut().expect("a HELP first");
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (named, kind) = rest.split_once(' ').expect("a name and a type");
            assert!(named == name && family.kind.is_empty() && family.samples.is_empty(), "{line}");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            family.kind = kind.into();
            continue;
        }
        let (sample, labels, value) = sample(line);
        let suffix =
            sample.strip_prefix(name.as_str()).unwrap_or_else(|| panic!("{line} in {name}"));
        let suffixes: &[&str] =
            if family.kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        assert!(!family.kind.is_empty() && suffixes.contains(&suffix), "{line}");
        assert!(seen.insert(format!("{sample}{labels:?}")), "twice: {line}");
        assert!(family.kind == "gauge" || value >= 0.0, "{line}");
        family.samples.push((sample, labels, value));
    }
    families
        .iter()
        .filter(|(_, family)| family.kind == "histogram")
        .for_each(|(_, family)| buckets(family));
    families
}

/// Buckets grow, and the last has all.
fn buckets(family: &Family) {
    let mut last: Option<(BTreeMap<String, String>, f64, f64)> = None;
    for (name, labels, value) in &family.samples {
        let mut group = labels.clone();
        if !name.ends_with("_bucket") {
            if let (true, Some((_, bound, count))) = (name.ends_with("_count"), &last) {
                assert_eq!((*bound, count), (f64::INFINITY, value), "{name}");
            }
            continue;
        }
        let bound = group.remove("le").expect("a bound");
        let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().expect("a number") };
        if let Some((before, smaller, count)) = last.take().filter(|(before, ..)| *before == group)
        {
            assert!(smaller < bound && count <= *value, "{name} {before:?}");
        }
        last = Some((group, bound, *value));
    }
}

fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let end = line.find(['{', ' ']).expect("a value");
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name), "{line}");
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, behind) = rest.split_once("=\"").expect("a label");
            assert!(is_name(label) && !label.contains(':'), "{line}");
            let (value, behind) = quoted(behind);
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            rest = behind;
            match rest.strip_prefix(',') {
                Some(next) => rest = next,
                None => break,
            }
        }
        rest = rest.strip_prefix('}').unwrap_or_else(|| panic!("{line}"));
    }
    let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
    (name.into(), labels, value.parse().unwrap_or_else(|_| panic!("{line}")))
}

/// A text up to its quote, without escapes, and what is behind it.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match letters.next().expect("an escape").1 {
                'n' => '\n',
                other => {
                    assert!("\\\"".contains(other), "{text}");
                    other
                }
            }),
            other => value.push(other),
        }
    }
    panic!("no end: {text}")
}

fn is_name(name: &str) -> bool {
    let well = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    !name.is_empty() && name.chars().all(well) && !name.starts_with(|c: char| c.is_ascii_digit())
}

#[test]
#[should_panic = "twice"]
fn a_sample_that_is_there_twice_is_refused() {
    read("# HELP a A.\n# TYPE a gauge\na{x=\"1\",y=\"\\\\\"} 1\na{y=\"\\\\\",x=\"1\"} 2\n");
}
