//! Which rule protects each pod on a node from eviction for a pending workload (X1).

use crate::{
    api::{BlockingReason, PodId, PodState, Protected, Protection, QuotaId},
    scheduler::{
        cluster::Cluster,
        preempt::{PreemptionKind, Preemptor, Resources, contested, lacking_for_one_more, protection, uses},
        state::{Ask, PodRef, WorkloadSlot, narrow},
    },
};
use std::collections::BTreeMap;

/// Where something would have to be freed for the pending workload: at certain places of the quota tree, and on
/// suitable nodes.
#[derive(Default)]
struct Deficits {
    places: Vec<Place>,
    room: bool,
}

/// A place where something is lacking, independent of nodes: below a quota, or in the own leaf.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    Below(QuotaId),
    OwnLeaf,
}

/// What is lacking at a place. A pod of another leaf may be evicted for it only if the quotas of that leaf are above
/// their min in one of `contested` (R2(b)).
struct Place {
    at: Where,
    lacking: Resources,
    contested: Resources,
}

/// All pods on nodes, grouped by what protects them from eviction for this workload.
pub(super) fn protected<'a>(
    cluster: &Cluster,
    slot: WorkloadSlot,
    ask: &Ask,
    obstacles: impl Iterator<Item = &'a BlockingReason>,
) -> Vec<Protected> {
    let own = cluster.workloads.at(slot).leaf;
    let reclaims = Preemptor { slot: Some(slot), leaf: own, ask, kind: PreemptionKind::Reclaim, break_budgets: true };
    let deficits = deficits(cluster, &reclaims, obstacles);
    let mut classes: BTreeMap<Protection, Vec<PodId>> = BTreeMap::new();
    let mut no_help = 0;
    for other in cluster.workloads.sorted() {
        let victim = cluster.workloads.at(other);
        let mut helping: Vec<PodId> = Vec::new();
        let mut resources = Resources::new();
        let kind = if victim.leaf == own { PreemptionKind::Priority } else { PreemptionKind::Reclaim };
        let preemptor = Preemptor { kind, ..reclaims };
        for (ordinal, pod) in victim.ordinals().filter(|(_, pod)| pod.is_on_node()) {
            let before = resources.len();
            let helps = deficits.add_helped(cluster, &preemptor, other.pod(ordinal), &mut resources);
            let id = victim.id.pod(ordinal);
            if !helps {
                no_help += 1;
            } else if pod.state == Some(PodState::Terminating) {
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

fn deficits<'a>(
    cluster: &Cluster,
    reclaims: &Preemptor,
    obstacles: impl Iterator<Item = &'a BlockingReason>,
) -> Deficits {
    let mut deficits = Deficits::default();
    for reason in obstacles {
        let at = match reason {
            // No eviction changes what non-preemptible pods use, and nobody is evicted for the number of workloads.
            BlockingReason::Guarantee { .. } | BlockingReason::Jobs { .. } => return Deficits::default(),
            BlockingReason::Ceiling { quota, .. } => Where::Below(*quota),
            BlockingReason::Growth { .. } => Where::OwnLeaf,
            BlockingReason::Room(_) => {
                deficits.room = true;
                continue;
            }
            _ => continue,
        };
        let index = reason.amounts().and_then(|(name, ..)| cluster.quotas.tree.resource_index(name.as_str()));
        match deficits.places.iter_mut().find(|place| place.at == at) {
            Some(place) => place.lacking.extend(index),
            None => {
                deficits.places.push(Place { at, lacking: index.into_iter().collect(), contested: Resources::new() })
            }
        }
    }
    for place in &mut deficits.places {
        place.contested = contested(cluster, reclaims, &place.lacking);
    }
    deficits
}

impl Deficits {
    /// Whether the eviction of a pod would free some of what is lacking at one of the places or on its node (R5). If
    /// so, adds the contested resources.
    fn add_helped(&self, cluster: &Cluster, preemptor: &Preemptor, pod: PodRef, found: &mut Resources) -> bool {
        let frees = |lacking: &[usize]| lacking.iter().any(|r| uses(cluster, pod, *r) > 0);
        let mut add = |contested: &[usize]| {
            for r in contested {
                if !found.contains(r) {
                    found.push(*r);
                }
            }
        };
        let mut helps = false;
        let leaf = cluster.workloads.at(pod.workload).leaf;
        for place in &self.places {
            let is_there = match place.at {
                Where::Below(quota) => cluster.quotas.is_within(leaf, quota),
                Where::OwnLeaf => leaf == preemptor.leaf,
            };
            if is_there && frees(&place.lacking) {
                helps = true;
                let by_priority = preemptor.kind == PreemptionKind::Priority;
                add(if by_priority { &place.lacking } else { &place.contested });
            }
        }
        let Some(row) = cluster.workloads.pod(pod).filter(|_| self.room) else { return helps };
        let node = row.assignment.node;
        for (id, _) in &preemptor.ask.members {
            if !cluster.nodes.is_suitable(node, cluster.workloads.interner.template(*id)) {
                continue;
            }
            let lacking = lacking_for_one_more(cluster, *id, node);
            if frees(&lacking) {
                helps = true;
                add(&contested(cluster, preemptor, &lacking));
            }
        }
        helps
    }
}
