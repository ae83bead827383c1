//! The rows of jobs, and the spread of their waits, turnarounds and slowdowns.

use super::figures::is_zero;
use quotree_core::Name;
use serde::{Serialize, Serializer};

/// A job: what is submitted to run as one unit (docs/metrics.md). This struct defines the table of jobs: text, CSV and
/// JSON have these columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct JobRow {
    pub job: String,
    pub workload: Name,
    pub kind: &'static str,
    pub namespace: Name,
    pub quota: Option<Name>,
    pub user: Option<Name>,
    /// How many pods it runs at once when it is complete.
    pub pods: u32,
    /// The fewest pods with which it runs.
    pub pods_min: u32,
    pub state: JobState,
    pub submitted_ms: u64,
    pub started_ms: Option<u64>,
    pub ended_ms: Option<u64>,
    pub first_wait_ms: u64,
    pub wait_ms: u64,
    pub longest_wait_ms: u64,
    /// Whether its waits are lower bounds, since it never started or is waiting at the end.
    pub at_least: bool,
    pub turnaround_ms: Option<u64>,
    pub slowdown_permille: Option<u64>,
    pub attempts: u32,
    pub evictions: u32,
    pub lost_work_ms: u64,
}

/// The state of a job at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It has not started yet.
    Pending,
    /// It has started, and all pods that it needs are bound.
    Running,
    /// It has started, and some pod that it needs is not bound.
    Interrupted,
    /// Its work is done.
    Succeeded,
    /// It has failed.
    Failed,
    /// Its owner deleted it, scaled it in or replaced it.
    Withdrawn,
}

impl JobState {
    /// The state as in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Which figures of a spread are lower bounds, because they include times that have not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the figures of a spread")]
#[expect(clippy::struct_excessive_bools, reason = "a set of figures")]
pub struct AtLeast {
    pub mean: bool,
    pub p50: bool,
    pub p95: bool,
    pub p99: bool,
    pub max: bool,
}

impl AtLeast {
    /// The figures by name, each with whether it is a lower bound.
    fn all(self) -> [(&'static str, bool); 5] {
        [("mean", self.mean), ("p50", self.p50), ("p95", self.p95), ("p99", self.p99), ("max", self.max)]
    }

    /// The names of the figures that are lower bounds.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        self.all().into_iter().filter(|(_, bound)| *bound).map(|(name, _)| name).collect()
    }

    /// Whether every figure is exact.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Serialize for AtLeast {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.names().serialize(serializer)
    }
}

/// The spread of times of jobs, milliseconds. Quantiles are by nearest rank. A time that has not ended at the end of
/// the run counts with its length so far; figures that could still grow because of it are listed in `at_least`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct SpreadRow {
    pub count: u64,
    /// How many of these times have not ended, or were given up.
    #[serde(skip_serializing_if = "is_zero")]
    pub open: u64,
    /// The sum, from which every mean can be computed exactly.
    pub sum_ms: u128,
    pub p50_ms: u64,
    pub p95_ms: u64,
    pub p99_ms: u64,
    pub max_ms: u64,
    #[serde(skip_serializing_if = "AtLeast::is_empty")]
    pub at_least: AtLeast,
}

impl SpreadRow {
    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The mean, rounded down; 0 where there is nothing.
    #[must_use]
    pub fn mean_ms(&self) -> u64 {
        let mean = self.sum_ms.checked_div(u128::from(self.count)).unwrap_or(0);
        u64::try_from(mean).unwrap_or(u64::MAX)
    }
}

/// The spread of the slowdowns of jobs, thousandths; otherwise as [`SpreadRow`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct SlowdownRow {
    pub count: u64,
    /// How many of them belong to jobs that have not succeeded.
    #[serde(skip_serializing_if = "is_zero")]
    pub open: u64,
    pub mean_permille: u64,
    pub p50_permille: u64,
    pub p95_permille: u64,
    pub p99_permille: u64,
    pub max_permille: u64,
    #[serde(skip_serializing_if = "AtLeast::is_empty")]
    pub at_least: AtLeast,
}

impl SlowdownRow {
    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl From<SpreadRow> for SlowdownRow {
    fn from(row: SpreadRow) -> Self {
        Self {
            count: row.count,
            open: row.open,
            mean_permille: row.mean_ms(),
            p50_permille: row.p50_ms,
            p95_permille: row.p95_ms,
            p99_permille: row.p99_ms,
            max_permille: row.max_ms,
            at_least: row.at_least,
        }
    }
}

/// Jobs by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct JobCounts {
    pub submitted: u64,
    /// Jobs that were complete at some time.
    pub started: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub withdrawn: u64,
}
