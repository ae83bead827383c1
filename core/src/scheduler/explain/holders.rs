//! Which leaves use what a pending workload lacks, the largest first (X1).

use crate::{
    api::{BlockingReason, Holder, PodId},
    scheduler::{
        cluster::Cluster,
        state::{Ask, NodeSlot, QuotaSlot, TemplateId, Workload, WorkloadSlot, amount_of},
    },
};
use std::{cmp::Reverse, collections::BTreeMap};

/// The leaves that use what is missing by an obstacle, with their pods.
pub(super) fn holders(cluster: &Cluster, slot: WorkloadSlot, ask: &Ask, of: &BlockingReason) -> Vec<Holder> {
    if matches!(
        of,
        BlockingReason::NoQuota
            | BlockingReason::Behind { .. }
            | BlockingReason::Held { .. }
            | BlockingReason::Settling { .. }
            | BlockingReason::BackOff { .. }
    ) {
        return Vec::new();
    }
    let (quotas, workloads) = (&cluster.quotas, &cluster.workloads);
    let resource = of.amounts().and_then(|(name, ..)| quotas.tree.resource_index(name.as_str()));
    if resource.is_none() && !matches!(of, BlockingReason::Jobs { .. }) {
        return Vec::new();
    }
    let counts = |workload: &Workload| match of {
        BlockingReason::Room(_) => true,
        BlockingReason::Guarantee { quota, .. } => !workload.preemptible && quotas.is_within(workload.leaf, *quota),
        _ => of.quota().is_some_and(|quota| quotas.is_within(workload.leaf, quota)),
    };
    let is_relevant = |node: NodeSlot| {
        let is_suitable =
            |(id, _): &(TemplateId, u32)| cluster.nodes.is_suitable(node, workloads.interner.template(*id));
        !matches!(of, BlockingReason::Room(_)) || ask.members.iter().any(is_suitable)
    };
    let mut held: BTreeMap<QuotaSlot, (i64, Vec<PodId>)> = BTreeMap::new();
    for other in workloads.sorted() {
        let workload = workloads.at(other);
        let only_holds = resource.is_none() && workload.hold.is_some();
        if !counts(workload) || (other == slot && resource.is_none()) {
            continue;
        }
        for (ordinal, pod) in workload.ordinals() {
            let on_node = pod.is_on_node() && is_relevant(pod.assignment.node);
            let uses = resource.map_or(0, |r| amount_of(workloads.governed(other.pod(ordinal)), r));
            if (on_node && (uses > 0 || resource.is_none())) || (only_holds && pod.state.is_some()) {
                let (sum, pods) = held.entry(workload.leaf).or_default();
                *sum += uses;
                pods.push(workload.id.pod(ordinal));
            }
        }
    }
    let holder = |(leaf, (used, pods)): (QuotaSlot, (i64, Vec<PodId>))| {
        let over = |r| amount_of(quotas.ledger.used.row(leaf), r) - quotas.min(leaf, r);
        let borrowed = resource.filter(|_| quotas.quota_id(leaf).is_some()).map_or(0, |r| over(r).max(0));
        Holder { quota: quotas.quota_id(leaf), pods, used, borrowed }
    };
    let mut holders: Vec<Holder> = held.into_iter().map(holder).collect();
    holders.sort_by_key(|holder| (Reverse(holder.used), holder.quota));
    holders
}
