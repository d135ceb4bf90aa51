//! The part of a document that a program writes: between two markers.

/// `text` with what stands between `<!-- name:begin -->` and `<!-- name:end -->` replaced; `None` without the markers.
pub(crate) fn replace(text: &str, name: &str, part: &str) -> Option<String> {
    let (begin, end) = markers(name);
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{}\n{end}{after}", part.trim()))
}

/// What stands between the markers.
pub(crate) fn part<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (begin, end) = markers(name);
    Some(text.split_once(&begin)?.1.split_once(&end)?.0.trim())
}

fn markers(name: &str) -> (String, String) {
    (format!("<!-- {name}:begin -->"), format!("<!-- {name}:end -->"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_markers_changes() {
        let text = "a\n<!-- x:begin -->\nold\n<!-- x:end -->\nb\n";
        let new = replace(text, "x", "new").unwrap();
        assert_eq!(new, "a\n<!-- x:begin -->\nnew\n<!-- x:end -->\nb\n");
        assert_eq!(part(&new, "x"), Some("new"));
        assert_eq!(replace(text, "y", "new"), None);
    }
}
