//! Checks as text: a line for each scenario, with its failed claims below it.

use super::{Baselined, CheckOutcome, Checked, count};
use crate::format::{many, short_reason};
use quotree_sim::result::ClaimResult;
use std::fmt::Write;

/// Checks as text: a line for each scenario, with its problems below it, and the totals.
#[must_use]
pub fn check_text(checks: &[Checked]) -> String {
    let width = checks.iter().map(|one| one.scenario.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for one in checks {
        let word = match one.outcome {
            CheckOutcome::Passed => "ok     ",
            CheckOutcome::Failed => "FAILED ",
            CheckOutcome::Invalid => "INVALID",
            CheckOutcome::Fault => "FAULT  ",
        };
        let _ = writeln!(text, "{word} {:<width$}  {:<22}  {}", one.scenario, what(one), one.file);
        text.extend(one.failed().map(|claim| failed(claim, &one.observed_at(claim))));
        one.baseline.iter().for_each(|baseline| outcome(&mut text, baseline));
        let warnings = one.over_seeds.iter().filter_map(|(_, claims)| claims.get("warnings")?.as_array());
        for warning in warnings.flatten().filter_map(serde_json::Value::as_str) {
            let _ = writeln!(text, "        {warning}");
        }
        for line in one.trouble.lines() {
            let _ = writeln!(text, "        {line}");
        }
    }
    text + &sum(checks) + "\n"
}

/// `3 passed, 1 failed, 1 invalid`.
pub(super) fn sum(checks: &[Checked]) -> String {
    let (passed, invalid) = (count(checks, CheckOutcome::Passed), count(checks, CheckOutcome::Invalid));
    let failed = checks.len() - passed - invalid;
    let invalid = if invalid > 0 { format!(", {invalid} invalid") } else { String::new() };
    format!("{passed} passed, {failed} failed{invalid}")
}

/// The outcome of a scenario, in a few words.
pub(super) fn what(one: &Checked) -> String {
    let claims = many(one.claims.len() as u64, "claim");
    let (differing, all) =
        (one.differing().count(), one.baseline.as_ref().map_or(0, |baseline| baseline.figures.len()));
    let figures = match (differing, one.baseline.as_ref().is_none_or(Baselined::passed)) {
        (0, false) => ", no baseline".to_owned(),
        (0, true) if all == 0 => String::new(),
        (0, true) => format!(", {}", many(all as u64, "figure")),
        (n, _) => format!(", {n} of {} off", many(all as u64, "figure")),
    };
    match one.outcome {
        CheckOutcome::Passed => {
            let noted = one.noted().count() as u64;
            let more = [(noted, "note"), (one.warnings(), "warning")].into_iter().filter(|(n, _)| *n > 0);
            more.fold(claims + &figures, |text, (n, of)| format!("{text}, {}", many(n, of)))
        }
        CheckOutcome::Failed => match one.failed().count() {
            0 => format!("{claims}{figures}"),
            failed => format!("{failed} of {claims} failed{figures}"),
        },
        CheckOutcome::Invalid => "not run".to_owned(),
        CheckOutcome::Fault => "internal error".to_owned(),
    }
}

/// What differs from the baseline, and the note about it.
fn outcome(text: &mut String, baseline: &Baselined) {
    for figure in baseline.differing() {
        let at = format!("{}:{}", baseline.file, figure.line);
        let _ =
            writeln!(text, "        {at}: {}\n          {}", quotree_page::visible(&figure.figure), figure.sentence());
    }
    if baseline.is_noted() {
        let _ = writeln!(text, "        {}", baseline.note);
    }
}

fn failed(claim: &ClaimResult, at: &str) -> String {
    let mut text = format!("        line {}: {}\n          observed{at}: {}\n", claim.line, claim.claim, claim.seen);
    if let Some(because) = claim.because.as_deref().map(quotree_page::visible) {
        let _ = writeln!(text, "          comment: {because}");
    }
    for explanation in &claim.explanations {
        let _ = writeln!(text, "          {}", short_reason(explanation));
    }
    text
}
