//! What a hold reserves: on quotas and nodes, what its workload needs beyond what its victims still use there (H1).

use crate::scheduler::{
    cluster::Cluster,
    nodes::NodeReservation,
    quota::PendingChange,
    state::{HoldId, NodeSlot, QuotaSlot, Row},
};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// Reserves what a hold needs on quotas and nodes.
pub(super) fn reserve(cluster: &mut Cluster, id: HoldId) {
    let Some(hold) = cluster.holds.get(id) else { return };
    let workloads = &cluster.workloads;
    let mut freed: BTreeMap<QuotaSlot, Row> = BTreeMap::new();
    for pod in &hold.victims {
        let uses = workloads.governed(*pod);
        let leaf = workloads.at(pod.workload).leaf;
        let row = freed.entry(leaf).or_insert_with(|| SmallVec::from_elem(0, uses.len()));
        row.iter_mut().zip(uses).for_each(|(sum, uses)| *sum += uses);
    }
    let total = workloads.interner.ask(hold.ask).total.clone();
    let change = PendingChange { leaf: workloads.at(hold.slot).leaf, total, freed };
    let mut reserved: SmallVec<[(NodeSlot, NodeReservation); 1]> = SmallVec::new();
    for (pod, assignment) in &hold.assignments {
        let footprint = cluster.nodes.footprint(*assignment, workloads.template(*pod));
        match reserved.iter_mut().find(|(node, _)| *node == assignment.node) {
            Some((_, amounts)) => amounts.add(&footprint, 1),
            None => reserved.push((assignment.node, footprint)),
        }
    }
    for pod in &hold.victims {
        let Some(at) = workloads.pod(*pod).map(|row| row.assignment) else { continue };
        if let Some((_, amounts)) = reserved.iter_mut().find(|(node, _)| *node == at.node) {
            amounts.add(&cluster.nodes.footprint(at, workloads.template(*pod)), -1);
        }
    }
    for (node, amounts) in &mut reserved {
        amounts.clip();
        cluster.nodes.reserve(*node, amounts, 1);
    }
    cluster.quotas.ledger.reserve(id, &change);
    let mut is_ready = false;
    if let Some(hold) = cluster.holds.get_mut(id) {
        (hold.change, hold.reserved) = (change, reserved);
        is_ready = hold.victims.is_empty();
    }
    if is_ready {
        cluster.holds.note_ready(id);
    }
    touch_reserved(cluster, id);
}

/// Reverses [`reserve`].
pub(super) fn unreserve(cluster: &mut Cluster, id: HoldId) {
    touch_reserved(cluster, id);
    let Some(hold) = cluster.holds.get_mut(id) else { return };
    let (reserved, change) = (std::mem::take(&mut hold.reserved), std::mem::take(&mut hold.change));
    for (node, amounts) in reserved {
        if cluster.nodes.at(node).up {
            cluster.nodes.reserve(node, &amounts, -1);
            cluster.nodes.freed.note(node);
        }
    }
    cluster.quotas.ledger.unreserve(id, &change);
}

/// After a change of what a hold reserves, marks the quotas on the path of its workload for re-evaluation and, where
/// quotas have lend floors (L3), those on the paths of its victims.
fn touch_reserved(cluster: &mut Cluster, id: HoldId) {
    let Some(change) = cluster.holds.get(id).map(|hold| &hold.change) else { return };
    let victims = change.freed.keys().copied().filter(|_| cluster.quotas.ledger.any_lend_limit());
    let leaves: SmallVec<[QuotaSlot; 4]> = victims.chain([change.leaf]).collect();
    leaves.into_iter().for_each(|leaf| cluster.touch(leaf));
}
