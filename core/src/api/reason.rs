//! Why a pod was bound or evicted, and why a hold ended.

use super::{
    ids::{Name, NodeId, PodId, QuotaId, WorkloadId},
    policy::Placement,
    rule::Rule,
};
use serde::{Deserialize, Serialize};

/// Why a pod was bound, and why to this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BindReason {
    /// Whether the workload was entitled (O1); if not, it borrows (A3).
    pub entitled: bool,
    /// Whether its workload had evicted others for the room (H1).
    pub held: bool,
    /// The policy that chose the node (P2).
    pub placement: Placement,
}

/// Why a pod was evicted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EvictReason {
    /// The rule that allowed it: R1, R2, G2, G3 or T4.
    pub rule: Rule,
    /// How it was chosen among all that the rule allows: V1 (in victim order) or V5 (by a search over sets). For G3,
    /// where nothing is chosen, G3.
    pub chosen_by: Rule,
    /// The workload for which room is made; none for G3 and T4.
    pub cause: Option<WorkloadId>,
    /// The leaf that the pod was charged to; none if it had no quota.
    pub leaf: Option<QuotaId>,
    /// For R2: the lowest common ancestor of the preemptor's and the victim's leaves. For T4: the quota above its max.
    pub common: Option<QuotaId>,
    /// The contested resource.
    pub resource: Option<Name>,
    /// How far the leaf was above its min in the contested resource when the victim was chosen, base units. For T4: how
    /// far the quota was above its max.
    pub over: i64,
    /// The victim's priority.
    pub priority: i32,
    /// Whether the eviction broke the victim's disruption budget (R7).
    pub budget_broken: bool,
}

/// Why a hold ended without its workload being bound (H2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ReleaseReason {
    /// The victims are gone, and the workload does not fit any more.
    NoLongerFits,
    /// It lasted longer than the policy allows (`hold_timeout_ms`), and some victims were still there.
    TimedOut,
    /// This workload needs the room. Either it is entitled, arrived after the hold was made, and the holder is
    /// unentitled (in another leaf) or comes later in order; or it evicts the holder's gang as a whole.
    NeededBy(WorkloadId),
    /// The quota tree was replaced.
    TreeChanged,
    /// A node on which the hold counts is gone, the devices there have changed, or a drain stops the last running pod
    /// of the holder's gang on this node.
    NodeLost(NodeId),
    /// The holder's gang was evicted as a whole, but not for another workload (G3, T4).
    Evicted,
    /// This pod was to be evicted for it and could not be (E2).
    EvictFailed(PodId),
    /// What its workload asks for was changed by others: the minimum, or what a pod requests.
    Changed,
}
