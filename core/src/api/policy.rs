//! The policy: how the scheduler orders, lends, takes back and places. A value, not code: every knob names the rule of
//! docs/rules.md that it turns, and each rule lives in one file behind its knob.

use super::typical::TypicalPod;
use serde::{Deserialize, Serialize};

/// Every knob of the scheduler. The default is policy `capacity`: right before it is compatible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Who goes first (O1).
    pub order: Order,
    /// Who is entitled to take back from other leaves (R2, R8).
    pub reclaim: Reclaim,
    /// Whom a workload may displace in its own leaf (R1, R8).
    pub within: WithinQueuePreemption,
    /// Whether displacing in its own leaf may make the leaf borrow more (R1).
    pub growth: BorrowWhilePreempting,
    /// Which kinds of preemption there are (R8).
    pub preemption: Preemption,
    /// How far a victim may carry its quota (R2b).
    pub floor: Floor,
    /// Which victims go first (V1).
    pub victims: VictimOrder,
    /// Which node a pod gets (P2).
    pub placement: Placement,
    /// The pods that free devices should stay of use to; only [`Placement::Fgd`] looks at them (P2).
    pub typical: Vec<TypicalPod>,
    /// Whether exhausted disruption budgets can be broken (R7).
    pub respect_budgets: RespectBudgets,
    /// What becomes of pods whose namespace is on no leaf (A4).
    pub unquotaed: Unquotaed,
    /// What becomes of use above a ceiling that was lowered (T4).
    pub enforce_max: EnforceMax,
    /// What becomes of trees that promise children more than their parent has (T2).
    pub over_promised: OverPromised,
    /// No pod is a victim before it ran this long, milliseconds (R2c).
    pub min_runtime_ms: u64,
    /// A hold ends after this long, milliseconds; absent: never by time (H2).
    pub hold_timeout_ms: Option<u64>,
    /// A gang below its minimum is evicted whole after this long, milliseconds; absent: never (G3).
    pub stale_after_ms: Option<u64>,
    /// How much one search may look at.
    pub bounds: SearchBounds,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            order: Order::GuaranteedFirst,
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
            bounds: SearchBounds::default(),
        }
    }
}

impl Policy {
    /// Whether workloads may reclaim from other leaves at all (R8).
    pub(crate) fn reclaims(&self) -> bool {
        matches!(self.preemption, Preemption::Auto | Preemption::ReclaimOnly) && self.reclaim != Reclaim::Off
    }

    /// Whether workloads may preempt within their leaf at all (R8).
    pub(crate) fn preempts_within_leaf(&self) -> bool {
        matches!(self.preemption, Preemption::Auto | Preemption::PriorityOnly)
            && self.within != WithinQueuePreemption::Never
    }
}

/// Who goes first among the waiting (O1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Order {
    /// Entitled heads, then priority, submission, id.
    #[default]
    GuaranteedFirst,
    /// Priority, submission, id over everything.
    Fifo,
    /// Leaves with the smallest dominant used/min first, then priority, submission, id.
    Share,
}

/// What a leaf may take back from others (R2, R8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reclaim {
    /// Nothing.
    Off,
    /// Its static guarantee.
    #[default]
    Min,
    /// Its fair share of what there is (F3).
    FairShare,
}

/// Whom a workload may displace in its own leaf (R1, R8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum WithinQueuePreemption {
    /// Strictly lower priorities.
    #[default]
    LowerPriority,
    /// Lower priorities, and of the same priority those submitted later.
    LowerOrNewerEqual,
    /// Nobody.
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

/// Whether a workload that displaces others of its own leaf may make the leaf borrow more than before (R1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum BorrowWhilePreempting {
    /// It may not: more of the leaf's own go, or it waits.
    #[default]
    Refused,
    /// It may. With it S2 is gone: some worlds evict for ever. For comparison with schedulers that allow it.
    Allowed,
}

/// Which kinds of preemption there are (R8).
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

/// How far a victim may carry its quota below min (R2b).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Floor {
    /// By less than itself: the quota was above min before.
    #[default]
    Pod,
    /// Not at all: the quota is at least at min afterwards.
    Strict,
}

/// Which victims go first (V1), after budgets and priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum VictimOrder {
    /// The leaf with the largest overuse share, then the latest started.
    #[default]
    FairThenLatest,
    /// The latest started, whoever's it is.
    Latest,
}

/// Which node a pod gets (P2). Ties go to the lowest node id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Placement {
    /// The node with the least left of cpu and devices, measured by the largest node.
    #[default]
    BestFit,
    /// The node that is fullest in proportion to its own size.
    Binpack,
    /// The node that is emptiest in proportion to its own size.
    Spread,
    /// A node drawn by this seed from those with room, and for a part of one device a device drawn from those with room.
    Random {
        /// The seed.
        seed: u64,
    },
    /// The node whose free cpu and devices, times what the pod asks of each, come to least.
    DotProduct,
    /// A node where the pod fills up devices that are in use already, then one in use, then an empty one.
    GpuPacking,
    /// A node where only pods with as many devices stand, then one where such pods stand, too, then an empty one.
    GpuClustering,
    /// Fragmentation gradient descent: the node whose free devices stay of most use to the typical pods.
    Fgd,
}

impl Placement {
    /// Whether a node's place in the order depends on the pod, so that no order serves all.
    pub(crate) const fn by_pod(self) -> bool {
        matches!(self, Self::Random { .. } | Self::DotProduct | Self::GpuPacking | Self::GpuClustering | Self::Fgd)
    }
}

/// Whether exhausted disruption budgets can be broken (R7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RespectBudgets {
    /// Only when there is no plan without.
    #[default]
    Prefer,
    /// Never.
    Always,
}

/// What becomes of pods whose namespace is on no leaf (A4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Unquotaed {
    /// They wait, with that reason.
    #[default]
    Refuse,
    /// They run on what is free, never evict, and are the first victims.
    Schedule,
}

/// What becomes of use above a ceiling that was lowered (T4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EnforceMax {
    /// It drains by itself.
    #[default]
    Never,
    /// What is still over after this long is evicted, in victim order.
    After {
        /// Milliseconds.
        ms: u64,
    },
}

/// What becomes of trees that promise children more than their parent has (T2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OverPromised {
    /// They are refused.
    #[default]
    Error,
    /// They are taken, with a warning.
    Warn,
}

/// How much one search for a plan may look at. Counted, never timed; a verdict says which bound was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchBounds {
    /// Nodes tried for one pod of a plan.
    pub nodes: u32,
    /// Candidate victims looked at in one search.
    pub candidates: u32,
    /// Verdicts in plans carry holders, protected pods and node tallies where there are at most this many quotas,
    /// nodes and workloads; [`Scheduler::explain`](crate::Scheduler::explain) always tells them.
    pub detail: u32,
}

impl Default for SearchBounds {
    fn default() -> Self {
        Self { nodes: 64, candidates: 100_000, detail: 256 }
    }
}
