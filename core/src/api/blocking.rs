//! What blocks a pending workload, as data: the limit or the missing room, who uses what is missing, and how many nodes
//! fail which test. A verdict consists of these.

use super::{
    ids::{Name, NodeId, PodId, QuotaId, Time, WorkloadId},
    rule::Rule,
    topology::{Domain, Level},
};
use serde::{Deserialize, Serialize};

/// Why a workload cannot run while the quota tree, the nodes and the usage of non-preemptible pods are as they are (O4).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum CannotRun {
    /// It requests more than the max of a quota on its path (A1).
    AboveMax {
        /// The quota.
        quota: QuotaId,
        /// The resource.
        resource: Name,
        /// What the workload requests, base units.
        needed: i64,
        /// The max, base units.
        max: i64,
    },
    /// It is not preemptible, and non-preemptible pods leave too little of a min on its path (A2).
    AboveGuarantee {
        /// The quota.
        quota: QuotaId,
        /// The resource.
        resource: Name,
        /// What the workload requests, base units.
        needed: i64,
        /// What is left of the min, base units.
        available: i64,
    },
    /// Even empty nodes could not hold its pods (P1).
    TooLarge {
        /// How many pods of one kind must run together.
        pods: u32,
        /// How many of them all suitable nodes together would hold if the nodes were empty. Where the pods must share a
        /// domain: how many the domain with the most room would hold.
        most: u64,
        /// The topology level at which all pods must share one domain; none where they need not.
        within: Option<Level>,
    },
}

/// Another obstacle of a workload, besides the one that blocks it first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Obstacle {
    /// What blocks it.
    pub binding: BlockingReason,
    /// The leaves that use what is missing, the largest first.
    pub holders: Vec<Holder>,
}

/// A leaf that holds what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Holder {
    /// The leaf; none for pods without a quota.
    pub quota: Option<QuotaId>,
    /// Its pods that use it, by id.
    pub pods: Vec<PodId>,
    /// What they use of the missing resource, base units; 0 where what is missing is no amount.
    pub used: i64,
    /// How much of it the leaf uses above its guarantee, base units.
    pub borrowed: i64,
}

/// What blocks a workload.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum BlockingReason {
    /// Its namespace is on no leaf (A4).
    NoQuota,
    /// The max of a quota on its path (A1).
    Ceiling {
        /// The quota.
        quota: QuotaId,
        /// The resource.
        resource: Name,
        /// What the workload requests, base units.
        needed: i64,
        /// What is left below max, base units.
        available: i64,
    },
    /// The min of a quota on its path, which non-preemptible pods may not exceed (A2).
    Guarantee {
        /// The quota.
        quota: QuotaId,
        /// The resource.
        resource: Name,
        /// What the workload requests, base units.
        needed: i64,
        /// What is left of the guarantee, base units.
        available: i64,
    },
    /// The most workloads that a quota admits at once (A5).
    Jobs {
        /// The quota.
        quota: QuotaId,
        /// How many it admits.
        limit: u32,
    },
    /// An earlier workload of its leaf, where the leaf blocks (O2).
    Behind {
        /// The first pending workload of the leaf.
        head: WorkloadId,
    },
    /// No node has room (P1).
    Room(Room),
    /// It has evicted other workloads, and waits until their pods have left (H1).
    Held {
        /// How many of them have not left yet.
        leaving: u32,
    },
    /// It fits once all terminating pods are gone and all holders are placed, so it waits and evicts nobody (H1).
    Settling {
        /// How many pods are terminating.
        leaving: u32,
    },
    /// Its request would take a quota on its path above its guarantee. So it may not reclaim outside that quota (R2a).
    Unentitled {
        /// The quota.
        quota: QuotaId,
        /// The resource.
        resource: Name,
        /// What the workload requests, base units.
        needed: i64,
        /// What is left of the guarantee, base units.
        available: i64,
    },
    /// Even after preemption within its leaf, a quota on its path would borrow more than before (R1).
    Growth {
        /// The quota.
        quota: QuotaId,
        /// The resource.
        resource: Name,
        /// What the workload requests, base units.
        needed: i64,
        /// What it could use without making the quota borrow more, base units.
        available: i64,
    },
    /// A bind of it failed, and it is not tried again yet (E6).
    BackOff {
        /// How many binds failed in a row.
        failures: u32,
        /// When it is tried again; nothing before the first decision after the failure.
        until: Option<Time>,
    },
}

