//! Why a workload is pending, as data (X1 to X3): what blocks it, which leaves use what is missing, which rule protects
//! the pods that were not evicted, which bound cut the search short, and which change would help.
//!
//! A verdict *cites* (X2) what decides: its quotas, the holders of every obstacle but missing room, the nodes that an
//! obstacle of missing room names with the pods on them, and the branches of pods that count as evicted. A cluster that
//! is cut down to what the verdict cites gives the same verdict.

use super::{
    blocking::{BlockingReason, CannotRun, Holder, Obstacle},
    ids::{Name, NodeId, PodId, QuotaId, WorkloadId},
    rule::Rule,
};
use serde::{Deserialize, Serialize};

/// Why a workload is pending (X1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Verdict {
    /// The workload.
    pub workload: WorkloadId,
    /// What blocks it first: the first limit on its path that refuses it or, where all admit it, that no node has room.
    pub binding: BlockingReason,
    /// Whether it is entitled: the guarantees on its path cover it (O1), so that it may reclaim.
    pub entitled: bool,
    /// The leaves that use what is missing, the largest first.
    pub holders: Vec<Holder>,
    /// What else blocks it: further limits that refuse it; why it may not reclaim; why no node has room, even when
    /// every pod that may be evicted counts as gone. Empty in brief verdicts.
    pub also: Vec<Obstacle>,
    /// Pods that were not evicted, by what protects them. Empty in brief verdicts.
    pub protected: Vec<Protected>,
    /// Why it cannot run whatever else ends; such a workload does not block the queue behind it (O4). Absent in brief
    /// verdicts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cannot_run: Option<CannotRun>,
    /// The limits at which the search for victims stopped before it had looked at everything.
    pub bounds_hit: Vec<Bound>,
    /// Single changes that would place it now (X3); only from [`Scheduler::explain`](crate::Scheduler::explain).
    pub helps: Vec<Help>,
}

impl Verdict {
    /// Everything that blocks it, with holders: what blocks first, then the rest.
    pub fn obstacles(&self) -> impl Iterator<Item = (&BlockingReason, &[Holder])> {
        let also = self.also.iter().map(|other| (&other.binding, other.holders.as_slice()));
        std::iter::once((&self.binding, self.holders.as_slice())).chain(also)
    }

    /// The rules that block it, and those that protect the pods that were not evicted.
    pub fn rules(&self) -> impl Iterator<Item = Rule> {
        let protecting = self.protected.iter().map(|class| class.shield.rule());
        self.obstacles().map(|(binding, _)| binding.rule()).chain(protecting)
    }
}

/// Pods that were not evicted, all for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Protected {
    /// Why they were not evicted.
    pub shield: Protection,
    /// How many pods were not evicted for this reason.
    pub pods: u32,
    /// The pods by id; empty for those whose eviction would not help (R5).
    pub who: Vec<PodId>,
}

/// Why a pod was not evicted for the workload that a verdict is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Protection {
    /// It belongs to the workload itself (R2c).
    OwnWorkload,
    /// It is terminating already (R2c).
    Leaving,
    /// It was bound by the same decision (R2c).
    JustBound,
    /// It may not be evicted (R2c).
    NonPreemptible,
    /// It has not run for its protected time yet (R2c).
    ProtectedRuntime,
    /// It is in the same leaf, and its priority is not lower (R1).
    Priority,
    /// The pending workload is not entitled to reclaim from this leaf: its request would take this quota, below the
    /// common ancestor, above its guarantee (R2a).
    NotEntitled {
        /// The quota.
        quota: QuotaId,
        /// The resource.
        resource: Name,
        /// How far the quota would be above its guarantee, base units.
        by: i64,
    },
    /// A quota on its branch is within its guarantee of what is missing (R2b).
    WithinGuarantee {
        /// The quota.
        quota: QuotaId,
        /// The resource.
        resource: Name,
    },
    /// Its disruption budget is exhausted (R7).
    Budget {
        /// The budget.
        budget: Name,
    },
    /// The policy disables this kind of preemption (R8).
    Policy,
    /// It may be evicted, but even with every such pod evicted the workload could not be placed (R6).
    NotEnough,
    /// Its eviction would not help (R5).
    NoHelp,
    /// An eviction of its workload failed, and nothing was reported about that since (E2).
    EvictFailed,
    /// Nobody is evicted for the pending workload, at its own wish (R9).
    EvictsNobody,
}

impl Protection {
    /// The rule that protects the pod.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        match self {
            Self::OwnWorkload | Self::Leaving | Self::JustBound | Self::NonPreemptible | Self::ProtectedRuntime => {
                Rule::R2c
            }
            Self::Priority => Rule::R1,
            Self::NotEntitled { .. } => Rule::R2a,
            Self::WithinGuarantee { .. } => Rule::R2b,
            Self::Budget { .. } => Rule::R7,
            Self::Policy => Rule::R8,
            Self::NotEnough => Rule::R6,
            Self::NoHelp => Rule::R5,
            Self::EvictFailed => Rule::E2,
            Self::EvictsNobody => Rule::R9,
        }
    }
}

/// A limit at which a search for victims stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Bound {
    /// [`SearchBounds::nodes`](crate::SearchBounds::nodes).
    Nodes,
    /// [`SearchBounds::candidates`](crate::SearchBounds::candidates).
    Candidates,
    /// [`SearchBounds::sets`](crate::SearchBounds::sets), or there were more than 16 candidates on a node or below a
    /// quota (V5).
    Sets,
}

/// A single change that would place the workload now (X3), tried on a copy of the state. An amount is the least that is
/// enough.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Help {
    /// A larger min of a quota, so that the workload may reclaim.
    MoreMin {
        /// The quota.
        quota: QuotaId,
        /// The resource.
        resource: Name,
        /// How much more, base units.
        by: i64,
        /// Where the parent has no guarantee left: the sibling that would give up an unused part of its own.
        from: Option<QuotaId>,
    },
    /// A larger max of a quota.
    MoreMax {
        /// The quota.
        quota: QuotaId,
        /// The resource.
        resource: Name,
        /// How much more, base units.
        by: i64,
    },
    /// More room on one node.
    FreeOnNode {
        /// The node.
        node: NodeId,
        /// The resource.
        resource: Name,
        /// How much more, base units.
        by: i64,
    },
    /// One more workload admitted at once (A5).
    MoreJobs {
        /// The quota.
        quota: QuotaId,
        /// How many the quota must admit.
        limit: u32,
    },
    /// Pods that may not be evicted become preemptible.
    Preemptible {
        /// The workload of those pods.
        workload: WorkloadId,
    },
    /// A cordoned node takes new pods again.
    Uncordon {
        /// The node.
        node: NodeId,
    },
}
