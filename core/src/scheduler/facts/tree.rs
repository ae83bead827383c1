//! A new quota tree: the state is rebuilt for it, and all usage is counted again (T3, T4).

use crate::{
    api::{EventError, Name, PodId, PodState, ReleaseReason, TreeSpec},
    scheduler::{
        cluster::Cluster,
        hold,
        state::{Assignment, Pod, WorkloadSlot},
    },
    tree::QuotaTree,
};
use std::collections::BTreeMap;

pub(super) fn changed(cluster: &mut Cluster, spec: &TreeSpec) -> Result<(), EventError> {
    let tree = QuotaTree::new(spec, cluster.policy.over_promised).map_err(EventError::InvalidTree)?;
    check_leaves(cluster, &tree)?;
    for id in cluster.holds.ids_where(|_| true) {
        if let Some(hold) = hold::end(cluster, id) {
            cluster.holds.ended.push((cluster.workloads.at(hold.slot).id, ReleaseReason::TreeChanged));
        }
    }
    *cluster = rebuilt(cluster, tree)?;
    Ok(())
}

/// Namespaces with running pods may not move, and a leaf that running pods name may not go (T3).
fn check_leaves(cluster: &Cluster, tree: &QuotaTree) -> Result<(), EventError> {
    let (mut namespaces, mut quotas): (BTreeMap<Name, Vec<PodId>>, BTreeMap<Name, Vec<PodId>>) = Default::default();
    for slot in cluster.workloads.sorted() {
        let workload = cluster.workloads.at(slot);
        let before = cluster.quotas.quota_id(workload.leaf).map(|q| cluster.quotas.tree.name(q));
        let after = tree.leaf_for(workload.quota.as_deref(), &workload.namespace).map(|q| tree.name(q));
        if before != after && workload.is_on_nodes() {
            let running = workload.ordinals().filter(|(_, pod)| pod.is_on_node());
            let pods = running.map(|(ordinal, _)| workload.id.pod(ordinal));
            match workload.quota.as_deref() {
                Some(quota) => quotas.entry(quota.clone()).or_default().extend(pods),
                None => namespaces.entry(workload.namespace.clone()).or_default().extend(pods),
            }
        }
    }
    if namespaces.is_empty() && quotas.is_empty() {
        return Ok(());
    }
    let (namespaces, quotas) = (namespaces.into_iter().collect(), quotas.into_iter().collect());
    Err(EventError::LeavesInUse { namespaces, quotas })
}

/// The same nodes and workloads under another tree.
fn rebuilt(before: &mut Cluster, tree: QuotaTree) -> Result<Cluster, EventError> {
    let mut cluster = Cluster::new(tree, before.policy.clone());
    for node in before.nodes.sorted() {
        cluster.nodes.add(before.nodes.at(node).spec.clone(), &mut cluster.workloads.interner)?;
    }
    (cluster.now, cluster.generation) = (before.now, before.generation);
    cluster.budgets.clone_from(&before.budgets);
    cluster.evictions.clone_from(&before.evictions);
    cluster.timers.clone_from(&before.timers);
    cluster.just_bound.clone_from(&before.just_bound);
    cluster.maybe_stale.clone_from(&before.maybe_stale);
    cluster.backing_off.clone_from(&before.backing_off);
    cluster.holds.ended = std::mem::take(&mut before.holds.ended);
    for slot in before.workloads.sorted() {
        adopt(&mut cluster, slot, before)?;
    }
    cluster.nodes.excuse_as(&before.nodes);
    cluster.quotas.note_over_max(cluster.policy.enforce_max, &before.quotas);
    Ok(cluster)
}

/// Copies a workload from the state before the tree changed.
fn adopt(cluster: &mut Cluster, old: WorkloadSlot, before: &Cluster) -> Result<(), EventError> {
    let mut workload = before.workloads.at(old).clone();
    let pods: Vec<Pod> = workload.pods.to_vec();
    workload.leaf = cluster.quotas.leaf_of(workload.quota.as_deref(), &workload.namespace);
    (workload.hold, workload.admitted) = (None, false);
    for set in &mut workload.sets {
        set.template = cluster.workloads.interner.intern(before.workloads.interner.spec(set.template))?;
    }
    let slot = cluster.workloads.add(workload);
    let leaf = cluster.workloads.at(slot).leaf;
    let requested = cluster.workloads.requested(slot);
    cluster.quotas.ledger.add_requests(leaf, &requested, 1);
    for (ordinal, pod) in (0u32..).zip(&pods) {
        let Some(state) = pod.state.filter(|state| *state != PodState::Pending) else { continue };
        let id = before.nodes.at(pod.assignment.node).id;
        let Some(node) = cluster.nodes.slot(id) else { continue };
        let (pod, assignment) = (slot.pod(ordinal), Assignment { node, ..pod.assignment });
        cluster.nodes.put_anyway(assignment, cluster.workloads.template(pod), pod);
        cluster.charge(pod, assignment, state);
        cluster.set_admitted(slot, true);
        if state == PodState::Terminating {
            cluster.start_terminating(pod, None);
        }
    }
    cluster.update_victim_index(slot);
    cluster.enqueue(slot);
    Ok(())
}
