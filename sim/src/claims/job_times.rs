//! Claims about waits, turnarounds and slowdowns of jobs. A job that has not started counts with its time so far, or,
//! where nothing more can happen, with an endless one.

use super::{
    ClaimState,
    measure::{Seen, compared},
};
use crate::{
    metrics::{figure, spread},
    model::{Compare, JobFigure, WaitStat},
    result::ClaimFigure,
    result::SpreadRow,
    view::RunView,
    world::{JobRecord, Span},
};
use quotree_core::Time;
use quotree_syntax::time_text;
use std::fmt;

/// A statistic over the times of jobs.
#[derive(Debug, Clone, Copy)]
pub(super) struct JobTime {
    figure: JobFigure,
    value: u64,
    /// Whether the value is a lower bound.
    at_least: bool,
    /// Whether the time is endless, since it includes jobs that wait although nothing more can happen.
    never: bool,
}

impl JobTime {
    /// An exact value: milliseconds, or thousandths for a slowdown.
    pub(super) const fn of(figure: JobFigure, value: u64) -> Self {
        Self { figure, value, at_least: false, never: false }
    }

    /// The value with its unit.
    pub(super) fn figure(self) -> ClaimFigure {
        match self.figure {
            JobFigure::Slowdown => ClaimFigure::Permille(self.value.into()),
            _ => ClaimFigure::Ms(self.value.into()),
        }
    }

    /// Whether the claim holds, and the measured value.
    pub(super) fn judged(self, compare: Compare, claimed: u64) -> (bool, Seen) {
        let holds = match compare {
            Compare::Equal if self.at_least => false,
            _ if self.never => compared(u64::MAX, compare, claimed),
            _ => compared(self.value, compare, claimed),
        };
        (holds, Seen::JobTime(self))
    }
}

impl fmt::Display for JobTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = if self.at_least { "at least " } else { "" };
        let value = match self.figure {
            JobFigure::Slowdown => format!("{}.{:03}", self.value / 1000, self.value % 1000),
            _ => time_text(self.value),
        };
        write!(f, "{bound}{value}")?;
        let what = if matches!(self.figure, JobFigure::Turnaround | JobFigure::Slowdown) { "end" } else { "start" };
        if self.never { write!(f, "; nothing more can happen, so some never {what}") } else { Ok(()) }
    }
}

impl ClaimState<'_> {
    /// A statistic of the selected jobs: at a time, or at the end of the run.
    pub(super) fn job_time(
        &self,
        view: &RunView<'_>,
        figure_of: JobFigure,
        stat: WaitStat,
        at: Option<Time>,
    ) -> JobTime {
        let now = at.unwrap_or(view.now());
        let quiet = at.is_none() && view.is_quiet();
        let mut spans = Vec::new();
        let mut endless = Vec::new();
        for record in view.world.jobs.iter().filter(|record| self.selection.includes(record.account)) {
            let Some(span) = time_of(view, record, figure_of, now) else { continue };
            spans.push(span);
            if quiet {
                let never = span.is_open && record.is_live();
                endless.push(Span { ms: if never { u64::MAX } else { span.ms }, ..span });
            }
        }
        let row = spread(&mut spans);
        let (value, at_least) = figure(&row, stat);
        let never = quiet && has_no_end(&spread(&mut endless), stat);
        JobTime { figure: figure_of, value, at_least, never }
    }

    /// Whether any selected job has this figure.
    pub(super) fn has_job_times(&self, view: &RunView<'_>, figure: JobFigure) -> bool {
        let mut ours = view.world.jobs.iter().filter(|record| self.selection.includes(record.account));
        ours.any(|record| time_of(view, record, figure, view.now()).is_some())
    }
}

fn time_of(view: &RunView<'_>, record: &JobRecord, figure: JobFigure, now: Time) -> Option<Span> {
    match figure {
        JobFigure::Wait => Some(record.wait(now)),
        JobFigure::FirstWait => Some(record.first_wait(now)),
        JobFigure::Turnaround => view.world.turnaround(record, now),
        JobFigure::Slowdown => record.slowdown_permille(now),
    }
}

/// Whether the statistic includes an endless time.
fn has_no_end(row: &SpreadRow, stat: WaitStat) -> bool {
    if stat == WaitStat::Mean { row.max_ms == u64::MAX } else { figure(row, stat).0 == u64::MAX }
}
