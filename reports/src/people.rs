//! Usage by user, group, namespace or quota, and which user may use which quota, as text.

use crate::{
    format::{self, long_span, moment, span, unit_hours},
    grid::{self, COUNT_COLUMNS, Cell, Column, count_cells},
    jobs::{self, in_a_cell},
    style::{Style, Tone},
};
use quotree_sim::{
    people::{Role, Tenancy, Tenant},
    result::{PodCounts, QuantityMap, RunResult, ShareRow, SpreadRow, TimeMap, WorkRow},
};

/// The grouping of a usage table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The user who submitted the work.
    User,
    /// The group through which the user submitted it.
    Group,
    /// The namespace it was submitted to.
    Namespace,
    /// The quota it was charged to, and the parents of that quota.
    Quota,
    /// The job: one row each.
    Job,
}

/// One row of a usage table.
struct Row<'a> {
    name: &'a str,
    counts: PodCounts,
    refused: u64,
    wait: SpreadRow,
    share: &'a ShareRow,
}

impl<'a> Row<'a> {
    const fn new(name: &'a str, counts: PodCounts, wait: SpreadRow, share: &'a ShareRow) -> Self {
        Self { name, counts, refused: 0, wait, share }
    }

    const fn of_work(name: &'a str, work: &'a WorkRow) -> Self {
        Self { refused: work.refused, ..Self::new(name, work.counts, work.wait, &work.share) }
    }
}

/// The usage table: one row for each user, group, namespace or quota.
#[must_use]
pub fn breakdown_text(result: &RunResult, by: By, style: Style) -> String {
    let Some((head, what, rows)) = rows(result, by) else { return jobs::text(result, style) };
    if rows.is_empty() {
        return format!("\nNo {what}s.\n");
    }
    let mut columns = vec![Column::left(head, 0)];
    columns.extend(COUNT_COLUMNS);
    columns.extend([Column::right("WAIT p50/p95/max", 1), Column::left("USAGE", 0)]);
    let line = |row: &Row<'_>| {
        let mut cells = vec![Cell::new(row.name)];
        cells.extend(count_cells(&row.counts));
        cells.extend([in_a_cell(&row.wait), hours(&row.share.used_time_s).map_or_else(Cell::none, Cell::new)]);
        cells
    };
    let heading = style.heading(&format!("Usage by {what}"));
    let table = grid::first(style, &columns, rows.iter().map(line), what);
    format!("\n{heading}\n{table}{}", parts(head, &rows, style))
}

/// A table of figures that not every run has. A column or row is left out if it has no figure.
fn parts(head: &'static str, rows: &[Row<'_>], style: Style) -> String {
    type Part = (&'static str, bool, fn(&Row<'_>) -> Option<Cell>);
    let known: [Part; 11] = [
        // Only users have refusals: a refused submission belongs to no group.
        ("REFUSED", true, |r| some(r.refused).map(|n| Cell::count(n).tone(Tone::Bad))),
        ("LOST WORK", true, |r| {
            (r.share.lost_work_ms > 0).then(|| Cell::new(long_span(r.share.lost_work_ms)).tone(Tone::Bad))
        }),
        ("EVICTIONS CAUSED", true, |r| some(r.share.evicted_for).map(Cell::count)),
        ("WASTED EVICTIONS", true, |r| some(r.share.wasted_evictions).map(|n| Cell::count(n).tone(Tone::Bad))),
        ("DRAINED", true, |r| some(r.share.drained).map(|n| Cell::count(n).tone(Tone::Odd))),
        ("DEADLINE MET", true, |r| r.share.instances.and_then(|i| some(i.deadlines_met)).map(Cell::count)),
        ("MISSED", true, |r| {
            r.share.instances.and_then(|i| some(i.deadlines_missed)).map(|n| Cell::count(n).tone(Tone::Bad))
        }),
        ("GPU IDLE", true, |r| {
            r.share.input.and_then(|i| some(i.gpu_idle_ms)).map(|ms| Cell::new(span(ms)).tone(Tone::Odd))
        }),
        ("COST", true, |r| (r.share.cost_milli > 0).then(|| Cell::new(money(r.share.cost_milli)))),
        ("BORROWED", false, |r| hours(&r.share.borrowed_time_s).map(Cell::new)),
        ("UNMET GUARANTEE", false, |r| hours(&r.share.starved_time_s).map(|text| Cell::new(text).tone(Tone::Bad))),
    ];
    let is_there = |(.., cell): &&Part| rows.iter().any(|row| cell(row).is_some());
    let shown: Vec<&Part> = known.iter().filter(is_there).collect();
    let mut columns = vec![Column::left(head, 0)];
    columns.extend(shown.iter().map(|(head, right, _)| Column { head: (*head).into(), right: *right, spare: 0 }));
    let line = |row: &Row<'_>| {
        let cells: Vec<Option<Cell>> = shown.iter().map(|(.., cell)| cell(row)).collect();
        let any = cells.iter().any(Option::is_some);
        let cells = cells.into_iter().map(|cell| cell.unwrap_or_else(Cell::none));
        any.then(|| std::iter::once(Cell::new(row.name)).chain(cells).collect())
    };
    let lines: Vec<Vec<Cell>> = rows.iter().take(style.rows).filter_map(line).collect();
    if lines.is_empty() { String::new() } else { format!("\n{}", grid::lines(style, &columns, &lines)) }
}

/// Thousandths of the currency as a decimal.
pub(crate) fn money(milli: u128) -> String {
    format!("{}.{:03}", format::count(milli / 1000), milli % 1000)
}

fn some(count: u64) -> Option<u64> {
    Some(count).filter(|count| *count > 0)
}

