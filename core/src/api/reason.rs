//! Why a pod was bound or evicted, and why a hold ended.

use super::{
    ids::{Name, NodeId, QuotaId, WorkloadId},
    policy::Placement,
    rule::Rule,
};
use serde::{Deserialize, Serialize};

/// Why a pod was bound, and bound there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BindReason {
    /// Whether it is entitled (O1); if not, it borrows (A3).
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
    /// The workload that it makes room for; none for G3 and T4.
    pub cause: Option<WorkloadId>,
    /// The leaf it was charged to; none if it had no quota.
    pub leaf: Option<QuotaId>,
    /// The lowest common ancestor of both leaves (R2), or the quota above its max (T4).
    pub common: Option<QuotaId>,
    /// The contested resource.
    pub resource: Option<Name>,
    /// How far the leaf was above its min in it when the victim was chosen, base units.
    pub over: i64,
    /// The victim's priority.
    pub priority: i32,
    /// Whether its disruption budget was exhausted, and there was no plan without it (R7).
    pub budget_broken: bool,
}

/// Why a hold ended without its workload being bound (H2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ReleaseReason {
    /// The victims are gone, and the workload does not fit any more.
    NoLongerFits,
    /// It lasted longer than the policy allows (`hold_timeout_ms`).
    TimedOut,
    /// An entitled workload that comes earlier in order needs the room.
    NeededBy(WorkloadId),
    /// The quota tree was replaced.
    TreeChanged,
    /// A node that it counts on is gone or changed.
    NodeLost(NodeId),
    /// Its gang was evicted as a whole for another reason (G3, T4): its pending pods wait for nothing any more (G2).
    Evicted,
}
