//! What the scheduler decided, and why: the output of [`decide`](crate::Scheduler::decide).

use crate::{
    ids::{Name, NodeId, PodId, QuotaId, WorkloadId},
    policy::Placement,
};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use std::{
    fmt,
    hash::{Hash, Hasher},
};

/// What to do now, in this order, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Plan {
    /// The state of the scheduler that the plan was made from; see [`Scheduler::generation`](crate::Scheduler::generation).
    pub generation: u64,
    /// What to do, in order.
    pub actions: Vec<Action>,
    /// Every workload that was looked at and not placed, with the reasons.
    pub verdicts: Vec<Verdict>,
}

impl Plan {
    /// Whether there is nothing to do (S1).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }
}

/// Devices of a node, by index: bit `i` stands for device `i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceSet(pub u64);

impl DeviceSet {
    /// The indices in the set, ascending.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        (0..u64::BITS).filter(move |i| self.0 >> i & 1 == 1)
    }
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Action {
    /// Start a pod on a node. Report `PodBound` or `BindFailed`.
    Bind {
        /// Which pod.
        pod: PodId,
        /// Where.
        node: NodeId,
        /// On which devices of the node.
        devices: DeviceSet,
        /// Why.
        reason: BindReason,
    },
    /// End a running pod. Report `PodGone` when it is gone.
    Evict {
        /// Which pod.
        pod: PodId,
        /// Why.
        reason: EvictReason,
    },
    /// The workload waits for its victims to leave; what they free is kept for it (H1). Nothing to do.
    Hold {
        /// Which workload.
        workload: WorkloadId,
        /// Where its pods will stand, in order of ordinals.
        nodes: SmallVec<[NodeId; 1]>,
        /// How many pods leave for it.
        victims: u32,
    },
    /// A hold ended without its workload being bound (H2). Nothing to do.
    Release {
        /// Which workload.
        workload: WorkloadId,
        /// Why.
        reason: ReleaseReason,
    },
}

/// Why a pod was bound, and bound there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BindReason {
    /// Whether its leaf stays within its guarantee (O1); if not, it borrows (A3).
    pub entitled: bool,
    /// Whether it had evicted for the room (H1).
    pub held: bool,
    /// The rule that chose among the nodes (P2).
    pub placement: Placement,
}

/// Why a pod was evicted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EvictReason {
    /// The rule that allowed it: R1, R2, G2, G3 or T4.
    pub rule: Rule,
    /// For whom; nobody for G3 and T4.
    pub cause: Option<WorkloadId>,
    /// The leaf it ran in; none if it had no quota.
    pub leaf: Option<QuotaId>,
    /// The lowest common ancestor of both leaves (R2), or the node over its ceiling (T4).
    pub common: Option<QuotaId>,
    /// The contested resource.
    pub resource: Option<Name>,
    /// How far the leaf was above its guarantee in it, base units, when the victim was picked.
    pub over: i64,
    /// The victim's priority.
    pub priority: i32,
    /// Whether its disruption budget was exhausted and there was no plan without it (R7).
    pub budget_broken: bool,
}

/// Why a hold ended without its workload being bound (H2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ReleaseReason {
    /// The victims are gone and the workload does not fit any more.
    NoLongerFits,
    /// It took longer than `hold_timeout`.
    TimedOut,
    /// An entitled workload that comes earlier needs the room.
    NeededBy(WorkloadId),
    /// The quota tree was replaced.
    TreeChanged,
    /// A node it counted on is gone or changed.
    NodeLost(NodeId),
}

/// A rule of the semantics, as reasons cite it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are the rule numbers; `Rule::says` tells what each one says")]
pub enum Rule {
    A1,
    A2,
    A4,
    A5,
    O2,
    P1,
    R1,
    R2,
    R2a,
    R2b,
    R2c,
    R5,
    R6,
    R7,
    R8,
    G1,
    G2,
    G3,
    H1,
    T4,
}

