//! The policy: how the scheduler orders, reclaims and places. It is a value, not code. Every knob names the rule of
//! docs/rules.md that it changes.

use super::typical::TypicalPod;
use serde::{Deserialize, Serialize};

/// Every knob of the scheduler. The default is policy `Capacity`, which follows the rule book, also where other
/// schedulers decide otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Which pending workload goes first (O1). Default: [`Order::GuaranteedFirst`].
    pub order: Order,
    /// The age of a workload that a controller creates again (O3). Default: [`Age::ByKind`]. The scheduler does not
    /// read this knob: the caller that submits workloads sets
    /// [`WorkloadSpec::submitted`](crate::WorkloadSpec::submitted) accordingly.
    pub age: Age,
    /// What a leaf may reclaim from others (R2, R8). Default: [`Reclaim::Min`].
    pub reclaim: Reclaim,
    /// Which workloads of its own leaf a workload may preempt (R1, R8). Default:
    /// [`WithinQueuePreemption::LowerPriority`].
    pub within: WithinQueuePreemption,
    /// Whether preemption within a leaf may make the leaf borrow more (R1). Default: [`BorrowWhilePreempting::Refused`].
    pub growth: BorrowWhilePreempting,
    /// Which kinds of preemption are enabled (R8). Default: [`Preemption::Auto`].
    pub preemption: Preemption,
    /// How far an eviction may bring a quota below its min (R2b). Default: [`Floor::Pod`].
    pub floor: Floor,
    /// Which victims go first (V1). Default: [`VictimOrder::FairThenLatest`].
    pub victims: VictimOrder,
    /// Which node a pod gets (P2). Default: [`Placement::BestFit`].
    pub placement: Placement,
    /// The pod shapes that fragmentation is measured against; only [`Placement::Fgd`] uses them (P2). Default: none.
    pub typical: Vec<TypicalPod>,
    /// Whether exhausted disruption budgets can be broken (R7). Default: [`RespectBudgets::Prefer`].
    pub respect_budgets: RespectBudgets,
    /// What happens to pods whose namespace is attached to no leaf (A4). Default: [`Unquotaed::Refuse`].
    pub unquotaed: Unquotaed,
    /// What happens to usage above a max that was lowered (T4). Default: [`EnforceMax::Never`].
    pub enforce_max: EnforceMax,
    /// What happens to trees where the children's min exceed the parent's min (T2). Default: [`OverPromised::Error`].
    pub over_promised: OverPromised,
    /// No pod of a workload is a victim before this long after the last of its pods started, milliseconds (R2c). Default: 0.
    pub min_runtime_ms: u64,
    /// A hold ends after this long, milliseconds, if some of its victims are still there; absent (the default): never by
    /// timeout (H2).
    pub hold_timeout_ms: Option<u64>,
    /// A gang that runs below its minimum is evicted as a whole after this long, milliseconds; absent (the default): never
    /// (G3).
    pub stale_after_ms: Option<u64>,
    /// A workload of which a bind failed waits so long before it is tried again, milliseconds: twice as long each time, up
    /// to ten times as long; absent (the default): it is tried again at once (E6).
    pub bind_back_off_ms: Option<u64>,
    /// How much one search for a plan may look at.
    pub bounds: SearchBounds,
    /// How much detail the verdicts in plans have (X1). It changes no action. Default: [`PlanVerdicts::Brief`].
    pub verdicts: PlanVerdicts,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            order: Order::GuaranteedFirst,
            age: Age::ByKind,
            reclaim: Reclaim::Min,
            within: WithinQueuePreemption::LowerPriority,
            growth: BorrowWhilePreempting::Refused,
            preemption: Preemption::Auto,
            floor: Floor::Pod,
            victims: VictimOrder::FairThenLatest,
            placement: Placement::BestFit,
            typical: Vec::new(),
            respect_budgets: RespectBudgets::Prefer,
            unquotaed: Unquotaed::Refuse,
            enforce_max: EnforceMax::Never,
            over_promised: OverPromised::Error,
            min_runtime_ms: 0,
            hold_timeout_ms: None,
            stale_after_ms: None,
            bind_back_off_ms: None,
            bounds: SearchBounds::default(),
            verdicts: PlanVerdicts::Brief,
        }
    }
}

impl Policy {
    /// Whether workloads may reclaim from other leaves at all (R8).
    pub(crate) fn reclaims(&self) -> bool {
        matches!(self.preemption, Preemption::Auto | Preemption::ReclaimOnly) && self.reclaim != Reclaim::Off
    }

    /// Whether pods may be evicted in the order of victims: to make room, or to drain a quota above its max (T4).
    pub(crate) fn has_victims(&self) -> bool {
        self.preemption != Preemption::None || self.enforce_max != EnforceMax::Never
    }

    /// Whether workloads may preempt within their leaf at all (R8).
    pub(crate) fn preempts_within_leaf(&self) -> bool {
        matches!(self.preemption, Preemption::Auto | Preemption::PriorityOnly)
            && self.within != WithinQueuePreemption::Never
    }
}

/// Which pending workload goes first (O1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Order {
    /// Entitled workloads first, then by priority, age, id. Inside a leaf, priority goes before entitlement.
    #[default]
    GuaranteedFirst,
    /// By priority, age, id, over all leaves.
    Fifo,
    /// Leaves with the smallest dominant share of usage to min first, then by priority, age, id.
    Share,
}

/// The age of a workload that a controller creates again after it was evicted or lost (O3). Age is the second key of
/// the order of pending workloads (O1), and decides which workload is newer (R1). Only controllers know the kind of a
/// workload, so controllers apply this knob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Age {
    /// A pod of a job has the age of the job. A replica of a service, which has no end, has the age of its own
    /// creation.
    #[default]
    ByKind,
    /// A pod of a job has the age of the job, and a replica the age of the replica that it replaces.
    Original,
    /// Every pod has the age of its own creation.
    Recreated,
}

