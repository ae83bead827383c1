//! The table of jobs. One list of columns defines both the text and the files. `summary.json` uses the same names.

use crate::{
    datum::{Datum, Kind, SheetColumn},
    format::{bounded, moment, ratio, span},
    grid::{self, Cell, Column},
    style::{Style, Tone},
    table::Table,
};
use quotree_core::Name;
use quotree_sim::result::{JobRow, JobState, RunResult, SlowdownRow, SpreadRow};

/// How the text shows a column.
type Shown = (Column, fn(&JobRow) -> Cell);

/// A column of the table of jobs.
struct JobColumn {
    /// Its name in files and in `summary.json`.
    name: &'static str,
    kind: Kind,
    datum: fn(&JobRow) -> Datum,
    /// How the text shows it, if it does.
    text: Option<Shown>,
}

const fn column(name: &'static str, kind: Kind, datum: fn(&JobRow) -> Datum) -> JobColumn {
    JobColumn { name, kind, datum, text: None }
}

impl JobColumn {
    /// The same column, shown by the text.
    fn shown(mut self, column: Column, cell: fn(&JobRow) -> Cell) -> Self {
        self.text = Some((column, cell));
        self
    }
}

/// All columns, in their order.
fn columns() -> [JobColumn; 20] {
    [
        column("job", Kind::Text, |j| j.job.as_str().into()).shown(Column::left("JOB", 0), |j| Cell::new(&j.job)),
        column("workload", Kind::Text, |j| j.workload.as_str().into()),
        column("kind", Kind::Text, |j| j.kind.into()).shown(Column::left("KIND", 4), |j| Cell::new(j.kind)),
        column("namespace", Kind::Text, |j| j.namespace.as_str().into()),
        column("quota", Kind::Text, |j| j.quota.as_ref().map(Name::as_str).into())
            .shown(Column::left("QUOTA", 2), |j| {
                j.quota.as_ref().map_or_else(|| Cell::new("(none)").tone(Tone::Odd), |quota| Cell::new(quota.as_str()))
            }),
        column("user", Kind::Text, |j| j.user.as_ref().map(Name::as_str).into()),
        column("pods", Kind::Count, |j| j.pods.into()).shown(Column::right("PODS", 5), |j| Cell::count(j.pods.into())),
        column("pods_min", Kind::Count, |j| j.pods_min.into()),
        column("state", Kind::Text, |j| j.state.name().into())
            .shown(Column::left("STATE", 0), |j| Cell::new(j.state.name()).tone(tone(j.state))),
        column("submitted_ms", Kind::Ms, |j| j.submitted_ms.into())
            .shown(Column::right("SUBMITTED", 3), |j| Cell::new(moment(j.submitted_ms))),
        column("started_ms", Kind::Ms, |j| j.started_ms.into()),
        column("ended_ms", Kind::Ms, |j| j.ended_ms.into()),
        column("first_wait_ms", Kind::Ms, |j| Datum::from(j.first_wait_ms).or_more(j.started_ms.is_none()))
            .shown(Column::right("FIRST WAIT", 1), |j| Cell::new(bounded(j.first_wait_ms, j.started_ms.is_none()))),
        column("wait_ms", Kind::Ms, |j| Datum::from(j.wait_ms).or_more(j.at_least))
            .shown(Column::right("WAIT", 0), |j| Cell::new(bounded(j.wait_ms, j.at_least))),
        column("longest_wait_ms", Kind::Ms, |j| Datum::from(j.longest_wait_ms).or_more(j.at_least)),
        column("turnaround_ms", Kind::Ms, |j| j.turnaround_ms.into()).shown(Column::right("TURNAROUND", 0), |j| {
            j.turnaround_ms.map_or_else(Cell::none, |ms| Cell::new(span(ms)))
        }),
        column("slowdown_permille", Kind::Ratio, |j| j.slowdown_permille.into())
            .shown(Column::right("SLOWDOWN", 1), |j| {
                j.slowdown_permille.map_or_else(Cell::none, |permille| Cell::new(ratio(permille)))
            }),
        column("attempts", Kind::Count, |j| j.attempts.into())
            .shown(Column::right("ATTEMPTS", 2), |j| Cell::count(j.attempts.into())),
        column("evictions", Kind::Count, |j| j.evictions.into())
            .shown(Column::right("EVICTED", 2), |j| Cell::count(j.evictions.into()).tone(Tone::Bad)),
        column("lost_work_ms", Kind::Ms, |j| j.lost_work_ms.into()).shown(Column::right("LOST WORK", 3), |j| {
            match j.lost_work_ms {
                0 => Cell::none(),
                ms => Cell::new(span(ms)).tone(Tone::Bad),
            }
        }),
    ]
}

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
    let shown: Vec<Shown> = columns().into_iter().filter_map(|column| column.text).collect();
    let columns: Vec<Column> = shown.iter().map(|(column, _)| column.clone()).collect();
    let cells = |job: &JobRow| shown.iter().map(|(_, cell)| cell(job)).collect();
    format!("\n{}\n{}", style.heading("Jobs"), grid::first(style, &columns, all.iter().map(cells), "job"))
}

/// The table for files.
pub(crate) fn table(result: &RunResult) -> Table<'_> {
    let data = columns().map(|column| column.datum);
    let columns = columns().map(|column| SheetColumn::new(column.name, "", column.kind));
    let row = move |job: &JobRow| data.iter().map(|datum| datum(job)).collect();
    Table::new("jobs", columns.into(), result.jobs.iter().map(row)).with_bounds()
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
