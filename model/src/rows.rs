//! Rows of traces, and their limits.

use quotree_core::{Name, PodTemplate, Time};
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
    /// Who submits it.
    pub user: Option<Name>,
    /// Its priority; `None`: that of the trace.
    pub priority: Option<i32>,
    /// How many equal pods make the gang.
    pub pods: u32,
    /// The template of its pods.
    pub template: Arc<PodTemplate>,
    /// Its limits.
    pub limits: Limits,
}

/// Limits of a row. `None` means the limit of the trace, or no limit if the trace has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Its deadline, as a time after its submission, milliseconds. Deadlines are only counted.
    pub deadline_ms: Option<u64>,
    /// It fails when its work has run this long, over all its tries, milliseconds.
    pub runtime_limit_ms: Option<u64>,
    /// How many losses of a node it survives; evictions are not counted.
    pub backoff_limit: Option<u32>,
}

impl Limits {
    /// These limits; where one is `None`, the limit of `others`.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            deadline_ms: self.deadline_ms.or(others.deadline_ms),
            runtime_limit_ms: self.runtime_limit_ms.or(others.runtime_limit_ms),
            backoff_limit: self.backoff_limit.or(others.backoff_limit),
        }
    }
}
