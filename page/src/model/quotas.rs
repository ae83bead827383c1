//! The quota tree: its quotas, their usage over time, edits, and what leaves lent to each other.

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
    /// Its guarantee. A resource that is not named has a guarantee of 0.
    pub min: Vec<Amount>,
    /// Its limit. A resource that is not named has no limit here.
    pub max: Vec<Amount>,
    /// When it was added, if not at the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added_ms: Option<Ms>,
    /// When it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed_ms: Option<Ms>,
    /// Pods below it that are running at the end.
    pub running: u64,
    /// How many of its pods are pending.
    pub pending: u64,
    /// Pods that succeeded.
    pub succeeded: u64,
    /// How many of its pods have failed.
    pub failed: u64,
    /// Evictions of its pods, in all.
    pub evicted: u64,
    /// Evictions that were made for its pods.
    pub evicted_for: u64,
    /// Waits of its pods.
    pub wait: WaitQuantiles,
    /// Waits of its jobs.
    pub job_wait: JobWaits,
    /// Work of its pods that was lost, pod-milliseconds.
    pub lost_work_ms: u128,
    /// The part of node prices that its pods paid, thousandths.
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
    /// What its pods use, including terminating ones (L1).
    pub used: Series,
    /// What its pods use, plus what its pending pods request.
    pub request: Series,
    /// What leaves at or below it use above their guarantees (L2).
    pub borrowed: Series,
    /// The unused part of the guarantees of its leaves that other leaves borrow. `loans` has the pairs.
    pub lent: Series,
    /// What its reservations hold that no pod uses yet (H1).
    pub held: Series,
    /// Unmet guarantee that is caused by this resource, as the verdicts name it.
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
    /// `missed_unit_s`, under the name that `summary.json` uses.
    pub starved_unit_s: UnitSeconds,
}

/// What one leaf borrowed from another. At every moment, all lenders contribute to a loan in proportion to their unused
/// guarantees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loan {
    /// The resource.
    pub resource: ResourceIx,
    /// The leaf with the unused guarantee.
    pub lender: QuotaIx,
    /// The leaf that used it.
    pub borrower: QuotaIx,
    /// The integral, base units times seconds.
    pub unit_s: UnitSeconds,
    /// The largest amount at one moment.
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
    /// Whether the edit was refused. `refusals` has the reason.
    pub refused: bool,
    /// The largest usage of the quota after the edit, until its next edit or the end.
    pub most_used_after: Vec<Amount>,
    /// How long pods waited for this limit, from the previous edit to this one.
    pub bound_before_ms: Ms,
    /// How long pods waited for this limit, from this edit to the next one or the end.
    pub bound_after_ms: Ms,
    /// How long the quota stayed over the new limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_for_ms: Option<Ms>,
    /// By how much it was over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<Amount>,
}

/// A field of a quota before and after an edit, as in a scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// `min`, `max`, `weight`, `namespaces`, ...
    pub field: String,
    /// The resource, if the field has amounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceIx>,
    /// The value before; absent if the field was not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
    /// The value after; absent if the field is not set any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// The change in words, for fields that are not amounts.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
}
