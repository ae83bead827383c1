//! A scenario over seeds.

use super::{section, sentences};
use crate::{
    facts::Facts,
    judged::{Judged, Verdict},
    seeds::listed,
    study::Prepared,
    tables::figures_sheet,
    worst::worst_domains,
};
use quotree_reports::{Datum, Sheet, Style, many, wrap};
use quotree_sim::result::ClaimResult;
use serde_json::{Value, json};

/// A scenario over seeds: its claims, what the seeds do not decide, and every figure.
#[must_use]
pub fn seeds_text(study: &Prepared<'_>, runs: &[(u64, &Facts)], verdict: &Verdict, style: Style) -> String {
    let seeds: Vec<u64> = runs.iter().map(|(seed, _)| *seed).collect();
    let count = many(seeds.len() as u64, "seed");
    let head = format!(
        "{}  {count} ({}) · policy {} · {}",
        style.heading(&study.name),
        listed(&seeds),
        study.policy,
        in_short(verdict)
    );
    let mut text = wrap(style, &head, 2);
    text += &sentences(&said(verdict, seeds.len()), style);
    if let Some(worst) = worst_domains(runs.iter().map(|(_, facts)| *facts)) {
        text += &wrap(style, &format!("Worst outage: {worst}; a claim holds only if it does with each domain."), 2);
    }
    if !verdict.claims.is_empty() {
        let heading = format!("Claims: one holds if it does with at least {} of the seeds", verdict.share);
        text += &format!("\n{}\n", style.heading(&heading));
        text += &claims(verdict, style);
    }
    let facts: Vec<&Facts> = runs.iter().map(|(_, facts)| *facts).collect();
    let (sheet, zero) = without_zeros(figures_sheet(&facts, true));
    text += &section(&format!("Figures over {count} (amounts over time in units times hours)"), &sheet, style);
    text += &wrap(style, "More figures of each team with `--format json`.", 2);
    if !zero.is_empty() {
        text += &wrap(style, &format!("0 with every seed: {}", zero.join(", ")), 2);
    }
    text
}

/// A scenario over seeds as JSON; docs/cli.md documents the fields.
#[must_use]
pub fn seeds_json(study: &Prepared<'_>, runs: &[(u64, &Facts)], verdict: &Verdict) -> Value {
    let seeds: Vec<u64> = runs.iter().map(|(seed, _)| *seed).collect();
    let facts: Vec<&Facts> = runs.iter().map(|(_, facts)| *facts).collect();
    let digests: Vec<&str> = facts.iter().map(|facts| facts.digest.as_str()).collect();
    let mut value = json!({
        "scenario": study.name,
        "policy": study.policy,
        "semantics": quotree_core::SEMANTICS_VERSION,
        "scenario_digest": study.cases.first().map(|case| format!("{:032x}", case.digest)),
        "digests": digests,
        "claims": verdict_json(&seeds, verdict),
        "figures": figures_sheet(&facts, false).json_rows(),
    });
    if let (Some(fields), Some(worst)) = (value.as_object_mut(), worst_domains(facts)) {
        fields.insert("worst_outage".to_owned(), worst.into());
    }
    value
}

/// The claims over seeds as JSON.
#[must_use]
pub fn verdict_json(seeds: &[u64], verdict: &Verdict) -> Value {
    json!({
        "seeds": seeds,
        "must_hold_permyriad": verdict.share,
        "same_run": verdict.same_run,
        "holds": verdict.holds(),
        "warnings": said(verdict, seeds.len()),
        "results": verdict.claims,
    })
}

/// The claims over seeds as results of one check, for its text, JUnit, Markdown and annotations.
#[must_use]
pub fn claim_results(verdict: &Verdict) -> Vec<ClaimResult> {
    let result = |claim: &Judged| ClaimResult {
        claim: claim.claim.clone(),
        line: claim.line,
        because: claim.because.clone(),
        passed: claim.holds,
        vacuous: false,
        seen: observed(claim),
        note: (!claim.decided).then(|| undecided(verdict, claim)),
        at_ms: None,
        explanations: Vec::new(),
        expected: format!("with at least {} of the seeds", verdict.share),
        expected_value: None,
        seen_value: None,
        breach_to_ms: None,
    };
    verdict.claims.iter().map(result).collect()
}

/// What was observed of a claim, in a clause.
fn observed(claim: &Judged) -> String {
    let count = if claim.pinned {
        "it pins one run".to_owned()
    } else {
        format!("it holds with {} of {}", claim.held, many(claim.runs, "seed"))
    };
    let interval = claim.interval.as_ref().map(|i| format!(", {i} of all")).unwrap_or_default();
    let seen = match (claim.failing_seeds.first(), &claim.seen) {
        (Some(seed), Some(seen)) => format!("; with seed {seed}: {seen}"),
        _ => String::new(),
    };
    format!("{count}{interval}{seen}")
}

fn undecided(verdict: &Verdict, claim: &Judged) -> String {
    let seeds = many(claim.runs, "seed");
    let verb = if claim.runs == 1 { "does" } else { "do" };
    let interval = claim.interval.as_ref().map(|i| format!(": {} is within {i}", verdict.share));
    format!("{seeds} {verb} not decide this{}", interval.unwrap_or_default())
}

