//! The tables of a sweep: one row for each setting, one for each run, one for each run and team.

use super::{kind, main_resource, mean};
use crate::{
    facts::{Facts, Key},
    judged::Verdict,
    runner::Outcomes,
    stats::{Observed, Share, Spread},
    study::Prepared,
    worst::worst_domains,
};
use quotree_reports::{Datum, Kind, Sheet, SheetColumn, shown};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The columns of the axes. The text leaves out those with one value.
fn axes(study: &Prepared<'_>) -> Vec<SheetColumn> {
    let columns = study.study.cases.columns();
    let varies = |place: usize| {
        let mut values = study.cases.iter().map(|case| case.values.get(place));
        let first = values.next();
        study.cases.len() == 1 || values.any(|value| Some(value) != first)
    };
    let column = |(place, name): (usize, &str)| {
        let head = if varies(place) { name.to_owned() } else { String::new() };
        SheetColumn::new(name, head, Kind::Text)
    };
    columns.into_iter().enumerate().map(column).collect()
}

/// Whether some run is that of the worst outage of several.
fn has_worst(study: &Prepared<'_>, outcomes: &Outcomes) -> bool {
    (0..study.cases.len()).flat_map(|case| outcomes.of(study, case)).any(|(_, facts)| facts.worst_outage.is_some())
}

fn values(study: &Prepared<'_>, case: usize) -> Vec<Datum> {
    study.cases.get(case).map_or_else(Vec::new, |case| case.values.iter().cloned().map(Datum::Text).collect())
}

/// The figures that a table of settings shows if nothing else is asked for: the wait, evictions, unmet guarantees, utilisation,
/// fairness and cost of the whole run.
#[must_use]
pub fn usual_figures(study: &Prepared<'_>, outcomes: &Outcomes) -> Vec<Key> {
    let all = || (0..study.cases.len()).flat_map(|case| outcomes.of(study, case)).map(|(_, facts)| facts);
    let resource = main_resource(all());
    let keys = [
        ("wait.p95", false),
        ("wait.p50", false),
        ("evictions", false),
        ("unmet", true),
        ("utilisation", true),
        ("jain", false),
        ("cost", false),
    ];
    let key = |(name, amount): (&str, bool)| Key::new(name, None, resource.as_ref().filter(|_| amount));
    keys.into_iter().filter_map(key).filter(|key| all().any(|facts| facts.get(key).is_some())).collect()
}

/// The name of a column in files: `wait_p95_ms`, `unmet_unit_s.nvidia.com/gpu`, with the team before it.
fn column_name(key: &Key) -> String {
    let team = key.team.as_ref().map(|team| format!("{team}.")).unwrap_or_default();
    let unit = match kind(key) {
        Kind::Ms => "_ms",
        Kind::Permille | Kind::Ratio => "_permille",
        Kind::MoneyMilli => "_milli",
        Kind::UnitSeconds(_) => "_unit_s",
        _ => "",
    };
    let resource = key.resource.as_ref().map(|resource| format!(".{resource}")).unwrap_or_default();
    format!("{team}{}{unit}{resource}", key.measure().name.replace(['.', '-'], "_"))
}

/// The table of settings. A setting has a row once all its runs have ended. The row has the claims over the seeds, and the mean, p5,
/// p50 and p95 of each figure. Text shows only the mean and, where seeds differ, p5 to p95.
#[must_use]
pub fn settings_sheet(study: &Prepared<'_>, outcomes: &Outcomes, figures: &[Key], share: Share) -> Sheet {
    let mut sheet = Sheet::new("settings", "setting");
    sheet.columns = axes(study);
    let several = study.seeds.len() > 1;
    sheet.columns.push(SheetColumn::new("seeds", "", Kind::Count));
    sheet.columns.push(SheetColumn::new("claims", "", Kind::Count));
    sheet.columns.push(SheetColumn::new("claims_held", "", Kind::Count));
    let claims = if study.claims.is_empty() { "" } else { "CLAIMS" };
    sheet.columns.push(SheetColumn { spare: 3, ..SheetColumn::new("", claims, Kind::Text) });
    let has_worst = has_worst(study, outcomes);
    if has_worst {
        sheet.columns.push(SheetColumn { spare: 3, ..SheetColumn::new("worst_outage", "WORST OUTAGE", Kind::Text) });
    }
    for (place, key) in figures.iter().enumerate() {
        let (name, kind) = (column_name(key), kind(key));
        let head = key.to_string();
        sheet.columns.push(SheetColumn::new(format!("{name}.sum"), "", Kind::Mixed));
        sheet.columns.push(SheetColumn::new(format!("{name}.mean"), "", kind.clone()));
        sheet.columns.push(SheetColumn::new("", head, kind.clone()));
        for quantile in ["p5", "p50", "p95"] {
            sheet.columns.push(SheetColumn::new(format!("{name}.{quantile}"), "", kind.clone()));
        }
        let head = if several { "p5 to p95" } else { "" };
        sheet
            .columns
            .push(SheetColumn { spare: if place == 0 { 1 } else { 2 }, ..SheetColumn::new("", head, Kind::Text) });
    }
    for case in 0..study.cases.len() {
        let runs: Vec<(u64, &Facts)> = outcomes.of(study, case).collect();
        if runs.len() == study.seeds.len() {
            let worst = has_worst.then(|| worst_domains(runs.iter().map(|(_, facts)| *facts)));
            sheet.rows.push(setting_row(study, (case, &runs), figures, (share, worst)));
        }
    }
    sheet
}

