//! What is lacking, and in which resources a victim must be over for it (R2b, Q5).

use super::eligibility::{PreemptionKind, Preemptor, Resources};
use crate::scheduler::{
    cluster::Cluster,
    state::{NodeSlot, PodRef, TemplateId},
};

/// What a pod uses of a resource, governed or not.
pub(crate) fn uses(cluster: &Cluster, pod: PodRef, resource: usize) -> i64 {
    cluster.workloads.template(pod).amount(resource)
}

/// What a pod lacks on a node, governed or not; where only single devices lack something, the resources of the devices.
pub(crate) fn lacking(cluster: &Cluster, id: TemplateId, node: NodeSlot) -> Resources {
    let (template, node) = (cluster.workloads.interner.template(id), cluster.nodes.at(node));
    let lacks = template.request.iter().filter(|(r, amount)| node.available(*r) < *amount);
    let mut lacking: Resources = lacks.map(|(r, _)| usize::from(*r)).collect();
    if lacking.is_empty() {
        lacking.extend(node.devices.iter().map(|devices| usize::from(devices.resource)));
    }
    lacking
}

/// The contested resources, where these are lacking: in one of them a victim must be over (R2b). By R1 those that are
/// lacking are.
///
/// Nobody is over in a resource that nobody is guaranteed. So where only such resources lack, the victim must be over in
/// one that the preemptor was promised and requests (Q5).
pub(crate) fn contested(cluster: &Cluster, preemptor: &Preemptor, lacking: &[usize]) -> Resources {
    if preemptor.kind == PreemptionKind::Priority {
        return lacking.iter().copied().collect();
    }
    let counted: Resources = lacking.iter().copied().filter(|r| cluster.quotas.counts(*r)).collect();
    if counted.is_empty() { cluster.quotas.counted(preemptor.ask).map(|(r, _)| r).collect() } else { counted }
}
