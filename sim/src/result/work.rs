//! Rows about the work of namespaces, users, groups, workloads and their tasks, and about their input.

use super::{
    JobQueueRow, QuantityMap, SlowdownRow, SpreadRow, TimeMap,
    figures::{is_nothing, is_zero},
};
use quotree_model::people::Role;
use serde::Serialize;
use std::collections::BTreeMap;

/// Pods by state, and evictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct PodCounts {
    pub running: u64,
    pub pending: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub evicted: u64,
}

impl PodCounts {
    /// The pods in all states.
    #[must_use]
    pub const fn pods(&self) -> u64 {
        self.running + self.pending + self.succeeded + self.failed
    }

    /// All counts, in the order of the fields.
    #[must_use]
    pub const fn all(&self) -> [u64; 5] {
        [self.running, self.pending, self.succeeded, self.failed, self.evicted]
    }
}

/// A namespace at the end.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct NamespaceRow {
    pub name: String,
    pub quota: Option<String>,
    #[serde(flatten)]
    pub counts: PodCounts,
    pub wait: SpreadRow,
    #[serde(flatten)]
    pub share: ShareRow,
}

/// The part of the metrics of a run that belongs to a user, group, namespace, quota or workload. Fields after `pods`
/// that are zero are left out.
#[derive(Debug, Clone, Default, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct ShareRow {
    pub used_time_s: TimeMap,
    pub lost_work_ms: u128,
    /// Pods created, replacements included.
    pub pods: u64,
    /// Waits of its jobs until they had started in full for the first time.
    #[serde(skip_serializing_if = "SpreadRow::is_empty")]
    pub first_wait: SpreadRow,
    #[serde(skip_serializing_if = "SpreadRow::is_empty")]
    pub turnaround: SpreadRow,
    #[serde(skip_serializing_if = "SlowdownRow::is_empty")]
    pub slowdown: SlowdownRow,
    /// Instances of workloads; absent in rows of workloads, which have their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instances: Option<InstancesRow>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub evicted_by_rule: BTreeMap<String, u64>,
    /// Evictions that were decided for its work.
    #[serde(skip_serializing_if = "is_zero")]
    pub evicted_for: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub wasted_evictions: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub thrash_max: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub thrash_permille: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub drained: u64,
    #[serde(skip_serializing_if = "is_nothing")]
    pub cost_milli: u128,
    #[serde(skip_serializing_if = "is_zero")]
    pub makespan_ms: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub utilisation_permille: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "TimeMap::is_empty")]
    pub borrowed_time_s: TimeMap,
    #[serde(skip_serializing_if = "TimeMap::is_empty")]
    pub starved_time_s: TimeMap,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_queues: Option<JobQueueRow>,
    /// Its input; absent in rows of workloads, which have their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<InputRow>,
}

/// A user at the end, with the work that it submitted.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct UserRow {
    pub name: String,
    /// Absent for a name that is not, or no longer, a declared user.
    pub role: Option<Role>,
    pub groups: Vec<String>,
    #[serde(flatten)]
    pub work: WorkRow,
}

/// A group at the end, with the work that its members submitted into its leaf.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct GroupRow {
    pub name: String,
    /// Absent for a group that was removed.
    pub quota: Option<String>,
    pub members: Vec<String>,
    #[serde(flatten)]
    pub work: WorkRow,
}

/// The work of a user or group.
#[derive(Debug, Clone, Default, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct WorkRow {
    #[serde(flatten)]
    pub counts: PodCounts,
    /// Submissions, and for users also edits, that were refused.
    pub refused: u64,
    pub wait: SpreadRow,
    /// The current usage of its pods.
    pub used: QuantityMap,
    /// The part of `used` above the guarantees of leaves.
    pub borrowed: QuantityMap,
    #[serde(flatten)]
    pub share: ShareRow,
}

/// A workload of the scenario at the end.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct WorkloadRow {
    pub name: String,
    pub namespace: String,
    pub user: Option<String>,
    pub kind: &'static str,
    #[serde(flatten)]
    pub counts: PodCounts,
    /// Submissions that were refused; for a trace, the number of rows.
    pub refused: u64,
    pub wait: SpreadRow,
    #[serde(flatten)]
    pub share: ShareRow,
    /// Its input; absent if it reads nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<InputRow>,
    /// Present if it recurs, has tasks or a deadline, or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instances: Option<InstancesRow>,
    /// The tasks of a workflow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskRow>,
}

/// The input of a workload, or of all readers of a dataset together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct InputRow {
    pub read_bytes: u64,
    pub hit_bytes: u64,
    pub hit_permille: u64,
    pub took_ms: u64,
    pub wait_ms: u64,
    pub gpu_idle_ms: u64,
    pub saved_ms: i64,
    pub gpu_saved_ms: i64,
}

/// A dataset at the end.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct DatasetRow {
    pub name: String,
    pub namespace: String,
    pub phase: &'static str,
    pub size_bytes: u64,
    pub backend_bytes_s: u64,
    pub readers: u64,
    /// The cache; absent if the dataset has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheRow>,
    /// Bytes a second while at least one reader read.
    pub rate_bytes_s: u64,
    pub busy_ms: u64,
    pub input: InputRow,
}

/// The cache of a dataset at the end.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct CacheRow {
    pub workload: String,
    pub tier: &'static str,
    pub workers: u32,
    pub workers_wanted: u32,
    pub capacity_bytes: u64,
    pub cached_bytes: u64,
    pub cached_permille: u64,
    pub evicted_bytes: u64,
    pub lost_bytes: u64,
    /// `none`, `waiting`, `loading` or `done`.
    pub preload: &'static str,
    pub preload_done_ms: Option<u64>,
    pub preload_bytes: u64,
}

/// The instances of a workload, by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct InstancesRow {
    pub submitted: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub withdrawn: u64,
    pub active: u64,
    pub skipped: u64,
    pub deadlines_met: u64,
    pub deadlines_missed: u64,
}

/// A task of a workflow, over all its instances.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct TaskRow {
    pub name: String,
    pub kind: &'static str,
    pub instances: InstancesRow,
}
