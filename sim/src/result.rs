//! What came out of a run: the rows of `summary.json`, in its order and with its names.
//!
//! Quantities are kept in base units here; [`QuantityMap`] writes them as Kubernetes strings.

use crate::people::Role;
use quotree_core::{Amounts, Name, QuantityText, Unit};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// Amounts that serialise as a map of Kubernetes quantity strings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QuantityMap(pub Amounts);

impl Serialize for QuantityMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, amount) in self.0.iter() {
            map.serialize_entry(name, &QuantityText { amount, unit: Unit::of(name.as_str()) }.to_string())?;
        }
        map.end()
    }
}

/// Amounts times the time they were used, exact, in base units times milliseconds; serialised as decimal strings of units
/// (cores, devices, bytes) times seconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TimeMap(pub Vec<(Name, u128)>);

impl TimeMap {
    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Base units times milliseconds of a resource.
    #[must_use]
    pub fn get(&self, resource: &str) -> u128 {
        self.0.iter().find(|(name, _)| name.as_str() == resource).map_or(0, |(_, time)| *time)
    }

    /// Base units times milliseconds of a resource as units times seconds, a decimal without trailing zeros.
    #[must_use]
    pub fn text(resource: &str, time: u128) -> String {
        let second = Self::second(resource);
        let text = format!("{}.{:06}", time / second, time % second * 1_000_000 / second);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// One unit times a second of a resource, in base units times milliseconds.
    #[must_use]
    pub fn second(resource: &str) -> u128 {
        match Unit::of(resource) {
            Unit::Milli => 1_000_000,
            Unit::Bytes => 1_000,
        }
    }
}

impl Serialize for TimeMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, time) in &self.0 {
            map.serialize_entry(name, &Self::text(name.as_str(), *time))?;
        }
        map.end()
    }
}

/// Everything a finished run tells.
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
    /// How many events were handled.
    pub events: u64,
    /// One row a quota, in tree order.
    pub quotas: Vec<QuotaRow>,
    /// One row a namespace, in tree order.
    pub namespaces: Vec<NamespaceRow>,
    /// One row a user: those declared first, then those that only submit, as they came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserRow>,
    /// One row a group, in the order in which they came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupRow>,
    /// One row a workload, in file order (a trace is one row).
    pub workloads: Vec<WorkloadRow>,
    /// One row a dataset, in file order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<DatasetRow>,
    /// One row a node that was ever there.
    pub nodes: Vec<NodeRow>,
    /// One row a node pool that has a price, or whose nodes changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<PoolRow>,
    /// Quotas that an edit left over a limit, and how long until they were within it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quota_drains: Vec<CutRow>,
    /// Every eviction, in order.
    pub evictions: Vec<EvictionRow>,
    /// Pods that wait at the end, with the reasons.
    pub pending: Vec<PendingRow>,
    /// The figures.
    pub metrics: Metrics,
    /// How the claims came out.
    pub claims: ClaimSummary,
    /// Submissions and edits that were refused, with the reasons; equal submissions once, with a count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<RefusalRow>,
    /// Broken invariants, where they were looked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub breaches: Vec<BreachRow>,
    /// Workloads that failed, and tasks that never began because of that, with the reasons; the first thousand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<FailureRow>,
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
    /// When, the first time.
    pub at_ms: u64,
    pub what: String,
    pub by: Option<String>,
    pub reason: &'static str,
    pub why: String,
    pub times: u64,
}

/// A broken invariant.
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
    pub running: u64,
    pub pending: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub evicted: u64,
    /// Waits of pods bound so far, milliseconds.
    pub wait: WaitRow,
    pub used_time_s: TimeMap,
    pub lost_work_ms: u128,
    #[serde(flatten)]
    pub share: ShareRow,
}

/// Waits from submission to bind, milliseconds, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct WaitRow {
    pub count: u64,
    /// Sum, so that any mean can be had exactly.
    pub sum_ms: u128,
    pub p50_ms: u64,
    pub p95_ms: u64,
    pub p99_ms: u64,
    pub max_ms: u64,
}