impl Rule {
    /// The rule in one sentence.
    #[must_use]
    pub const fn says(self) -> &'static str {
        match self {
            Self::A1 => "on every quota of the path, use plus request must stay within max",
            Self::A2 => "non-preemptible use plus request must stay within min on the whole path",
            Self::A4 => "a pod whose namespace is on no leaf may use no quota",
            Self::A5 => "a quota admits at most max_jobs workloads at once",
            Self::O2 => "in a leaf that blocks, nothing passes the head of the line",
            Self::P1 => "a node must be schedulable, match the pod's demands and have the room",
            Self::R1 => {
                "in its own leaf a workload may displace strictly lower priorities, without growing what the leaf borrows"
            }
            Self::R2 => "a leaf within its guarantee takes it back from leaves above theirs",
            Self::R2a => "only a workload whose side stays within its guarantee may reclaim",
            Self::R2b => "a leaf at or under its guarantee is not reclaimed from",
            Self::R2c => {
                "non-preemptible pods, pods already leaving and pods in their protected runtime are no victims"
            }
            Self::R5 => "a victim must help: give room or quota that is missing",
            Self::R6 => "nobody is evicted unless the whole workload can be placed afterwards",
            Self::R7 => "an exhausted disruption budget protects its pods",
            Self::R8 => "the policy switches this kind of preemption off",
            Self::G1 => "a gang is placed whole or not at all",
            Self::G2 => "a gang that would fall below its minimum is evicted whole",
            Self::G3 => "a gang below its minimum for too long is evicted whole",
            Self::H1 => "what was freed by eviction is kept for the workload that evicted",
            Self::T4 => "use above a lowered ceiling is evicted after the stated time",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::R2a => f.write_str("R2(a)"),
            Self::R2b => f.write_str("R2(b)"),
            Self::R2c => f.write_str("R2(c)"),
            rule => write!(f, "{rule:?}"),
        }
    }
}

/// Why a workload waits (X1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Verdict {
    /// Which workload.
    pub workload: WorkloadId,
    /// What stops it.
    pub binding: Binding,
    /// Whether its leaf would stay within its guarantee with it (O1), and so may reclaim.
    pub entitled: bool,
    /// Who holds what is missing: leaves by how much they use of it, largest first.
    pub holders: Vec<Holder>,
    /// Pods that were not taken, by the rule that protects them.
    pub protected: Vec<Protected>,
    /// Bounds that cut the search short.
    pub bounds_hit: Vec<Bound>,
    /// Single changes that would place it now, smallest first.
    pub helps: Vec<Help>,
}

/// What stops a workload.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Binding {
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
    Room {
        /// The resource that the most suitable nodes lack.
        resource: Option<Name>,
        /// What one pod asks of it, base units.
        needed: i64,
        /// The most that is free of it on one suitable node, base units.
        available: i64,
        /// How many nodes there are, by what rules them out.
        nodes: NodeTally,
        /// How many pods of the workload found room before this one did not.
        placed: u32,
    },
    /// It has evicted, and waits for the room (H1).
    Held {
        /// How many pods have still to leave.
        leaving: u32,
    },
}

impl Binding {
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
            Self::Held { .. } => Rule::H1,
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
    /// Without enough of some resource.
    pub full: u32,
    /// With enough in sum, but not on as many single devices as needed.
    pub fragmented: u32,
}

/// A leaf that holds what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Holder {
    /// The leaf.
    pub quota: QuotaId,
    /// Its running pods.
    pub pods: u32,
    /// What it uses of the missing resource, base units.
    pub used: i64,
    /// How much of that is above its guarantee, base units.
    pub borrowed: i64,
}

/// Pods that were not taken, and the rule that protects them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Protected {
    /// The rule.
    pub rule: Rule,
    /// How many pods.
    pub pods: u32,
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

/// A single change that would place the workload now (X3).
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
}

impl Plan {
    /// A digest of the actions and verdicts: equal plans have equal digests on every machine.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut hasher = crate::digest::StableHasher::default();
        self.actions.hash(&mut hasher);
        self.verdicts.hash(&mut hasher);
        hasher.finish()
    }
}
