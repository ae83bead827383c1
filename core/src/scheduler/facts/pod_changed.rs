//! A pod requests something else than before (E5).

use super::{pod, workload::check_request};
use crate::{
    api::{EventError, PodId, PodState, PodTemplate, ReleaseReason},
    scheduler::{
        cluster::Cluster,
        hold,
        state::{PodRef, Row, TemplateId},
    },
};

pub(super) fn pod_changed(cluster: &mut Cluster, id: PodId, spec: &PodTemplate) -> Result<(), EventError> {
    let (pod, state) = pod::find(cluster, id)?;
    let (slot, before) = (pod.workload, cluster.workloads.at(pod.workload).template(pod.ordinal));
    let template = cluster.workloads.interner.intern(spec)?;
    if template == before {
        return Ok(());
    }
    let leaf = cluster.workloads.at(slot).leaf;
    let interner = &cluster.workloads.interner;
    let (new, old) = (&interner.template(template).governed, &interner.template(before).governed);
    let more: Row = new.iter().zip(old).map(|(new, old)| new - old).collect();
    check_request(cluster, leaf, &more)?;
    cluster.quotas.ledger.add_requests(leaf, &more, 1);
    if state == PodState::Pending {
        end_hold_for(cluster, pod);
        cluster.workloads.at_mut(slot).change_template(pod.ordinal, template);
    } else {
        charge_anew(cluster, pod, template);
    }
    cluster.update_victim_index(slot);
    pod::requeue_rest(cluster, slot, id.workload);
    Ok(())
}

/// Ends a hold that is for a pending pod: what it reserves is for what the pod requested before (H2).
fn end_hold_for(cluster: &mut Cluster, pod: PodRef) {
    let workload = cluster.workloads.at(pod.workload);
    let Some(hold) = workload.hold else { return };
    let is_for = |hold: &crate::scheduler::cluster::Hold| hold.assignments.iter().any(|(other, _)| *other == pod);
    if cluster.holds.get(hold).is_some_and(is_for) {
        cluster.holds.ended.push((workload.id, ReleaseReason::Changed));
        hold::end(cluster, hold);
    }
}

/// Charges a pod that has a node for what it requests now, whether that fits or not. What then exceeds a max or the node
/// is excused, and no more than that (I2, I8).
fn charge_anew(cluster: &mut Cluster, pod: PodRef, template: TemplateId) {
    let Some(row) = cluster.workloads.pod(pod).copied() else { return };
    let hold = row.evicted_for.filter(|_| row.state == Some(PodState::Terminating));
    hold::change_victim(cluster, hold, |cluster| {
        cluster.uncharge(pod);
        cluster.workloads.at_mut(pod.workload).change_template(pod.ordinal, template);
        cluster.recharge(pod);
    });
    cluster.nodes.freed.note(row.assignment.node);
    cluster.nodes.excuse(row.assignment.node);
    let leaf = cluster.workloads.at(pod.workload).leaf;
    cluster.quotas.note_found(cluster.policy.enforce_max, leaf);
    cluster.touch(leaf);
}
