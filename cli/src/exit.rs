//! The exit codes of the command, and the error that ends it early.

use crate::terminal::harmless;
use std::process::ExitCode;

/// The exit codes, documented in docs/cli.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Success.
    Fine = 0,
    /// A claim failed.
    ClaimFailed = 1,
    /// A file or an argument is invalid.
    Invalid = 2,
    /// An internal error: an invariant is violated, or two runs of the same scenario differ.
    Fault = 3,
    /// Stopped by Ctrl-C; what was printed is incomplete.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The error that ends a verb early.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) exit: Exit,
    /// The message, which is printed to stderr as it is.
    pub(crate) message: String,
}

impl Trouble {
    /// A file or an argument is invalid.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { exit: Exit::Invalid, message: format!("error: {}", plain(message)) }
    }

    /// Stopped by Ctrl-C before there was anything to print.
    pub(crate) fn interrupted(what: impl Into<String>) -> Self {
        Self { exit: Exit::Interrupted, message: format!("interrupted: {}", plain(what)) }
    }

    /// An internal error.
    pub(crate) fn fault(message: impl Into<String>) -> Self {
        Self { exit: Exit::Fault, message: format!("error: {}", plain(message)) }
    }
}

/// A message without colours of its own: those in it would come from a name.
fn plain(message: impl Into<String>) -> String {
    harmless(&message.into(), false).into_owned()
}

/// The result of a verb.
pub(crate) type Outcome = Result<Exit, Trouble>;
