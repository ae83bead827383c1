//! Rows of traces, and what ends them early.

use quotree_core::{Name, PodTemplate, Time};
use std::sync::Arc;

/// One row of a trace.
#[derive(Debug, Clone)]
pub struct TraceRow {
    /// Its name in the trace, or its row number.
    pub name: Box<str>,
    /// When it is submitted.
    pub submit: Time,
    /// How long its pods run once started, milliseconds.
    pub runtime_ms: u64,
    /// Where it lives.
    pub namespace: Name,
    /// Who submits it: shared text, as the namespace.
    pub user: Option<Name>,
    /// Its priority; absent: that of the trace.
    pub priority: Option<i32>,
    /// How many equal pods make the gang.
    pub pods: u32,
    /// What each asks.
    pub template: Arc<PodTemplate>,
    /// What it must keep to.
    pub limits: Limits,
}

/// What a row must keep to; absent: what the trace says, and where that says nothing, nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// It should be done so long after its submission, milliseconds; only counted.
    pub deadline_ms: Option<u64>,
    /// A row whose work has run so long, all its tries together, fails, milliseconds.
    pub runtime_limit_ms: Option<u64>,
    /// How many losses of a node a row survives; evictions are none.
    pub backoff_limit: Option<u32>,
}

impl Limits {
    /// These, and others where these say nothing.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        Self {
            deadline_ms: self.deadline_ms.or(others.deadline_ms),
            runtime_limit_ms: self.runtime_limit_ms.or(others.runtime_limit_ms),
            backoff_limit: self.backoff_limit.or(others.backoff_limit),
        }
    }
}
