//! How text for people is dressed: colours or none, and how much room there is.

/// How a text is dressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours are used.
    pub colour: bool,
    /// Columns of the terminal; what does not fit loses its less important columns.
    pub width: usize,
    /// At most so many rows of any one table are shown; the rest is counted.
    pub rows: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { colour: false, width: 120, rows: 60 }
    }
}

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// A heading.
    Strong,
    /// What need not be read first.
    Faint,
    Good,
    Bad,
    /// Worth a look.
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
