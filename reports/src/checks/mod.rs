//! The outcome of checked scenarios, for people and for CI: text, JSON, JUnit, Markdown, annotations of lines.

mod annotations;
mod baseline;
mod junit;
mod markdown;
mod text;

pub use annotations::check_annotations;
pub use baseline::{BaselineFigure, BaselineState, Baselined};
pub use junit::check_junit;
pub use markdown::check_markdown;
pub use text::check_text;

use crate::format::{date, moment};
use quotree_sim::{model::Start, result::ClaimResult};
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
    /// Why the file is invalid, or the text of the internal error; otherwise empty.
    pub trouble: String,
    /// The outcome over several seeds, if it was checked with several: how many, and the claims as JSON.
    pub over_seeds: Option<(u64, serde_json::Value)>,
    /// What its baseline says; nothing if it was not run, or baselines are ignored.
    pub baseline: Option<Baselined>,
    /// The calendar time of moment 0, if the scenario gives one.
    pub starts_at: Option<Start>,
    /// How long loading and running took on this machine. Only JUnit shows it.
    pub took: Duration,
}

/// How the check of a scenario ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// All claims hold.
    Passed,
    /// A claim failed, or the outcome is not that of the baseline.
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
    /// ` at 8h (2026-03-02 08:00)`, for a claim that was observed at a moment.
    fn observed_at(&self, claim: &ClaimResult) -> String {
        claim.at_ms.map_or_else(String::new, |ms| format!(" at {}{}", moment(ms), date(self.starts_at, ms)))
    }

    /// The claims that failed.
    fn failed(&self) -> impl Iterator<Item = &ClaimResult> {
        self.claims.iter().filter(|claim| !claim.passed)
    }

    /// The claims that hold, but have a note.
    fn noted(&self) -> impl Iterator<Item = &ClaimResult> {
        self.claims.iter().filter(|claim| claim.passed && claim.note.is_some())
    }

    /// The figures of the baseline that differ.
    fn differing(&self) -> impl Iterator<Item = &BaselineFigure> {
        self.baseline.iter().flat_map(Baselined::differing)
    }

    fn warnings(&self) -> u64 {
        self.remarks.iter().filter(|remark| !remark.is_error).count() as u64
    }
}

/// How many checks have this outcome.
fn count(checks: &[Checked], outcome: CheckOutcome) -> usize {
    checks.iter().filter(|one| one.outcome == outcome).count()
}

/// Checks as JSON; docs/cli.md documents the fields.
#[must_use]
pub fn check_json(checks: &[Checked]) -> serde_json::Value {
    let file = |one: &Checked| {
        let mut value = serde_json::json!({
            "file": one.file,
            "scenario": one.scenario,
            "outcome": one.outcome,
            "claims": one.claims.len(),
            "noted": one.noted().collect::<Vec<_>>(),
            "failed": one.failed().collect::<Vec<_>>(),
            "warnings": one.warnings(),
            "digest": one.digest,
            "trouble": one.trouble,
        });
        if let (Some(fields), Some((_, claims))) = (value.as_object_mut(), &one.over_seeds) {
            fields.insert("over_seeds".to_owned(), claims.clone());
        }
        if let (Some(fields), Some(baseline)) = (value.as_object_mut(), &one.baseline) {
            fields.insert("baseline".to_owned(), baseline.json());
        }
        value
    };
    let passed = count(checks, CheckOutcome::Passed);
    let files: Vec<_> = checks.iter().map(file).collect();
    serde_json::json!({ "passed": passed, "failed": checks.len() - passed, "files": files })
}
