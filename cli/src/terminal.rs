//! Output: results go to stdout, everything else to stderr. A closed pipe (`| head`) is not an error.

use crate::{args::Color, exit::Trouble};
use quotree_reports::Style;
use std::io::{ErrorKind, IsTerminal, Write};

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

    /// Writes a result to stdout.
    ///
    /// # Errors
    /// If stdout cannot be written to, except for a closed pipe.
    #[expect(clippy::unused_self, reason = "all output goes through the terminal, whatever it is")]
    pub(crate) fn show(self, text: &str) -> Result<(), Trouble> {
        let mut out = std::io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Trouble::fault(format!("cannot write to stdout: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Writes to stderr; a failure to do so is ignored, since it could not be reported.
    #[expect(clippy::unused_self, reason = "all output goes through the terminal, whatever it is")]
    pub(crate) fn complain(self, text: &str) {
        let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
    }
}
