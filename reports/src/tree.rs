//! The quota tree as an indented table: min, max and usage of each quota, and a bar that shows them.

use crate::{
    format,
    grid::{self, Cell, Column},
    jobs::in_a_cell,
    style::{Style, Tone},
};
use quotree_core::Name;
use quotree_sim::result::{QuotaRow, RunResult};
use std::collections::{BTreeMap, BTreeSet};

/// Cells of a bar.
const BAR: i128 = 16;

/// The legend of the bars.
const LEGEND: &str = "█ used within min   ▓ borrowed   ░ unused min   · room up to max";

/// The legend of the table.
pub(crate) fn legend(result: &RunResult) -> String {
    let bounds = result.quotas.iter().any(|quota| !quota.wait.at_least.is_empty());
    let waits = if bounds { "   ≥ at least: jobs that wait at the end, or never started" } else { "" };
    format!("{LEGEND}{waits}")
}

const COLUMNS: [Column; 11] = [
    Column::left("QUOTA", 0),
    Column::left("RESOURCE", 0),
    Column::right("MIN", 0),
    Column::right("MAX", 0),
    Column::right("USED", 0),
    Column::right("BORROWED", 1),
    Column::left("", 4),
    Column::right("RUNNING", 0),
    Column::right("PENDING", 0),
    Column::right("EVICTED", 2),
    Column::right("WAIT p50/p95/max", 3),
];

/// The table: one row for each quota and resource.
pub(crate) fn table(style: Style, result: &RunResult) -> String {
    let guides = guides(&result.quotas);
    let (resources, scale) = (governed(&result.quotas), scale(&result.quotas));
    let mut rows = Vec::new();
    let shown = result.quotas.len().min(style.rows);
    for (quota, guide) in result.quotas.iter().zip(&guides).take(shown) {
        rows.extend(quota_rows(quota, guide, &resources, &scale));
    }
    grid::lines(style, &COLUMNS, &rows) + &style.more(result.quotas.len(), shown, "quota")
}

/// The resources that any quota names, sorted.
pub(crate) fn governed(quotas: &[QuotaRow]) -> Vec<Name> {
    let named = quotas.iter().flat_map(|q| q.min.0.iter().chain(q.max.0.iter()));
    named.map(|(name, _)| name.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The largest amount of each resource: the length of a bar without a max.
pub(crate) fn scale(quotas: &[QuotaRow]) -> BTreeMap<Name, i64> {
    let mut scale = BTreeMap::new();
    for quota in quotas {
        for (name, amount) in quota.min.0.iter().chain(quota.max.0.iter()).chain(quota.used.0.iter()) {
            let largest: &mut i64 = scale.entry(name.clone()).or_default();
            *largest = (*largest).max(amount);
        }
    }
    scale
}

/// The tree branches before each name.
fn guides(quotas: &[QuotaRow]) -> Vec<String> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for quota in quotas {
        if let Some(parent) = &quota.parent {
            *left.entry(parent).or_default() += 1;
        }
    }
    // The prefix of the names below each quota.
    let mut below: BTreeMap<&str, String> = BTreeMap::new();
    let mut guides = Vec::new();
    for quota in quotas {
        let (mut guide, mut under) = (String::new(), String::new());
        if let Some(parent) = quota.parent.as_deref() {
            let before = below.get(parent).cloned().unwrap_or_default();
            let siblings = left.entry(parent).or_default();
            *siblings = siblings.saturating_sub(1);
            let last = *siblings == 0;
            guide = format!("{before}{}", if last { "└─ " } else { "├─ " });
            under = format!("{before}{}", if last { "   " } else { "│  " });
        }
        below.insert(&quota.name, under);
        guides.push(guide);
    }
    guides
}

fn quota_rows(quota: &QuotaRow, guide: &str, resources: &[Name], scale: &BTreeMap<Name, i64>) -> Vec<Vec<Cell>> {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for resource in resources {
        let [min, max, used, borrowed] =
            [&quota.min, &quota.max, &quota.used, &quota.borrowed].map(|map| map.0.get(resource.as_str()));
        if min.is_none() && max.is_none() && used.unwrap_or(0) == 0 {
            continue;
        }
        let first = rows.is_empty();
        let show = |amount: Option<i64>| amount.map(|amount| format::amount(resource.as_str(), amount));
        let nonzero = |value: Option<i64>| show(value.filter(|v| *v != 0)).map_or_else(Cell::none, Cell::new);
        let (min, used) = (min.unwrap_or(0), used.unwrap_or(0));
        let end = max.or_else(|| scale.get(resource).copied()).unwrap_or(0);
        let over = max.is_some_and(|max| used > max);
        let counted = |number: u64| if first { Cell::count(number) } else { Cell::new("") };
        rows.push(vec![
            if first { Cell::new(format!("{guide}{}", quota.name)) } else { Cell::new("") },
            Cell::new(resource.as_str()).tone(Tone::Faint),
            nonzero(Some(min)),
            show(max).map_or_else(|| Cell::new("∞").tone(Tone::Faint), Cell::new),
            nonzero(Some(used)).tone(if over { Tone::Bad } else { Tone::Plain }),
            nonzero(borrowed).tone(Tone::Odd),
            Cell::new(bar(min, used, end)),
            counted(quota.counts.running),
            counted(quota.counts.pending).tone(Tone::Odd),
            counted(quota.counts.evicted).tone(Tone::Bad),
            if first { in_a_cell(&quota.wait) } else { Cell::new("") },
        ]);
    }
    if rows.is_empty() {
        let mut row = vec![Cell::new(format!("{guide}{}", quota.name))];
        row.extend((0..6).map(|_| Cell::new("")));
        row.extend([quota.counts.running, quota.counts.pending, quota.counts.evicted].map(Cell::count));
        row.push(in_a_cell(&quota.wait));
        rows.push(row);
    }
    rows
}

/// Usage against min and max; every amount above 0 gets at least one cell.
fn bar(min: i64, used: i64, end: i64) -> String {
    let end = i128::from(end.max(used).max(min));
    if end <= 0 {
        return String::new();
    }
    let cells = |amount: i64| {
        let amount = i128::from(amount.max(0));
        if amount == 0 { 0 } else { ((amount * BAR + end / 2) / end).clamp(1, BAR) }
    };
    let (own, used, min) = (cells(used.min(min)), cells(used), cells(min));
    (0..BAR)
        .map(|i| match i {
            i if i < own => '█',
            i if i < used => '▓',
            i if i < min => '░',
            _ => '·',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn a_bar_shows_usage_min_and_max() {
        assert_eq!(bar(10, 5, 20), "████░░░░········");
        assert_eq!(bar(10, 15, 20), "████████▓▓▓▓····");
        assert_eq!(bar(0, 0, 20), "················");
        assert_eq!(bar(0, 0, 0), "");
        assert_eq!(bar(1, 1, i64::MAX), "█···············");
        assert_eq!(bar(5, 30, 20), "███▓▓▓▓▓▓▓▓▓▓▓▓▓");
    }
}
