//! Several cases side by side: one row for each team and case.

use super::{kind, main_resource, mean, teams};
use crate::{
    facts::{Facts, Key},
    judged::Verdict,
    runner::Outcomes,
    stats::{Share, Spread},
    study::Prepared,
    worst::worst_domains,
};
use quotree_reports::{Datum, Kind, Sheet, SheetColumn};
use std::sync::Arc;

/// What is compared: the name of the column, its head, the measure, whether it is an amount, and whether it is one of teams.
const COLUMNS: [(&str, &str, &str, bool, bool); 9] = [
    ("wait_p50_ms", "WAIT p50", "wait.p50", false, true),
    ("wait_p95_ms", "WAIT p95", "wait.p95", false, true),
    ("evictions", "EVICTED", "evictions", false, true),
    ("lost_work_ms", "LOST WORK", "lost-work", false, true),
    ("unmet_unit_s", "UNMET", "unmet", true, true),
    ("used_unit_s", "USED", "used", true, true),
    ("cost_milli", "COST", "cost", false, true),
    ("jain_permille", "JAIN", "jain", false, false),
    ("unfairness_permille", "UNFAIR", "unfairness", false, false),
];

/// The mean over seeds of what matters to each team under each case, and of the fairness of the whole under each case.
#[must_use]
pub fn compare_sheet(study: &Prepared<'_>, outcomes: &Outcomes, share: Share) -> Sheet {
    let cases: Vec<Vec<(u64, &Facts)>> =
        (0..study.cases.len()).map(|case| outcomes.of(study, case).collect()).collect();
    let all = || cases.iter().flatten().map(|(_, facts)| *facts);
    let resource = main_resource(all());
    let mut names: Vec<Option<Arc<str>>> = Vec::new();
    for team in all().flat_map(teams) {
        if !names.contains(&Some(team.clone())) {
            names.push(Some(team));
        }
    }
    names.push(None);
    let mut sheet = Sheet::new("compare", "row");
    sheet.columns = vec![
        SheetColumn::new("team", "TEAM", Kind::Text),
        SheetColumn::new("case", "CASE", Kind::Text),
        SheetColumn::new("seeds", "", Kind::Count),
        SheetColumn::new("resource", "", Kind::Text),
    ];
    let key = |(_, _, measure, amount, _): &(&str, &str, &str, bool, bool), team: Option<&Arc<str>>| {
        Key::new(measure, team, resource.as_ref().filter(|_| *amount))
    };
    for column in &COLUMNS {
        let Some(of_run) = key(column, None) else { continue };
        let is_there = all().flat_map(|facts| &facts.figures).any(|figure| figure.key.of_team(None) == of_run);
        let head = if is_there { column.1 } else { "" };
        sheet.columns.push(SheetColumn::new(column.0, "", kind(&of_run)));
        sheet.columns.push(SheetColumn::new("", head, kind(&of_run)));
    }
    sheet.columns.push(SheetColumn::new("claims_held", "", Kind::Count));
    sheet.columns.push(SheetColumn::new("", if study.claims.is_empty() { "" } else { "CLAIMS" }, Kind::Text));
    let has_worst = all().any(|facts| facts.worst_outage.is_some());
    if has_worst {
        sheet.columns.push(SheetColumn { spare: 1, ..SheetColumn::new("worst_outage", "WORST OUTAGE", Kind::Text) });
    }
    for team in &names {
        for (case, runs) in cases.iter().enumerate() {
            let text = |text: &str| Datum::Text(text.to_owned());
            let case_name = study.cases.get(case).and_then(|case| case.values.first());
            let mut row = vec![
                team.as_ref().map_or_else(|| text("all"), |team| text(team)),
                case_name.map_or(Datum::None, |name| text(name)),
                Datum::Whole(runs.len() as i128),
                resource.as_ref().map_or(Datum::None, |resource| text(resource)),
            ];
            for column in &COLUMNS {
                let Some(key) = key(column, team.as_ref()) else { continue };
                let spread = Spread::of(runs.iter().filter_map(|(_, facts)| facts.get(&key)));
                row.push(match spread.mean() {
                    None => Datum::None,
                    Some(mean) if mean.at_least => Datum::AtLeast(mean.value),
                    Some(mean) => Datum::Whole(mean.value),
                });
                row.push(mean(&key, &spread));
            }
            let verdict = team.is_none().then(|| Verdict::of(&study.claims, runs, share));
            let held = verdict.as_ref().map(|verdict| verdict.claims.iter().filter(|claim| claim.holds).count());
            row.push(held.map_or(Datum::None, |held| Datum::Whole(held as i128)));
            row.push(held.map_or(Datum::None, |held| Datum::Text(format!("{held} of {}", study.claims.len()))));
            if has_worst {
                let worst = worst_domains(runs.iter().map(|(_, facts)| *facts)).filter(|_| team.is_none());
                row.push(worst.map_or(Datum::None, Datum::Text));
            }
            sheet.rows.push(row);
        }
    }
    sheet
}
