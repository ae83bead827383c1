//! Which rule protects each pod on a node from eviction for a pending workload (X1).

use crate::{
    api::{BlockingReason, PodId, PodState, Protected, Protection, QuotaId},
    scheduler::{
        cluster::Cluster,
        preempt::{PreemptionKind, Preemptor, Resources, contested, lacking_for_one_more, protection, uses},
        state::{Ask, PodRef, QuotaSlot, WorkloadSlot, narrow},
    },
};
use smallvec::SmallVec;
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
        let kind = if victim.leaf == own { PreemptionKind::Priority } else { PreemptionKind::Reclaim };
        let preemptor = Preemptor { slot: Some(slot), leaf: own, ask, kind, break_budgets: true };
        let places = deficits.of_leaf(cluster, &preemptor, victim.leaf);
        for (ordinal, pod) in victim.ordinals().filter(|(_, pod)| pod.is_on_node()) {
            let before = resources.len();
            let helps = deficits.add_helped(cluster, &preemptor, other.pod(ordinal), &places, &mut resources);
            let id = victim.id.pod(ordinal);
            if !helps {
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

/// What is lacking at a place, and the contested resources for that (R2b).
struct Place {
    lacking: Resources,
    contested: Resources,
}

impl Place {
    fn new(cluster: &Cluster, preemptor: &Preemptor, lacking: Resources) -> Self {
        Self { contested: contested(cluster, preemptor, &lacking), lacking }
    }
}

impl Deficits {
    /// The places where pods of a leaf could help whatever node they are on: below quotas, and in the own leaf.
    fn of_leaf(&self, cluster: &Cluster, preemptor: &Preemptor, leaf: QuotaSlot) -> SmallVec<[Place; 2]> {
        let mut quotas: SmallVec<[QuotaId; 4]> = self.below.iter().map(|(quota, _)| *quota).collect();
        quotas.dedup();
        quotas.retain(|quota| cluster.quotas.is_within(leaf, *quota));
        let below = |quota: QuotaId| self.below.iter().filter(move |(q, _)| *q == quota).map(|(_, r)| *r).collect();
        let mut lacking: SmallVec<[Resources; 2]> = quotas.into_iter().map(below).collect();
        if leaf == preemptor.leaf {
            lacking.push(self.own.iter().copied().collect());
        }
        lacking.into_iter().map(|lacking| Place::new(cluster, preemptor, lacking)).collect()
    }

    /// Whether the eviction of a pod would free some of what is lacking at one of these places or on its node (R5). Adds
    /// the contested resources where it would.
    fn add_helped(
        &self,
        cluster: &Cluster,
        preemptor: &Preemptor,
        pod: PodRef,
        places: &[Place],
        found: &mut Resources,
    ) -> bool {
        let helps = |place: &&Place| place.lacking.iter().any(|r| uses(cluster, pod, *r) > 0);
        let (nodes, interner) = (&cluster.nodes, &cluster.workloads.interner);
        let mut on_node: SmallVec<[Place; 1]> = SmallVec::new();
        let node = cluster.workloads.pod(pod).map(|row| row.assignment.node);
        if let Some(node) = node.filter(|_| self.room) {
            let kinds = preemptor.ask.members.iter().map(|(id, _)| *id);
            let suited = kinds.filter(|id| nodes.is_suitable(node, interner.template(*id)));
            on_node.extend(suited.map(|id| Place::new(cluster, preemptor, lacking_for_one_more(cluster, id, node))));
        }
        let mut any = false;
        for place in places.iter().chain(&on_node).filter(helps) {
            any = true;
            for r in &place.contested {
                if !found.contains(r) {
                    found.push(*r);
                }
            }
        }
        any
    }
}
