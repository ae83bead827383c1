//! Why a workload waits, as data (X1 to X3): what binds and what else is in the way, who holds what is missing, which pods
//! were not taken and by which rule, which bound cut the search short, and what would help.
//!
//! What is *cited* (X2) is what decides: the quotas, the holders of every obstacle but missing room, the nodes that an
//! obstacle of room names, with the pods on them, and the branches of those that count as gone. A world without
//! everything else gives the same verdict.

use super::{
    ids::{Name, NodeId, PodId, QuotaId, WorkloadId},
    rule::Rule,
    topology::Domain,
};
use serde::{Deserialize, Serialize};

/// Why a workload waits (X1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Verdict {
    /// Which workload.
    pub workload: WorkloadId,
    /// What stops it: the first limit on its path that bars it; where none does, that no node has room.
    pub binding: BlockingReason,
    /// Whether its leaf would stay within its guarantee with it (O1), and so may reclaim.
    pub entitled: bool,
    /// Who holds what is missing: leaves by how much they use of it, largest first.
    pub holders: Vec<Holder>,
    /// What else is in the way: further limits that bar it, why it may not take from others, why nodes have no room even
    /// when everybody who may be taken is gone. Told where the verdict is told in full.
    pub also: Vec<Obstacle>,
    /// Pods that were not taken, by what protects them.
    pub protected: Vec<Protected>,
    /// Bounds that cut the search short.
    pub bounds_hit: Vec<Bound>,
    /// Single changes that would place it now (X3); told by [`Scheduler::explain`](crate::Scheduler::explain).
    pub helps: Vec<Help>,
}

impl Verdict {
    /// Everything in the way: what binds, then what else.
    pub fn obstacles(&self) -> impl Iterator<Item = (&BlockingReason, &[Holder])> {
        let also = self.also.iter().map(|other| (&other.binding, other.holders.as_slice()));
        std::iter::once((&self.binding, self.holders.as_slice())).chain(also)
    }

    /// The rules it names: what binds, what else is in the way, what protects the pods that were not taken.
    pub fn rules(&self) -> impl Iterator<Item = Rule> {
        let protecting = self.protected.iter().map(|class| class.shield.rule());
        self.obstacles().map(|(binding, _)| binding.rule()).chain(protecting)
    }
}

/// Something in the way of a workload besides what binds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Obstacle {
    /// What.
    pub binding: BlockingReason,
    /// Who holds what is missing.
    pub holders: Vec<Holder>,
}

/// What stops a workload.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum BlockingReason {
    /// Its namespace is on no leaf (A4).
    NoQuota,
    /// A ceiling on its path (A1).
    Ceiling {
        /// Where.
        quota: QuotaId,
        /// Of what.
        resource: Name,
        /// What the workload asks, base units.
        needed: i64,
        /// What the ceiling leaves, base units.
        available: i64,
    },
    /// A guarantee on its path that non-preemptible pods may not pass (A2).
    Guarantee {
        /// Where.
        quota: QuotaId,
        /// Of what.
        resource: Name,
        /// What the workload asks, base units.
        needed: i64,
        /// What the guarantee leaves, base units.
        available: i64,
    },
    /// Too many workloads under a quota (A5).
    Jobs {
        /// Where.
        quota: QuotaId,
        /// The most it admits.
        limit: u32,
    },
    /// An earlier workload of a leaf that blocks (O2).
    Behind {
        /// The head of the line.
        head: WorkloadId,
    },
    /// No node has room (P1).
    Room(Room),
    /// It has evicted, and waits for the room (H1).
    Held {
        /// How many pods have still to leave.
        leaving: u32,
    },
    /// It waits for pods that leave anyway: once they are gone it fits, so it evicts nobody (H1).
    Settling {
        /// How many pods leave.
        leaving: u32,
    },
    /// With it, a quota on its path would be above its guarantee in something it asks for: it may reclaim from no branch
    /// that meets its own above that quota (R2a).
    Unentitled {
        /// Where.
        quota: QuotaId,
        /// Of what.
        resource: Name,
        /// What the workload asks, base units.
        needed: i64,
        /// What the guarantee leaves, base units.
        available: i64,
    },
    /// Whoever it may displace in its own leaf would not pay for it: a quota on its path would borrow more than before (R1).
    Growth {
        /// Where.
        quota: QuotaId,
        /// Of what.
        resource: Name,
        /// What the workload asks, base units.
        needed: i64,
        /// What it could take without more being borrowed, base units.
        available: i64,
    },
}

