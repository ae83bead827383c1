//! The inputs of the run, its totals, its claims, and what the report leaves out.

use super::{Amount, JobIx, JobWaits, Ms, NodeIx, PodIx, QuotaIx, ResourceIx, UnitSeconds, WaitQuantiles};
use serde::{Deserialize, Serialize};

/// The scenario of the run, and its settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// The scenario's name.
    pub scenario: String,
    /// Its description, in a sentence.
    pub about: String,
    /// The path of the file, as the user gave it.
    pub file: String,
    /// The seed.
    pub seed: u64,
    /// The version of the rules.
    pub semantics: String,
    /// The policy in a word.
    pub policy: String,
    /// The policy settings that differ from their defaults, with their values.
    pub options: Vec<Choice>,
    /// The end of the run. Integrals and means run from 0 to here.
    pub end_ms: Ms,
    /// Whether nothing more could happen; otherwise the run was stopped by a time limit.
    pub settled: bool,
    /// How many events were handled.
    pub events: u64,
    /// How often the scheduler made a decision.
    pub decisions: u64,
    /// Digest of the scenario's text, 32 hex digits.
    pub scenario_digest: String,
    /// Digest of the trace of the run, 32 hex digits.
    pub digest: String,
    /// The command that repeats the run.
    pub command: String,
    /// The version of the program.
    pub version: String,
    /// The currency of prices; empty if the scenario names none.
    pub currency: String,
    /// The calendar time of moment 0, as `2026-11-29T00:00:00`, without a time zone. If absent, days are numbered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<String>,
}

/// A policy setting and its value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Its name.
    pub name: String,
    /// Its value, as written in a scenario.
    pub value: String,
}

/// The unit of a resource.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// Thousandths of a core.
    Cpu,
    /// Bytes.
    Bytes,
    /// Thousandths of a whole GPU.
    Gpu,
    /// Thousandths of another unit (GiB of device memory, percent of a device, licences).
    #[default]
    Other,
}

/// A resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resource {
    /// Its full name, such as `nvidia.com/gpu`.
    pub name: String,
    /// A short name for headings: `GPUs`, `cores`, `memory`.
    pub short: String,
    /// The unit in the singular, such as `GPU`; empty for bytes.
    pub unit: String,
    /// The unit in the plural.
    pub units: String,
    /// How amounts of it are printed.
    pub kind: ResourceKind,
    /// Whether the quota tree limits it.
    pub governed: bool,
}

/// Figures of the whole run (docs/metrics.md).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the figures of docs/metrics.md, under the same names")]
pub struct Totals {
    pub pods_submitted: u64,
    pub pods_bound: u64,
    pub pods_succeeded: u64,
    pub pods_failed: u64,
    pub pods_running: u64,
    pub pods_pending: u64,
    /// Waits of all pods.
    pub wait: WaitQuantiles,
    /// Waits of all jobs.
    pub job_wait: JobWaits,
    /// The pod with the longest wait, bound or not, and the length of the wait.
    pub longest_wait_pod: Option<PodIx>,
    pub longest_wait_ms: Ms,
    pub evictions: u64,
    pub wasted_evictions: u64,
    pub thrash_max: u64,
    pub thrash_permille: u64,
    pub lost_work_ms: u128,
    pub makespan_ms: Ms,
    /// Cost, thousandths of the currency; absent if nothing has a price.
    pub cost_milli: Option<u128>,
    pub cost_idle_milli: Option<u128>,
    pub jain_permille: u64,
    /// Jain's index over time, thousandths; absent if there never were two leaves to compare.
    pub jain_mean_permille: Option<u64>,
    pub fairness_error_permille: u64,
    /// The fairness error over the run, thousandths; absent if the run did not compute it.
    pub fairness_error_mean_permille: Option<u64>,
    pub dominant_share_gap_permille: u64,
    pub search_bounds_hit: u64,
    pub deadlines: Option<Deadlines>,
    /// One row for each resource.
    pub resources: Vec<ResourceTotals>,
}

/// Deadlines of workloads, tasks and rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the figures of docs/metrics.md, under the same names")]
pub struct Deadlines {
    pub met: u64,
    pub missed: u64,
}

/// Integrals of one resource over the run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the figures of docs/metrics.md, under the same names")]
pub struct ResourceTotals {
    pub resource: ResourceIx,
    pub utilisation_permille: u64,
    pub used_unit_s: UnitSeconds,
    /// The integral of what all nodes that were up had.
    pub capacity_unit_s: UnitSeconds,
    pub borrowed_unit_s: UnitSeconds,
    pub lent_unit_s: UnitSeconds,
    /// Unmet guarantee (docs/metrics.md).
    pub starved_unit_s: UnitSeconds,
    /// `starved_unit_s`, under the name of the series `missed`, whose integral it is.
    pub missed_unit_s: UnitSeconds,
    pub fairness_error_unit_s: UnitSeconds,
}

/// A claim and its outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Claim {
    /// The text of the claim in the scenario.
    pub claim: String,
    /// Its line in the file.
    pub line: u32,
    /// The reason that the scenario gives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// Whether the claim holds.
    pub passed: bool,
    /// What was expected, in words: `at most 5 min`.
    pub expected: String,
    /// What was measured, in words.
    pub seen: String,
    /// The expected value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_value: Option<Measure>,
    /// The measured value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_value: Option<Measure>,
    /// When the claim was evaluated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<Ms>,
    /// For a failed claim: the first moment at which it did not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breach_from_ms: Option<Ms>,
    /// The last moment at which it did not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breach_to_ms: Option<Ms>,
    /// The quotas that the claim is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<QuotaIx>,
    /// The jobs that the claim is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobIx>,
    /// The nodes that the claim is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeIx>,
    /// Explanations of selected pending workloads, if it failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub explanations: Vec<String>,
}

/// A value with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// A number of things.
    Count(i64),
    /// A duration.
    Ms(u64),
    /// Thousandths of a whole.
    Permille(i64),
    /// An amount of a resource.
    Amount(Amount),
    /// Money, thousandths.
    MoneyMilli(i64),
}

/// Something that failed or was violated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When it was noticed.
    pub at_ms: Ms,
    /// What failed or was violated.
    pub what: String,
    /// The reason; empty if `what` states it.
    #[serde(default)]
    pub why: String,
}

/// A rule of the rule book.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name, such as `R2(a)`.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// Its text, in plain words.
    #[serde(default)]
    pub text: String,
}

/// Something that the report contains only in part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// What was reduced or left out, in a sentence.
    pub what: String,
    /// How many entries are kept.
    #[serde(default)]
    pub kept: u64,
    /// How many entries there were.
    #[serde(default)]
    pub of: u64,
}
