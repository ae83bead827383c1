//! Writes the file of a baseline.

use super::{Baseline, compare::Outcome};
use crate::{gate::amount, seeds::listed, stats::Observed};
use std::fmt::Write;

/// The key of the part that the command writes.
pub(super) const OUTCOME: &str = "outcome:";

/// The part of the file that people write, as it is at first.
fn first_head(scenario_file: &str) -> String {
    format!(
        "\
# The outcome of {scenario_file}, with which `quotree check` compares that of today.
# tolerance: how far a figure may be from it. `10%` is up or down, `+10%` bounds growth only, `-10%` decline only; `1m` is in the
# unit of the figure; `10% or 1m` is the larger of the two; with `any` the figure is not compared. A name is that of a figure, or
# how several begin (`wait` for `wait.p95`), and may be of one team (`wait.p95 of nlp: 20%`). The most exact name counts.
tolerance:
  default: 10%
  wait: 10% or 1m
  lost-work: 10% or 10m
  evictions: 10% or 1
  unmet: 10% or 1
  borrowed: 10% or 1
  used: 10% or 1
  jain: 0.02
  unfairness: 2pp
  share-gap: 5pp

# Written by `quotree check --bless`, which keeps all that is above.
"
    )
}

impl Baseline {
    /// The text of the file with this outcome, below the head of the baseline that was there before.
    #[must_use]
    pub fn text(before: Option<&Self>, scenario_file: &str, outcome: &Outcome) -> String {
        let mut text = before.map_or_else(|| first_head(scenario_file), |before| before.head.clone());
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let _ =
            writeln!(text, "{OUTCOME}\n  scenario: {}\n  seeds: {}", quoted(&outcome.scenario), seeds(&outcome.seeds));
        let mut team = None;
        for (key, value) in &outcome.figures {
            let skip = before.is_some_and(|before| before.ignores(key));
            if skip {
                continue;
            }
            if team.as_ref() != Some(&key.team) {
                match &key.team {
                    None => text.push_str("  run:\n"),
                    Some(name) => {
                        if team.as_ref().is_none_or(Option::is_none) {
                            text.push_str("  teams:\n");
                        }
                        let _ = writeln!(text, "    {}:", quoted(name));
                    }
                }
                team = Some(key.team.clone());
            }
            let indent = if key.team.is_some() { "      " } else { "    " };
            let _ = writeln!(text, "{indent}{}: {}", quoted(&key.name()), value_text(key, *value));
        }
        text
    }
}

/// `at least 5h`.
pub(super) fn value_text(key: &crate::facts::Key, seen: Observed) -> String {
    format!("{}{}", if seen.at_least { super::read::AT_LEAST } else { "" }, amount::text(key, seen.value))
}

/// The seeds: one, a range, or all of them.
pub(super) fn seeds(seeds: &[u64]) -> String {
    let short = listed(seeds);
    if short.contains(',') { seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(",") } else { short }
}

/// A text as YAML: as it is where that is plain, else in quotes.
fn quoted(text: &str) -> String {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte))
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