fn in_short(verdict: &Verdict) -> String {
    let (held, all) = (verdict.claims.iter().filter(|claim| claim.holds).count(), verdict.claims.len());
    match (held, all) {
        (_, 0) => "nothing is claimed".to_owned(),
        (held, all) if held == all => format!("{} hold{}", many(all as u64, "claim"), if all == 1 { "s" } else { "" }),
        (held, all) => format!("{} of {} failed", all - held, many(all as u64, "claim")),
    }
}

/// What the reader should know before the tables.
fn said(verdict: &Verdict, seeds: usize) -> Vec<String> {
    let mut said = Vec::new();
    if verdict.same_run {
        said.push(format!(
            "All {} give the same run: the seed changes nothing in this scenario, and one seed says as much as all.",
            many(seeds as u64, "seed")
        ));
    }
    if seeds == 1 {
        said.push("warning: one seed says nothing about others; more show the spread, as in `--seeds 30`".to_owned());
    }
    let undecided = verdict.undecided().count() as u64;
    if undecided > 0 && seeds > 1 {
        let enough = verdict.share.runs_to_decide().map_or_else(String::new, |runs| {
            format!("; {} of which all hold would decide a claim", many(runs, "seed"))
        });
        said.push(format!(
            "warning: {} do not decide {}: {} is within what all seeds may have, at 95 % confidence{enough}",
            many(seeds as u64, "seed"),
            many(undecided, "claim"),
            verdict.share,
        ));
    }
    let mixed: Vec<&Judged> = verdict.claims.iter().filter(|claim| claim.one_seed_misleads()).collect();
    if !mixed.is_empty() {
        let contrary: Vec<&Judged> = mixed.iter().copied().filter(|claim| claim.first_holds != claim.holds).collect();
        let contrary = match contrary.len() {
            0 => String::new(),
            _ => format!("; the first seed alone shows the contrary for {}", lines(&contrary)),
        };
        said.push(format!(
            "warning: one seed does not decide {}, which hold with some seeds and fail with others: {}{contrary}",
            many(mixed.len() as u64, "claim"),
            lines(&mixed)
        ));
    }
    said
}

/// The lines of claims: `lines 7, 9`.
fn lines(claims: &[&Judged]) -> String {
    let all: Vec<String> = claims.iter().map(|claim| claim.line.to_string()).collect();
    format!("{} {}", if all.len() == 1 { "line" } else { "lines" }, all.join(", "))
}

/// The claims, those that fail first, then those that the seeds do not decide.
fn claims(verdict: &Verdict, style: Style) -> String {
    let mut claims: Vec<&Judged> = verdict.claims.iter().collect();
    claims.sort_by_key(|claim| (claim.holds, claim.decided));
    let seeds = |claim: &Judged| match claim.pinned {
        true => "one run".to_owned(),
        false => format!("{} of {}", claim.held, claim.runs),
    };
    let interval = |claim: &Judged| claim.interval.as_ref().map_or_else(String::new, ToString::to_string);
    let wide = |of: &dyn Fn(&Judged) -> String| claims.iter().map(|claim| of(claim).len()).max().unwrap_or(0);
    let (first, second) = (wide(&seeds), wide(&interval));
    let mut text = String::new();
    for claim in &claims {
        let mark = if claim.holds { "✓" } else { "✗" };
        let (seeds, interval) = (seeds(claim), interval(claim));
        let gap = if second > 0 { "  " } else { "" };
        let head = format!("  {mark} {seeds:>first$}  {interval:<second$}{gap}");
        text += &wrap(style, &format!("{head}{}", claim.claim), first + second + gap.len() + 6);
        if !claim.holds {
            text += &failed(claim, style);
        }
    }
    text
}

fn failed(claim: &Judged, style: Style) -> String {
    let because = claim.because.as_ref().map(|why| format!(" — {}", quotree_reports::visible(why))).unwrap_or_default();
    let seeds = if claim.failing_seeds.is_empty() || claim.pinned {
        String::new()
    } else {
        format!(" fails with seed {};", listed(&claim.failing_seeds))
    };
    let seen = match (claim.failing_seeds.first(), &claim.seen) {
        (Some(seed), Some(seen)) => format!(" with seed {seed} observed: {seen}"),
        _ => String::new(),
    };
    wrap(style, &format!("      line {}:{seeds}{seen}{because}", claim.line), 8)
}

/// Removes the figures that are 0 in all runs. Returns the remaining table and the names of the removed figures.
fn without_zeros(mut sheet: Sheet) -> (Sheet, Vec<String>) {
    let is_zero = |row: &[Datum]| {
        let numbers = row.iter().filter_map(|datum| match datum {
            Datum::Measured { value, at_least, .. } => Some(*value == 0 && !at_least),
            _ => None,
        });
        numbers.min().unwrap_or(false)
    };
    let name = |row: &[Datum]| match row {
        [Datum::Text(team), Datum::Text(figure), ..] => format!("{figure} of {team}"),
        [_, Datum::Text(figure), ..] => figure.clone(),
        _ => String::new(),
    };
    let zero = sheet.rows.iter().filter(|row| is_zero(row)).map(|row| name(row)).collect();
    sheet.rows.retain(|row| !is_zero(row));
    (sheet, zero)
}
