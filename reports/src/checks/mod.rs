//! The outcome of checked scenarios, for people and for CI: text, JSON, JUnit, Markdown, annotations of lines.

mod annotations;
mod junit;
mod markdown;
mod text;

use quotree_sim::result::ClaimResult;
use serde::Serialize;
use std::time::Duration;

/// A scenario file that was checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The file, with `/` between its folders.
    pub file: String,
    /// The name of the scenario, or the name of the file where it could not be loaded.
    pub scenario: String,
    /// How the check ended.
    pub outcome: CheckOutcome,
    /// All claims, in the order of the file. Empty where the scenario was not run.
    pub claims: Vec<ClaimResult>,
    /// Errors and warnings about the file.
    pub remarks: Vec<Remark>,
    /// The digest of the run; empty where there was none.
    pub digest: String,
    /// Why the file is invalid, or what the internal error was; empty otherwise.
    pub trouble: String,
    /// How long loading and running took on this machine. Only JUnit shows it.
    pub took: Duration,
}

/// How the check of a scenario ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// All claims hold.
    Passed,
    /// A claim failed.
    Failed,
    /// The file is invalid, or has warnings where none are allowed.
    Invalid,
    /// An internal error.
    Fault,
}

/// An error or a warning about a file, with its place.
#[derive(Debug, Clone)]
pub struct Remark {
    /// Whether it is an error.
    pub is_error: bool,
    /// The file, which may be one that the scenario includes.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong.
    pub title: String,
}

impl Checked {
    /// The claims that failed.
    fn failed(&self) -> impl Iterator<Item = &ClaimResult> {
        self.claims.iter().filter(|claim| !claim.passed)
    }

    /// The claims that hold with a note.
    fn noted(&self) -> impl Iterator<Item = &ClaimResult> {
        self.claims.iter().filter(|claim| claim.passed && claim.note.is_some())
    }

    fn warnings(&self) -> u64 {
        self.remarks.iter().filter(|remark| !remark.is_error).count() as u64
    }
}

/// The outcome of several checks.
#[derive(Debug, Clone, Copy)]
pub struct Checks<'a>(pub &'a [Checked]);

impl Checks<'_> {
    fn count(self, outcome: CheckOutcome) -> usize {
        self.0.iter().filter(|one| one.outcome == outcome).count()
    }

    /// As JSON; docs/cli.md documents the fields.
    #[must_use]
    pub fn json(self) -> serde_json::Value {
        let file = |one: &Checked| {
            serde_json::json!({
                "file": one.file,
                "scenario": one.scenario,
                "outcome": one.outcome,
                "claims": one.claims.len(),
                "noted": one.noted().collect::<Vec<_>>(),
                "failed": one.failed().collect::<Vec<_>>(),
                "warnings": one.warnings(),
                "digest": one.digest,
                "trouble": one.trouble,
            })
        };
        let passed = self.count(CheckOutcome::Passed);
        let files: Vec<_> = self.0.iter().map(file).collect();
        serde_json::json!({ "passed": passed, "failed": self.0.len() - passed, "files": files })
    }
}