/// What a leaf may reclaim from others (R2, R8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reclaim {
    /// Nothing.
    Off,
    /// Its min.
    #[default]
    Min,
    /// Its fair share of the capacity (F3).
    FairShare,
}

/// Which workloads of its own leaf a workload may preempt (R1, R8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum WithinQueuePreemption {
    /// Those of strictly lower priority.
    #[default]
    LowerPriority,
    /// Those of lower priority, and those of the same priority that are younger (O3).
    LowerOrNewerEqual,
    /// None.
    Never,
}

impl WithinQueuePreemption {
    /// Whether a workload of priority `by` may preempt some workload of priority `victim`.
    pub(crate) const fn may_preempt(self, by: i32, victim: i32) -> bool {
        match self {
            Self::LowerPriority => victim < by,
            Self::LowerOrNewerEqual => victim <= by,
            Self::Never => false,
        }
    }
}

/// Whether a workload that preempts others of its own leaf may make the leaf borrow more than before (R1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum BorrowWhilePreempting {
    /// It may not: more pods of the leaf are evicted, or the workload waits.
    #[default]
    Refused,
    /// It may. This gives up S2: in some clusters, workloads then evict each other forever. It is meant for comparisons
    /// with schedulers that allow it.
    Allowed,
}

/// Which kinds of preemption are enabled (R8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Preemption {
    /// Across leaves and within them.
    #[default]
    Auto,
    /// Only across leaves (R2).
    ReclaimOnly,
    /// Only within a leaf (R1).
    PriorityOnly,
    /// None.
    None,
}

/// How far an eviction may bring a quota below its min (R2b).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Floor {
    /// By less than one victim: the quota must be above its min before the eviction.
    #[default]
    Pod,
    /// Not at all: the quota must be at its min or above after the eviction.
    Strict,
}

/// Which victims go first (V1), after budgets and priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum VictimOrder {
    /// The leaf with the largest overuse share, then the latest started.
    #[default]
    FairThenLatest,
    /// The latest started, of whichever leaf.
    Latest,
}

/// Which node a pod gets (P2). Ties go to the lowest node id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Placement {
    /// The feasible node with the least cpu and devices free, each as a fraction of the largest node.
    #[default]
    BestFit,
    /// The feasible node of which the largest fraction is in use.
    Binpack,
    /// The feasible node of which the smallest fraction is in use.
    Spread,
    /// A random feasible node. A fraction of one device goes to a random device with room on that node.
    Random {
        /// The seed.
        seed: u64,
    },
    /// The feasible node for which the dot product of its free cpu and devices with the request of the pod is least.
    DotProduct,
    /// A node where the pod only gets devices that are partly in use. Otherwise a node where some device is in use,
    /// otherwise an empty node.
    GpuPacking,
    /// A node that runs only pods with the same number of devices. Otherwise a node that runs such pods among others,
    /// otherwise an empty node.
    GpuClustering,
    /// Fragmentation gradient descent: the node where the pod least reduces what the typical pods could use of the free
    /// devices.
    Fgd,
    /// The feasible node with the fewest devices, so that small nodes fill up before large ones.
    LeastGpus,
}

impl Placement {
    /// Whether the score of a node depends on the pod, so that nodes have no common order.
    pub(crate) const fn by_pod(self) -> bool {
        matches!(self, Self::Random { .. } | Self::DotProduct | Self::GpuPacking | Self::GpuClustering | Self::Fgd)
    }
}

/// Whether exhausted disruption budgets can be broken (R7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RespectBudgets {
    /// Only when there is no other plan.
    #[default]
    Prefer,
    /// Never.
    Always,
}

/// What happens to pods whose namespace is attached to no leaf (A4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Unquotaed {
    /// They stay pending, with that reason.
    #[default]
    Refuse,
    /// They run on what is available, never preempt, and are the first victims.
    Schedule,
}

/// What happens to usage above a max that was lowered (T4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EnforceMax {
    /// Nothing: it drains as pods end.
    #[default]
    Never,
    /// What is still above max after this long is evicted, in victim order.
    After {
        /// Milliseconds.
        ms: u64,
    },
}

/// What happens to trees where the children's min exceed the parent's min (T2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OverPromised {
    /// They are refused.
    #[default]
    Error,
    /// They are accepted, with a warning.
    Warn,
}

/// How much detail the verdicts in plans have (X1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum PlanVerdicts {
    /// What binds, whether the workload is entitled, and at which bounds the search stopped. The rest is worked out when
    /// asked: [`Scheduler::verdict`](crate::Scheduler::verdict), [`Scheduler::explain`](crate::Scheduler::explain).
    #[default]
    Brief,
    /// Everything that [`Scheduler::verdict`](crate::Scheduler::verdict) reports, as of the moment when the workload
    /// was tried. Only in clusters of at most `up_to` quotas, nodes and workloads, since each verdict costs a pass over
    /// all of them.
    Full {
        /// The largest number of quotas, of nodes and of workloads.
        up_to: u32,
    },
}

/// How much one search for a plan may look at. Counted, not timed; a verdict reports which bounds were hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchBounds {
    /// Nodes tried for one pod of a plan.
    pub nodes: u32,
    /// Candidate victims looked at in one search.
    pub candidates: u32,
    /// Sets of victims looked at in one search over sets (V5).
    pub sets: u32,
}

impl Default for SearchBounds {
    fn default() -> Self {
        Self { nodes: 64, candidates: 100_000, sets: 1 << 16 }
    }
}
