//! A plan of evictions that would place a workload, and what it costs (V3).

use super::{candidates::Candidate, eligibility::PreemptionKind};
use crate::{
    api::{NodeId, Rule},
    scheduler::{
        cluster::Cluster,
        queue::EvictionCost,
        state::{Assignment, PodRef},
    },
};

/// Which pods to evict for a workload, and where its own pods will be placed.
#[derive(Debug)]
pub(crate) struct PreemptionPlan {
    pub(crate) kind: PreemptionKind,
    /// V1 where the victims were chosen in order, V5 where a search over sets chose them.
    pub(crate) chosen_by: Rule,
    /// In the order in which they were chosen.
    pub(crate) victims: Vec<Candidate>,
    /// Pods that are terminating anyway, and that the plan waits for.
    pub(crate) terminating: Vec<PodRef>,
    pub(crate) assignments: Vec<(PodRef, Assignment)>,
}

impl PreemptionPlan {
    /// What the plan costs, over all nodes (V3).
    pub(super) fn cost(&self, cluster: &Cluster) -> EvictionCost {
        eviction_cost(cluster, &self.victims, NodeId(0))
    }
}

/// What it costs to evict these victims to make room on a node (V3).
pub(super) fn eviction_cost(cluster: &Cluster, victims: &[Candidate], node: NodeId) -> EvictionCost {
    EvictionCost {
        broken_budgets: victims.iter().filter(|victim| victim.rank.breaks_budget).count(),
        highest_priority: victims.iter().map(|victim| victim.rank.priority).max(),
        pods: victims.iter().map(|victim| victim.pods.len()).sum(),
        overuse: victims.iter().map(|victim| victim.rank.overuse.clone()).collect(),
        lost_ms: victims.iter().map(|victim| lost_ms(cluster, victim)).sum(),
        node,
    }
}

/// How long the pods of a victim have run, summed, milliseconds.
pub(super) fn lost_ms(cluster: &Cluster, victim: &Candidate) -> u128 {
    let ran = cluster.now.since(cluster.workloads.at(victim.slot).started());
    u128::from(ran) * victim.pods.len() as u128
}