/// No node has room for a pod (P1). The amounts are those at the point where the search gave up: pods that may be taken
/// are counted as gone, as far as that may be, and members of a gang that found room stand there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Room {
    /// What the closest node lacks; nothing where no node suits.
    pub resource: Option<Name>,
    /// What one pod asks of it, base units; on devices, of one device.
    pub needed: i64,
    /// What is available of it on the closest node, base units; on devices, on the freest one.
    pub available: i64,
    /// What is available of it on all nodes that suit together, base units: where this is enough, it is fragmented (S4).
    pub free: i64,
    /// How many nodes there are, by what rules them out.
    pub nodes: NodeTally,
    /// How many pods of the workload found room before this one did not.
    pub placed: u32,
    /// Where they did.
    pub stand_on: Vec<NodeId>,
    /// The pods that are counted as gone everywhere, since they may be taken for the quota that is missing, too.
    pub without: Vec<PodId>,
    /// Where all pods must stand in one domain of the topology tree: the domain that came closest, in which the most of
    /// them found room; nothing where there is no domain. Nodes outside are tallied as such.
    pub within: Option<Domain>,
    /// The nodes on which the least is missing, closest first.
    pub closest: Vec<NearMissNode>,
}

impl Room {
    /// Whether enough is free in total, but not on one node (S4).
    #[must_use]
    pub const fn is_fragmented(&self) -> bool {
        self.resource.is_some() && self.free >= self.needed
    }
}

/// A node that comes close to having room.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NearMissNode {
    /// Which.
    pub node: NodeId,
    /// What it lacks; where it lacks several things, the first.
    pub resource: Name,
    /// How many resources it lacks.
    pub lacks: u32,
    /// What one pod asks, base units; on devices, of one device.
    pub needed: i64,
    /// What is available there, base units; on devices, on the freest one.
    pub available: i64,
    /// The pods on it that are counted as gone, since they may be taken.
    pub taken: Vec<PodId>,
}

impl BlockingReason {
    /// The rule that binds.
    #[must_use]
    pub const fn rule(&self) -> Rule {
        match self {
            Self::NoQuota => Rule::A4,
            Self::Ceiling { .. } => Rule::A1,
            Self::Guarantee { .. } => Rule::A2,
            Self::Jobs { .. } => Rule::A5,
            Self::Behind { .. } => Rule::O2,
            Self::Room { .. } => Rule::P1,
            Self::Held { .. } | Self::Settling { .. } => Rule::H1,
            Self::Unentitled { .. } => Rule::R2a,
            Self::Growth { .. } => Rule::R1,
        }
    }

    /// What room is missing, if that is the reason.
    #[must_use]
    pub const fn room(&self) -> Option<&Room> {
        match self {
            Self::Room(room) => Some(room),
            _ => None,
        }
    }

    /// The quota where it binds, if it binds at one.
    #[must_use]
    pub const fn quota(&self) -> Option<QuotaId> {
        match self {
            Self::Ceiling { quota, .. }
            | Self::Guarantee { quota, .. }
            | Self::Jobs { quota, .. }
            | Self::Unentitled { quota, .. }
            | Self::Growth { quota, .. } => Some(*quota),
            _ => None,
        }
    }

    /// What is missing, needed and available, where it is an amount.
    #[must_use]
    pub const fn amounts(&self) -> Option<(&Name, i64, i64)> {
        match self {
            Self::Ceiling { resource, needed, available, .. }
            | Self::Guarantee { resource, needed, available, .. }
            | Self::Unentitled { resource, needed, available, .. }
            | Self::Growth { resource, needed, available, .. }
            | Self::Room(Room { resource: Some(resource), needed, available, .. }) => {
                Some((resource, *needed, *available))
            }
            _ => None,
        }
    }
}

