//! Workloads that are submitted repeatedly, consist of tasks, have a deadline or failed: how many instances were
//! submitted, how they ended, and why some failed.

use crate::{
    format::{dated, many},
    grid::{self, Cell, Column},
    layout::wrap,
    style::{Style, Tone},
};
use quotree_sim::result::{InstancesRow, RunResult};

/// The rows of these workloads, each followed by its tasks.
fn rows(result: &RunResult) -> impl Iterator<Item = (String, &str, &InstancesRow)> {
    result.workloads.iter().filter_map(|w| Some((w, w.instances.as_ref()?))).flat_map(|(workload, instances)| {
        let tasks = workload.tasks.iter().map(|task| (format!("  {}", task.name), task.kind, &task.instances));
        std::iter::once((workload.name.clone(), workload.kind, instances)).chain(tasks)
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
        .map(|(name, kind, n)| {
            vec![
                Cell::new(&name),
                Cell::new(kind),
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

/// The header and the rows of this table as CSV.
pub(crate) fn table(result: &RunResult) -> (&'static str, Vec<Vec<String>>) {
    let head = "workload task kind submitted succeeded failed withdrawn active skipped deadlines_met deadlines_missed";
    let line = |workload: &str, task: &str, kind: &str, n: &InstancesRow| {
        let mut row = vec![workload.to_owned(), task.to_owned(), kind.to_owned()];
        let counts = [n.submitted, n.succeeded, n.failed, n.withdrawn, n.active, n.skipped];
        row.extend(counts.into_iter().chain([n.deadlines_met, n.deadlines_missed]).map(|n| n.to_string()));
        row
    };
    let mut lines = Vec::new();
    for workload in &result.workloads {
        let Some(instances) = &workload.instances else { continue };
        lines.push(line(&workload.name, "", workload.kind, instances));
        lines.extend(workload.tasks.iter().map(|task| line(&workload.name, &task.name, task.kind, &task.instances)));
    }
    (head, lines)
}
