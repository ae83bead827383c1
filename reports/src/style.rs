//! The style of text output: colours, width, and the number of rows.

use crate::format::many;

/// The style of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours are used.
    pub colour: bool,
    /// The width of the terminal in columns. Text wraps, and a wider table drops its less important columns.
    pub width: usize,
    /// The most rows of one table that are shown; the number of the others is given.
    pub rows: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { colour: false, width: 100, rows: 60 }
    }
}

/// The meaning of a piece of text, which determines its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// A heading.
    Strong,
    /// Less important.
    Faint,
    Good,
    Bad,
    /// Unusual.
    Odd,
}

/// The codes that [`Style::paint`] writes.
pub(crate) const CODES: [&str; 6] = ["0", "1", "2", "31", "32", "33"];

impl Style {
    /// The text as a heading.
    #[must_use]
    pub fn heading(self, text: &str) -> String {
        self.paint(Tone::Strong, text)
    }

    /// The line that states how many rows of a list are not shown, and where all of them are; empty if all are shown.
    pub(crate) fn more(self, all: usize, shown: usize, what: &str) -> String {
        self.more_after("", all, shown, what)
    }

    /// As [`more`](Self::more), with an indentation.
    pub(crate) fn more_after(self, indent: &str, all: usize, shown: usize, what: &str) -> String {
        match all.saturating_sub(shown) {
            0 => String::new(),
            more => {
                let more = many(more as u64, &format!("more {what}"));
                self.paint_lines(Tone::Faint, &format!("{indent}… and {more}; all with `--format json`\n"))
            }
        }
    }

    /// Each line in the colour of the tone, so that no colour continues past the end of its line.
    pub(crate) fn paint_lines(self, tone: Tone, lines: &str) -> String {
        lines.lines().map(|line| self.paint(tone, line) + "\n").collect()
    }

    /// The text in the colour of its tone.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Odd => "33",
        };
        if self.colour && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
