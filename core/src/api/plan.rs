//! What the scheduler decided, and why: the output of [`decide`](crate::Scheduler::decide). Why somebody waits is told in
//! [`verdict`](crate::Verdict).

use crate::api::{Name, NodeId, Placement, PodId, QuotaId, Verdict, WorkloadId};
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
    /// Whether a device is in the set.
    #[must_use]
    pub const fn has(self, device: u32) -> bool {
        device < u64::BITS && self.0 >> device & 1 == 1
    }

    /// The indices in the set, ascending.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        (0..u64::BITS).filter(move |i| self.has(*i))
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
        /// Where its pods will stand, as far as is known now.
        spots: SmallVec<[(PodId, NodeId); 1]>,
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
    /// Its gang was evicted whole for another reason (G3, T4): what still waits of it asks for nothing any more (G2).
    Evicted,
}

/// A rule, as reasons cite it; [`doc`](Self::doc) tells what it says. The order of the variants is part of digests: a new
/// one is appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are the rule numbers; `Rule::doc` tells what each one says")]
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
    /// What the rule says in one sentence, and where the rule book states it.
    ///
    /// ```
    /// use quotree_core::Rule;
    /// let doc = Rule::R2b.doc();
    /// assert_eq!(doc.link, "docs/rules.md#r2b");
    /// assert!(doc.sentence.contains("guarantee"));
    /// ```
    #[must_use]
    pub fn doc(self) -> RuleDoc {
        let link = format!("docs/rules.md#{}", format!("{self:?}").to_lowercase());
        RuleDoc { link, sentence: self.sentence() }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::A1 => "on every quota of the path, use plus request must stay within max",
            Self::A2 => "non-preemptible use plus request must stay within min on the whole path",
            Self::A4 => "a pod whose namespace is on no leaf has no quota",
            Self::A5 => "a quota admits at most max_jobs workloads at once",
            Self::O2 => "in a leaf with strict queueing, no workload passes the first",
            Self::P1 => "a node must be schedulable, match the pod's demands and have the room",
            Self::R1 => {
                "in its own leaf a workload may displace strictly lower priorities, without making the leaf borrow more"
            }
            Self::R2 => "a leaf within its guarantee reclaims it from leaves above theirs",
            Self::R2a => "only a workload whose side stays within its guarantee may reclaim",
            Self::R2b => "a leaf at or under its guarantee is not reclaimed from",
            Self::R2c => "non-preemptible pods, terminating pods and pods in their protected runtime are no victims",
            Self::R5 => "a victim must help: its eviction frees room or quota that is missing",
            Self::R6 => "nobody is evicted unless the whole workload can be placed afterwards",
            Self::R7 => "an exhausted disruption budget protects its pods",
            Self::R8 => "the policy switches this kind of preemption off",
            Self::G1 => "a gang is placed whole or not at all",
            Self::G2 => "a gang that would fall below its minimum is evicted whole",
            Self::G3 => "a gang below its minimum for too long is evicted whole",
            Self::H1 => "what an eviction frees is reserved for the workload it was made for",
            Self::T4 => "use above a lowered max is evicted after the stated time",
        }
    }
}

/// What is written about a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDoc {
    /// Its place in the rule book, from the root of the repository.
    pub link: String,
    /// The rule in one sentence.
    pub sentence: &'static str,
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

impl Plan {
    /// A digest of the actions and verdicts: equal plans have equal digests on every machine.
    #[must_use]
    pub fn digest(&self) -> u64 {
        let mut hasher = crate::api::StableHasher::default();
        self.actions.hash(&mut hasher);
        self.verdicts.hash(&mut hasher);
        hasher.finish()
    }
}
