//! `diff --fail-if`: conditions under which the second run is refused.

use super::sides::Seen;
use crate::exit::{Exit, Trouble};
use quotree_reports::visible;
use quotree_study::{Facts, Gate, Share, claim_results};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The outcome of one gate.
pub(super) struct Judged {
    gate: String,
    fails: bool,
    seen: String,
    /// What the reader should know besides.
    note: Option<String>,
    /// The figure in the first and in the second run, with one seed.
    values: Option<[Option<i128>; 2]>,
}

/// Judges one pair of runs.
///
/// # Errors
/// If the figures of a side are not known, or a gate names a team that neither side has.
pub(super) fn judge(gates: &[Gate], a: &Seen, b: &Seen) -> Result<Vec<Judged>, Trouble> {
    if gates.is_empty() {
        return Ok(Vec::new());
    }
    let (Some(a), Some(b)) = (&a.facts, &b.facts) else {
        return Err(Trouble::invalid(
            "`--fail-if` needs two scenarios, which it runs; a run that has ended keeps other figures",
        ));
    };
    check_teams(gates, [a, b])?;
    let judge = |gate: &Gate| {
        let gated = gate.judge(a, b);
        let values = [gated.a, gated.b].map(|seen| seen.map(|seen| seen.value));
        Judged { gate: gate.to_string(), fails: gated.fails, seen: gated.seen, note: None, values: Some(values) }
    };
    Ok(gates.iter().map(judge).collect())
}

/// Judges pairs of runs with several seeds.
///
/// # Errors
/// If a gate names a team that neither side has.
pub(super) fn over_seeds(gates: &[Gate], runs: &[(u64, &Facts, &Facts)], share: Share) -> Result<Vec<Judged>, Trouble> {
    check_teams(gates, runs.iter().flat_map(|(_, a, b)| [*a, *b]))?;
    let verdict = Gate::over_seeds(gates, runs, share);
    let judged = claim_results(&verdict).into_iter().map(|result| Judged {
        gate: result.claim,
        fails: !result.passed,
        seen: result.seen.replacen("it holds", "it does not fail", 1),
        note: result.note,
        values: None,
    });
    Ok(judged.collect())
}

/// An error if a gate is about a team that no run has.
fn check_teams<'f>(gates: &[Gate], runs: impl IntoIterator<Item = &'f Facts>) -> Result<(), Trouble> {
    let teams = runs.into_iter().flat_map(|facts| &facts.figures).filter_map(|figure| figure.key.team.as_deref());
    let teams: BTreeSet<&str> = teams.collect();
    for gate in gates {
        if let Some(team) = gate.key.team.as_deref().filter(|team| !teams.contains(team)) {
            let known: Vec<String> = teams.iter().map(|team| (*team).to_owned()).collect();
            let known = super::first_of(&known);
            return Err(Trouble::invalid(format!(
                "`--fail-if '{gate}'`: there is no leaf quota `{team}`; there are {known}"
            )));
        }
    }
    Ok(())
}

/// The outcomes as lines; empty if there are none.
pub(super) fn text(judged: &[Judged]) -> String {
    if judged.is_empty() {
        return String::new();
    }
    let lines = judged.iter().map(|one| {
        let word = if one.fails { "FAILED" } else { "ok    " };
        let note = one.note.iter().map(|note| format!("        {}\n", visible(note))).collect::<String>();
        format!("{word}  {}: {}\n{note}", visible(&one.gate), visible(&one.seen))
    });
    format!("\nFails if\n{}", lines.collect::<String>())
}

/// Adds the outcomes to the difference as JSON, as `gates`; nothing if there are none.
pub(super) fn add_json(difference: &mut Value, judged: &[Judged]) {
    let row = |one: &Judged| {
        let mut row = json!({ "fail_if": one.gate, "failed": one.fails, "seen": one.seen });
        if let (Some([a, b]), Some(fields)) = (one.values, row.as_object_mut()) {
            let number = |value: Option<i128>| value.and_then(|value| i64::try_from(value).ok());
            fields.insert("a".to_owned(), json!(number(a)));
            fields.insert("b".to_owned(), json!(number(b)));
        }
        if let (Some(note), Some(fields)) = (&one.note, row.as_object_mut()) {
            fields.insert("note".to_owned(), json!(note));
        }
        row
    };
    if let (false, Some(fields)) = (judged.is_empty(), difference.as_object_mut()) {
        fields.insert("gates".to_owned(), judged.iter().map(row).collect());
    }
}

/// Exit 1 if a gate fails.
pub(super) fn exit(judged: &[Judged]) -> Exit {
    if judged.iter().any(|one| one.fails) { Exit::ClaimFailed } else { Exit::Fine }
}
