//! The quota tree: what it is, how it was used over time, who edited it, and who lent to whom.

use super::{Amount, JobWaits, Ms, QuotaIx, ResourceIx, Series, UnitSeconds, WaitQuantiles};
use serde::{Deserialize, Serialize};

/// A quota at the end of the run, or when it was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quota {
    /// Its full name.
    pub name: String,
    /// The quota above it; absent of a root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<QuotaIx>,
    /// Whether it has no children.
    pub leaf: bool,
    /// The namespaces attached to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// The groups bound to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Its guarantee. A resource that is not named has none.
    pub min: Vec<Amount>,
    /// Its limit. A resource that is not named has none of its own.
    pub max: Vec<Amount>,
    /// When it came, if not at the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added_ms: Option<Ms>,
    /// When it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed_ms: Option<Ms>,
    /// Pods below it that run, wait, succeeded and failed at the end.
    pub running: u64,
    /// How many of its pods are pending.
    pub pending: u64,
    /// Pods whose work was done.
    pub succeeded: u64,
    /// How many of its pods have failed.
    pub failed: u64,
    /// Evictions of its pods, in all.
    pub evicted: u64,
    /// Evictions that were decided for its pods.
    pub evicted_for: u64,
    /// Waits of its pods.
    pub wait: WaitQuantiles,
    /// Waits of its jobs.
    pub job_wait: JobWaits,
    /// Work of its pods that was lost, pod-milliseconds.
    pub lost_work_ms: u128,
    /// What its pods paid for nodes, thousandths.
    pub cost_milli: u128,
}

/// How a quota used a resource. Each series is about the quota with everything below it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuotaSeries {
    /// The quota.
    pub quota: QuotaIx,
    /// The resource.
    pub resource: ResourceIx,
    /// The guarantee. It changes with edits of the tree.
    pub min: Series,
    /// The limit; -1 where there is none.
    pub max: Series,
    /// What its pods use, those that are leaving included (L1).
    pub used: Series,
    /// What its pods use and its waiting pods ask for.
    pub request: Series,
    /// What leaves at or below it use above their guarantees (L2).
    pub borrowed: Series,
    /// The unused part of the guarantees of its leaves that other leaves borrow. `loans` says which.
    pub lent: Series,
    /// What its reservations hold and nobody uses yet (H1).
    pub held: Series,
    /// Unmet guarantee that this resource is the cause of, as the verdicts name it.
    pub missed: Series,
    /// Its fair share (F1).
    pub share: Series,
    /// The integral of `used` over the run.
    pub used_unit_s: UnitSeconds,
    /// The integral of `borrowed` over the run.
    pub borrowed_unit_s: UnitSeconds,
    /// The integral of `lent` over the run.
    pub lent_unit_s: UnitSeconds,
    /// The integral of `missed` over the run.
    pub missed_unit_s: UnitSeconds,
    /// `missed_unit_s` under the name that it has in `summary.json`.
    pub starved_unit_s: UnitSeconds,
}

/// What a borrower had of a lender. At every moment the idle guarantees of all lenders share a loan in proportion.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loan {
    /// The resource.
    pub resource: ResourceIx,
    /// The leaf whose guarantee lay idle.
    pub lender: QuotaIx,
    /// The leaf that used it.
    pub borrower: QuotaIx,
    /// The integral, base units times seconds.
    pub unit_s: UnitSeconds,
    /// The most at one moment.
    #[serde(default)]
    pub most: i64,
}

/// An edit of the quota tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuotaEdit {
    /// When the edit happened.
    pub at_ms: Ms,
    /// The user who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Which quota; absent if the whole tree was replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaIx>,
    /// What changed, field by field.
    pub changes: Vec<FieldChange>,
    /// Whether it was refused. `refusals` says why.
    pub refused: bool,
    /// The most that the quota used after it, until its next edit or the end.
    pub most_used_after: Vec<Amount>,
    /// For how long pods waited for this limit, from the edit before to this one.
    pub bound_before_ms: Ms,
    /// For how long pods waited for it, from this edit to the next one or the end.
    pub bound_after_ms: Ms,
    /// For how long the quota stayed over the new limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_for_ms: Option<Ms>,
    /// By how much it was over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<Amount>,
}

/// One field of a quota before and after an edit, as printed in a scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// `min`, `max`, `weight`, `namespaces`, ...
    pub field: String,
    /// The resource, if the field has amounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceIx>,
    /// Before; absent: it was not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
    /// After; absent: it is not set any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// The change in words, for fields that are no amounts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
}
