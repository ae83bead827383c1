//! The style of text output: colours, width, and the number of rows.

/// The style of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours are used.
    pub colour: bool,
    /// The width of the terminal in characters; a wider table drops its less important columns.
    pub width: usize,
    /// The most rows of one table that are shown; the rest is counted.
    pub rows: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { colour: false, width: 120, rows: 60 }
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

impl Style {
    /// The text as a heading.
    #[must_use]
    pub fn heading(self, text: &str) -> String {
        self.paint(Tone::Strong, text)
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
