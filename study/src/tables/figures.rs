//! Figures over seeds as a table: one row for each figure.

use super::{mean, measured, unit};
use crate::{
    facts::{Facts, Figure, Key},
    stats::{Observed, Spread},
};
use quotree_reports::{Datum, Kind, Sheet, SheetColumn};
use std::collections::BTreeMap;

/// The figures of these runs: of the whole run, then of each team, of which `brief` takes only the most important ones. Figures that
/// are zero in all runs have rows, too.
#[must_use]
pub fn figures_sheet(runs: &[&Facts], brief: bool) -> Sheet {
    let mut sheet = Sheet::new("figures", "figure");
    sheet.columns = vec![
        SheetColumn::new("team", "TEAM", Kind::Text),
        SheetColumn::new("figure", "FIGURE", Kind::Text),
        SheetColumn::new("unit", "", Kind::Text),
        SheetColumn::new("resource", "", Kind::Text),
        SheetColumn::new("runs", "", Kind::Count),
        SheetColumn::new("sum", "", Kind::Mixed),
        SheetColumn::new("mean", "", Kind::Mixed),
        SheetColumn::new("", "MEAN", Kind::Mixed),
        SheetColumn::new("p5", "p5", Kind::Mixed),
        SheetColumn::new("p50", "p50", Kind::Mixed),
        SheetColumn::new("p95", "p95", Kind::Mixed),
        SheetColumn { spare: 1, ..SheetColumn::new("min", "MIN", Kind::Mixed) },
        SheetColumn { spare: 1, ..SheetColumn::new("max", "MAX", Kind::Mixed) },
    ];
    for (key, values) in by_key(runs).into_iter().filter(|(key, _)| !brief || key.is_shown()) {
        let spread = Spread::of(values);
        let text = |text: &Option<std::sync::Arc<str>>| {
            text.as_ref().map_or(Datum::None, |text| Datum::Text(text.to_string()))
        };
        let mut row = vec![
            text(&key.team),
            Datum::Text(key.name()),
            Datum::Text(unit(key.measure()).to_owned()),
            text(&key.resource),
            Datum::Whole(spread.runs as i128),
        ];
        row.push(Datum::Whole(spread.sum));
        row.extend([spread.mean().map_or(Datum::None, |seen| measured(&key, seen)), mean(&key, &spread)]);
        let spreads = [Some(spread.p5()), Some(spread.p50()), Some(spread.p95())];
        let ends = [Some(spread.min()), Some(spread.max())];
        row.extend(spreads.into_iter().chain(ends).map(|seen| seen.map_or(Datum::None, |seen| measured(&key, seen))));
        sheet.rows.push(row);
    }
    sheet
}

/// The values of each figure, in the order in which the figures first occur. Figures of the whole run come first.
pub(crate) fn by_key(runs: &[&Facts]) -> Vec<(Key, Vec<Observed>)> {
    let mut places: BTreeMap<&Key, usize> = BTreeMap::new();
    let mut found: Vec<(Key, Vec<Observed>)> = Vec::new();
    for Figure { key, value } in runs.iter().flat_map(|facts| &facts.figures) {
        let place = *places.entry(key).or_insert_with(|| {
            found.push((key.clone(), Vec::new()));
            found.len() - 1
        });
        if let Some((_, values)) = found.get_mut(place) {
            values.push(*value);
        }
    }
    // A team that only later runs have stays together, behind those before it.
    let mut teams: BTreeMap<Option<std::sync::Arc<str>>, usize> = BTreeMap::from([(None, 0)]);
    for (key, _) in &found {
        let next = teams.len();
        teams.entry(key.team.clone()).or_insert(next);
    }
    found.sort_by_key(|(key, _)| teams.get(&key.team).copied());
    found
}

/// The resource that amounts are about: GPUs if there are any, else cpu, else the first that is used.
#[must_use]
pub fn main_resource<'f>(runs: impl IntoIterator<Item = &'f Facts>) -> Option<std::sync::Arc<str>> {
    let mut names: Vec<&std::sync::Arc<str>> =
        runs.into_iter().flat_map(|facts| &facts.figures).filter_map(|figure| figure.key.resource.as_ref()).collect();
    names.sort_unstable();
    names.dedup();
    let named = |word: &'static str| move |name: &&&std::sync::Arc<str>| name.as_ref() as &str == word;
    let gpu = names.iter().find(|name| named("gpu")(name) || name.ends_with("/gpu"));
    let cpu = || names.iter().find(named("cpu"));
    gpu.or_else(cpu).or_else(|| names.first()).map(|name| std::sync::Arc::clone(name))
}
