//! How the command ends: four codes, and what is said on the way out.

use std::process::ExitCode;

/// The exit codes, documented in docs/cli.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// All is well.
    Fine = 0,
    /// A claim failed.
    ClaimFailed = 1,
    /// A file or an argument is invalid.
    Invalid = 2,
    /// An internal fault: invariants are broken, or two runs of the same scenario differ.
    Fault = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a verb ended early, with all that is to be said about it.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) exit: Exit,
    /// Goes to stderr as it is.
    pub(crate) message: String,
}

impl Trouble {
    /// A file or an argument is invalid.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { exit: Exit::Invalid, message: format!("error: {}", message.into()) }
    }

    /// Something failed that should not.
    pub(crate) fn fault(message: impl Into<String>) -> Self {
        Self { exit: Exit::Fault, message: format!("error: {}", message.into()) }
    }
}

/// What a verb comes to.
pub(crate) type Outcome = Result<Exit, Trouble>;
