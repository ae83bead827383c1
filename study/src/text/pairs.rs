//! Two sides over the same seeds.

use super::{section, sentences};
use crate::{
    facts::Facts,
    judged::is_same_run,
    seeds::listed,
    tables::{Pair, pairs_sheet},
    worst::worst_domains,
};
use quotree_reports::{Style, many, wrap};
use serde_json::{Value, json};

/// The most sentences about figures for which one seed misleads.
const MOST_SAID: usize = 6;

/// Two sides over the same seeds as text.
#[must_use]
pub fn pairs_text(
    (a, b): (&str, &str),
    seeds: &[u64],
    runs: &[(&Facts, &Facts)],
    pairs: &[Pair],
    style: Style,
) -> String {
    let count = many(seeds.len() as u64, "seed");
    let names = if a == b { a.to_owned() } else { format!("{a} → {b}") };
    let equal = runs.iter().filter(|(a, b)| a.digest == b.digest).count();
    if equal == runs.len() && pairs.is_empty() {
        return wrap(
            style,
            &format!(
                "{}  the two sides are equal with {count} ({}): the same run digests",
                style.heading(&names),
                listed(seeds)
            ),
            2,
        );
    }
    let head = format!(
        "{}  {count} ({}) · {} differ with some seed · {} decided",
        style.heading(&names),
        listed(seeds),
        many(pairs.len() as u64, "figure"),
        pairs.iter().filter(|pair| pair.is_decided()).count()
    );
    let mut text = wrap(style, &head, 2);
    text += &sentences(&said(seeds, runs, pairs), style);
    let shown: Vec<Pair> = pairs.iter().filter(|pair| pair.key.is_shown()).cloned().collect();
    if !shown.is_empty() {
        let heading = "Changes: the second side minus the first, seed by seed (amounts over time in units times hours)";
        text += &section(heading, &pairs_sheet(&shown), style);
    }
    let more = pairs.len() - shown.len();
    if more > 0 {
        text +=
            &wrap(style, &format!("… and {} of teams; all with `--format json`", many(more as u64, "more change")), 2);
    }
    text
}

/// Two sides over the same seeds as JSON; docs/cli.md documents the fields.
#[must_use]
pub fn pairs_json((a, b): (&str, &str), seeds: &[u64], runs: &[(&Facts, &Facts)], pairs: &[Pair]) -> Value {
    let digests: Vec<[&str; 2]> = runs.iter().map(|(a, b)| [a.digest.as_str(), b.digest.as_str()]).collect();
    let mut value = json!({
        "a": a,
        "b": b,
        "seeds": seeds,
        "digests": digests,
        "warnings": said(seeds, runs, pairs),
        "changes": pairs_sheet(pairs).json_rows(),
    });
    let worst = worst(runs);
    if let (Some(fields), true) = (value.as_object_mut(), worst.iter().any(Option::is_some)) {
        let [a, b] = worst;
        fields.insert("worst_outage".to_owned(), json!({ "a": a, "b": b }));
    }
    value
}

/// The domains of the worst outages of the two sides.
fn worst(runs: &[(&Facts, &Facts)]) -> [Option<String>; 2] {
    [worst_domains(runs.iter().map(|(a, _)| *a)), worst_domains(runs.iter().map(|(_, b)| *b))]
}

fn said(seeds: &[u64], runs: &[(&Facts, &Facts)], pairs: &[Pair]) -> Vec<String> {
    let mut said = Vec::new();
    match worst(runs) {
        [Some(a), Some(b)] if a == b => said.push(format!("Worst outage of each side: {a}.")),
        [None, None] => {}
        sides => {
            let [a, b] = sides.map(|side| side.unwrap_or_else(|| "none".to_owned()));
            said.push(format!("Worst outage: {a} → {b}."));
        }
    }
    let firsts: Vec<(u64, &Facts)> = runs.iter().map(|(a, _)| (0, *a)).collect();
    let seconds: Vec<(u64, &Facts)> = runs.iter().map(|(_, b)| (0, *b)).collect();
    if is_same_run(&firsts) && is_same_run(&seconds) {
        said.push(
            "All seeds give the same two runs: the seed changes nothing in them, and one seed says as much as all."
                .to_owned(),
        );
        return said;
    }
    if seeds.len() == 1 {
        said.push("warning: one seed says nothing about others; more show the spread, as in `--seeds 30`".to_owned());
        return said;
    }
    let undecided = pairs.iter().filter(|pair| !pair.is_decided()).count();
    if undecided > 0 {
        said.push(format!(
            "warning: {} do not decide the sign of {}: as many seeds may change the one way as the other, at 95 % confidence",
            many(seeds.len() as u64, "seed"),
            many(undecided as u64, "change")
        ));
    }
    let misled: Vec<&Pair> = pairs.iter().filter(|pair| pair.one_seed_misleads()).collect();
    if let (Some(seed), false) = (seeds.first(), misled.is_empty()) {
        let names: Vec<String> = misled.iter().take(MOST_SAID).map(|pair| pair.key.to_string()).collect();
        let more = misled.len().saturating_sub(names.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        said.push(format!(
            "warning: seed {seed} alone shows another sign than the mean of all seeds for {}{more}",
            names.join(", ")
        ));
    }
    said
}
