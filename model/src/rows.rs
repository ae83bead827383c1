//! Rows of traces, and their limits.

use quotree_core::{Level, Name, PodTemplate, Time};
use std::sync::Arc;

/// One row of a trace.
#[derive(Debug, Clone)]
pub struct TraceRow {
    /// Its name in the trace, or the number of the row.
    pub name: Box<str>,
    /// When it is submitted.
    pub submit: Time,
    /// How long its pods run once started, milliseconds.
    pub runtime_ms: u64,
    /// Its namespace.
    pub namespace: Name,
    /// The user who submits it.
    pub user: Option<Name>,
    /// Its priority; `None`: that of the trace.
    pub priority: Option<i32>,
    /// How many equal pods make the gang.
    pub pods: u32,
    /// The template of its pods.
    pub template: Arc<PodTemplate>,
    /// Its limits.
    pub limits: Limits,
    /// Details that only dumps of clusters have; `None`: the row is `pods` equal pods, with the other settings of the
    /// trace.
    pub details: Option<Box<RowDetails>>,
}

impl TraceRow {
    /// The templates of its pods, each with its number of pods.
    pub fn sets(&self) -> impl Iterator<Item = (&Arc<PodTemplate>, u32)> {
        let others = self.details.iter().flat_map(|details| &details.others);
        std::iter::once((&self.template, self.pods)).chain(others.map(|(template, pods)| (template, *pods)))
    }
}

/// The details of a row that only dumps of clusters have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowDetails {
    /// The pods of its gang with other templates: the templates, and the number of pods of each.
    pub others: Vec<(Arc<PodTemplate>, u32)>,
    /// Whether its pods may be evicted for others; `None`: as for the whole trace.
    pub preemptible: Option<bool>,
    /// The disruption budget of its pods; `None`: that of the trace.
    pub budget: Option<Name>,
    /// All its pods are placed in one domain of this level; `None`: as for the whole trace.
    pub together: Option<Level>,
    /// When its owner deletes it; `None`: never.
    pub deletion: Option<Deletion>,
}

/// The deletion of a row by its owner. Between the two times, its pods are terminating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// When it begins.
    pub from: Time,
    /// When its pods are gone.
    pub until: Time,
}

/// Limits of a row. `None` means the limit of the trace, or no limit if the trace has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Its deadline, as a time after its submission, milliseconds. Deadlines are only counted.
    pub deadline_ms: Option<u64>,
    /// The longest time that its work may run, over all its tries, milliseconds. Then it fails.
    pub runtime_limit_ms: Option<u64>,
    /// How many losses of its node it may have; evictions are not counted.
    pub backoff_limit: Option<u32>,
}

impl Limits {
    /// These limits, where each `None` is replaced by the limit of `others`.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            deadline_ms: self.deadline_ms.or(others.deadline_ms),
            runtime_limit_ms: self.runtime_limit_ms.or(others.runtime_limit_ms),
            backoff_limit: self.backoff_limit.or(others.backoff_limit),
        }
    }
}