fn setting_row(
    study: &Prepared<'_>,
    (case, runs): (usize, &[(u64, &Facts)]),
    figures: &[Key],
    (share, worst): (Share, Option<Option<String>>),
) -> Vec<Datum> {
    let verdict = Verdict::of(&study.claims, runs, share);
    let held = verdict.claims.iter().filter(|claim| claim.holds).count();
    let mut row = values(study, case);
    let claims = verdict.claims.len();
    row.extend([runs.len(), claims, held].map(|count| Datum::Whole(count as i128)));
    row.push(Datum::Text(if held == claims {
        format!("all {claims} hold")
    } else {
        format!("{held} of {claims} hold")
    }));
    row.extend(worst.map(|domains| domains.map_or(Datum::None, Datum::Text)));
    for key in figures {
        let spread = Spread::of(runs.iter().filter_map(|(_, facts)| facts.get(key)));
        let datum = |seen: Option<Observed>| match seen.filter(|_| spread.runs > 0) {
            None => Datum::None,
            Some(Observed { value, at_least: true }) => Datum::AtLeast(value),
            Some(Observed { value, at_least: false }) => Datum::Whole(value),
        };
        row.extend([Datum::Whole(spread.sum), datum(spread.mean()), mean(key, &spread)]);
        row.extend([spread.p5(), spread.p50(), spread.p95()].map(|seen| datum(Some(seen))));
        let bound =
            |seen: Observed| format!("{}{}", if seen.at_least { "≥" } else { "" }, shown(&kind(key), seen.value));
        row.push(match spread.runs {
            0 => Datum::None,
            _ if spread.is_one_value() => Datum::Text("the same".to_owned()),
            _ => Datum::Text(format!("{} to {}", bound(spread.p5()), bound(spread.p95()))),
        });
    }
    row
}

/// One row for each run that has ended well, with every figure of the whole run.
#[must_use]
pub fn runs_sheet(study: &Prepared<'_>, outcomes: &Outcomes) -> Sheet {
    let mut sheet = Sheet::new("runs", "run");
    sheet.columns = axes(study);
    sheet.columns.extend([
        SheetColumn::new("seed", "SEED", Kind::Text),
        SheetColumn::new("digest", "", Kind::Text),
        SheetColumn::new("end_ms", "", Kind::Ms),
    ]);
    let has_worst = has_worst(study, outcomes);
    if has_worst {
        sheet.columns.push(SheetColumn::new("worst_outage", "WORST OUTAGE", Kind::Text));
    }
    let all: Vec<&Facts> =
        (0..study.cases.len()).flat_map(|case| outcomes.of(study, case)).map(|(_, facts)| facts).collect();
    let keys: Vec<Key> = keys(&all, |key| key.team.is_none());
    sheet.columns.extend(keys.iter().map(|key| SheetColumn::new(column_name(key), key.to_string(), kind(key))));
    for case in 0..study.cases.len() {
        for (seed, facts) in outcomes.of(study, case) {
            let mut row = values(study, case);
            row.extend([
                Datum::Text(seed.to_string()),
                Datum::Text(facts.digest.clone()),
                Datum::Whole(facts.end_ms.into()),
            ]);
            if has_worst {
                row.push(facts.worst_outage.clone().map_or(Datum::None, Datum::Text));
            }
            let index = facts.index();
            row.extend(keys.iter().map(|key| datum(&index, key)));
            sheet.rows.push(row);
        }
    }
    sheet
}

/// One row for each run that has ended well and each team, with every figure of the team.
#[must_use]
pub fn teams_sheet(study: &Prepared<'_>, outcomes: &Outcomes) -> Sheet {
    let mut sheet = Sheet::new("teams", "team");
    sheet.columns = axes(study);
    sheet.columns.push(SheetColumn::new("seed", "SEED", Kind::Text));
    sheet.columns.push(SheetColumn::new("team", "TEAM", Kind::Text));
    let all: Vec<&Facts> =
        (0..study.cases.len()).flat_map(|case| outcomes.of(study, case)).map(|(_, facts)| facts).collect();
    let own: BTreeSet<Key> = keys(&all, |key| key.team.is_some()).into_iter().map(|key| key.of_team(None)).collect();
    sheet.columns.extend(own.iter().map(|key| SheetColumn::new(column_name(key), key.to_string(), kind(key))));
    for case in 0..study.cases.len() {
        for (seed, facts) in outcomes.of(study, case) {
            let index = facts.index();
            for team in teams(facts) {
                let mut row = values(study, case);
                row.extend([Datum::Text(seed.to_string()), Datum::Text(team.to_string())]);
                row.extend(own.iter().map(|key| datum(&index, &key.of_team(Some(&team)))));
                sheet.rows.push(row);
            }
        }
    }
    sheet
}

/// The teams of a run, in the order of the tree.
pub(crate) fn teams(facts: &Facts) -> Vec<Arc<str>> {
    let mut teams: Vec<Arc<str>> = facts.figures.iter().filter_map(|figure| figure.key.team.clone()).collect();
    teams.dedup();
    teams
}

fn datum(facts: &BTreeMap<&Key, Observed>, key: &Key) -> Datum {
    match facts.get(key) {
        None => Datum::None,
        Some(Observed { value, at_least: true }) => Datum::AtLeast(*value),
        Some(Observed { value, at_least: false }) => Datum::Whole(*value),
    }
}

/// The keys of all runs, in order of the measures, then of the resources: the same whatever run ended first.
fn keys(all: &[&Facts], is_wanted: impl Fn(&Key) -> bool) -> Vec<Key> {
    let mut keys: Vec<&Key> =
        all.iter().flat_map(|facts| &facts.figures).map(|figure| &figure.key).filter(|key| is_wanted(key)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().cloned().collect()
}