/// No node has room for a pod (P1). The amounts are those at the point where the search gave up: pods that may be
/// evicted count as gone, and members of the gang that found room count as placed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Room {
    /// What the closest node lacks; nothing where no node is suitable.
    pub resource: Option<Name>,
    /// How much of the resource one pod requests, base units. For devices: how much on one device.
    pub needed: i64,
    /// How much of the resource is available on the closest node, base units. For devices: on the device with the most.
    pub available: i64,
    /// How much of the resource all suitable nodes together have available, base units. Where this is enough for the
    /// pod, the room is fragmented (S4).
    pub free: i64,
    /// How many nodes there are, by what rules them out.
    pub nodes: NodeTally,
    /// How many pods of the workload found room. The next one did not.
    pub placed: u32,
    /// The nodes on which those pods found room.
    pub stand_on: Vec<NodeId>,
    /// The pods that count as gone on all nodes, because the search had chosen them as victims before.
    pub without: Vec<PodId>,
    /// Where all pods must share a topology domain: the domain in which the most of them found room. Nothing where
    /// there is no domain. Nodes outside it count as `elsewhere`.
    pub within: Option<Domain>,
    /// The nodes that lack least, the closest first.
    pub closest: Vec<NearMissNode>,
}

impl Room {
    /// Whether all suitable nodes together have enough, but no single one has (S4).
    #[must_use]
    pub const fn is_fragmented(&self) -> bool {
        self.resource.is_some() && self.free >= self.needed
    }
}

/// A node that almost has room.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NearMissNode {
    /// The node.
    pub node: NodeId,
    /// What it lacks; where it lacks several things, the first.
    pub resource: Name,
    /// How many resources it lacks.
    pub lacks: u32,
    /// What one pod requests, base units. For devices: on one device.
    pub needed: i64,
    /// What is available on the node, base units. For devices: on the device with the most.
    pub available: i64,
    /// The pods on the node that count as gone, since they may be evicted.
    pub taken: Vec<PodId>,
}

impl BlockingReason {
    /// The rule that blocks the workload.
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
            Self::BackOff { .. } => Rule::E6,
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

    /// The quota that blocks, if one does.
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

    /// What is missing, as (resource, needed, available) in base units, where it is an amount.
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

/// How many nodes each reason rules out. A node counts once, by the first reason that applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct NodeTally {
    /// How many nodes there are.
    pub total: u32,
    /// Cordoned nodes.
    pub unschedulable: u32,
    /// With a taint that the pod does not tolerate.
    pub tainted: u32,
    /// Without a label that the pod selects.
    pub unselected: u32,
    /// Outside the domain that comes closest, where pods must share one.
    pub elsewhere: u32,
    /// Without enough of some resource.
    pub full: u32,
    /// With enough in total, but not on as many single devices as needed.
    pub fragmented: u32,
}

/// The test of a node that a pod failed first. Nodes are tested in this order (P1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum NodeTest {
    /// The node is outside the topology domain of the workload (G1).
    Topology,
    /// The node is cordoned.
    Schedulable,
    /// The pod does not tolerate a taint.
    Taint,
    /// A label that the pod selects is missing.
    Selector,
    /// The node lacks some resource.
    Room,
    /// The node has enough in total, but not on as many single devices as needed.
    Devices,
}

/// Why a node does not take the next pod of a pending workload.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NodeCheck {
    /// The node.
    pub node: NodeId,
    /// The test that failed first.
    pub failed: NodeTest,
    /// What the node lacks, base units, where the failed test is one of room or devices.
    pub lacks: Option<(Name, i64)>,
}
