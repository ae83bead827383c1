//! Finished runs as lines of text, by the content that they depend on: what is on disk need not be run again, whatever sweep it was
//! part of.

use crate::{runner::Ran, study::Prepared};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

/// The version of what is stored of a run. Lines of other versions have other keys.
const FORMAT: u32 = 1;

/// A finished run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The key: a digest of everything that the run depends on.
    pub key: String,
    /// The outcome.
    pub ran: Ran,
}

impl Record {
    /// The record as one line, without its end.
    #[must_use]
    pub fn line(&self) -> String {
        // Only a map whose keys are not strings could fail, and a record has none.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a line; nothing if it is not one that was written in full.
    #[must_use]
    pub fn read(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
}

impl Prepared<'_> {
    /// The key of a run: a digest of the scenario with its settings and data files, the seed, and the versions of the rules, of quotree
    /// and of the record.
    #[must_use]
    pub fn key(&self, number: usize) -> Option<String> {
        let (case, seed) = self.run(number)?;
        let digest = self.cases.get(case)?.digest;
        let (rules, version) = (quotree_core::SEMANTICS_VERSION, env!("CARGO_PKG_VERSION"));
        let text = format!("{FORMAT} {rules} {version} {digest:032x} {seed}");
        Some(format!("{:032x}", xxh3_128(text.as_bytes())))
    }
}
