//! What strangers write is made harmless before it is drawn: no control character moves the reader's cursor, no
//! bidirectional trick turns a label around, no markup gets into a page.

use crate::{Glyphs, limits};

/// The text without anything that does more than stand there; at most [`limits::TEXT`] characters of it.
pub(crate) fn clean(text: &str) -> String {
    let mut shown: String = text.chars().take(limits::TEXT).map(shown).collect();
    if text.chars().nth(limits::TEXT).is_some() {
        shown.push('…');
    }
    shown
}

/// A character that can be seen: controls become their pictures, invisible ones the replacement character.
fn shown(c: char) -> char {
    match c {
        '\0'..='\x1f' => {
            char::from_u32(0x2400 + u32::from(c)).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        '\x7f' => '␡',
        _ if c.is_control() || cells(c) == 0 || is_layout(c) => char::REPLACEMENT_CHARACTER,
        _ => c,
    }
}

/// Line breaks and direction marks that are no controls for Unicode.
const fn is_layout(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// How a character is written with these glyphs.
pub(crate) const fn spell(c: char, glyphs: Glyphs) -> char {
    match glyphs {
        Glyphs::Unicode => c,
        Glyphs::Ascii if c.is_ascii() => c,
        Glyphs::Ascii => match c {
            '…' => '~',
            '§' => 'S',
            '–' | '—' => '-',
            '→' => '>',
            '←' => '<',
            _ => '?',
        },
    }
}

/// How many cells of a terminal it takes, near enough: East Asian wide ones and pictures two, combining ones none.
pub(crate) const fn cells(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}'
        | '\u{483}'..='\u{489}'
        | '\u{591}'..='\u{5bd}'
        | '\u{64b}'..='\u{65f}'
        | '\u{e31}'
        | '\u{e34}'..='\u{e3a}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}'
        | '\u{200b}'..='\u{200f}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{fe20}'..='\u{fe2f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// How many cells a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(cells).sum()
}

/// The text, cut to so many cells; a cut is shown.
pub(crate) fn fit(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(1);
    let mut cut: String = text
        .chars()
        .take_while(|c| {
            let fits = cells(*c) <= left;
            left = left.saturating_sub(cells(*c));
            fits
        })
        .collect();
    if room > 0 {
        cut.push('…');
    }
    cut
}

/// The text in lines of at most so many cells, broken at spaces where there are any.
pub(crate) fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(fit(word, room)),
        }
    }
    lines
}

/// The text as it may stand in XML.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // U+FFFE and U+FFFF are no characters of XML 1.0 (§2.2).
            '\u{fffe}' | '\u{ffff}' => escaped.push(char::REPLACEMENT_CHARACTER),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_readers_cursor() {
        assert_eq!(clean("a\x1b[2Jb\r\nc\x7f\u{9b}d"), "a␛[2Jb␍␊c␡\u{fffd}d");
        assert_eq!(
            clean("\u{202e}evil\u{2066}\u{2028}\u{200b}"),
            "\u{fffd}evil\u{fffd}\u{fffd}\u{fffd}"
        );
        for c in (0..0x11_0000).filter_map(char::from_u32) {
            let kept = clean(&c.to_string());
            assert!(kept.chars().all(|c| !c.is_control() && cells(c) > 0), "{c:?}");
        }
    }

    #[test]
    fn long_texts_are_cut_and_it_shows() {
        assert_eq!(clean(&"x".repeat(1000)).chars().count(), limits::TEXT + 1);
        assert_eq!(fit("INVITE", 6), "INVITE");
        assert_eq!(fit("INVITE", 4), "INV…");
        assert_eq!(fit("電話", 3), "電…");
        assert_eq!(fit("x", 0), "");
    }

    #[test]
    fn wide_ones_take_two_cells() {
        assert_eq!((width("abc"), width("電話"), width("Zoë")), (3, 4, 3));
    }

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(wrap("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(wrap("incomprehensible", 8), ["incompr…"]);
    }

    #[test]
    fn markup_is_only_text() {
        assert_eq!(escape("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    }
}
