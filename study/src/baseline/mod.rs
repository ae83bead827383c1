//! Baselines: the outcome of a scenario in a file beside it, which `quotree check` compares with the outcome of today.
//!
//! The file has two parts. `tolerance`, above, is written by people and says how far a figure may be from its baseline; the command never
//! changes it. `outcome`, below, is written by `check --bless`. All arithmetic is of integers.

mod compare;
mod read;
mod tolerance;
mod write;

use crate::{facts::Key, stats::Observed};
use std::collections::BTreeMap;
use tolerance::Tolerance;

pub use compare::Outcome;

/// The end of the names of these files: that of `teams.ron` is `teams.outcome.yaml`.
pub const BASELINE_ENDING: &str = ".outcome.yaml";

/// A baseline: an outcome, and how far another one may be from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// The text above the outcome, as it is in the file.
    head: String,
    /// The tolerances by name, each with its line.
    tolerances: BTreeMap<String, (String, usize)>,
    /// The seeds of the outcome.
    seeds: Vec<u64>,
    /// The digest of the scenario that had it.
    scenario: String,
    /// The figures, in the order of the file.
    figures: Vec<Held>,
}

/// A figure of a baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Held {
    key: Key,
    value: Observed,
    /// Its line in the file.
    line: usize,
}

impl Baseline {
    /// The seeds of the outcome. Only the same seeds can be compared with it.
    #[must_use]
    pub fn seeds(&self) -> &[u64] {
        &self.seeds
    }

    /// The tolerance of a figure with the name by which it was found. Without any, it must be equal.
    ///
    /// # Errors
    /// If it is none of this figure, which the reader has reported for figures of the file.
    fn tolerance(&self, key: &Key) -> Result<Tolerance, String> {
        let found = tolerance::names(key).into_iter().find_map(|name| self.tolerances.get(&name));
        Tolerance::parse(key, found.map_or("0%", |(text, _)| text))
    }
}
