//! Which rule protects each pod on a node from eviction for a pending workload (X1).

use crate::{
    api::{BlockingReason, PodId, PodState, Protected, Protection, QuotaId},
    scheduler::{
        cluster::Cluster,
        preempt::{PreemptionKind, Preemptor, Resources, lacking, protection},
        state::{Ask, PodRef, QuotaSlot, WorkloadSlot, amount_of, narrow},
    },
};
use std::collections::BTreeMap;

/// What would have to be freed, and where: below a quota, in the workload's own leaf, or on suitable nodes.
#[derive(Default)]
struct Deficits {
    below: Vec<(QuotaId, usize)>,
    own: Vec<usize>,
    room: bool,
}

/// All pods on nodes, grouped by what protects them from eviction for this workload.
pub(super) fn protected<'a>(
    cluster: &Cluster,
    slot: WorkloadSlot,
    ask: &Ask,
    obstacles: impl Iterator<Item = &'a BlockingReason>,
) -> Vec<Protected> {
    let deficits = deficits(cluster, obstacles);
    let own = cluster.workloads.at(slot).leaf;
    let mut classes: BTreeMap<Protection, Vec<PodId>> = BTreeMap::new();
    let mut no_help = 0;
    for other in cluster.workloads.sorted() {
        let victim = cluster.workloads.at(other);
        let mut helping: Vec<PodId> = Vec::new();
        let mut resources = Resources::new();
        for (ordinal, pod) in victim.ordinals().filter(|(_, pod)| pod.is_on_node()) {
            let before = resources.len();
            add_freed(cluster, other.pod(ordinal), ask, &deficits, own, &mut resources);
            let id = victim.id.pod(ordinal);
            if resources.len() == before {
                no_help += 1;
            } else if pod.state == Some(PodState::Leaving) {
                resources.truncate(before);
                classes.entry(Protection::Leaving).or_default().push(id);
            } else {
                helping.push(id);
            }
        }
        if !helping.is_empty() {
            resources.sort_unstable();
            resources.dedup();
            let kind = if victim.leaf == own { PreemptionKind::Priority } else { PreemptionKind::Reclaim };
            let preemptor = Preemptor { slot: Some(slot), leaf: own, ask, kind, break_budgets: true };
            classes.entry(protection(cluster, &preemptor, other, &resources)).or_default().extend(helping);
        }
    }
    let class = |(shield, who): (Protection, Vec<PodId>)| Protected { shield, pods: narrow(who.len()), who };
    let mut protected: Vec<Protected> = classes.into_iter().map(class).collect();
    if no_help > 0 {
        protected.push(Protected { shield: Protection::NoHelp, pods: no_help, who: Vec::new() });
    }
    protected
}

fn deficits<'a>(cluster: &Cluster, obstacles: impl Iterator<Item = &'a BlockingReason>) -> Deficits {
    let mut deficits = Deficits::default();
    for reason in obstacles {
        let index = reason.amounts().and_then(|(name, ..)| cluster.quotas.tree.resource_index(name.as_str()));
        match reason {
            // No eviction changes what non-preemptible pods use, and nobody is evicted for the number of workloads.
            BlockingReason::Guarantee { .. } | BlockingReason::Jobs { .. } => return Deficits::default(),
            BlockingReason::Ceiling { quota, .. } => deficits.below.extend(index.map(|r| (*quota, r))),
            BlockingReason::Growth { .. } => deficits.own.extend(index),
            BlockingReason::Room(_) => deficits.room = true,
            _ => {}
        }
    }
    deficits
}

/// Adds the missing resources of which the eviction of a pod would free some (R5).
fn add_freed(cluster: &Cluster, pod: PodRef, ask: &Ask, deficits: &Deficits, own: QuotaSlot, found: &mut Resources) {
    let (workloads, nodes) = (&cluster.workloads, &cluster.nodes);
    let leaf = workloads.at(pod.workload).leaf;
    let governed = workloads.governed(pod);
    let below = deficits.below.iter().filter(|(quota, _)| cluster.quotas.is_within(leaf, *quota)).map(|(_, r)| *r);
    let in_own = deficits.own.iter().copied().filter(|_| leaf == own);
    found.extend(below.chain(in_own).filter(|r| amount_of(governed, *r) > 0));
    let node = workloads.pod(pod).map(|row| row.assignment.node);
    let Some(node) = node.filter(|_| deficits.room) else { return };
    for (id, _) in &ask.members {
        if nodes.is_suitable(node, workloads.interner.template(*id)) {
            found.extend(lacking(cluster, *id, node).into_iter().filter(|r| amount_of(governed, *r) > 0));
        }
    }
}
