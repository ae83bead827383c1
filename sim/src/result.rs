//! The result of a run: the rows of `summary.json`, in their order and with their names.
//!
//! Quantities are kept in base units here; [`QuantityMap`] writes them as Kubernetes strings.

mod figures;
mod jobs;
mod quantities;
mod work;

use figures::is_zero;
pub use figures::{DeadlineRow, JobQueueRow, Metrics};
pub use jobs::{AtLeast, JobCounts, JobRow, JobState, SlowdownRow, SpreadRow};
pub(crate) use quantities::permille_of;
pub use quantities::{QuantityMap, TimeMap};
use quotree_model::Start;
pub use work::{
    CacheRow, DatasetRow, GroupRow, InputRow, InstancesRow, NamespaceRow, PodCounts, ShareRow, TaskRow, UserRow,
    WorkRow, WorkloadRow,
};

use quotree_core::Name;
use serde::Serialize;

/// The result of a run.
#[derive(Debug, Clone, Serialize)]
pub struct RunResult {
    /// The scenario's name.
    pub scenario: String,
    /// The seed it ran with.
    pub seed: u64,
    /// The version of the rules.
    pub semantics: &'static str,
    /// The policy.
    pub policy: String,
    /// Digest of the scenario's text, as 32 hex digits.
    pub scenario_digest: String,
    /// Digest of the run's trace, as 32 hex digits.
    pub digest: String,
    /// When it ended, whole seconds (rounded down).
    pub end_s: u64,
    /// When it ended, milliseconds.
    pub end_ms: u64,
    /// Why it ended there.
    pub end: EndReason,
    /// Since when nothing more could happen, milliseconds; absent where something could still happen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_ms: Option<u64>,
    /// How many events were handled.
    pub events: u64,
    /// One row for each quota, in tree order.
    pub quotas: Vec<QuotaRow>,
    /// One row for each namespace, in tree order.
    pub namespaces: Vec<NamespaceRow>,
    /// One row for each user: those declared first, then those that only submit, in order of appearance.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserRow>,
    /// One row for each group, in order of appearance.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupRow>,
    /// One row for each workload, in file order (a trace has one row).
    pub workloads: Vec<WorkloadRow>,
    /// One row for each job, in order of submission.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobRow>,
    /// One row for each dataset, in file order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<DatasetRow>,
    /// One row for each node that ever joined.
    pub nodes: Vec<NodeRow>,
    /// One row for each node pool that has a price, or whose nodes changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<PoolRow>,
    /// Quotas that an edit left over a limit, and how long they stayed over it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quota_drains: Vec<QuotaOverrunRow>,
    /// Every eviction, in order.
    pub evictions: Vec<EvictionRow>,
    /// Workloads that are pending at the end, with the reasons.
    pub pending: Vec<PendingRow>,
    /// The metrics.
    pub metrics: Metrics,
    /// The outcomes of the claims.
    pub claims: ClaimSummary,
    /// Submissions and edits that were refused, with the reasons; equal submissions once, with a count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<RefusalRow>,
    /// Violated invariants, if they were checked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub breaches: Vec<BreachRow>,
    /// Workloads that failed, and tasks that never began because of that, with the reasons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<FailureRow>,
    /// The domain of a worst-case outage, if the caller tried all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst_outage: Option<WorstOutage>,
    /// The calendar time of moment 0, if the scenario gives one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Start>,
}

/// The domain of a worst-case outage: that with which jobs wait longest in sum; among equals, most work is lost, then
/// most pods are evicted; then the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WorstOutage {
    /// Its name.
    pub domain: Name,
    /// How many domains were tried.
    pub tried: u64,
    /// How long jobs wait in sum with it, milliseconds.
    pub wait_ms: u128,
    /// The work lost with it, milliseconds.
    pub lost_work_ms: u128,
    /// The evictions with it.
    pub evictions: u64,
    /// The domain with which jobs wait least, and how long.
    pub mildest: Name,
    /// How long jobs wait in sum with that, milliseconds.
    pub mildest_wait_ms: u128,
}

/// Why a run, and with it every figure over time, ends when it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EndReason {
    /// At `until` of the scenario.
    Until,
    /// Where the caller stopped it.
    At,
    /// When nothing more could happen; no end was given.
    Quiet,
    /// Nothing more could happen before, and the caller asked for figures up to this time.
    Horizon,
    /// Where the observer stopped it. Claims that were not decided by then have no outcome.
    Stopped,
}

/// A workload, instance or task that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct FailureRow {
    pub at_ms: u64,
    pub what: String,
    pub why: String,
}

