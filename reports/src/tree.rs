//! The quota tree as an indented table: min, max and usage of each quota, and a bar that shows them.

use crate::{
    format,
    grid::{self, Cell, Column},
    jobs::{in_a_cell, p95_in_a_cell},
    layout,
    style::{Style, Tone},
};
use quotree_core::Name;
use quotree_sim::result::{QuotaRow, RunResult};
use std::collections::{BTreeMap, BTreeSet};

/// Cells of a bar, from wide to narrow terminals.
const BARS: [usize; 4] = [16, 12, 10, 8];

/// The legend of the bars in the table.
const LEGEND: &str = "█ used within min   ▓ borrowed   ░ unused min   · room up to max";

/// The legend of the table.
pub(crate) fn legend(result: &RunResult, style: Style) -> String {
    let bounds = result.quotas.iter().any(|quota| !quota.wait.at_least.is_empty());
    let waits = if bounds { layout::wrap(style, BOUNDS, 2) } else { String::new() };
    style.paint_lines(Tone::Faint, &format!("{}{waits}", layout::wrap(style, LEGEND, 2)))
}

/// The explanation of `≥` below the table.
const BOUNDS: &str = "≥ at least: some jobs still wait, or never started";

/// The columns of the table. The arguments decide whether there is a column for the resource, and how waits are shown.
fn columns(resource: bool, all_waits: bool) -> Vec<Column> {
    let mut columns = vec![Column::left("QUOTA", 0)];
    columns.extend(resource.then_some(Column::left("RESOURCE", 0)));
    columns.extend([
        Column::right("MIN", 0),
        Column::right("MAX", 0),
        Column::right("USED", 0),
        Column::right("BORROWED", 1),
        Column::left("", 4),
        Column::right("RUNNING", 0),
        Column::right("PENDING", 0),
        Column::right("EVICTED", 2),
        Column::right(if all_waits { "WAIT p50/p95/max" } else { "WAIT p95" }, 3),
    ]);
    columns
}

/// The table: one row for each quota and resource. If the tree governs only one resource, the heading names it.
pub(crate) fn table(style: Style, result: &RunResult) -> String {
    let tree = Tree::of(&result.quotas);
    let shown = tree.rows.len().min(style.rows);
    let (one, heading) = match tree.resources.as_slice() {
        [one] => (true, format!("Quotas at {}, in {one}", format::dated(result, result.end_ms))),
        _ => (false, format!("Quotas at {}", format::dated(result, result.end_ms))),
    };
    let mut table = None;
    for (bar, all_waits) in [(BARS[0], true)].into_iter().chain(BARS.map(|bar| (bar, false))) {
        let columns = columns(!one, all_waits);
        let rows: Vec<Vec<Cell>> =
            tree.rows.iter().take(shown).flat_map(|row| tree.lines(row, bar, all_waits, one)).collect();
        let fits = grid::natural(&columns, &rows) <= style.width;
        table = Some((columns, rows));
        if fits {
            break;
        }
    }
    let (columns, rows) = table.unwrap_or_default();
    let more = style.more(tree.rows.len(), shown, "quota");
    format!(
        "{}\n{}{more}",
        style.heading(layout::wrap(style, &heading, 2).trim_end()),
        grid::lines(style, &columns, &rows)
    )
}

/// The resources that any quota names, sorted.
pub(crate) fn governed(quotas: &[QuotaRow]) -> Vec<Name> {
    let named = quotas.iter().flat_map(|q| q.min.0.iter().chain(q.max.0.iter()));
    named.map(|(name, _)| name.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The largest amount of each resource. A bar without a max has this length.
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

/// The quotas in the order of the table.
struct Tree<'a> {
    rows: Vec<TreeRow<'a>>,
    resources: Vec<Name>,
    scale: BTreeMap<Name, i64>,
}

/// A quota in the table.
struct TreeRow<'a> {
    quota: &'a QuotaRow,
    /// The branches before its name.
    branch: String,
    /// The branches before its further lines, so that the drawing has no gap.
    below: String,
}