/// A namespace at the end.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct NamespaceRow {
    pub name: String,
    pub quota: Option<String>,
    pub running: u64,
    pub pending: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub evicted: u64,
    pub wait: WaitRow,
    pub used_time_s: TimeMap,
    pub lost_work_ms: u128,
    #[serde(flatten)]
    pub share: ShareRow,
}

/// What somebody's part of the figures of a run is. What is nothing is left out.
#[derive(Debug, Clone, Default, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct ShareRow {
    /// Pods made, replacements included.
    pub pods: u64,
    /// Instances of workloads; not in rows of workloads, which have their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instances: Option<InstancesRow>,
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub evicted_by_rule: std::collections::BTreeMap<String, u64>,
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
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub utilisation_permille: std::collections::BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "TimeMap::is_empty")]
    pub borrowed_time_s: TimeMap,
    #[serde(skip_serializing_if = "TimeMap::is_empty")]
    pub starved_time_s: TimeMap,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_queues: Option<JobQueueRow>,
    /// What it read; not in rows of workloads, which have their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<InputRow>,
}

/// A user at the end, with what its submissions came to.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct UserRow {
    pub name: String,
    /// Nothing for somebody who is no user, or no more.
    pub role: Option<Role>,
    pub groups: Vec<String>,
    #[serde(flatten)]
    pub work: WorkRow,
}

/// A group at the end, with what its members' submissions into its leaf came to.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct GroupRow {
    pub name: String,
    /// Nothing for one that is no more.
    pub quota: Option<String>,
    pub members: Vec<String>,
    #[serde(flatten)]
    pub work: WorkRow,
}

/// What somebody's work came to.
#[derive(Debug, Clone, Default, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct WorkRow {
    pub running: u64,
    pub pending: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub evicted: u64,
    /// Submissions, and of users also edits, that were refused.
    pub refused: u64,
    pub wait: WaitRow,
    /// What its pods use now.
    pub used: QuantityMap,
    /// What of that is above the guarantees of leaves.
    pub borrowed: QuantityMap,
    pub used_time_s: TimeMap,
    pub lost_work_ms: u128,
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
    pub running: u64,
    pub pending: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub evicted: u64,
    /// Submissions that were refused: of a trace, rows.
    pub refused: u64,
    pub wait: WaitRow,
    pub used_time_s: TimeMap,
    pub lost_work_ms: u128,
    #[serde(flatten)]
    pub share: ShareRow,
    /// What it read; absent where it reads nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<InputRow>,
    /// Where it arrives again and again, has tasks or a deadline, or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instances: Option<InstancesRow>,
    /// Of a workflow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskRow>,
}

/// What a workload read, or all readers of a dataset together.
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
    /// Absent where it is not accelerated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheRow>,
    /// Bytes a second while somebody read.
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

/// How many instances of a workload came, and how they ended.
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

/// Deadlines that were met and that were missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct DeadlineRow {
    pub met: u64,
    pub missed: u64,
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
    /// Devices that are ill.
    #[serde(skip_serializing_if = "is_zero")]
    pub unhealthy: u64,
    /// All that it has, ill devices included.
    pub capacity: QuantityMap,
    /// That without ill devices.
    pub allocatable: QuantityMap,
    pub used: QuantityMap,
}

/// A node pool over the run.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct PoolRow {
    pub name: String,
    /// Nodes that are there at the end, up or not.
    pub nodes: u32,
    pub node_ms: u128,
    pub price_milli_per_hour: u64,
    pub cost_milli: u128,
}

/// A quota that an edit left over a limit.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct CutRow {
    pub at_ms: u64,
    pub quota: String,
    /// `max`, or `min` for what nobody may evict.
    pub limit: &'static str,
    pub over: QuantityMap,
    /// Absent: never by itself.
    pub estimate_ms: Option<u64>,
    /// Absent: not in this run.
    pub took_ms: Option<u64>,
    /// Whether a later edit took its place.
    pub replaced: bool,
}

