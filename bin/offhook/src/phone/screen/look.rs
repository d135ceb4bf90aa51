//! `Look`: what a terminal can show. Colours and line drawing are ornaments: nothing is said by them alone.

use ratatui::style::{Color, Modifier, Style};

use crate::log::upsets;

/// What a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) colours: Colours,
    pub(super) letters: Letters,
}

/// Whether there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colours {
    Some,
    None,
}

/// What can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letters {
    Ascii,
    Unicode,
}

impl Look {
    /// What the environment says: `NO_COLOR` (no-color.org), and a locale of UTF-8.
    pub(super) fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let said = |name: &str| variable(name).filter(|value| !value.is_empty());
        let colours = if said("NO_COLOR").is_some() { Colours::None } else { Colours::Some };
        // POSIX: the first of these that is set decides.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(said).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        let unicode = locale.contains("utf-8") || locale.contains("utf8");
        Self { colours, letters: if unicode { Letters::Unicode } else { Letters::Ascii } }
    }

    pub(super) fn style(self, colour: Color, modifier: Modifier) -> Style {
        let style = Style::default().add_modifier(modifier);
        match self.colours {
            Colours::Some if colour != Color::Reset => style.fg(colour),
            _ => style,
        }
    }

    /// A piece of a line across the screen.
    pub(super) const fn rule(self) -> &'static str {
        match self.letters {
            Letters::Unicode => "─",
            Letters::Ascii => "-",
        }
    }

    /// How loud something is: 4 dB a cell, up to the loudest that can be said.
    pub(super) fn meter(self, peak: u16) -> String {
        let (full, empty) = match self.letters {
            Letters::Unicode => ("█", "░"),
            Letters::Ascii => ("#", "."),
        };
        let level = 20.0 * (f64::from(peak.max(1)) / f64::from(i16::MAX)).log10();
        let lit = (0..CELLS).filter(|cell| -4.0 * f64::from(CELLS - cell) < level).count();
        (0..usize::from(CELLS)).map(|cell| if cell < lit { full } else { empty }).collect()
    }
}

/// Text of a stranger, without what could upset a terminal.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if upsets(c) { '\u{fffd}' } else { c }).collect()
}

/// Cells of a meter.
const CELLS: u8 = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_what_can_be_shown() {
        let of = |known: &[(&str, &str)]| {
            Look::of(|name| known.iter().find(|(it, _)| *it == name).map(|(_, it)| (*it).into()))
        };
        let full = Look { colours: Colours::Some, letters: Letters::Unicode };
        assert_eq!(of(&[("LANG", "de_DE.UTF-8")]), full);
        assert_eq!(of(&[("LANG", "C.utf8"), ("NO_COLOR", "")]), full);
        assert_eq!(of(&[("LANG", "C.UTF-8"), ("NO_COLOR", "1")]).colours, Colours::None);
        assert_eq!(of(&[("LANG", "C.UTF-8"), ("LC_ALL", "C")]).letters, Letters::Ascii);
        assert_eq!(of(&[]).letters, Letters::Ascii);
        let plain = Look { colours: Colours::None, letters: Letters::Ascii };
        assert_eq!(
            plain.style(Color::Red, Modifier::BOLD),
            Style::default().add_modifier(Modifier::BOLD)
        );
    }

    #[test]
    fn a_meter_goes_from_silence_to_the_loudest() {
        let plain = Look { colours: Colours::None, letters: Letters::Ascii };
        assert_eq!(plain.meter(0), "............");
        assert_eq!(plain.meter(i16::MAX.unsigned_abs()), "############");
        assert_eq!(plain.meter(32768), "############");
        // -20 dB: seven cells of four dB remain of twelve.
        assert_eq!(plain.meter(3200), "#######.....");
    }
}