impl<'a> Tree<'a> {
    /// The quotas in the order of the table: a parent comes right before its children, regardless of the order of the
    /// input.
    fn of(quotas: &'a [QuotaRow]) -> Self {
        let mut children: BTreeMap<&str, Vec<&QuotaRow>> = BTreeMap::new();
        let known: BTreeSet<&str> = quotas.iter().map(|quota| quota.name.as_str()).collect();
        let parent = |quota: &'a QuotaRow| quota.parent.as_deref().filter(|parent| known.contains(parent));
        for quota in quotas {
            if let Some(parent) = parent(quota) {
                children.entry(parent).or_default().push(quota);
            }
        }
        // What is still to do, the next last: the quota, the branches before it, and those below it.
        let roots = quotas.iter().filter(|quota| parent(quota).is_none());
        let mut next: Vec<(&QuotaRow, String, String)> =
            roots.map(|root| (root, String::new(), String::new())).collect();
        next.reverse();
        let mut rows = Vec::new();
        while let Some((quota, branch, under)) = next.pop() {
            let own = children.remove(quota.name.as_str()).unwrap_or_default();
            let trunk = if own.is_empty() { "" } else { "│  " };
            rows.push(TreeRow { quota, branch, below: format!("{under}{trunk}") });
            for (i, child) in own.into_iter().rev().enumerate() {
                let (branch, trunk) = if i == 0 { ("└─ ", "   ") } else { ("├─ ", "│  ") };
                next.push((child, format!("{under}{branch}"), format!("{under}{trunk}")));
            }
        }
        Self { rows, resources: governed(quotas), scale: scale(quotas) }
    }

    /// The lines of one quota: one for each resource, or one if it has none.
    fn lines(&self, row: &TreeRow<'_>, bar: usize, all_waits: bool, one: bool) -> Vec<Vec<Cell>> {
        let quota = row.quota;
        let mut lines: Vec<Vec<Cell>> = Vec::new();
        let waits = if all_waits { in_a_cell } else { p95_in_a_cell };
        let name = |first: bool| match first {
            true => Cell::below(&row.branch, &quota.name),
            false => Cell::below(row.below.trim_end(), ""),
        };
        let tail = |first: bool| {
            let counted = |number: u64| if first { Cell::count(number) } else { Cell::new("") };
            let waits = if first { waits(&quota.wait) } else { Cell::new("") };
            let counts = &quota.counts;
            let [running, pending, evicted] = [counts.running, counts.pending, counts.evicted].map(counted);
            [running, pending.tone(Tone::Odd), evicted.tone(Tone::Bad), waits]
        };
        for resource in &self.resources {
            let of = |map: &quotree_sim::result::QuantityMap| map.0.get(resource.as_str());
            let [min, max, used, borrowed] = [&quota.min, &quota.max, &quota.used, &quota.borrowed].map(of);
            if min.is_none() && max.is_none() && used.unwrap_or(0) == 0 {
                continue;
            }
            let first = lines.is_empty();
            let show = |amount: Option<i64>| amount.map(|amount| format::amount(resource.as_str(), amount));
            let nonzero = |value: Option<i64>| show(value.filter(|v| *v != 0)).map_or_else(Cell::none, Cell::new);
            let (min, used) = (min.unwrap_or(0), used.unwrap_or(0));
            let end = max.or_else(|| self.scale.get(resource).copied()).unwrap_or(0);
            let over = max.is_some_and(|max| used > max);
            let mut line = vec![name(first)];
            line.extend((!one).then(|| Cell::new(resource.as_str()).tone(Tone::Faint)));
            line.extend([
                nonzero(Some(min)),
                show(max).map_or_else(|| Cell::new("∞").tone(Tone::Faint), Cell::new),
                nonzero(Some(used)).tone(if over { Tone::Bad } else { Tone::Plain }),
                nonzero(borrowed).tone(Tone::Odd),
                Cell::new(draw(bar, min, used, end)),
            ]);
            line.extend(tail(first));
            lines.push(line);
        }
        if lines.is_empty() {
            let mut line = vec![name(true)];
            line.extend((0..if one { 5 } else { 6 }).map(|_| Cell::new("")));
            line.extend(tail(true));
            lines.push(line);
        }
        lines
    }
}

/// The bar of usage against min and max; every amount above 0 gets at least one cell.
fn draw(bar: usize, min: i64, used: i64, end: i64) -> String {
    let end = i128::from(end.max(used).max(min));
    if end <= 0 {
        return String::new();
    }
    let bar = i128::try_from(bar).unwrap_or(0);
    let cells = |amount: i64| {
        let amount = i128::from(amount.max(0));
        if amount == 0 { 0 } else { ((amount * bar + end / 2) / end).clamp(1, bar) }
    };
    let (own, used, min) = (cells(used.min(min)), cells(used), cells(min));
    (0..bar)
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
    use super::draw;

    #[test]
    fn a_bar_shows_usage_min_and_max() {
        let bar = |min, used, end| draw(16, min, used, end);
        assert_eq!(bar(10, 5, 20), "████░░░░········");
        assert_eq!(bar(10, 15, 20), "████████▓▓▓▓····");
        assert_eq!(bar(0, 0, 20), "················");
        assert_eq!(bar(0, 0, 0), "");
        assert_eq!(bar(1, 1, i64::MAX), "█···············");
        assert_eq!(bar(5, 30, 20), "███▓▓▓▓▓▓▓▓▓▓▓▓▓");
        assert_eq!(draw(8, 10, 5, 20), "██░░····");
    }
}
