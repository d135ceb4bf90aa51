//! An answer of the store that nodes share: it is read or refused, and what we write as commands is read as what it was.

use cluster::resp::{Said, put, read};

/// One answer after the other; then the octets as the word of a command.
pub fn run(octets: &[u8]) {
    let mut rest = octets;
    while !rest.is_empty() {
        let before = rest.len();
        let Ok(said) = read(&mut rest) else { break };
        assert!(rest.len() < before);
        if let Said::Row(parts) = &said
            && let Some(words) = words(parts)
        {
            assert_eq!(written(&words), said);
        }
    }
    let words = [octets, b"", b"\r\n"];
    let parts = words.map(|word| Said::Octets(Some(word.into())));
    assert_eq!(written(&words), Said::Row(parts.into()));
}

fn written(words: &[&[u8]]) -> Said {
    let mut octets = Vec::new();
    put(&mut octets, words);
    let mut rest = &octets[..];
    let Ok(said) = read(&mut rest) else { panic!("what we have written is not read") };
    assert!(rest.is_empty());
    said
}

fn words(parts: &[Said]) -> Option<Vec<&[u8]>> {
    let word = |part| match part {
        &Said::Octets(Some(ref word)) => Some(&**word),
        _ => None,
    };
    parts.iter().map(word).collect()
}
