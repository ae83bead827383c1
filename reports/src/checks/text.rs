//! Checks as text: a line for each scenario, with its failed claims below it.

use super::{CheckOutcome, Checked, count};
use crate::format::{many, moment, short_reason};
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
        text.extend(one.failed().map(failed));
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
    match one.outcome {
        CheckOutcome::Passed => {
            let noted = one.noted().count() as u64;
            let more = [(noted, "note"), (one.warnings(), "warning")].into_iter().filter(|(n, _)| *n > 0);
            more.fold(claims, |text, (n, of)| format!("{text}, {}", many(n, of)))
        }
        CheckOutcome::Failed => format!("{} of {claims} failed", one.failed().count()),
        CheckOutcome::Invalid => "not run".to_owned(),
        CheckOutcome::Fault => "internal error".to_owned(),
    }
}

fn failed(claim: &ClaimResult) -> String {
    let at = claim.at_ms.map(|ms| format!(" at {}", moment(ms))).unwrap_or_default();
    let mut text = format!("        line {}: {}\n          observed{at}: {}\n", claim.line, claim.claim, claim.seen);
    if let Some(because) = claim.because.as_deref().map(quotree_page::visible) {
        let _ = writeln!(text, "          comment: {because}");
    }
    for explanation in &claim.explanations {
        let _ = writeln!(text, "          {}", short_reason(explanation));
    }
    text
}
