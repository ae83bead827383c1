//! Invariants that can be checked from the public views alone, independently of the core's own audit: I1 (the ledger
//! equals a count of the pods), I2 (no usage above max), I6 (no gang runs partly), I8 (no node or device is
//! over-committed).

use quotree_core::{NodeId, PodId, PodState, QuotaId, Scheduler, WorkloadId, WorkloadSpec, WorkloadView};
use std::collections::{BTreeMap, BTreeSet};

/// The workloads as the driver knows them, with their specs as submitted.
pub type Specs = BTreeMap<WorkloadId, WorkloadSpec>;

type Sums<K> = BTreeMap<(K, String), i64>;

/// The violations. `calm` says that there was no edit and no fault so far; I2 and I6 apply only then. I8 does not apply to
/// the nodes that are `visited`, by pods that no plan put there (E1).
#[must_use]
pub fn recount(core: &Scheduler, specs: &Specs, calm: bool, visited: &BTreeSet<NodeId>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut used: Sums<QuotaId> = Sums::new();
    let mut on_nodes: Sums<NodeId> = Sums::new();
    let mut places: BTreeMap<PodId, NodeId> = BTreeMap::new();
    for view in specs.keys().filter_map(|w| core.workload(*w)) {
        let sets = || specs.get(&view.id).into_iter().flat_map(|s| &s.pods);
        for pod in view.pods.iter().filter(|p| p.state != PodState::Pending) {
            let mut ordinal = pod.id.ordinal;
            let set = sets().find(|set| {
                let here = ordinal < set.count;
                ordinal = if here { ordinal } else { ordinal - set.count };
                here
            });
            for (resource, n) in set.into_iter().flat_map(|s| s.template.request.iter()) {
                for quota in view.leaf.into_iter().flat_map(|leaf| core.tree().path(leaf)) {
                    *used.entry((quota, resource.to_string())).or_default() += n;
                }
                if let Some(node) = pod.node {
                    *on_nodes.entry((node, resource.to_string())).or_default() += n;
                }
            }
            match pod.node {
                Some(node) => _ = places.insert(pod.id, node),
                None => wrong.push(format!("I1: {} is {:?} on no node", pod.id, pod.state)),
            }
        }
        if calm {
            wrong.extend(partly(&view, sets().map(|set| set.min).sum(), sets().map(|set| set.count).sum()));
        }
    }
    quotas(core, &used, calm, &mut wrong);
    nodes(core, &on_nodes, places, visited, &mut wrong);
    wrong
}

/// I6: a gang runs as a whole or not at all. Terminating pods still count, and pods that have ended are not missing.
fn partly(view: &WorkloadView, min: u32, count: u32) -> Option<String> {
    let ended = (count as usize).saturating_sub(view.pods.len());
    let stand = view.pods.iter().filter(|p| p.state != PodState::Pending).count();
    let leave = view.pods.iter().any(|p| p.state == PodState::Terminating);
    let wait = view.pods.iter().any(|p| p.state == PodState::Pending);
    (stand > 0 && stand + ended < min as usize && wait && !leave)
        .then(|| format!("I6: {stand} pods of {} are placed, and it needs {min}", view.id))
}

fn quotas(core: &Scheduler, used: &Sums<QuotaId>, calm: bool, wrong: &mut Vec<String>) {
    let tree = core.tree();
    for quota in tree.ids() {
        let usage = core.usage(quota);
        for (resource, max) in tree.governed().zip(tree.max(quota)) {
            let counted = used.get(&(quota, resource.to_string())).copied().unwrap_or(0);
            let ledger = usage.used.get(resource.as_str()).unwrap_or(0);
            let name = tree.name(quota);
            if counted != ledger {
                wrong.push(format!("I1: {name} uses {counted} of {resource}, its ledger says {ledger}"));
            }
            if calm && counted > *max {
                wrong.push(format!("I2: {name} uses {counted} of {resource}, at most {max} is allowed"));
            }
        }
    }
}

fn nodes(
    core: &Scheduler,
    used: &Sums<NodeId>,
    mut places: BTreeMap<PodId, NodeId>,
    visited: &BTreeSet<NodeId>,
    wrong: &mut Vec<String>,
) {
    for node in core.nodes() {
        let judged = !visited.contains(&node.id);
        for (resource, has) in node.allocatable.iter() {
            let counted = used.get(&(node.id, resource.to_string())).copied().unwrap_or(0);
            let ledger = node.used.get(resource.as_str()).unwrap_or(0);
            if counted != ledger {
                wrong.push(format!("I1: {} has {counted} of {resource} in use, its view says {ledger}", node.id));
            }
            if judged && counted > has {
                wrong.push(format!("I8: {} has {has} of {resource}, {counted} are in use", node.id));
            }
        }
        for (resource, free) in &node.devices_free {
            if judged && free.iter().any(|n| *n < 0) {
                wrong.push(format!("I8: a device of {resource} on {} is over-committed: {free:?}", node.id));
            }
        }
        for pod in &node.pods {
            if places.remove(pod) != Some(node.id) {
                wrong.push(format!("I1: {} lists {pod}, which is not placed there", node.id));
            }
        }
    }
    for (pod, node) in places {
        wrong.push(format!("I1: {pod} is placed on {node}, which does not list it"));
    }
}