/// A submission or an edit that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct RefusalRow {
    /// The time of the first refusal.
    pub at_ms: u64,
    pub what: String,
    pub by: Option<String>,
    pub reason: &'static str,
    pub why: String,
    pub times: u64,
}

/// A violated invariant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct BreachRow {
    pub at_ms: u64,
    pub what: String,
}

/// A node of the quota tree at the end.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct QuotaRow {
    pub name: String,
    pub parent: Option<String>,
    pub min: QuantityMap,
    pub max: QuantityMap,
    pub used: QuantityMap,
    pub request: QuantityMap,
    pub borrowed: QuantityMap,
    pub lent: QuantityMap,
    pub held: QuantityMap,
    #[serde(flatten)]
    pub counts: PodCounts,
    /// Waits of its jobs; the waits of each job are added up.
    pub wait: SpreadRow,
    #[serde(flatten)]
    pub share: ShareRow,
}

/// A node at the end.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct NodeRow {
    pub name: String,
    pub pool: String,
    pub up: bool,
    pub schedulable: bool,
    pub pods: u64,
    /// Unhealthy devices.
    #[serde(skip_serializing_if = "is_zero")]
    pub unhealthy: u64,
    /// All amounts, unhealthy devices included.
    pub capacity: QuantityMap,
    /// The amounts without unhealthy devices.
    pub allocatable: QuantityMap,
    pub used: QuantityMap,
}

/// A node pool over the run.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct PoolRow {
    pub name: String,
    /// Nodes that belong to it at the end, up or not.
    pub nodes: u32,
    pub node_ms: u128,
    pub price_milli_per_hour: u64,
    pub cost_milli: u128,
}

/// A quota that an edit left over a limit.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct QuotaOverrunRow {
    pub at_ms: u64,
    pub quota: String,
    /// `max`, or `min` for non-preemptible pods.
    pub limit: &'static str,
    pub over: QuantityMap,
    /// How long the quota was expected to stay over the limit; absent if it never gets within it by itself.
    pub estimate_ms: Option<u64>,
    /// How long the quota stayed over the limit; absent if it still was at the end.
    pub took_ms: Option<u64>,
    /// Whether a later edit replaced it.
    pub replaced: bool,
}

/// One eviction.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct EvictionRow {
    pub at_ms: u64,
    pub pod: String,
    pub workload: String,
    /// The user who submitted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    pub namespace: String,
    pub leaf: Option<String>,
    pub cause: Option<String>,
    pub rule: String,
    pub reason: String,
    pub lost_ms: u64,
    /// Whether the API refused it, so that the pod went on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
}

/// A pending workload with its verdict.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct PendingRow {
    pub pod: String,
    pub workload: Name,
    /// The user who submitted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Name>,
    pub namespace: Name,
    pub quota: Option<Name>,
    /// How many of its pods are pending.
    pub pods: u64,
    pub since_ms: u64,
    /// The rule that blocks it. Rows that wait for the same reason share one text.
    pub rule: Name,
    pub reason: Name,
    pub verdict: serde_json::Value,
}

/// The outcomes of the claims.
#[derive(Debug, Clone, Default, Serialize)]
#[expect(missing_docs, reason = "the names of docs/scenario.md")]
pub struct ClaimSummary {
    pub passed: u64,
    pub failed: u64,
    pub results: Vec<ClaimResult>,
}

/// The outcome of a claim.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names of docs/scenario.md")]
pub struct ClaimResult {
    pub claim: String,
    pub line: u32,
    pub because: Option<String>,
    pub passed: bool,
    /// Whether it failed because there was nothing to judge.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub vacuous: bool,
    /// What was measured, and when.
    pub seen: String,
    /// What the reader should know although the claim holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub at_ms: Option<u64>,
    /// If the claim failed: explanations of the first three selected pending workloads, and how many more there are.
    pub explanations: Vec<String>,
    /// What was expected, in words; empty where the text of the claim already states it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub expected: String,
    /// What was expected, as a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_value: Option<ClaimFigure>,
    /// What was measured, as a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_value: Option<ClaimFigure>,
    /// The last time at which it did not hold, if it failed; `at_ms` is the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breach_to_ms: Option<u64>,
}

/// A value of a claim, with its unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimFigure {
    /// A number of things.
    Count(u128),
    /// Milliseconds.
    Ms(u128),
    /// Thousandths of a whole.
    Permille(u128),
    /// An amount of a resource.
    Amount {
        /// The resource.
        resource: String,
        /// How much, base units.
        base_units: i64,
    },
    /// Thousandths of the currency.
    MoneyMilli(u128),
}
