//! Properties that workloads of every kind have: a name, how often they are submitted, and what their pods request.

use super::{Kind, Reads, TraceRow, Workload};
use quotree_core::{Level, Name, PodTemplate, Time};
use std::sync::Arc;

impl Workload {
    /// The name of its kind.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match &self.kind {
            Kind::Job { .. } if self.arrivals.as_ref().is_some_and(|a| a.concurrency.is_some()) => "CronJob",
            kind => kind.name(),
        }
    }

    /// Whether it, one of its tasks, or one of its rows has a deadline.
    #[must_use]
    pub fn has_deadlines(&self) -> bool {
        let below = match &self.kind {
            Kind::Workflow { tasks } => tasks.iter().any(|task| task.deadline_ms.is_some()),
            Kind::Trace { rows, limits, .. } => {
                limits.deadline_ms.is_some() || rows.iter().any(|row| row.limits.deadline_ms.is_some())
            }
            _ => false,
        };
        below || self.deadline_ms.is_some()
    }

    /// The expected number of instances if the run ends at `end`; `None` if nothing bounds it.
    #[must_use]
    pub fn expected(&self, end: Option<Time>) -> Option<u64> {
        self.arrivals.as_ref().map_or(Some(1), |arrivals| arrivals.expected(self.submit, end))
    }
}

impl Kind {
    /// The name of the kind.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Deployment { .. } => "Deployment",
            Self::Job { .. } => "Job",
            Self::Training { .. } => "Training",
            Self::Workflow { .. } => "Workflow",
            Self::Trace { .. } => "Trace",
        }
    }

    /// The checkpoints of a job or of trace rows: the work between two of them, and how long one takes, milliseconds.
    #[must_use]
    pub fn checkpoints(&self) -> (Option<u64>, u64) {
        match self {
            Self::Job { checkpoints, .. } | Self::Trace { checkpoints, .. } => {
                (checkpoints.every_ms(), checkpoints.checkpoint_cost.0)
            }
            _ => (None, 0),
        }
    }

    /// The dataset that it reads itself, not through its tasks.
    #[must_use]
    pub const fn reads(&self) -> Option<&Reads> {
        match self {
            Self::Job { reads, .. } | Self::Training { reads, .. } => reads.as_ref(),
            _ => None,
        }
    }

    /// Whether it or one of its tasks reads a dataset.
    #[must_use]
    pub fn reads_any(&self) -> bool {
        match self {
            Self::Workflow { tasks } => tasks.iter().any(|task| task.kind.reads_any()),
            kind => kind.reads().is_some(),
        }
    }

    /// Calls `see` with each pod template and its number of pods in one instance.
    pub fn templates<'a>(&'a self, see: &mut dyn FnMut(&'a Arc<PodTemplate>, u64)) {
        match self {
            Self::Deployment { replicas, template } => see(template, u64::from(*replicas)),
            Self::Job { completions, template, .. } => see(template, u64::from(*completions)),
            Self::Training { roles, .. } => roles.iter().for_each(|r| see(&r.template, u64::from(r.replicas))),
            Self::Workflow { tasks } => tasks.iter().for_each(|task| task.kind.templates(see)),
            Self::Trace { rows, .. } => {
                rows.iter().flat_map(TraceRow::sets).for_each(|(template, pods)| see(template, u64::from(pods)));
            }
        }
    }

    /// The template of its pods, if all have the same one.
    #[must_use]
    pub const fn template(&self) -> Option<&Arc<PodTemplate>> {
        match self {
            Self::Deployment { template, .. } | Self::Job { template, .. } => Some(template),
            _ => None,
        }
    }

    /// Calls `change` with each pod template.
    pub fn change_templates(&mut self, change: &mut dyn FnMut(&mut Arc<PodTemplate>)) {
        match self {
            Self::Deployment { template, .. } | Self::Job { template, .. } => change(template),
            Self::Training { roles, .. } => roles.iter_mut().for_each(|role| change(&mut role.template)),
            Self::Workflow { tasks } => tasks.iter_mut().for_each(|task| task.kind.change_templates(change)),
            Self::Trace { rows, .. } => {
                for row in Arc::make_mut(rows) {
                    change(&mut row.template);
                    let others = row.details.iter_mut().flat_map(|details| &mut details.others);
                    others.for_each(|(template, _)| change(template));
                }
            }
        }
    }
}

/// A priority as written: a number, or a priority class whose number can change during the run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Priority {
    /// The number; for a class, its number at the start.
    pub number: i32,
    /// The class.
    pub class: Option<Name>,
}

impl From<i32> for Priority {
    fn from(number: i32) -> Self {
        Self { number, class: None }
    }
}

/// A task of a workflow.
#[derive(Debug, Clone)]
pub struct Task {
    /// Unique in its workflow.
    pub name: Name,
    /// The number of tasks that must succeed before it starts.
    pub after: u32,
    /// The tasks that depend on it.
    pub leads_to: Vec<u32>,
    /// Priority of its pods.
    pub priority: Priority,
    /// If set, all its pods are placed in one domain of this level.
    pub together: Option<Level>,
    /// Its deadline, as a time after its dependencies have succeeded, milliseconds. Deadlines are only counted.
    pub deadline_ms: Option<u64>,
    /// A [`Kind::Job`] or [`Kind::Training`].
    pub kind: Kind,
}