/// How many nodes are ruled out by what; each node is counted once, by the first that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct NodeTally {
    /// All nodes.
    pub total: u32,
    /// Cordoned.
    pub unschedulable: u32,
    /// With a taint that the pod does not tolerate.
    pub tainted: u32,
    /// Without a label the pod selects.
    pub unselected: u32,
    /// Outside the domain that came closest, where pods must stand together.
    pub elsewhere: u32,
    /// Without enough of some resource.
    pub full: u32,
    /// With enough in sum, but not on as many single devices as needed.
    pub fragmented: u32,
}

/// A leaf that holds what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Holder {
    /// The leaf; none for pods that have no quota.
    pub quota: Option<QuotaId>,
    /// Which of its pods, by id.
    pub pods: Vec<PodId>,
    /// What they use of the missing resource, base units; what is missing is no amount: 0.
    pub used: i64,
    /// How much the leaf uses above its guarantee of it, base units.
    pub borrowed: i64,
}

/// Pods that were not taken, all for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Protected {
    /// What protects them.
    pub shield: Protection,
    /// How many pods.
    pub pods: u32,
    /// Which, by id; not told of those whose eviction would not help (R5).
    pub who: Vec<PodId>,
}

/// What protects a pod from being taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Protection {
    /// It is of the workload itself (R2c).
    OwnWorkload,
    /// It leaves already (R2c).
    Leaving,
    /// It was bound by the very same decision (R2c).
    JustBound,
    /// It may not be evicted (R2c).
    NonPreemptible,
    /// It has not run for its protected time yet (R2c).
    ProtectedRuntime,
    /// It is of the same leaf, and its priority is not lower (R1).
    Priority,
    /// The workload is not entitled where both branches meet: with it, this quota is above its guarantee (R2a).
    NotEntitled {
        /// The quota.
        quota: QuotaId,
        /// In what.
        resource: Name,
        /// By how much, base units.
        by: i64,
    },
    /// A quota on its branch is at or under its guarantee in what is missing (R2b).
    WithinGuarantee {
        /// The quota.
        quota: QuotaId,
        /// In what.
        resource: Name,
    },
    /// Its disruption budget is exhausted (R7).
    Budget {
        /// The budget.
        budget: Name,
    },
    /// The policy switches this kind of preemption off (R8).
    Policy,
    /// It may be taken, but with everybody who may be the workload would still not be placed (R6).
    NotEnough,
    /// Its eviction would not help (R5).
    NoHelp,
}

impl Protection {
    /// The rule that protects.
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
        }
    }
}

/// A bound that cut a search short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Bound {
    /// [`SearchBounds::nodes`](crate::SearchBounds::nodes).
    Nodes,
    /// [`SearchBounds::candidates`](crate::SearchBounds::candidates).
    Candidates,
}

/// A single change that would place the workload now (X3): tried on a copy before it is told. Where it is an amount, one
/// unit less would not.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Help {
    /// More guarantee for a quota, so that the workload may reclaim.
    MoreMin {
        /// Which quota.
        quota: QuotaId,
        /// Of what.
        resource: Name,
        /// How much more, base units.
        by: i64,
        /// Where the parent has promised all it has: the sibling that would give it up, of what it does not use.
        from: Option<QuotaId>,
    },
    /// A higher ceiling.
    MoreMax {
        /// Which quota.
        quota: QuotaId,
        /// Of what.
        resource: Name,
        /// How much more, base units.
        by: i64,
    },
    /// Room on one node.
    FreeOnNode {
        /// Which node.
        node: NodeId,
        /// Of what.
        resource: Name,
        /// How much more, base units.
        by: i64,
    },
    /// One more workload at once (A5).
    MoreJobs {
        /// Which quota.
        quota: QuotaId,
        /// How many it must admit.
        limit: u32,
    },
    /// Pods that may not be evicted could be.
    Preemptible {
        /// Whose.
        workload: WorkloadId,
    },
    /// A node that takes no new pods would take them.
    Uncordon {
        /// Which.
        node: NodeId,
    },
}
