//! What is lacking, and in which resources a victim's quotas must be above their guarantee for it (R2b, Q5).

use super::eligibility::{PreemptionKind, Preemptor, Resources};
use crate::scheduler::{
    cluster::Cluster,
    state::{NodeSlot, PodRef, TemplateId},
};

/// What a pod uses of a resource, governed or not.
pub(crate) fn uses(cluster: &Cluster, pod: PodRef, resource: usize) -> i64 {
    cluster.workloads.template(pod).amount(resource)
}

/// What a pod lacks on a node where it does not fit, governed or not; where only single devices lack something, the
/// resources of the devices.
pub(crate) fn lacking(cluster: &Cluster, id: TemplateId, node: NodeSlot) -> Resources {
    let short = short_of(cluster, id, node, 0);
    if short.is_empty() { devices_of(cluster, node) } else { short }
}

/// What a node lacks for one pod more than it has room for, as in [`lacking`].
pub(crate) fn lacking_for_one_more(cluster: &Cluster, id: TemplateId, node: NodeSlot) -> Resources {
    let short = short_of(cluster, id, node, 0);
    if !short.is_empty() {
        return short;
    }
    match cluster.nodes.at(node).most(cluster.workloads.interner.template(id)) {
        0 => devices_of(cluster, node),
        pods => short_of(cluster, id, node, pods),
    }
}

/// The resources of which a node has too little for one pod beside `others` pods of the same kind.
fn short_of(cluster: &Cluster, id: TemplateId, node: NodeSlot, others: u64) -> Resources {
    let (template, node) = (cluster.workloads.interner.template(id), cluster.nodes.at(node));
    let room_for = |available: i64, amount: i64| u64::try_from(available / amount).unwrap_or(0);
    let is_short = |(r, amount): &&(u16, i64)| match others {
        0 => node.available(*r) < *amount,
        _ => room_for(node.available(*r), *amount) <= others,
    };
    template.request.iter().filter(is_short).map(|(r, _)| usize::from(*r)).collect()
}

fn devices_of(cluster: &Cluster, node: NodeSlot) -> Resources {
    cluster.nodes.at(node).devices.iter().map(|devices| usize::from(devices.resource)).collect()
}

/// The contested resources for a request that lacks `lacking`: a victim's quotas must be above their guarantee in one
/// of them (R2b). For R1 they are the lacking ones.
///
/// No quota is above its guarantee in a resource that nobody is guaranteed. So where only such resources lack, the
/// contested ones are those that the preemptor is guaranteed and requests (Q5).
pub(crate) fn contested(cluster: &Cluster, preemptor: &Preemptor, lacking: &[usize]) -> Resources {
    if preemptor.kind == PreemptionKind::Priority {
        return lacking.iter().copied().collect();
    }
    let counted: Resources = lacking.iter().copied().filter(|r| cluster.quotas.counts(*r)).collect();
    if counted.is_empty() { cluster.quotas.counted(preemptor.ask).map(|(r, _)| r).collect() } else { counted }
}