/// One eviction.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct EvictionRow {
    pub at_ms: u64,
    pub pod: String,
    pub workload: String,
    /// Who submitted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    pub namespace: String,
    pub leaf: Option<String>,
    pub cause: Option<String>,
    pub rule: String,
    pub reason: String,
    pub lost_ms: u64,
}

/// A waiting workload with its verdict.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the column names of docs/metrics.md")]
pub struct PendingRow {
    pub pod: String,
    pub workload: String,
    /// Who submitted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    pub namespace: String,
    pub quota: Option<String>,
    pub since_ms: u64,
    pub rule: String,
    pub reason: String,
    pub verdict: serde_json::Value,
}

/// The figures of a run; definitions in docs/metrics.md.
#[derive(Debug, Clone, Default, Serialize)]
#[expect(missing_docs, reason = "the names of docs/metrics.md")]
pub struct Metrics {
    pub pods_submitted: u64,
    pub pods_bound: u64,
    pub pods_succeeded: u64,
    pub pods_failed: u64,
    pub evictions: u64,
    pub evictions_by_rule: std::collections::BTreeMap<String, u64>,
    pub wasted_evictions: u64,
    pub thrash_max: u64,
    pub thrash_permille: u64,
    pub lost_work_ms: u128,
    /// Failures that `faults` drew.
    #[serde(skip_serializing_if = "is_zero")]
    pub node_failures: u64,
    /// Pods that drains told to go.
    #[serde(skip_serializing_if = "is_zero")]
    pub drained: u64,
    /// Drains that were not done in their time.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed_drains: u64,
    /// What the nodes cost, thousandths of the currency.
    #[serde(skip_serializing_if = "is_nothing")]
    pub cost_milli: u128,
    /// What of it no pod has paid.
    #[serde(skip_serializing_if = "is_nothing")]
    pub cost_idle_milli: u128,
    pub wait: WaitRow,
    pub makespan_ms: u64,
    /// Time-weighted used over capacity, thousandths, by resource.
    pub utilisation_permille: std::collections::BTreeMap<String, u64>,
    /// Borrowed, base units times seconds, by resource.
    pub borrowed_unit_s: std::collections::BTreeMap<String, u128>,
    /// Lent, base units times seconds, by resource.
    pub lent_unit_s: std::collections::BTreeMap<String, u128>,
    /// Under min with waiting demand, base units times seconds, by resource.
    pub starved_unit_s: std::collections::BTreeMap<String, u128>,
    /// Jain's index over allocation/entitlement at the end, thousandths.
    pub jain_permille: u64,
    /// Sum of shortfalls against fair share, time-weighted, base units times seconds, by resource.
    pub fairness_error_unit_s: std::collections::BTreeMap<String, u128>,
    /// The same at the end over capacity, thousandths of the worst resource.
    pub fairness_error_permille: u64,
    pub dominant_share_gap_permille: u64,
    pub decisions: u64,
    pub search_bounds_hit: u64,
    /// What job queues did, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_queues: Option<JobQueueRow>,
    /// Where some workload has a deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadlines: Option<DeadlineRow>,
}

/// What the job queues of a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct JobQueueRow {
    /// How often a job was let out.
    pub let_out: u64,
    /// How often one went back because it had not started in time.
    pub start_timeouts: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(n: &u64) -> bool {
    *n == 0
}

const fn is_nothing(n: &u128) -> bool {
    *n == 0
}

/// How the claims came out.
#[derive(Debug, Clone, Default, Serialize)]
#[expect(missing_docs, reason = "the names of docs/scenario.md")]
pub struct ClaimSummary {
    pub passed: u64,
    pub failed: u64,
    pub results: Vec<ClaimResult>,
}

/// How one claim came out.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names of docs/scenario.md")]
pub struct ClaimResult {
    pub claim: String,
    pub line: u32,
    pub because: Option<String>,
    pub passed: bool,
    /// What was seen, and when.
    pub seen: String,
    pub at_ms: Option<u64>,
    /// Explanations of the pods concerned, where it failed.
    pub explanations: Vec<String>,
}
