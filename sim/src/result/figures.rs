//! The metrics of a whole run.

use super::{JobCounts, SlowdownRow, SpreadRow};
use serde::Serialize;
use std::collections::BTreeMap;

/// The metrics of a run; definitions in docs/metrics.md.
#[derive(Debug, Clone, Default, Serialize)]
#[expect(missing_docs, reason = "the names of docs/metrics.md")]
pub struct Metrics {
    pub pods_submitted: u64,
    pub pods_bound: u64,
    pub pods_succeeded: u64,
    pub pods_failed: u64,
    pub evictions: u64,
    pub evictions_by_rule: BTreeMap<String, u64>,
    pub wasted_evictions: u64,
    /// Evictions that failed, since the API refused them.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed_evictions: u64,
    pub thrash_max: u64,
    pub thrash_permille: u64,
    pub lost_work_ms: u128,
    /// Node failures drawn by `faults`.
    #[serde(skip_serializing_if = "is_zero")]
    pub node_failures: u64,
    /// Pods that drains evicted.
    #[serde(skip_serializing_if = "is_zero")]
    pub drained: u64,
    /// Drains that failed: their time ran out before the node was empty.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed_drains: u64,
    /// What the nodes cost, thousandths of the currency.
    #[serde(skip_serializing_if = "is_nothing")]
    pub cost_milli: u128,
    /// The part of `cost_milli` that no pod has paid.
    #[serde(skip_serializing_if = "is_nothing")]
    pub cost_idle_milli: u128,
    pub jobs: JobCounts,
    /// Waits of jobs; all waits of a job are added up.
    pub wait: SpreadRow,
    /// Waits of jobs until they had started in full for the first time.
    pub first_wait: SpreadRow,
    pub turnaround: SpreadRow,
    pub slowdown: SlowdownRow,
    pub makespan_ms: u64,
    /// Time-weighted used over capacity, thousandths, by resource.
    pub utilisation_permille: BTreeMap<String, u64>,
    /// Borrowed, base units times seconds, by resource.
    pub borrowed_unit_s: BTreeMap<String, u128>,
    /// Lent, base units times seconds, by resource.
    pub lent_unit_s: BTreeMap<String, u128>,
    /// Unmet guarantee with pending demand, base units times seconds, by resource.
    pub starved_unit_s: BTreeMap<String, u128>,
    /// Jain's index over allocation/entitlement at the end, thousandths.
    pub jain_permille: u64,
    /// The mean of Jain's index over the time in which two leaves could be compared; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jain_mean_permille: Option<u64>,
    /// Sum of shortfalls against fair share, time-weighted, base units times seconds, by resource.
    pub fairness_error_unit_s: BTreeMap<String, u128>,
    /// The shortfalls at the end relative to the capacity, thousandths, for the worst resource.
    pub fairness_error_permille: u64,
    /// The mean shortfalls over the run relative to the capacity, thousandths, for the worst resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fairness_error_mean_permille: Option<u64>,
    pub dominant_share_gap_permille: u64,
    pub decisions: u64,
    /// Workloads that decisions tried and did not place.
    pub failed_attempts: u64,
    pub search_bounds_hit: u64,
    /// The releases of job queues, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_queues: Option<JobQueueRow>,
    /// Deadlines, if some workload has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadlines: Option<DeadlineRow>,
}

/// The releases of job queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct JobQueueRow {
    /// How often a job was released.
    pub let_out: u64,
    /// How often a job went back because it had not started in time.
    pub start_timeouts: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
pub(super) const fn is_zero(n: &u64) -> bool {
    *n == 0
}

pub(super) const fn is_nothing(n: &u128) -> bool {
    *n == 0
}

/// Met and missed deadlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct DeadlineRow {
    pub met: u64,
    pub missed: u64,
}
