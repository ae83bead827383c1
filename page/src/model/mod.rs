//! The report as data: what docs/report-format.md describes. Amounts are integers in base units (thousandths of a core
//! or device, bytes of memory), times are milliseconds of virtual time, rows refer to each other by index.
//!
//! A new field has a default and is left out where it has that value, so older reports can still be read. A change of
//! meaning raises [`SCHEMA`].

mod cluster;
mod findings;
mod people;
mod quotas;
mod run;
mod series;
mod waits;
mod work;

pub use cluster::{Cluster, DeviceLoad, DeviceSpan, Fit, Incident, Node, NodeSpan, NodeState, ResourceSeries};
pub use findings::{Finding, FindingKind, Piece, SubjectKind};
pub use people::{Account, Dataset, Group, People, Refusal, User};
pub use quotas::{FieldChange, Loan, Quota, QuotaEdit, QuotaSeries};
pub use run::{
    Choice, Claim, Deadlines, Failure, LeftOut, Measure, Resource, ResourceKind, ResourceTotals, Rule, Run, Totals,
};
pub use series::{Series, Step};
pub use waits::{
    Closest, Holder, JobWaits, NodeCheck, NodeTally, Obstacle, Spared, Verdict, Wait, WaitQuantiles, WaitSteps,
    WaitTime,
};
pub use work::{Eviction, Job, JobState, Placement, PlacementEnd, Pod, Shape};

use serde::{Deserialize, Serialize};

/// The version of the format. It rises when a field changes its meaning or is removed.
pub const SCHEMA: u32 = 1;

/// A moment of virtual time or a duration, milliseconds.
pub type Ms = u64;
/// An amount of a resource in base units: bytes of memory and storage, thousandths of everything else.
pub type Units = i64;
/// An amount integrated over time: base units times seconds, rounded down.
pub type UnitSeconds = u128;
/// An index into [`Report::resources`].
pub type ResourceIx = u32;
/// An index into [`Report::quotas`].
pub type QuotaIx = u32;
/// An index into [`Report::nodes`].
pub type NodeIx = u32;
/// An index into [`Report::jobs`].
pub type JobIx = u32;
/// An index into [`Report::pods`].
pub type PodIx = u32;
/// An index into [`Report::verdicts`].
pub type VerdictIx = u32;
/// An index into [`Report::evictions`].
pub type EvictionIx = u32;

/// An amount of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// The resource.
    pub resource: ResourceIx,
    /// How much, base units.
    pub amount: Units,
}

/// An amount of one resource integrated over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmountTime {
    /// The resource.
    pub resource: ResourceIx,
    /// Base units times seconds, rounded down.
    pub unit_s: UnitSeconds,
}

/// The report of one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// The [`SCHEMA`] of the program that wrote the report.
    pub schema: u32,
    /// The scenario that was run, and how.
    pub run: Run,
    /// The six numbers at the top of the page, and all other figures of the whole run.
    pub totals: Totals,
    /// The resources, those that the quota tree governs first, GPUs before cpu and memory.
    pub resources: Vec<Resource>,
    /// The quotas, a parent before its children, as they are at the end.
    pub quotas: Vec<Quota>,
    /// Series of each quota and governed resource.
    pub quota_series: Vec<QuotaSeries>,
    /// Edits of the tree in order of time, including refused ones.
    pub quota_edits: Vec<QuotaEdit>,
    /// What each leaf lent to each other leaf. The sum over the lenders of a borrower is its borrowed time, and the sum
    /// over the borrowers of a lender is its lent time.
    pub loans: Vec<Loan>,
    /// Series of the whole cluster.
    pub cluster: Cluster,
    /// Every node that ever existed.
    pub nodes: Vec<Node>,
    /// The load of devices whose workloads declare it.
    pub loads: Vec<DeviceLoad>,
    /// Incidents: nodes that failed or were drained, racks that went down, and the losses.
    pub incidents: Vec<Incident>,
    /// Requests of pods; equal requests are stored once.
    pub shapes: Vec<Shape>,
    /// One row for each instance of a workload, in order of submission.
    pub jobs: Vec<Job>,
    /// Every pod, in order of creation.
    pub pods: Vec<Pod>,
    /// Which pod had which devices of which node, and when, in order of binding.
    pub placements: Vec<Placement>,
    /// Periods of waiting, each with the one rule that blocked the pod, in the order of their beginnings.
    pub waits: Vec<Wait>,
    /// Full reasons of waits. docs/report-format.md states which ones are kept.
    pub verdicts: Vec<Verdict>,
    /// The distribution of waits by leaf and by size.
    pub wait_steps: Vec<WaitSteps>,
    /// Time waited by rule and leaf.
    pub wait_times: Vec<WaitTime>,
    /// Every eviction, in order of decision.
    pub evictions: Vec<Eviction>,
    /// Claims, in the order of the file.
    pub claims: Vec<Claim>,
    /// Submissions and edits that were refused.
    pub refusals: Vec<Refusal>,
    /// Workloads, instances and tasks that failed.
    pub failures: Vec<Failure>,
    /// Broken invariants, if they were checked.
    pub breaches: Vec<Failure>,
    /// Users and groups.
    pub people: People,
    /// Datasets and their caches.
    pub datasets: Vec<Dataset>,
    /// What happened, in sentences, the most important first.
    pub findings: Vec<Finding>,
    /// The rules that the report mentions, in plain words.
    pub rules: Vec<Rule>,
    /// What was reduced or left out.
    pub left_out: Vec<LeftOut>,
}

impl Report {
    /// The distributions of waits over pods of all sizes: that of all pods, and that of each leaf with pods.
    pub fn whole_waits(&self) -> impl Iterator<Item = &WaitSteps> {
        self.wait_steps.iter().filter(|steps| steps.size.is_empty() && steps.pods_in_all() > 0)
    }

    /// The distribution of the waits of all pods of a leaf, or of the run; nothing if there are no pods.
    #[must_use]
    pub fn waits_of(&self, leaf: Option<QuotaIx>) -> Option<&WaitSteps> {
        self.whole_waits().find(|steps| steps.quota == leaf)
    }
}

/// A row by its index.
#[must_use]
pub fn at<T>(rows: &[T], index: u32) -> Option<&T> {
    usize::try_from(index).ok().and_then(|i| rows.get(i))
}
