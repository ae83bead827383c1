//! Which rule protects each pod on a node from eviction for a pending workload (X1).

use crate::{
    api::{BlockingReason, PodId, PodState, Protected, Protection, QuotaId},
    scheduler::{
        cluster::Cluster,
        preempt::{PreemptionKind, Preemptor, Resources, contested, lacking_for_one_more, protection, uses},
        state::{Ask, PodRef, TemplateId, WorkloadSlot, narrow},
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
        for (ordinal, pod) in victim.ordinals().filter(|(_, pod)| pod.is_on_node()) {
            let places = deficits.helped_by(cluster, &preemptor, other.pod(ordinal));
            let id = victim.id.pod(ordinal);
            if places.is_empty() {
                no_help += 1;
            } else if pod.state == Some(PodState::Leaving) {
                classes.entry(Protection::Leaving).or_default().push(id);
            } else {
                helping.push(id);
                for lacking in &places {
                    resources.extend_from_slice(&contested(cluster, &preemptor, lacking));
                }
            }
        }
        if !helping.is_empty() {
            resources.sort_unstable();
            resources.dedup();
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

impl Deficits {
    /// What is lacking at each place where the eviction of a pod would free some of it (R5).
    fn helped_by(&self, cluster: &Cluster, preemptor: &Preemptor, pod: PodRef) -> SmallVec<[Resources; 2]> {
        let (workloads, nodes) = (&cluster.workloads, &cluster.nodes);
        let leaf = workloads.at(pod.workload).leaf;
        let mut places: SmallVec<[Resources; 2]> = SmallVec::new();
        let mut quotas: SmallVec<[QuotaId; 4]> = self.below.iter().map(|(quota, _)| *quota).collect();
        quotas.dedup();
        for quota in quotas.into_iter().filter(|quota| cluster.quotas.is_within(leaf, *quota)) {
            places.push(self.below.iter().filter(|(q, _)| *q == quota).map(|(_, r)| *r).collect());
        }
        if leaf == preemptor.leaf && !self.own.is_empty() {
            places.push(self.own.iter().copied().collect());
        }
        let node = workloads.pod(pod).map(|row| row.assignment.node);
        if let Some(node) = node.filter(|_| self.room) {
            let suits = |id: &&TemplateId| nodes.is_suitable(node, workloads.interner.template(**id));
            let kinds = preemptor.ask.members.iter().map(|(id, _)| id).filter(suits);
            places.extend(kinds.map(|id| lacking_for_one_more(cluster, *id, node)));
        }
        places.retain(|lacking| lacking.iter().any(|r| uses(cluster, pod, *r) > 0));
        places
    }
}
