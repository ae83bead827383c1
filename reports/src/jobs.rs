//! The table of jobs. One list of columns defines both the text and the CSV. The JSON uses the same names.

use crate::{
    format::{bounded, moment, ratio, span},
    grid::{self, Cell, Column},
    style::{Style, Tone},
};
use quotree_sim::result::{JobRow, JobState, RunResult, SlowdownRow, SpreadRow};

/// How the text shows a column.
type Shown = (Column, fn(&JobRow) -> Cell);

/// A column of the table of jobs.
struct JobColumn {
    /// Its name in CSV and JSON.
    name: &'static str,
    csv: fn(&JobRow) -> String,
    /// How the text shows it, if it does.
    text: Option<Shown>,
}

/// A column that the text does not show.
const fn hidden(name: &'static str, csv: fn(&JobRow) -> String) -> JobColumn {
    JobColumn { name, csv, text: None }
}

const fn shown(name: &'static str, csv: fn(&JobRow) -> String, column: Column, cell: fn(&JobRow) -> Cell) -> JobColumn {
    JobColumn { name, csv, text: Some((column, cell)) }
}

fn maybe(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// All columns, in their order.
const COLUMNS: [JobColumn; 21] = [
    shown("job", |j| j.job.clone(), Column::left("JOB", 0), |j| Cell::new(&j.job)),
    hidden("workload", |j| j.workload.to_string()),
    shown("kind", |j| j.kind.to_owned(), Column::left("KIND", 4), |j| Cell::new(j.kind)),
    hidden("namespace", |j| j.namespace.to_string()),
    shown(
        "quota",
        |j| maybe(j.quota.as_ref()),
        Column::left("QUOTA", 2),
        |j| j.quota.as_ref().map_or_else(|| Cell::new("(none)").tone(Tone::Odd), |quota| Cell::new(quota.as_str())),
    ),
    hidden("user", |j| maybe(j.user.as_ref())),
    shown("pods", |j| j.pods.to_string(), Column::right("PODS", 5), |j| Cell::count(j.pods.into())),
    hidden("pods_min", |j| j.pods_min.to_string()),
    shown(
        "state",
        |j| j.state.name().to_owned(),
        Column::left("STATE", 0),
        |j| Cell::new(j.state.name()).tone(tone(j.state)),
    ),
    shown(
        "submitted_ms",
        |j| j.submitted_ms.to_string(),
        Column::right("SUBMITTED", 3),
        |j| Cell::new(moment(j.submitted_ms)),
    ),
    hidden("started_ms", |j| maybe(j.started_ms)),
    hidden("ended_ms", |j| maybe(j.ended_ms)),
    shown(
        "first_wait_ms",
        |j| j.first_wait_ms.to_string(),
        Column::right("FIRST WAIT", 1),
        |j| Cell::new(bounded(j.first_wait_ms, j.started_ms.is_none())),
    ),
    shown(
        "wait_ms",
        |j| j.wait_ms.to_string(),
        Column::right("WAIT", 0),
        |j| Cell::new(bounded(j.wait_ms, j.at_least)),
    ),
    hidden("longest_wait_ms", |j| j.longest_wait_ms.to_string()),
    hidden("at_least", |j| j.at_least.to_string()),
    shown(
        "turnaround_ms",
        |j| maybe(j.turnaround_ms),
        Column::right("TURNAROUND", 0),
        |j| j.turnaround_ms.map_or_else(Cell::none, |ms| Cell::new(span(ms))),
    ),
    shown(
        "slowdown_permille",
        |j| maybe(j.slowdown_permille),
        Column::right("SLOWDOWN", 1),
        |j| j.slowdown_permille.map_or_else(Cell::none, |permille| Cell::new(ratio(permille))),
    ),
    shown("attempts", |j| j.attempts.to_string(), Column::right("ATTEMPTS", 2), |j| Cell::count(j.attempts.into())),
    shown(
        "evictions",
        |j| j.evictions.to_string(),
        Column::right("EVICTED", 2),
        |j| Cell::count(j.evictions.into()).tone(Tone::Bad),
    ),
    shown(
        "lost_work_ms",
        |j| j.lost_work_ms.to_string(),
        Column::right("LOST WORK", 3),
        |j| match j.lost_work_ms {
            0 => Cell::none(),
            ms => Cell::new(span(ms)).tone(Tone::Bad),
        },
    ),
];

const fn tone(state: JobState) -> Tone {
    match state {
        JobState::Pending | JobState::Interrupted => Tone::Odd,
        JobState::Failed => Tone::Bad,
        _ => Tone::Plain,
    }
}

/// The table of jobs as text.
pub(crate) fn text(result: &RunResult, style: Style) -> String {
    let all = &result.jobs;
    if all.is_empty() {
        return "\nNo jobs.\n".to_owned();
    }
    let columns: Vec<Column> = COLUMNS.iter().filter_map(|column| Some(column.text.as_ref()?.0.clone())).collect();
    let cells = |job: &JobRow| COLUMNS.iter().filter_map(|column| Some((column.text.as_ref()?.1)(job))).collect();
    format!("\n{}\n{}", style.heading("Jobs"), grid::first(style, &columns, all.iter().map(cells), "job"))
}

/// The names of the columns, separated by spaces, and the rows, for CSV.
pub(crate) fn csv(result: &RunResult) -> (String, impl Iterator<Item = Vec<String>>) {
    let row = |job: &JobRow| COLUMNS.iter().map(|column| (column.csv)(job)).collect();
    (COLUMNS.map(|column| column.name).join(" "), result.jobs.iter().map(row))
}

/// A spread as `p50 / p95 / max`, in a cell.
pub(crate) fn in_a_cell(row: &SpreadRow) -> Cell {
    if row.count == 0 {
        return Cell::none();
    }
    let bound = row.at_least;
    let parts = [(row.p50_ms, bound.p50), (row.p95_ms, bound.p95), (row.max_ms, bound.max)];
    Cell::new(parts.map(|(ms, at_least)| bounded(ms, at_least)).join(" / "))
}

/// The p95 of a spread.
pub(crate) fn p95_in_a_cell(row: &SpreadRow) -> Cell {
    if row.count == 0 { Cell::none() } else { Cell::new(bounded(row.p95_ms, row.at_least.p95)) }
}

/// A spread in a sentence.
pub(crate) fn in_words(row: &SpreadRow) -> String {
    let bound = row.at_least;
    let parts = [
        ("mean", row.mean_ms(), bound.mean),
        ("p50", row.p50_ms, bound.p50),
        ("p95", row.p95_ms, bound.p95),
        ("p99", row.p99_ms, bound.p99),
        ("max", row.max_ms, bound.max),
    ];
    parts.map(|(what, ms, at_least)| format!("{what} {}", bounded(ms, at_least))).join(", ")
}

/// The slowdowns in a sentence.
pub(crate) fn slowdowns(row: &SlowdownRow) -> String {
    let bound = row.at_least;
    let parts = [
        ("mean", row.mean_permille, bound.mean),
        ("p50", row.p50_permille, bound.p50),
        ("p95", row.p95_permille, bound.p95),
        ("p99", row.p99_permille, bound.p99),
        ("max", row.max_permille, bound.max),
    ];
    let told = |(what, permille, at_least): (&str, u64, bool)| {
        format!("{what} {}{}", if at_least { "≥" } else { "" }, ratio(permille))
    };
    parts.map(told).join(", ")
}
