//! Output: results go to stdout, everything else to stderr. A closed pipe (`| head`) is not an error.

use crate::{args::Color, exit::Trouble};
use quotree_page::{is_hidden, visible};
use quotree_reports::Style;
use std::{
    borrow::Cow,
    io::{ErrorKind, IsTerminal, Write},
};

/// Properties of the terminal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    /// The style of results.
    pub(crate) style: Style,
    /// Whether text on stderr is coloured.
    pub(crate) colour_errors: bool,
    /// Whether stderr is a terminal, so that progress is shown.
    pub(crate) watched: bool,
}

impl Terminal {
    pub(crate) fn of(color: Color) -> Self {
        let (stdout, stderr) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let coloured = |terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !plain,
        };
        let size = terminal_size::terminal_size_of(std::io::stdout()).filter(|_| stdout);
        let style = Style { colour: coloured(stdout), ..Style::default() };
        let style = size.map_or(style, |(width, _)| Style { width: usize::from(width.0), ..style });
        Self { style, colour_errors: coloured(stderr), watched: stderr }
    }

    /// The style for tables: without a terminal, they keep their columns up to this width.
    pub(crate) fn wide(self) -> Style {
        let width = if std::io::stdout().is_terminal() { self.style.width } else { 160 };
        Style { width, ..self.style }
    }

    /// Writes a result to stdout. Hidden characters are shown by their codes.
    ///
    /// # Errors
    /// If stdout cannot be written to, except for a closed pipe.
    pub(crate) fn show(self, text: &str) -> Result<(), Trouble> {
        self.emit(&harmless(text, self.style.colour))
    }

    /// Writes the content of a file to stdout, as it is.
    ///
    /// # Errors
    /// If stdout cannot be written to, except for a closed pipe.
    #[expect(clippy::unused_self, reason = "all output goes through the terminal, whatever it is")]
    pub(crate) fn emit(self, text: &str) -> Result<(), Trouble> {
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Trouble::invalid(format!("cannot write to stdout: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Writes to stderr; a failure to do so is ignored, since it could not be reported. Hidden characters are shown by their codes.
    pub(crate) fn complain(self, text: &str) {
        self.command(&harmless(text, false));
    }

    /// As [`complain`](Self::complain), for a text that may have colours.
    pub(crate) fn draw(self, text: &str) {
        self.command(&harmless(text, self.colour_errors));
    }

    /// Writes commands for the program that reads stderr, as they are.
    #[expect(clippy::unused_self, reason = "all output goes through the terminal, whatever it is")]
    pub(crate) fn command(self, text: &str) {
        let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
    }
}

/// The last line of defence: whatever names a text has, it cannot control the terminal, hide or reorder what stands beside them, or give a
/// command to GitHub Actions, which obeys lines that begin with `::`. Line ends, and colours if there are any, stay.
pub(crate) fn harmless(text: &str, colour: bool) -> Cow<'_, str> {
    let is_fine = |line: &str| !line.chars().any(is_hidden) && !line.trim_start().starts_with("::");
    if text.lines().all(is_fine) && !text.contains('\r') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let start = line.len() - line.trim_start().len();
        let (indent, mut rest) = line.split_at_checked(start).unwrap_or(("", line));
        out.push_str(&visible(indent));
        if let Some(command) = rest.strip_prefix("::") {
            out.push_str("⟨U+003A⟩⟨U+003A⟩");
            rest = command;
        }
        while let Some(at) = rest.find('\u{1b}') {
            let (before, code) = rest.split_at_checked(at).unwrap_or((rest, ""));
            out.push_str(&visible(before));
            let length = if colour { colour_code(code) } else { None }.unwrap_or(0);
            let (code, after) = code.split_at_checked(length.max(1)).unwrap_or((code, ""));
            out.push_str(&if length > 0 { Cow::Borrowed(code) } else { Cow::Owned(visible(code)) });
            rest = after;
        }
        out.push_str(&visible(rest));
        out.push_str(end);
    }
    Cow::Owned(out)
}

/// The length of the colour code that a text begins with.
fn colour_code(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("\u{1b}[")?;
    let digits = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
    (rest.as_bytes().get(digits) == Some(&b'm')).then_some(digits + 3)
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn only_line_ends_and_colours_pass() {
        let text = "a \u{1b}[1;31mb\u{1b}[0m\n\u{1b}[2Jc\r\u{202e}d\n  ::add-mask::e\n";
        let plain = "a ⟨U+001B⟩[1;31mb⟨U+001B⟩[0m\n⟨U+001B⟩[2Jc⟨U+000D⟩⟨U+202E⟩d\n  ⟨U+003A⟩⟨U+003A⟩add-mask::e\n";
        assert_eq!(harmless(text, false), plain);
        let coloured = plain.replace("⟨U+001B⟩[1;31m", "\u{1b}[1;31m").replace("⟨U+001B⟩[0m", "\u{1b}[0m");
        assert_eq!(harmless(text, true), coloured);
        assert_eq!(harmless("a :: b\n  c\n", false), "a :: b\n  c\n");
    }
}