/// The header, the noun and the rows of a usage table; nothing for the table of jobs.
fn rows(result: &RunResult, by: By) -> Option<(&'static str, &'static str, Vec<Row<'_>>)> {
    Some(match by {
        By::Job => return None,
        By::User => ("USER", "user", result.users.iter().map(|u| Row::of_work(&u.name, &u.work)).collect()),
        By::Group => ("GROUP", "group", result.groups.iter().map(|g| Row::of_work(&g.name, &g.work)).collect()),
        By::Namespace => {
            let rows = result.namespaces.iter().map(|n| Row::new(&n.name, n.counts, n.wait, &n.share));
            ("NAMESPACE", "namespace", rows.collect())
        }
        By::Quota => {
            let rows = result.quotas.iter().map(|q| Row::new(&q.name, q.counts, q.wait, &q.share));
            ("QUOTA", "quota", rows.collect())
        }
    })
}

/// Usage over time: `4.25 cpu-hours, 12.00 nvidia.com/gpu-hours`.
fn hours(times: &TimeMap) -> Option<String> {
    // A time map counts base units times milliseconds.
    let all: Vec<String> = times
        .0
        .iter()
        .filter(|(_, time)| *time > 0)
        .map(|(name, time)| unit_hours(name.as_str(), time / 1000))
        .collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// Which users may use which leaf quotas. With `user`: this user alone, and also the leaves that the user may not use,
/// with the reason. With `used`: also the usage of each leaf.
#[must_use]
pub fn tenancy_text(tenancy: &Tenancy, user: Option<&str>, used: bool, style: Style) -> String {
    let name = style.paint(Tone::Strong, &tenancy.scenario);
    let mut text = format!("{name} at {}\n", moment(tenancy.at_ms));
    if tenancy.is_empty() {
        text.push_str("The scenario declares no users: every submission is accepted without a user check.\n");
        return text;
    }
    let mut columns = ["USER", "ROLE", "GROUP", "LEAF QUOTA", "NAMESPACES"].map(|head| Column::left(head, 0)).to_vec();
    columns.extend([Column::left("MIN", 1), Column::left("MAX", 2)]);
    if used {
        columns.push(Column::left("USED", 0));
    }
    let mut lines = Vec::new();
    let chosen: Vec<&Tenant> = tenancy.users.iter().filter(|t| user.is_none_or(|user| t.user == user)).collect();
    for tenant in chosen.iter().take(style.rows) {
        lines.extend(lines_of(tenant, used, user.is_some()));
    }
    text.push_str(&format!("\n{}", grid::lines(style, &columns, &lines)));
    text.push_str(&style.more(chosen.len(), style.rows, "user"));
    if user.is_none() {
        text.push_str(&notes(tenancy, style));
    }
    text
}

/// The lines of one user: one for each leaf, or the reason why there is none.
fn lines_of(tenant: &Tenant, used: bool, all: bool) -> Vec<Vec<Cell>> {
    let role = match tenant.role {
        Some(Role::Admin) => Cell::new("admin"),
        Some(Role::Researcher) => Cell::new("researcher"),
        None => Cell::new("(undeclared)").tone(Tone::Odd),
    };
    let mut lines: Vec<Vec<Cell>> = Vec::new();
    let mut line = |cells: [Cell; 3], amounts: [&QuantityMap; 3]| {
        let first = lines.is_empty();
        let who = if first { [Cell::new(&tenant.user), role.clone()] } else { [Cell::new(""), Cell::new("")] };
        let shown = amounts.iter().take(if used { 3 } else { 2 });
        let amounts = shown.map(|map| format::amounts(&map.0).map_or_else(Cell::none, Cell::new));
        lines.push(who.into_iter().chain(cells).chain(amounts).collect());
    };
    for can in &tenant.can {
        let cells = [Cell::new(&can.group), Cell::new(&can.quota), Cell::new(can.namespaces.join(", "))];
        line(cells, [&can.min, &can.max, &can.used]);
    }
    let none = QuantityMap::default();
    if let Some(why) = &tenant.nothing {
        let cells = [Cell::none(), Cell::new("none").tone(Tone::Odd), Cell::new(why).tone(Tone::Odd)];
        line(cells, [&none, &none, &none]);
    }
    for cannot in tenant.cannot.iter().filter(|_| all) {
        let why = format!("no access: {}", cannot.why);
        line([Cell::none(), Cell::new(&cannot.quota), Cell::new(why).tone(Tone::Odd)], [&none, &none, &none]);
    }
    lines
}

/// Admins, and settings that leave a namespace, leaf or group unusable, one line each.
fn notes(tenancy: &Tenancy, style: Style) -> String {
    let mut text = String::from("\n");
    let mut note = |what: &str, names: &[String]| {
        if names.is_empty() {
            return;
        }
        let shown: Vec<&str> = names.iter().take(style.rows).map(String::as_str).collect();
        let more = names.len().saturating_sub(shown.len());
        let more = if more == 0 {
            String::new()
        } else {
            format!(" and {} more; all with `--format json`", format::count(more as u128))
        };
        text.push_str(&format!("{what}: {}{more}\n", shown.join(", ")));
    };
    note("Admins", &tenancy.admins);
    note("Namespaces attached to no leaf quota, so nobody can submit to them (A4)", &tenancy.namespaces_on_no_leaf);
    note("Leaf quotas without a group, so no user can use them", &tenancy.leaves_without_group);
    note("Leaf quotas without a namespace, so nothing can be submitted to them", &tenancy.leaves_without_namespaces);
    note("Groups without members", &tenancy.groups_without_members);
    if text == "\n" { String::new() } else { text }
}
