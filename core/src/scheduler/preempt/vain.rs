//! Skips searches over sets that would find nothing again, because nothing that they depend on has changed (V5).

use super::{
    eligibility::{PreemptionKind, Preemptor, common_anywhere},
    gather::{Group, Target},
};
use crate::scheduler::{
    cluster::Cluster,
    state::{NodeSlot, QuotaSlot, WorkloadSlot},
};
use rustc_hash::FxHasher;
use std::{
    collections::BTreeSet,
    hash::{Hash, Hasher},
};

/// The index of a kind of search among the searches that a workload remembers (`state/vain.rs`).
pub(super) const fn kind_of(preemptor: &Preemptor) -> usize {
    (preemptor.kind as usize) * 2 + preemptor.break_budgets as usize
}

/// A digest of everything that decides whether some set makes room: the quotas of the preemptor and of the candidates,
/// the candidates with their pods, and what is available on the nodes.
pub(super) fn digest(cluster: &Cluster, preemptor: &Preemptor, places: &[(Target, Vec<Group>)]) -> u64 {
    let mut hasher = FxHasher::default();
    let (quotas, ask) = (&cluster.quotas, preemptor.ask);
    ask.hash(&mut hasher);
    for q in quotas.ledger.path(preemptor.leaf) {
        for (r, _) in ask.requested() {
            let ledger = &quotas.ledger;
            (ledger.charged(q, r), ledger.projected_usage(q, r), quotas.max(q, r), quotas.guarantee(q, r))
                .hash(&mut hasher);
        }
    }
    let mut branches: BTreeSet<QuotaSlot> = BTreeSet::new();
    let mut nodes: BTreeSet<NodeSlot> = BTreeSet::new();
    for (target, groups) in places {
        if let Target::Node(node) = target {
            nodes.insert(*node);
        }
        for slot in groups.iter().flat_map(|group| &group.members) {
            add_candidate(cluster, *slot, &mut hasher);
            let leaf = cluster.workloads.at(*slot).leaf;
            let common = common_anywhere(cluster, preemptor, leaf);
            if preemptor.kind == PreemptionKind::Reclaim {
                branches.extend(quotas.ledger.path(leaf).take_while(|q| Some(*q) != common));
            }
        }
        if *target == Target::AllNodes {
            nodes.extend(cluster.nodes.sorted());
        }
    }
    for q in branches {
        for (r, _) in quotas.counted(ask) {
            (quotas.ledger.remaining_usage(q, r), quotas.protected_usage(q, r)).hash(&mut hasher);
        }
    }
    for node in nodes {
        let node = cluster.nodes.at(node);
        (node.id, node.spec.schedulable, &node.free, &node.reserved).hash(&mut hasher);
        node.devices.iter().for_each(|devices| (&devices.free, &devices.reserved).hash(&mut hasher));
    }
    hasher.finish()
}

fn add_candidate(cluster: &Cluster, slot: WorkloadSlot, hasher: &mut FxHasher) {
    let workload = cluster.workloads.at(slot);
    (workload.id, workload.leaf, workload.priority).hash(hasher);
    for (ordinal, pod) in workload.active() {
        (ordinal, pod.assignment.node, pod.assignment.devices, workload.template(ordinal)).hash(hasher);
    }
    workload.sets.iter().for_each(|set| set.min.hash(hasher));
    workload.budget.as_deref().and_then(|budget| cluster.budgets.get(budget)).hash(hasher);
}
