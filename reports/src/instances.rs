//! Workloads that are submitted repeatedly, consist of tasks, have a deadline or failed: how many instances were
//! submitted, how they ended, and why some failed.

use crate::{
    fields::Fields,
    format::{dated, many},
    grid::{self, Cell, Column},
    layout::wrap,
    style::{Style, Tone},
    table::Table,
};
use quotree_sim::result::{InstancesRow, RunResult};

/// How many instances a workload has, or a task of it.
struct Row<'r> {
    workload: &'r str,
    task: Option<&'r str>,
    kind: &'r str,
    instances: &'r InstancesRow,
}

/// The rows of these workloads, each followed by its tasks.
fn rows(result: &RunResult) -> impl Iterator<Item = Row<'_>> {
    result.workloads.iter().filter_map(|w| Some((w, w.instances.as_ref()?))).flat_map(|(w, instances)| {
        let whole = Row { workload: &w.name, task: None, kind: w.kind, instances };
        let tasks = w.tasks.iter().map(|task| Row {
            workload: &w.name,
            task: Some(&task.name),
            kind: task.kind,
            instances: &task.instances,
        });
        std::iter::once(whole).chain(tasks)
    })
}

/// The table as text; empty if there is no such workload.
pub(crate) fn text(result: &RunResult, style: Style) -> String {
    let columns = [
        Column::left("WORKLOAD", 0),
        Column::left("KIND", 1),
        Column::right("SUBMITTED", 0),
        Column::right("SUCCEEDED", 0),
        Column::right("FAILED", 0),
        Column::right("DELETED", 0),
        Column::right("ACTIVE", 0),
        Column::right("SKIPPED", 0),
        Column::right("DEADLINE MET", 0),
        Column::right("MISSED", 0),
    ];
    let all: Vec<Vec<Cell>> = rows(result)
        .map(|row| {
            let n = row.instances;
            vec![
                row.task.map_or_else(|| Cell::new(row.workload), |task| Cell::new(format!("  {task}"))),
                Cell::new(row.kind),
                Cell::count(n.submitted),
                Cell::count(n.succeeded),
                Cell::count(n.failed).tone(Tone::Bad),
                Cell::count(n.withdrawn),
                Cell::count(n.active),
                Cell::count(n.skipped).tone(Tone::Odd),
                Cell::count(n.deadlines_met),
                Cell::count(n.deadlines_missed).tone(Tone::Bad),
            ]
        })
        .collect();
    let mut text = String::new();
    if !all.is_empty() {
        text += &format!("\n{}", grid::first(style, &columns, all.into_iter(), "workload"));
    }
    text + &failures(result, style)
}

/// What failed, and why.
fn failures(result: &RunResult, style: Style) -> String {
    let all = &result.failures;
    if all.is_empty() {
        return String::new();
    }
    let head = style.paint(Tone::Strong, &many(all.len() as u64, "failure"));
    let shown = (style.rows / 4).max(1);
    let mut text = format!("\n{head}\n");
    for row in all.iter().take(shown) {
        text += &wrap(style, &format!("  at {}  {}: {}", dated(result, row.at_ms), row.what, row.why), 6);
    }
    text + &style.more_after("  ", all.len(), shown, "failure")
}

/// The table for files, if there is such a workload.
pub(crate) fn table(result: &RunResult) -> Option<Table<'_>> {
    rows(result).next()?;
    let fields = Fields::<Row<'_>>::new()
        .text("workload", |row| row.workload)
        .maybe("task", |row| row.task)
        .text("kind", |row| row.kind)
        .count("submitted", |row| row.instances.submitted)
        .count("succeeded", |row| row.instances.succeeded)
        .count("failed", |row| row.instances.failed)
        .count("withdrawn", |row| row.instances.withdrawn)
        .count("active", |row| row.instances.active)
        .count("skipped", |row| row.instances.skipped)
        .count("deadlines_met", |row| row.instances.deadlines_met)
        .count("deadlines_missed", |row| row.instances.deadlines_missed);
    Some(fields.table("instances", rows(result)))
}
