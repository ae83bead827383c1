//! Checks as Markdown, for a comment on a pull request or the summary of a CI job.

use super::{
    Baselined, CheckOutcome, Checked, count,
    text::{sum, what},
};
use crate::{
    format::{many, short_reason},
    markdown::escape::{block, clipped, code, code_in_cell, words},
};
use quotree_sim::result::ClaimResult;

/// The most bytes of the list of failures, and the most rows of the table. A comment on GitHub has at most 65,536
/// characters.
const MOST_OF_THE_LIST: usize = 40_000;
const MOST_ROWS: usize = 60;
/// The most figures of a baseline that are listed.
const MOST_FIGURES: usize = 30;
/// The most characters of one text.
const LONG: usize = 400;

/// Checks as Markdown below 65,536 bytes: the totals, the failures, and a table of the scenarios, failed ones first.
/// The number of omitted entries is given.
#[must_use]
pub fn check_markdown(checks: &[Checked]) -> String {
    let is_fine = count(checks, CheckOutcome::Passed) == checks.len();
    let mut text = format!("## {} quotree check: {}\n\n", if is_fine { "✅" } else { "❌" }, sum(checks));
    let mut left = 0;
    for one in checks.iter().filter(|one| one.outcome != CheckOutcome::Passed) {
        let part = failed(one);
        if text.len() + part.len() > MOST_OF_THE_LIST {
            left += 1;
        } else {
            text += &part;
        }
    }
    if left > 0 {
        text += &format!("… and {} that did not pass\n\n", many(left, "more scenario"));
    }
    text + &table(checks)
}

fn table(checks: &[Checked]) -> String {
    let mut rows: Vec<&Checked> = checks.iter().collect();
    rows.sort_by_key(|one| one.outcome == CheckOutcome::Passed);
    let row = |one: &&Checked| {
        let mark = if one.outcome == CheckOutcome::Passed { "✅" } else { "❌" };
        let (name, file) = (code_in_cell(&clipped(&one.scenario, 100)), code_in_cell(&clipped(&one.file, 200)));
        format!("| {mark} | {name} | {} | {file} |\n", words(&what(one)))
    };
    let mut text = String::from("| | scenario | claims | file |\n|---|---|---|---|\n");
    text.extend(rows.iter().take(MOST_ROWS).map(row));
    let left = rows.len().saturating_sub(MOST_ROWS) as u64;
    if left > 0 { text + &format!("\n… and {}\n", many(left, "more scenario")) } else { text }
}

fn failed(one: &Checked) -> String {
    let mut text = format!("### {}\n\n", code(&clipped(&one.scenario, 100)));
    text.extend(one.failed().map(|failed| claim(failed, &one.observed_at(failed))));
    if let Some(baseline) = &one.baseline {
        text += &outcome(baseline);
    }
    if !one.trouble.is_empty() {
        text += &block("text", &clipped(&one.trouble, 10 * LONG));
    }
    text + "\n"
}

/// What differs from the baseline, and the note about it.
fn outcome(baseline: &Baselined) -> String {
    let mut text = String::new();
    for figure in baseline.differing().take(MOST_FIGURES) {
        let (name, says) = (code(&clipped(&figure.figure, LONG)), words(&clipped(&figure.sentence(), LONG)));
        text += &format!("- {name}: {says}\n");
    }
    let left = baseline.differing().count().saturating_sub(MOST_FIGURES) as u64;
    if left > 0 {
        text += &format!("- … and {}\n", many(left, "more figure"));
    }
    if baseline.is_noted() {
        text += &format!("\n{}\n", words(&clipped(&baseline.note, LONG)));
    }
    text
}

fn claim(claim: &ClaimResult, at: &str) -> String {
    let (says, seen) = (code(&clipped(&claim.claim, LONG)), words(&clipped(&claim.seen, LONG)));
    let mut text = format!("- line {}: {says}\n  - observed{at}: {seen}\n", claim.line);
    if let Some(because) = &claim.because {
        text += &format!("  - it should hold because: {}\n", words(&clipped(because, LONG)));
    }
    let reasons = claim.explanations.iter().take(3);
    text.extend(reasons.map(|reason| format!("  - {}\n", words(&clipped(&short_reason(reason), LONG)))));
    text
}
