//! A broken invariant.

use std::fmt;

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Its number: 1 for I1.
    pub invariant: u8,
    /// What is wrong, with names and numbers.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I{}: {}", self.invariant, self.what)
    }
}

pub(super) fn breach(invariant: u8, what: String) -> Breach {
    Breach { invariant, what }
}
